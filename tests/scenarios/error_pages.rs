//! Pages of the site in place of errors (`cdn-behaviour.md` section 11).

use rimward_testkit::{Answer as Given, Origin, Received};
use rimward_tests::{TestNode, request};
use rimward_types::Body;

fn site(received: &Received) -> Given {
    match received.target.as_str() {
        "/errors/404.html" => Given::cached(60, "nothing here, sorry").header("content-type", "text/html"),
        "/broken.html" => Given::new(500, "broken too"),
        "/up" => Given::ok("up"),
        "/down" => Given::new(503, "down"),
        _ => Given::new(404, "not found"),
    }
}

async fn node(origin: &Origin, pages: &str, more: &str) -> TestNode {
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n{more}[[distributions]]\ndomains = [\"*\"]\nerror-pages = [{pages}]\n\
         [[distributions.behaviors]]\npath = \"/f/*\"\norigin = \"app\"\n\
         [[distributions.behaviors]]\norigin = \"app\"\n",
        origin.url()
    );
    TestNode::start(&config, &[]).await
}

#[tokio::test]
async fn an_error_of_the_origin_gets_the_page_and_the_status_that_are_configured() {
    let origin = Origin::new(site).await;
    for (more, status) in [("", 404), (", answer-status = 200", 200), (", answer-status = 503", 503)] {
        let node = node(&origin, &format!("{{ status = 404, page = \"/errors/404.html\"{more} }}"), "").await;
        let answer = node.get("/none").await;
        assert_eq!((answer.status(), answer.body.as_str()), (status, "nothing here, sorry"));
        assert_eq!((answer.header("content-type"), answer.header("x-cache")), ("text/html", "Error from cloudfront"));
        assert_eq!(node.record()["result"], "Error");
        assert_eq!(node.get("/up").await.body, "up");
    }
}

#[tokio::test]
async fn the_page_comes_from_the_cache() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "{ status = 404, page = \"/errors/404.html\" }", "").await;
    for path in ["/a", "/b", "/c"] {
        assert_eq!(node.get(path).await.body, "nothing here, sorry");
    }
    let asked = origin.received().iter().filter(|received| received.target == "/errors/404.html").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_origin_that_is_away_gets_a_page_that_another_has() {
    let pages = Origin::new(site).await;
    let gone = Origin::nobody().await;
    let config = format!(
        "[origins.pages]\nurl = \"{}\"\n[origins.gone]\nurl = \"http://{gone}\"\n[[distributions]]\ndomains = [\"*\"]\n\
         error-pages = [{{ status = 502, page = \"/errors/404.html\" }}]\n\
         [[distributions.behaviors]]\npath = \"/errors/*\"\norigin = \"pages\"\n\
         [[distributions.behaviors]]\norigin = \"gone\"\n",
        pages.url()
    );
    let node = TestNode::start(&config, &[]).await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.body.as_str()), (502, "nothing here, sorry"));
    assert_eq!(node.record()["detail"], "OriginConnectError", "the reason is that of the error");
}

#[tokio::test]
async fn a_page_that_cannot_be_had_fails_with_its_own_status() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "{ status = 404, page = \"/broken.html\" }, { status = 500, page = \"/up\" }", "").await;
    let answer = node.get("/none").await;
    assert_eq!((answer.status(), answer.body.as_str()), (500, "broken too"), "a page's error gets no page");
    let head = node.send(request("HEAD", "/down", &[]), Body::Empty).await;
    assert_eq!((head.status(), head.body.as_str()), (503, ""), "no page is configured for it");
}

#[tokio::test]
async fn the_page_comes_from_its_own_behaviors_origin_whatever_origin_a_function_chose() {
    // cdn-behaviour.md section 11; cloudfront-functions.md section 11.2
    let config = "[origins.alpha]\nurl = \"builtin:demo\"\n[origins.beta]\nurl = \"builtin:demo\"\n\
        [functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
        error-pages = [{ status = 404, page = \"/errors/404.html\" }]\n\
        [[distributions.behaviors]]\npath = \"/errors/*\"\norigin = \"alpha\"\n\
        [[distributions.behaviors]]\norigin = \"alpha\"\nviewer-request = \"f\"\n";
    let code = b"import cf from 'cloudfront';\n\
        function handler(event) { cf.selectRequestOriginById('beta'); return event.request; }";
    let node = TestNode::start(config, &[("f.js", code)]).await;
    assert_eq!(node.get("/page").await.header("x-demo-origin"), "beta");
    let answer = node.get("/status/404").await;
    assert_eq!((answer.status(), answer.header("x-demo-origin")), (404, "alpha"));
    assert!(answer.body.contains("/errors/404.html"), "{}", answer.body);
    node.record();
    let record = node.record();
    let origins: Vec<_> = record["origins"].as_array().unwrap().iter().map(|origin| &origin["origin"]).collect();
    assert_eq!(origins, ["beta", "alpha"], "the error, then the page");
}

/// cloudfront-functions.md section 14: `CloudFront-Error-Uri` and `-Error-Args`.
#[tokio::test]
async fn the_fetch_of_a_page_says_what_it_stands_in_for_where_a_policy_names_that() {
    let origin = Origin::new(site).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n\
         error-pages = [{{ status = 404, page = \"/errors/404.html\" }}]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nforward = {{ headers = [\"CloudFront-Error-Uri\", \"CloudFront-Error-Args\"] }}\n",
        origin.url()
    );
    let node = TestNode::start(&config, &[]).await;
    node.get_with("/none?a=1", &[("cloudfront-error-uri", "/own")]).await;
    let received = origin.received();
    let told = |n: usize| (received[n].header("cloudfront-error-uri"), received[n].header("cloudfront-error-args"));
    assert_eq!((told(0), told(1)), ((None, None), (Some("/none"), Some("a=1"))));
}

#[tokio::test]
async fn errors_are_kept_as_long_as_the_policy_says_for_their_status() {
    // cdn-behaviour.md section 11: `ErrorCachingMinTTL` per code
    let origin = Origin::new(site).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[cache-policies.errors]\nprofile = \"cloudfront\"\n\
         error-ttl = {{ 404 = \"1 min\", default = \"0 s\" }}\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\ncache-policy = \"errors\"\n",
        origin.url()
    );
    let node = TestNode::start(&config, &[]).await;
    let asked = |path: &str| origin.received().iter().filter(|received| received.target == path).count();
    for (seconds, times) in [(0, 1), (59, 1), (2, 2)] {
        node.advance(seconds);
        assert_eq!(node.get("/none").await.status(), 404);
        assert_eq!(asked("/none"), times, "after {seconds} s more");
    }
    for times in 1..3 {
        assert_eq!(node.get("/down").await.status(), 503);
        assert_eq!(asked("/down"), times);
    }
}
