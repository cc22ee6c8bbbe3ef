//! Response headers policies (`cdn-behaviour.md` sections 2 and 14, `cloudfront-functions.md` section 2).

use rimward_testkit::{Answer as Given, Origin, Received};
use rimward_tests::{TestNode, request};
use rimward_types::{Body, Connection};
use std::sync::Arc;

const POLICY: &str = "[response-headers-policies.mine]\nremove = [\"x-powered-by\"]\nserver-timing = 0\n\
    headers = { x-own = \"policy\", x-soft = { value = \"policy\", override = false } }\n\
    cors = { origins = [\"https://*.example.org\"] }\n";

fn site(received: &Received) -> Given {
    let given = match received.target.as_str() {
        "/none" => Given::new(404, "none"),
        "/cached" => Given::cached(60, "cached"),
        _ => Given::ok("there"),
    };
    given.header("x-powered-by", "php").header("x-soft", "origin").header("server-timing", "db;dur=9")
}

/// A node with the policy and `more` keys at its one behavior, and function `f`.
async fn node(origin: &Origin, more: &str, code: &str) -> TestNode {
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n{POLICY}[functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nresponse-headers-policy = \"mine\"\n{more}",
        origin.url()
    );
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

const IDLE: &str = "function handler(e) { return e.response || e.request; }";

#[tokio::test]
async fn every_answer_of_the_behavior_has_the_policys_headers() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "", IDLE).await;
    for (path, status) in [("/", 200), ("/cached", 200), ("/cached", 200), ("/none", 404)] {
        let answer = node.get(path).await;
        assert_eq!(
            (answer.status(), answer.header("x-own"), answer.header("x-soft")),
            (status, "policy", "origin"),
            "{path}"
        );
        assert!(!answer.head.headers.contains_key("x-powered-by"), "{path}");
    }
}

#[tokio::test]
async fn a_page_of_the_node_has_them_too() {
    let nobody = Origin::nobody().await;
    let config = format!(
        "[origins.app]\nurl = \"http://{nobody}\"\nattempts = 1\n{POLICY}[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nresponse-headers-policy = \"mine\"\n"
    );
    let node = TestNode::start(&config, &[]).await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.header("x-own")), (502, "policy"));
}

#[tokio::test]
async fn what_never_came_so_far_has_none() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "viewer-protocol = \"redirect-to-https\"\n", IDLE).await;
    let moved = node.get("/").await;
    assert_eq!((moved.status(), moved.header("x-own")), (301, ""));
}

/// cloudfront-functions.md section 2: a response that viewer-request made has them, and so has the page for a failure.
#[tokio::test]
async fn a_generated_response_and_a_failure_have_them() {
    let origin = Origin::must_not_be_called().await;
    let code = "function handler(e) { if (e.request.uri === '/bad') throw 1; return { statusCode: 200, headers: { 'x-soft': { value: 'f' } } }; }";
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n{POLICY}[functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nresponse-headers-policy = \"mine\"\nviewer-request = \"f\"\n",
        origin.url()
    );
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.header("x-own"), answer.header("x-soft")), (200, "policy", "f"));
    let failed = node.get("/bad").await;
    assert_eq!((failed.status(), failed.header("x-own")), (503, "policy"));
}

/// cdn-behaviour.md section 2, step 17: the policy first, so that viewer-response sees it and may override it.
#[tokio::test]
async fn viewer_response_sees_what_the_policy_did_and_has_the_last_word() {
    let origin = Origin::new(site).await;
    let code = "function handler(e) { var h = e.response.headers; h['x-saw'] = { value: h['x-own'].value + ('x-powered-by' in h) };
                h['x-own'] = { value: 'function' }; return e.response; }";
    let node = node(&origin, "viewer-response = \"f\"\n", code).await;
    let answer = node.get("/").await;
    assert_eq!((answer.header("x-saw"), answer.header("x-own")), ("policyfalse", "function"));
}

#[tokio::test]
async fn cors_answers_each_origin_by_itself_also_from_the_cache() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "", IDLE).await;
    for (asker, allowed) in [
        ("https://a.example.org", "https://a.example.org"),
        ("https://b.example.org", "https://b.example.org"),
        ("https://evil.test", ""),
    ] {
        let answer = node.get_with("/cached", &[("origin", asker)]).await;
        assert_eq!(
            (answer.header("access-control-allow-origin"), answer.header("vary")),
            (allowed, "Origin"),
            "{asker}"
        );
    }
    let plain = node.get("/cached").await;
    assert_eq!((plain.header("vary"), plain.header("access-control-allow-origin")), ("Origin", ""));
    assert_eq!(origin.calls(), 1);
}

#[tokio::test]
async fn server_timing_comes_when_it_is_asked_for() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "", IDLE).await;
    assert_eq!(node.get("/").await.header("server-timing"), "db;dur=9", "a share of 0 is none");
    for (path, metric) in [("/cached", "cdn-cache-miss"), ("/cached", "cdn-cache-hit")] {
        let answer = node.get_with(path, &[("pragma", "server-timing")]).await;
        let timing = answer.header("server-timing").to_owned();
        assert!(timing.contains(metric) && timing.contains(answer.header("x-amz-cf-id")), "{timing}");
        assert_eq!(timing.contains("db;dur=9"), metric == "cdn-cache-miss", "{timing}");
    }
    let head = node.send(request("HEAD", "/cached", &[("pragma", "server-timing")]), Body::Empty).await;
    assert!(head.header("server-timing").contains("cdn-cache-hit"));
}

#[tokio::test]
async fn an_explanation_tells_what_became_of_each_header() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "[node.acl]\nexplain = [\"203.0.113.0/24\"]\n", IDLE).await;
    let told = node.get_with("/", &[("rimward-explain", "1")]).await.header("rimward-explain").to_owned();
    assert!(told.contains("; response headers mine: x-powered-by removed, "), "{told}");
    assert!(told.contains("x-own added") && told.contains("x-soft kept"), "{told}");
}

#[tokio::test]
async fn an_explanation_before_any_request_names_the_policy() {
    let origin = Origin::new(site).await;
    let node = node(&origin, "", IDLE).await;
    let connection = Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None);
    let explained = node.proxy().explain(Arc::new(connection), request("GET", "/", &[])).await;
    assert_eq!(explained.response_headers_policy.as_deref(), Some("mine"));
    assert!(explained.to_string().contains(", response headers policy mine\n"), "{explained}");
}

/// What is stored is the origin's: another policy acts on it from the next request on.
#[tokio::test]
async fn a_reload_with_another_policy_changes_the_headers_of_what_is_stored() {
    let origin = Origin::new(site).await;
    let config = |policy: &str| {
        format!(
            "[origins.app]\nurl = \"{}\"\n[response-headers-policies.mine]\n{policy}\n[[distributions]]\ndomains = [\"*\"]\n\
             [[distributions.behaviors]]\norigin = \"app\"\nresponse-headers-policy = \"mine\"\n",
            origin.url()
        )
    };
    let node = TestNode::start(&config("remove = [\"x-soft\"]\nheaders = { x-own = \"one\" }"), &[]).await;
    let first = node.get("/cached").await;
    assert_eq!((first.header("x-own"), first.header("x-soft"), first.header("x-powered-by")), ("one", "", "php"));
    assert_eq!(node.reload(&config("headers = { x-other = \"two\" }"), &[]).await, []);
    let second = node.get("/cached").await;
    assert_eq!((second.header("x-own"), second.header("x-soft"), second.header("x-other")), ("", "origin", "two"));
    assert_eq!((second.header("x-cache"), origin.calls()), ("Hit from cloudfront", 1));
}
