//! What `lambda-at-edge.md` says of functions in the pipeline, section by section. The function is the sandbox's probe:
//! it does what the request's path says, at whatever hook it is.

use rimward_testkit::{Answer, Origin, step};
use rimward_tests::{TestNode, request};
use rimward_types::Body;
use serde_json::Value;
use std::sync::Mutex;

fn probe() -> Vec<u8> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/tests/guests/probe/function.wasm");
    std::fs::read(path).unwrap()
}

/// A node in front of `origin` with the probe at these hooks; more keys of the behavior may be given, and more tables.
async fn node(origin: &Origin, hooks: &[&str], keys: &str, tables: &str) -> TestNode {
    let hooks: String = hooks.iter().map(|hook| format!("{hook} = \"f\"\n")).collect();
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[functions.f]\ncomponent = \"f.wasm\"\ninclude-body = true\n{tables}\n\
         [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\nmethods = \"all\"\n{hooks}{keys}\n",
        origin.url()
    );
    let node = TestNode::start(&config, &[("f.wasm", &probe())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// The hooks that ran for the oldest request whose record was not asked for yet.
fn ran(node: &TestNode) -> Vec<String> {
    let record = node.record();
    let hooks = record["hooks"].as_array().cloned().unwrap_or_default();
    hooks.iter().map(|hook| hook["hook"].as_str().unwrap_or_default().to_owned()).collect()
}

/// An event, from the text in which a function told it.
fn event(text: &str) -> Value {
    let event: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    event["Records"][0]["cf"].clone()
}

/// lambda-at-edge.md 1 and 3.1: one function at several hooks tells them apart; the request's id is the same in all.
#[tokio::test]
async fn section_3_1_config_names_the_hook_and_the_request() {
    let origin = Origin::new(|_| Answer::ok("page")).await;
    let node = node(&origin, &["origin-response", "viewer-response"], "", "").await;
    let answer = node.get("/event").await;
    let (at_origin, at_viewer) = (event(&answer.body), event(answer.header("x-event")));
    assert_eq!(at_origin["config"]["eventType"], "origin-response");
    assert_eq!(at_viewer["config"]["eventType"], "viewer-response");
    let id = answer.header("x-amz-cf-id");
    assert_eq!((id.len(), &id[id.len() - 2..]), (56, "=="), "{id}");
    for cf in [at_origin, at_viewer] {
        assert_eq!(cf["config"]["requestId"], id);
        assert_eq!(cf["request"]["clientIp"], "203.0.113.7");
        assert!(cf["config"]["distributionId"].is_string() && cf["config"]["distributionDomainName"].is_string());
    }
}

/// lambda-at-edge.md 2.
#[tokio::test]
async fn section_2_a_redirect_to_https_runs_no_function() {
    let origin = Origin::must_not_be_called().await;
    let hooks = ["viewer-request", "origin-request", "origin-response", "viewer-response"];
    let node = node(&origin, &hooks, "viewer-protocol = \"redirect-to-https\"", "").await;
    assert_eq!(node.get("/trap").await.status(), 301);
    assert!(ran(&node).is_empty());
}

/// lambda-at-edge.md 2: neither for a hit nor for a request that waits for another's fetch.
#[tokio::test]
async fn section_2_origin_hooks_run_for_the_request_that_goes_to_the_origin_alone() {
    let (go, wait) = step();
    let wait = Mutex::new(Some(wait));
    let origin = Origin::new(move |_| match wait.lock().unwrap().take() {
        Some(wait) => Answer::default()
            .then_wait(wait)
            .then("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 4\r\n\r\npage"),
        None => Answer::new(500, "asked twice"),
    })
    .await;
    let node = node(&origin, &["origin-request", "origin-response"], "", "").await;
    let answers = async { tokio::join!(node.get("/put~x-a=1"), node.get("/put~x-a=1")) };
    let release = async {
        origin.wait_for_calls(1).await;
        go.go();
    };
    let ((one, two), ()) = tokio::join!(answers, release);
    assert_eq!((&*one.body, &*two.body), ("page", "page"));
    assert_eq!(node.get("/put~x-a=1").await.body, "page");
    let mut hooks = [ran(&node), ran(&node), ran(&node)];
    hooks.sort();
    assert_eq!(hooks, [vec![], vec![], vec!["origin-request".to_owned(), "origin-response".to_owned()]]);
}

/// lambda-at-edge.md 2: on revalidation both run, origin-response sees the 304, and its edits go into what is stored.
#[tokio::test]
async fn section_2_a_revalidation_runs_both_origin_hooks_and_merges_their_headers() {
    let origin = Origin::answers([
        Answer::ok("page").header("etag", "\"1\"").header("cache-control", "max-age=10"),
        Answer::new(304, "").header("etag", "\"1\"").header("cache-control", "max-age=10").header("x-turn", "2"),
    ])
    .await;
    let node = node(&origin, &["origin-request", "origin-response"], "", "").await;
    let first = node.get("/put~x-a=1").await;
    assert_eq!((&*first.body, first.header("x-a"), first.header("x-turn")), ("page", "1", ""));
    node.advance(11);
    let second = node.get("/put~x-a=1").await;
    assert_eq!((&*second.body, second.header("x-a"), second.header("x-turn")), ("page", "1", "2"));
    for _ in 0..2 {
        assert_eq!(ran(&node), ["origin-request", "origin-response"]);
    }
}

/// lambda-at-edge.md 2: whatever the origin's status; viewer-response for errors not at all.
#[tokio::test]
async fn section_2_origin_response_runs_for_errors_too_and_viewer_response_does_not() {
    for status in [200, 301, 404, 500] {
        let origin = Origin::new(move |_| Answer::new(status, "").header("location", "/")).await;
        let node = node(&origin, &["origin-response", "viewer-response"], "", "").await;
        assert_eq!(node.get("/put~x-a=1").await.status(), status);
        let expected = ["origin-response", "viewer-response"];
        assert_eq!(ran(&node), expected[..if status < 400 { 2 } else { 1 }], "{status}");
    }
}

/// lambda-at-edge.md 3.2: at the origin the request that went there, at the viewer the viewer's own.
#[tokio::test]
async fn section_3_2_response_hooks_see_the_request_of_their_side() {
    let origin = Origin::new(|_| Answer::ok("page").header("cache-control", "max-age=60")).await;
    let node = node(&origin, &["origin-response", "viewer-response"], "forward = \"none\"", "").await;
    let answer = node.get_with("/event?a=1", &[("x-own", "1"), ("cookie", "c=1")]).await;
    let sent = &event(&answer.body)["request"];
    assert_eq!((sent["headers"].get("x-own"), sent["headers"].get("cookie")), (None, None), "{sent}");
    assert_eq!(
        (&sent["querystring"], &sent["origin"]["custom"]["port"]),
        (&"a=1".into(), &origin.address().port().into())
    );
    assert!(sent["headers"]["via"][0]["value"].as_str().unwrap().contains("rimward"));
    let viewers = &event(answer.header("x-event"))["request"];
    assert_eq!(viewers["headers"]["x-own"][0]["value"], "1");
    assert_eq!((viewers.get("origin"), viewers.get("body")), (None, None));
}

/// lambda-at-edge.md 3.2: `querystring` reaches origin hooks as far as a policy lets it.
#[tokio::test]
async fn section_3_2_origin_hooks_see_the_query_that_is_forwarded() {
    let origin = Origin::new(|_| Answer::ok("page")).await;
    let keys = "cache-policy = \"some\"\nforward = \"none\"\n[cache-policies.some]\nquery = [\"a\"]";
    let node = node(&origin, &["origin-request"], keys, "").await;
    let seen = node.get("/event?b=2&a=1").await;
    assert_eq!(event(&seen.body)["request"]["querystring"], "a=1");
}

/// lambda-at-edge.md 3.4: names as HTTP/1 writes them; `host` is there, and each cookie line stands for itself.
#[tokio::test]
async fn section_3_4_header_lines_are_elements() {
    let origin = Origin::must_not_be_called().await;
    let node = node(&origin, &["viewer-request"], "", "").await;
    let answer = node.get_with("/event", &[("cookie", "a=1"), ("cookie", "b=2, c"), ("x-my-id", "7")]).await;
    let headers = &event(&answer.body)["request"]["headers"];
    assert_eq!(headers["host"], serde_json::json!([{ "key": "Host", "value": "www.example.com" }]));
    assert_eq!(headers["cookie"].as_array().map(Vec::len), Some(2));
    assert_eq!(headers["x-my-id"][0]["key"], "X-My-Id");
}

/// lambda-at-edge.md 3.5.
#[tokio::test]
async fn section_3_5_a_body_is_shown_in_base64_and_left_out_where_there_is_none() {
    let origin = Origin::must_not_be_called().await;
    for hook in ["viewer-request", "origin-request"] {
        let node = node(&origin, &[hook], "", "").await;
        let answer = node.send(request("POST", "/event", &[]), Body::from("name=x".to_owned())).await;
        let expected = serde_json::json!({
            "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": "bmFtZT14",
        });
        assert_eq!(event(&answer.body)["request"]["body"], expected, "{hook}");
        assert_eq!(event(&node.get("/event").await.body)["request"].get("body"), None, "{hook}");
    }
}

/// lambda-at-edge.md 3.5 and 8: 40 KB and 1 MB of raw bytes are shown, and whether there was more.
#[tokio::test]
async fn section_3_5_the_view_of_a_body_ends_at_the_hooks_limit() {
    let origin = Origin::must_not_be_called().await;
    for (hook, limit) in [("viewer-request", 40_usize << 10), ("origin-request", 1 << 20)] {
        let node = node(&origin, &[hook], "", "").await;
        for (size, truncated) in [(limit, false), (limit + 1, true)] {
            let answer = node.send(request("POST", "/body", &[]), Body::from("x".repeat(size))).await;
            assert_eq!(answer.body, format!("{truncated} {}", limit.div_ceil(3) * 4), "{hook} {size}");
        }
    }
}

/// lambda-at-edge.md 5.3: at viewer-request a path counts for key and origin, and does not choose the behavior again.
#[tokio::test]
async fn section_5_3_a_changed_uri_is_the_key_at_viewer_request_and_the_origins_path_alone_at_origin_request() {
    let origin = Origin::new(|got| Answer::cached(60, got.target.clone())).await;
    let early = node(&origin, &["viewer-request"], "", "").await;
    assert_eq!(early.get("/go~/other").await.body, "/other");
    assert_eq!(early.get("/put~x-a=1").await.body, "/put~x-a=1");
    let direct = early.get("/go~/other").await;
    assert_eq!((&*direct.body, direct.header("x-cache")), ("/other", "Hit from cloudfront"));
    let late = node(&origin, &["origin-request"], "", "").await;
    assert_eq!(late.get("/go~/late").await.body, "/late");
    let again = late.get("/go~/late").await;
    assert_eq!((&*again.body, again.header("x-cache")), ("/late", "Hit from cloudfront"), "under the viewer's path");
    assert_eq!(late.get("/put~x-a=1").await.header("x-cache"), "Miss from cloudfront");
}

/// lambda-at-edge.md 5.3: other headers go to the origin as origin-request returns them.
#[tokio::test]
async fn section_5_3_a_header_of_origin_request_reaches_the_origin() {
    let origin = Origin::new(|_| Answer::ok("page")).await;
    let node = node(&origin, &["origin-request"], "", "").await;
    node.get("/put~x-key=secret").await;
    assert_eq!(origin.only_request().header("x-key"), Some("secret"));
}

/// lambda-at-edge.md 5.4.
#[tokio::test]
async fn section_5_4_edits_of_origin_response_are_stored_and_those_of_viewer_response_are_not() {
    let origin = Origin::new(|_| Answer::cached(60, "page")).await;
    let stored = node(&origin, &["origin-response"], "", "").await;
    stored.get("/put~x-a=1").await;
    let hit = stored.get("/put~x-a=1").await;
    assert_eq!((hit.header("x-cache"), hit.header("x-a")), ("Hit from cloudfront", "1"));
    let each = node(&origin, &["viewer-response"], "", "").await;
    let ids: Vec<String> = [each.get("/event").await, each.get("/event").await]
        .iter()
        .map(|answer| event(answer.header("x-event"))["config"]["requestId"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_ne!(ids[0], ids[1], "each viewer has its own");
}

/// lambda-at-edge.md 6.3: the origin hooks see what the node says, viewer-request does not; nor does it see what a viewer forged,
/// as it would at the vendor's.
#[tokio::test]
async fn section_6_3_the_nodes_own_headers_come_after_viewer_request() {
    let origin = Origin::must_not_be_called().await;
    let keys = "cache-policy = \"devices\"\n[cache-policies.devices]\nheaders = [\"CloudFront-Is-Mobile-Viewer\"]";
    let headers = [("user-agent", "x (iPhone)"), ("cloudfront-is-mobile-viewer", "spoofed")];
    for (hook, seen) in [("viewer-request", None), ("origin-request", Some("true"))] {
        let node = node(&origin, &[hook], keys, "").await;
        let answer = node.get_with("/event", &headers).await;
        let event = event(&answer.body);
        let told = event["request"]["headers"].get("cloudfront-is-mobile-viewer");
        assert_eq!(told.and_then(|told| told[0]["value"].as_str()), seen, "{hook}");
    }
}

/// lambda-at-edge.md 9: a failure has its page, is not stored and not tried again.
#[tokio::test]
async fn section_9_a_failure_is_neither_stored_nor_run_again() {
    let origin = Origin::must_not_be_called().await;
    for (path, status, x_cache) in [
        ("/error", 503, "LambdaExecutionError from cloudfront"),
        ("/trap", 503, "LambdaExecutionError from cloudfront"),
        ("/exit", 503, "LambdaExecutionError from cloudfront"),
        ("/nonsense", 502, "LambdaValidationError from cloudfront"),
    ] {
        let node = node(&origin, &["origin-request"], "", "").await;
        for _ in 0..2 {
            let answer = node.get(path).await;
            assert_eq!((answer.status(), answer.header("x-cache")), (status, x_cache), "{path}");
            let page = &answer.body;
            assert!(page.contains("<title>ERROR: The request could not be satisfied</title>"), "{page}");
            assert!(page.contains("Generated by cloudfront (CloudFront)") && !page.contains("TypeError"), "{page}");
            assert_eq!(ran(&node), ["origin-request"], "{path}");
        }
    }
}

/// lambda-at-edge.md 10: a redirect of the origin is the viewer's to follow, and may be edited like any answer.
#[tokio::test]
async fn section_10_a_redirect_of_the_origin_is_not_followed() {
    let origin = Origin::new(|_| Answer::new(302, "").header("location", "/elsewhere")).await;
    let node = node(&origin, &["origin-response"], "", "").await;
    let answer = node.get("/put~x-a=1").await;
    assert_eq!((answer.status(), answer.header("location"), answer.header("x-a")), (302, "/elsewhere", "1"));
    assert_eq!(origin.calls(), 1);
}

/// lambda-at-edge.md 5.3 and 10: for this request only, with the custom headers that the function returns; the origin that is
/// not asked need not have a name that can be looked up.
#[tokio::test]
async fn section_10_origin_request_chooses_the_origin_of_one_request() {
    let beta = Origin::new(|_| Answer::ok("from beta")).await;
    let app = Origin::new(|_| Answer::ok("from app")).await;
    let tables = format!("[origins.beta]\nurl = \"{}\"", beta.url());
    let moved = node(&app, &["origin-request"], "", &tables).await;
    assert_eq!(moved.get("/origin~beta").await.body, "from beta");
    let request = beta.only_request();
    assert_eq!(request.header("x-from"), None, "a configured origin has its own headers");
    assert_eq!(request.header("host"), Some(&*beta.address().to_string()), "and its own name");
    assert_eq!(moved.get("/put~x-a=1").await.body, "from app");
    assert_eq!(moved.get("/origin~127.0.0.1").await.body, "from app");
    assert_eq!(app.received()[1].header("x-from"), Some("127.0.0.1"));
    assert_eq!((app.calls(), beta.calls()), (2, 1));

    let config = format!(
        "[origins.app]\nurl = \"http://does-not-exist.invalid\"\n[origins.beta]\nurl = \"{}\"\n\
         [functions.f]\ncomponent = \"f.wasm\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\norigin-request = \"f\"\n",
        beta.url()
    );
    let node = TestNode::start(&config, &[("f.wasm", &probe())]).await;
    assert_eq!(node.get("/origin~beta").await.body, "from beta");
    assert_eq!(node.get("/put~x-a=1").await.status(), 502);
}
