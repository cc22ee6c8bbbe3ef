//! `cloudfront-functions.md` section 2, row by row: when viewer functions run.

use rimward_config::Limits;
use rimward_testkit::websocket::{agreed, handshake};
use rimward_testkit::{Answer as Given, Origin, Raw};
use rimward_tests::{DEMO, TestNode, request};
use rimward_types::Body;

/// Says in a request header, and in a response header, that it ran and what it saw.
const TRACE: &[u8] = b"function handler(e) {
  if (e.context.eventType === 'viewer-request') {
    e.request.headers['x-ran'] = { value: e.request.uri };
    return e.request;
  }
  e.response.headers['x-ran'] = { value: e.request.uri + ' ' + e.response.statusCode };
  return e.response;
}";

/// Fails whenever it runs.
const NEVER: &[u8] = b"function handler() { throw new Error('it ran'); }";

/// One function at both viewer hooks; more keys of the behavior may be given.
fn both(keys: &str) -> String {
    format!("{DEMO}{keys}viewer-request = \"f\"\nviewer-response = \"f\"\n[functions.f]\ncode = \"f.js\"\n")
}

/// `f` at viewer-request, `g` at viewer-response.
fn one_each() -> String {
    format!(
        "{DEMO}viewer-request = \"f\"\nviewer-response = \"g\"\n[functions.f]\ncode = \"f.js\"\n[functions.g]\ncode = \"g.js\"\n"
    )
}

/// The verdicts of the functions that ran for the oldest request not asked for yet.
fn ran(node: &TestNode) -> Vec<String> {
    verdicts(&node.record())
}

fn verdicts(record: &serde_json::Value) -> Vec<String> {
    let hooks = record["hooks"].as_array().cloned().unwrap_or_default();
    hooks
        .iter()
        .map(|hook| format!("{} {}", hook["hook"].as_str().unwrap(), hook["verdict"].as_str().unwrap()))
        .collect()
}

const BOTH_RAN: [&str; 2] = ["viewer-request continued", "viewer-response continued"];

#[tokio::test]
async fn the_behavior_is_chosen_by_the_viewers_own_path_and_stays_when_the_uri_changes() {
    let config = "[origins.one]\nurl = \"builtin:demo\"\n[origins.two]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\n\
                  [[distributions.behaviors]]\npath = \"/a/*\"\norigin = \"one\"\nviewer-request = \"f\"\n\
                  [[distributions.behaviors]]\norigin = \"two\"\n[functions.f]\ncode = \"f.js\"\n";
    let code = b"function handler(e) { e.request.uri = '/b/echo'; return e.request; }";
    let node = TestNode::start(config, &[("f.js", code)]).await;
    let echo = node.get("/a/x").await.body;
    assert!(echo.contains("\"origin\": \"one\"") && echo.contains("\"path\": \"/b/echo\""), "{echo}");
}

#[tokio::test]
async fn the_redirect_by_viewer_protocol_policy_runs_no_function() {
    let node = TestNode::start(&both("viewer-protocol = \"redirect-to-https\"\n"), &[("f.js", NEVER)]).await;
    let moved = node.get("/a").await;
    assert_eq!((moved.status(), moved.header("x-cache")), (301, "Redirect from cloudfront"));
    assert_eq!(ran(&node), [""; 0]);
}

#[tokio::test]
async fn a_request_that_the_node_refuses_runs_no_function() {
    let node = TestNode::start(&both(""), &[("f.js", NEVER)]).await;
    let refused = node.send(request("POST", "/echo", &[]), Body::from("a=1")).await;
    assert_eq!((refused.status(), refused.header("x-cache")), (403, "Error from cloudfront"));
    assert_eq!(ran(&node), [""; 0]);
}

#[tokio::test]
async fn both_functions_run_for_every_request_also_for_hits() {
    let node = TestNode::start(&both(""), &[("f.js", TRACE)]).await;
    for expected in ["Miss from cloudfront", "Hit from cloudfront", "Hit from cloudfront"] {
        let answer = node.get("/cache/max-age/60").await;
        assert_eq!((answer.header("x-cache"), answer.header("x-ran")), (expected, "/cache/max-age/60 200"));
        assert_eq!(ran(&node), BOTH_RAN);
    }
}

#[tokio::test]
async fn a_response_of_viewer_request_skips_cache_origin_and_viewer_response() {
    let answer = b"function handler() { return { statusCode: 200, body: 'mine' }; }";
    let node = TestNode::start(&one_each(), &[("f.js", answer), ("g.js", NEVER)]).await;
    for _ in 0..2 {
        let answer = node.get("/cache/max-age/60").await;
        assert_eq!(
            (answer.body.as_str(), answer.header("x-cache")),
            ("mine", "FunctionGeneratedResponse from cloudfront")
        );
        let record = node.record();
        assert!(record.get("origins").is_none() && record["hooks"].as_array().unwrap().len() == 1, "{record}");
    }
}

#[tokio::test]
async fn an_error_status_that_viewer_request_returns_reaches_the_viewer_as_it_is() {
    let refusal = b"function handler() { return { statusCode: 403, statusDescription: 'Forbidden', body: 'mine' }; }";
    let node = TestNode::start(&one_each(), &[("f.js", refusal), ("g.js", NEVER)]).await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.body.as_str()), (403, "mine"));
}

#[tokio::test]
async fn viewer_response_does_not_run_for_400_and_above_from_origin_or_error_cache() {
    for (status, runs) in
        [(200, true), (304, true), (399, true), (400, false), (404, false), (500, false), (599, false)]
    {
        let node = TestNode::start(&both(""), &[("f.js", TRACE)]).await;
        for _ in 0..2 {
            let answer = node.get(&format!("/status/{status}")).await;
            assert_eq!((answer.status(), !answer.header("x-ran").is_empty()), (status, runs), "{status}");
        }
    }
}

#[tokio::test]
async fn viewer_response_runs_for_errors_where_the_behavior_asks_for_it() {
    let node = TestNode::start(&both("viewer-response-on-errors = true\n"), &[("f.js", TRACE)]).await;
    let missing = node.get("/status/404").await;
    assert_eq!((missing.status(), missing.header("x-ran")), (404, "/status/404 404"));
    assert_eq!(ran(&node), BOTH_RAN);
    let replace = b"function handler(e) { if (e.response) { e.response.statusCode = 200; e.response.body = 'calm'; return e.response; } return e.request; }";
    let node = TestNode::start(&both("viewer-response-on-errors = true\n"), &[("f.js", replace)]).await;
    let answer = node.get("/status/500").await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "calm"));
}

#[tokio::test]
async fn the_nodes_own_error_page_runs_no_viewer_response_even_then() {
    let config = both("viewer-response-on-errors = true\n").replace("builtin:demo", "http://127.0.0.1:1");
    let node = TestNode::start(&config, &[("f.js", TRACE)]).await;
    let failed = node.get("/").await;
    assert_eq!((failed.status(), failed.header("x-ran")), (502, ""));
    assert_eq!(ran(&node), ["viewer-request continued"]);
}

#[tokio::test]
async fn failover_runs_each_viewer_function_once() {
    let config = "[origins.away]\nurl = \"http://127.0.0.1:1\"\nattempts = 1\n[origins.app]\nurl = \"builtin:demo\"\n\
                  [origin-groups.both]\nprimary = \"away\"\nsecondary = \"app\"\nfailover = [503]\n\
                  [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\npath = \"*\"\norigin = \"both\"\n\
                  viewer-request = \"f\"\nviewer-response = \"f\"\n[functions.f]\ncode = \"f.js\"\n";
    let node = TestNode::start(config, &[("f.js", TRACE)]).await;
    assert_eq!(node.get("/cache/max-age/60").await.status(), 200);
    assert_eq!(ran(&node), BOTH_RAN);
}

#[tokio::test]
async fn the_default_root_object_is_put_in_after_viewer_request() {
    let config = both("").replace("domains = [\"*\"]", "domains = [\"*\"]\ndefault-root-object = \"echo\"");
    let node = TestNode::start(&config, &[("f.js", TRACE)]).await;
    let answer = node.get("/").await;
    let echo: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&echo["path"], &echo["headers"]["x-ran"]), (&"/echo".into(), &"/".into()), "{echo}");
}

#[tokio::test]
async fn viewer_response_sees_the_request_as_viewer_request_left_it() {
    let code = b"function handler(e) {
      if (!e.response) { e.request.headers['x-mark'] = { value: 'm' }; e.request.querystring = { a: { value: '1' } }; return e.request; }
      e.response.headers['x-saw'] = { value: e.request.headers['x-mark'].value + e.request.querystring.a.value };
      return e.response;
    }";
    let node = TestNode::start(&both(""), &[("f.js", code)]).await;
    assert_eq!(node.get("/cache/max-age/60?b=2").await.header("x-saw"), "m1");
}

#[tokio::test]
async fn a_failed_function_ends_the_request_and_viewer_response_does_not_run() {
    // Section 6: fail closed.
    let node = TestNode::start(&one_each(), &[("f.js", NEVER), ("g.js", TRACE)]).await;
    let failed = node.get("/cache/max-age/60").await;
    assert_eq!((failed.status(), failed.header("x-cache")), (503, "FunctionExecutionError from cloudfront"));
    assert!(!failed.body.contains("it ran"), "no detail reaches the viewer: {}", failed.body);
    let record = node.record();
    assert!(record.get("origins").is_none(), "{record}");
    assert!(record["hooks"][0]["reason"].as_str().unwrap().contains("it ran"), "{record}");
}

/// Two behaviors with the same functions, one for the site and one for its error page.
fn with_error_page(origin: &Origin, answer_status: u16) -> String {
    format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n\
         error-pages = [{{ status = 404, page = \"/errors/404.html\", answer-status = {answer_status} }}]\n\
         [[distributions.behaviors]]\npath = \"/errors/*\"\norigin = \"app\"\nviewer-request = \"g\"\nviewer-response = \"g\"\n\
         [[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\nviewer-response = \"f\"\n\
         [functions.f]\ncode = \"f.js\"\n[functions.g]\ncode = \"g.js\"\n",
        origin.url()
    )
}

async fn site_with_error_page() -> Origin {
    Origin::new(|received| match received.target.as_str() {
        "/errors/404.html" => Given::cached(60, "nothing here"),
        _ => Given::new(404, "not found"),
    })
    .await
}

#[tokio::test]
async fn a_custom_error_page_runs_no_function_even_when_the_viewer_gets_200() {
    let origin = site_with_error_page().await;
    for status in [404, 200] {
        let node = TestNode::start(&with_error_page(&origin, status), &[("f.js", TRACE), ("g.js", NEVER)]).await;
        for _ in 0..2 {
            let answer = node.get("/none").await;
            assert_eq!((answer.status(), answer.body.as_str(), answer.header("x-ran")), (status, "nothing here", ""));
            assert_eq!(ran(&node), ["viewer-request continued"]);
        }
    }
}

#[tokio::test]
async fn an_error_that_a_function_returns_gets_no_custom_error_page() {
    let origin = site_with_error_page().await;
    let refusal = b"function handler() { return { statusCode: 404, body: 'mine' }; }";
    let node = TestNode::start(&with_error_page(&origin, 200), &[("f.js", refusal), ("g.js", NEVER)]).await;
    let answer = node.get("/none").await;
    assert_eq!((answer.status(), answer.body.as_str()), (404, "mine"));
    assert_eq!(origin.calls(), 0);
}

/// Section 1: one function at many behaviors, and at both events of one.
#[tokio::test]
async fn one_function_serves_many_behaviors_and_both_events() {
    let behavior = "viewer-request = \"f\"\nviewer-response = \"f\"\n";
    let config = format!(
        "[origins.app]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\npath = \"/a/*\"\norigin = \"app\"\n{behavior}\
         [[distributions.behaviors]]\norigin = \"app\"\n{behavior}[functions.f]\ncode = \"f.js\"\n"
    );
    let node = TestNode::start(&config, &[("f.js", TRACE)]).await;
    for path in ["/a/echo", "/b/echo"] {
        let answer = node.get(path).await;
        assert_eq!(answer.header("x-ran"), format!("{path} 200"));
        assert!(answer.body.contains(&format!("\"x-ran\": \"{path}\"")), "{}", answer.body);
        assert_eq!(ran(&node), BOTH_RAN);
    }
}

/// The functions run on the handshake and on its 101; what they may do there is in `websocket.rs`.
#[tokio::test]
async fn both_functions_run_for_a_websocket() {
    let origin = Origin::new(|_| agreed("").then_echo()).await;
    let node = TestNode::start(&both("").replace("builtin:demo", &origin.url()), &[("f.js", TRACE)]).await;
    let mut viewer = Raw::connect(node.listen(Limits::default()).await).await;
    let answer = viewer.send(handshake("/chat", "")).await.response().await;
    assert_eq!((answer.status, answer.header("x-ran")), (101, Some("/chat 101")), "{}", answer.head);
    assert_eq!(origin.only_request().header("x-ran"), Some("/chat"));
    drop(viewer);
    assert_eq!(verdicts(&node.record_in_time().await), BOTH_RAN);
}
