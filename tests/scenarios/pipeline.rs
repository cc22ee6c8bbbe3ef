//! The phases of a request, seen from outside, in front of the demo origin.

use rimward_tests::{DEMO, TestNode, request};
use rimward_types::Body;

async fn demo() -> TestNode {
    TestNode::start(DEMO, &[]).await
}

#[tokio::test]
async fn a_page_comes_from_the_origin_once_and_then_from_the_cache_with_its_age() {
    let node = demo().await;
    let first = node.get("/cache/max-age/60").await;
    assert_eq!((first.status(), first.header("x-cache")), (200, "Miss from cloudfront"), "{}", first.body);
    assert!(first.header("cache-status").contains("fwd=uri-miss"), "{}", first.header("cache-status"));
    node.advance(7);
    let second = node.get("/cache/max-age/60").await;
    assert_eq!(second.header("x-cache"), "Hit from cloudfront");
    assert_eq!(second.header("age"), "7");
    assert!(second.header("cache-status").starts_with("Rimward; hit"), "{}", second.header("cache-status"));
    assert_eq!(first.header("x-demo-serial"), second.header("x-demo-serial"), "the origin was asked once");
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_stale_page_is_validated_and_served_as_refresh_hit() {
    let node = demo().await;
    let first = node.get("/cache/max-age/60").await;
    node.advance(61);
    let second = node.get("/cache/max-age/60").await;
    assert_eq!(second.header("x-cache"), "RefreshHit from cloudfront", "{:?}", second.head);
    assert_eq!(first.body, second.body);
    assert_eq!(node.get("/cache/max-age/60").await.header("x-cache"), "Hit from cloudfront");
}

#[tokio::test]
async fn what_the_origin_forbids_to_store_is_fetched_each_time() {
    let node = demo().await;
    for _ in 0..3 {
        let answer = node.get("/echo").await;
        assert_eq!((answer.status(), answer.header("x-cache")), (200, "Miss from cloudfront"));
    }
}

#[tokio::test]
async fn the_origin_is_told_who_asked_and_through_what() {
    let node = demo().await;
    let seen = node.get_with("/echo?a=1&b=2", &[("x-forwarded-for", "198.51.100.1")]).await.body;
    for part in ["203.0.113.7", "198.51.100.1", "rimward", "a=1&b=2"] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn a_host_that_nobody_serves_is_refused_with_403() {
    let config = DEMO.replace("\"*\"]", "\"www.example.org\"]");
    let node = TestNode::start(&config, &[]).await;
    let refused = node.get("/").await;
    assert_eq!((refused.status(), refused.header("x-cache")), (403, "Error from cloudfront"));
    assert_eq!(node.record()["detail"], "InvalidRequestHost");
}

#[tokio::test]
async fn a_method_that_the_behavior_does_not_allow_is_refused_with_403() {
    let node = demo().await;
    let refused = node.send(request("POST", "/echo", &[]), Body::from("a=1")).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(node.record()["detail"], "InvalidRequestMethod");
}

#[tokio::test]
async fn http_is_sent_to_https_before_any_function_runs() {
    let config = format!(
        "{DEMO}viewer-protocol = \"redirect-to-https\"\nviewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n"
    );
    let node = TestNode::start(&config, &[("f.js", b"function handler(e) { throw 1; }")]).await;
    let moved = node.get("/a?b=c").await;
    assert_eq!((moved.status(), moved.header("location")), (301, "https://www.example.com/a?b=c"));
    assert_eq!(moved.header("x-cache"), "Redirect from cloudfront");
}

#[tokio::test]
async fn a_viewer_request_answer_meets_neither_cache_nor_origin() {
    let node = TestNode::with_function(
        "function handler(e) { return { statusCode: 302, statusDescription: 'Found', \
         headers: { location: { value: '/elsewhere' } }, cookies: { seen: { value: '1', attributes: 'Path=/' } } }; }",
    )
    .await;
    let answer = node.get("/cache/max-age/60").await;
    assert_eq!((answer.status(), answer.header("location")), (302, "/elsewhere"));
    assert_eq!(answer.header("set-cookie"), "seen=1; Path=/");
    assert_eq!(answer.header("x-cache"), "FunctionGeneratedResponse from cloudfront");
    assert_eq!(answer.header("cache-status"), "");
    let record = node.record();
    assert_eq!(record["hooks"][0]["verdict"], "answered");
    assert!(record.get("origins").is_none(), "{record}");
}

#[tokio::test]
async fn a_rewritten_uri_is_the_cache_key_and_the_origins_path() {
    let node = TestNode::with_function(
        "function handler(e) { e.request.uri = '/cache/max-age/60'; e.request.querystring = {}; return e.request; }",
    )
    .await;
    let first = node.get("/one?x=1").await;
    let second = node.get("/two?y=2").await;
    assert_eq!(first.header("x-cache"), "Miss from cloudfront");
    assert_eq!(second.header("x-cache"), "Hit from cloudfront");
}

#[tokio::test]
async fn viewer_response_sees_the_request_after_viewer_request_and_not_errors() {
    let config = format!("{DEMO}viewer-request = \"f\"\nviewer-response = \"f\"\n[functions.f]\ncode = \"f.js\"\n");
    let code = b"function handler(e) {\n\
        if (e.context.eventType === 'viewer-request') { e.request.headers['x-mark'] = { value: 'm' }; return e.request; }\n\
        e.response.headers['x-saw'] = { value: e.request.headers['x-mark'].value }; return e.response; }";
    let node = TestNode::start(&config, &[("f.js", code)]).await;
    assert_eq!(node.get("/cache/max-age/60").await.header("x-saw"), "m");
    let missing = node.get("/status/404").await;
    assert_eq!((missing.status(), missing.header("x-saw")), (404, ""));
}

#[tokio::test]
async fn the_default_root_object_stands_for_the_root_after_viewer_request() {
    let config = format!(
        "{}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n",
        DEMO.replace("domains = [\"*\"]", "domains = [\"*\"]\ndefault-root-object = \"echo\"")
    );
    let code = b"function handler(e) { e.request.headers['x-uri'] = { value: e.request.uri }; return e.request; }";
    let node = TestNode::start(&config, &[("f.js", code)]).await;
    let seen = node.get("/").await.body;
    assert!(seen.contains("\"/echo\"") && seen.contains("x-uri") && seen.contains("\"/\""), "{seen}");
}

#[tokio::test]
async fn a_request_that_runs_in_a_circle_is_stopped() {
    let node = demo().await;
    let via = ["1.1 rimward"; 8].join(", ");
    let refused = node.get_with("/", &[("via", &via)]).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(node.record()["detail"], "RequestLoop");
}

#[tokio::test]
async fn an_origin_that_is_not_there_is_a_502_with_the_reason_in_the_record() {
    let config = DEMO.replace("builtin:demo", "http://127.0.0.1:1");
    let node = TestNode::start(&config, &[]).await;
    let failed = node.get("/").await;
    assert_eq!((failed.status(), failed.header("x-cache")), (502, "Error from cloudfront"));
    let record = node.record();
    assert_eq!(record["detail"], "OriginConnectError");
    assert_eq!(record["origins"][0]["attempts"], 3);
}

#[tokio::test]
async fn a_group_goes_to_its_secondary_when_the_primary_is_not_there() {
    let config = "[origins.away]\nurl = \"http://127.0.0.1:1\"\nattempts = 1\n[origins.app]\nurl = \"builtin:demo\"\n\
                  [origin-groups.both]\nprimary = \"away\"\nsecondary = \"app\"\nfailover = [503]\n\
                  [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\npath = \"*\"\norigin = \"both\"\n";
    let node = TestNode::start(config, &[]).await;
    assert_eq!(node.get("/cache/max-age/60").await.status(), 200);
    let record = node.record();
    assert_eq!((&record["origins"][0]["origin"], &record["origins"][1]["origin"]), (&"away".into(), &"app".into()));
}

#[tokio::test]
async fn each_request_leaves_one_record() {
    let node = demo().await;
    for path in ["/cache/max-age/60", "/cache/max-age/60", "/status/404"] {
        node.get(path).await;
    }
    let results: Vec<String> = (0..3).map(|_| node.record()["result"].as_str().unwrap().to_owned()).collect();
    assert_eq!(results, ["Miss", "Hit", "Error"]);
}
