//! Origin functions in the pipeline: when each hook runs and what becomes of its result (`lambda-at-edge.md` sections 2,
//! 5, 9 and 16).

use rimward_testkit::{Answer, Origin};
use rimward_tests::{TestNode, request};
use rimward_types::Body;

/// A function in the JSON flavour that returns `result`, whatever its event.
pub(crate) fn returns(result: &str) -> Vec<u8> {
    let (data, length) = (result.replace('"', "\\\""), result.len());
    let text = format!(
        r#"(component
            (core module $m
                (memory (export "memory") 80)
                (data (i32.const 16) "{data}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 65536)
                (func (export "invoke") (param i32 i32 i32 i32) (result i32)
                    (i32.store8 (i32.const 0) (i32.const 0)) (i32.store (i32.const 4) (i32.const 16))
                    (i32.store (i32.const 8) (i32.const {length})) i32.const 0))
            (core instance $i (instantiate $m))
            (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
            (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc"))))
            (instance $lambda (export "invoke" (func $invoke)))
            (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#
    );
    wat::parse_str(text).unwrap()
}

/// The function that returns its request as it came, at any path.
fn echo() -> Vec<u8> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/tests/guests/probe/function.wasm");
    std::fs::read(path).unwrap()
}

/// A node with the demo origin and these hooks, each a function of its own.
async fn node(hooks: &[(&str, Vec<u8>)], more: &str) -> TestNode {
    let mut config = String::from("[origins.app]\nurl = \"builtin:demo\"\n");
    let mut behavior =
        String::from("[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n");
    let mut files = Vec::new();
    for (hook, component) in hooks {
        config.push_str(&format!("[functions.{hook}]\ncomponent = \"{hook}.wasm\"\n{more}\n"));
        behavior.push_str(&format!("{hook} = \"{hook}\"\n"));
        files.push((format!("{hook}.wasm"), component.clone()));
    }
    behavior.push_str("methods = \"all\"\n");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    let node = TestNode::start(&format!("{config}{behavior}"), &files).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// The hooks that ran for the oldest request whose record was not asked for yet.
fn ran(node: &TestNode) -> Vec<String> {
    let record = node.record();
    let hooks = record["hooks"].as_array().cloned().unwrap_or_default();
    hooks.iter().map(|hook| hook["hook"].as_str().unwrap_or_default().to_owned()).collect()
}

const RESPONSE: &str = r#"{"status":"200","headers":{"cache-control":[{"value":"max-age=60"}]},"body":"made"}"#;

/// lambda-at-edge.md 2 and 5.2.
#[tokio::test]
async fn a_response_of_origin_request_is_stored_and_the_hook_does_not_run_again() {
    // Section 5.2; origin-response is skipped, viewer-response runs (section 2).
    let hooks = [
        ("origin-request", returns(RESPONSE)),
        ("origin-response", returns(r#"{"status":"500"}"#)),
        (
            "viewer-response",
            returns(r#"{"status":"200","headers":{"content-length":[{"value":"4"}],"x-seen":[{"value":"1"}]}}"#),
        ),
    ];
    let node = node(&hooks, "").await;
    let first = node.get("/page").await;
    assert_eq!((first.status(), &*first.body, first.header("x-seen")), (200, "made", "1"), "{:?}", first.head);
    assert_eq!(first.header("x-cache"), "LambdaGeneratedResponse from cloudfront");
    assert_eq!(ran(&node), ["origin-request", "viewer-response"]);
    let second = node.get("/page").await;
    assert_eq!((second.header("x-cache"), &*second.body), ("Hit from cloudfront", "made"));
    assert_eq!(ran(&node), ["viewer-response"]);
}

/// lambda-at-edge.md 2 and 5.2.
#[tokio::test]
async fn a_response_of_viewer_request_asks_neither_cache_nor_origin_and_skips_viewer_response() {
    let hooks = [("viewer-request", returns(RESPONSE)), ("viewer-response", returns(r#"{"status":"500"}"#))];
    let node = node(&hooks, "").await;
    for _ in 0..2 {
        let answer = node.get("/page").await;
        assert_eq!(answer.header("x-cache"), "LambdaGeneratedResponse from cloudfront");
        assert_eq!(ran(&node), ["viewer-request"]);
    }
}

/// lambda-at-edge.md 2.
#[tokio::test]
async fn viewer_response_does_not_run_for_an_origins_404() {
    let node = node(&[("viewer-response", returns(r#"{"status":"500"}"#))], "").await;
    assert_eq!(node.get("/status/404").await.status(), 404);
    assert!(ran(&node).is_empty());
}

/// lambda-at-edge.md 3.3, 10 and 16.
#[tokio::test]
async fn origin_response_may_turn_a_404_into_a_200() {
    // Section 16; without `body` the origin's stays, with `""` there is none.
    let node = node(&[("origin-response", returns(r#"{"status":"200"}"#))], "").await;
    let kept = node.get("/status/404").await;
    assert!(kept.status() == 200 && !kept.body.is_empty(), "{kept:?}");
    assert_eq!(ran(&node), ["origin-response"]);
    let node = self::node(&[("origin-response", returns(r#"{"status":"200","body":""}"#))], "").await;
    let emptied = node.get("/status/404").await;
    assert!(emptied.status() == 200 && emptied.body.is_empty(), "{emptied:?}");
}

/// lambda-at-edge.md 2 and 10.
#[tokio::test]
async fn the_origin_hooks_run_for_each_member_of_a_group_that_is_asked() {
    let first = Origin::new(|_| Answer::new(503, "broken")).await;
    let second = Origin::new(|_| Answer::ok("from the second")).await;
    let config = format!(
        "[origins.first]\nurl = \"{}\"\n[origins.second]\nurl = \"{}\"\n\
         [origin-groups.both]\nprimary = \"first\"\nsecondary = \"second\"\nfailover = [503]\n\
         [functions.f]\ncomponent = \"f.wasm\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"both\"\norigin-request = \"f\"\n",
        first.url(),
        second.url()
    );
    let node = TestNode::start(&config, &[("f.wasm", &echo())]).await;
    let answer = node.get("/echo").await;
    assert_eq!((answer.status(), &*answer.body), (200, "from the second"));
    assert_eq!(ran(&node), ["origin-request", "origin-request"]);
    assert_eq!((first.calls(), second.calls()), (1, 1));
}

/// lambda-at-edge.md 3.5.
#[tokio::test]
async fn a_truncated_view_of_a_body_does_not_cut_what_the_origin_gets() {
    // Section 3.5: 40 KB are shown at viewer-request, and all of it goes on.
    let node = node(&[("viewer-request", echo())], "include-body = true").await;
    let sent = "0123456789".repeat(5 * 1024);
    let answer = node.send(request("POST", "/echo", &[]), Body::from(sent.clone())).await;
    let seen: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(seen["body"].as_str().map(str::len), Some(sent.len()));
    assert_eq!(seen["body"], sent);
}

#[tokio::test]
async fn each_request_that_a_function_sends_is_in_the_record() {
    let node = node(&[("origin-request", echo())], "network = [\"127.0.0.1:9\"]").await;
    node.get("/fetch~192.0.2.1/secret-path").await;
    let record = node.record();
    let call = &record["hooks"][0]["calls"][0];
    assert_eq!((&call["host"], &call["error"]), (&"192.0.2.1:80".into(), &"not granted".into()), "{record}");
    assert!(!record["hooks"][0]["calls"].to_string().contains("secret-path"));
}

/// lambda-at-edge.md 15.
#[tokio::test]
async fn a_result_that_touches_a_header_that_is_not_its_own_is_refused_or_mended() {
    // Section 15 rule 5.
    let result = r#"{"status":"200","headers":{"x-cache":[{"value":"Hit"}],"x-a":[{"value":"1"}]},"body":"made"}"#;
    let strict = node(&[("origin-request", returns(result))], "").await;
    let refused = strict.get("/page").await;
    assert_eq!((refused.status(), refused.header("x-cache")), (502, "LambdaValidationError from cloudfront"));
    let lenient = node(&[("origin-request", returns(result))], "validation = \"warn\"").await;
    let mended = lenient.get("/page").await;
    assert_eq!((mended.status(), mended.header("x-a"), &*mended.body), (200, "1", "made"));
    assert_eq!(mended.header("x-cache"), "LambdaGeneratedResponse from cloudfront");
}

#[tokio::test]
async fn a_release_serves_at_once_and_the_reload_changes_nothing_when_it_does_not_compile() {
    let config = "[origins.app]\nurl = \"builtin:demo\"\n[functions.f]\ncomponent = \"f.wasm\"\n\
                  [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\n";
    let node = TestNode::start(config, &[("f.wasm", &returns(r#"{"status":"200","body":"one"}"#))]).await;
    assert_eq!(node.get("/").await.body, "one");
    let problems = node.reload(config, &[("f.wasm", b"\0asm\x0d\0\x01\0\xff")]).await;
    assert!(problems[0].regression);
    assert_eq!(node.get("/").await.body, "one");
    let problems = node.reload(config, &[("f.wasm", &returns(r#"{"status":"200","body":"two"}"#))]).await;
    assert!(problems.is_empty());
    assert_eq!(node.get("/").await.body, "two");
}
