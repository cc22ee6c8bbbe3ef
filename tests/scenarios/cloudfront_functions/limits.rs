//! Section 7: limits, at their very edge.

use super::before;
use rimward_tests::{DEMO, TestNode};

/// cloudfront-functions.md sections 7 and 17: comments count.
#[tokio::test]
async fn code_has_at_most_10240_bytes() {
    let handler = "function handler(e) { return { statusCode: 200 }; }\n//";
    for (length, works) in [(10_240, true), (10_241, false)] {
        let node = TestNode::with_function(&format!("{handler}{}", "x".repeat(length - handler.len()))).await;
        assert_eq!((node.problems.is_empty(), node.get("/").await.status() == 200), (works, works), "{length}");
    }
}

/// cloudfront-functions.md section 7: 2 MB, on top of the published function.
#[tokio::test]
async fn a_run_has_2_mb_of_memory() {
    let node = TestNode::with_function(
        "function handler(e) { return { statusCode: 200, body: String(new Uint8Array(Number(e.request.uri.slice(1)) * 1024).length) }; }",
    )
    .await;
    assert_eq!(node.get("/1000").await.body, (1000 * 1024).to_string());
    let over = node.get("/2100").await;
    assert_eq!((over.status(), over.header("x-cache")), (503, "FunctionExecutionError from cloudfront"));
    assert_eq!(node.get("/1000").await.status(), 200, "the next request is served");
}

/// cloudfront-functions.md section 7: a name is 1 to 64 letters, digits, `-` and `_`.
#[tokio::test]
async fn a_function_has_the_vendors_names() {
    let name = format!("{}-_9", "a".repeat(61));
    let config = format!("{DEMO}viewer-request = \"{name}\"\n[functions.{name}]\ncode = \"f.js\"\n");
    let node = TestNode::start(&config, &[("f.js", b"function handler() { return { statusCode: 204 }; }")]).await;
    assert_eq!(node.get("/").await.status(), 204);
}

/// cloudfront-functions.md section 7: 40 KB, headers and body together.
#[tokio::test]
async fn a_generated_response_has_at_most_40_kb() {
    let node = TestNode::with_function(
        "function handler(e) { return { statusCode: 200, body: 'x'.repeat(Number(e.request.uri.slice(1))) }; }",
    )
    .await;
    assert_eq!(node.get("/40960").await.body.len(), 40_960);
    let over = node.get("/40961").await;
    assert_eq!((over.status(), over.header("x-cache")), (502, "FunctionValidationError from cloudfront"));
}

/// cloudfront-functions.md section 7: a request that a function makes larger than 32,768 bytes is refused.
#[tokio::test]
async fn headers_that_a_function_adds_are_bounded() {
    let (node, origin) = before("r.headers['x-big'] = { value: 'x'.repeat(Number(r.uri.slice(1))) }").await;
    assert_eq!(node.get("/32000").await.status(), 200);
    let over = node.get("/33000").await;
    assert_eq!((over.status(), over.header("x-cache")), (502, "FunctionValidationError from cloudfront"));
    assert_eq!(origin.calls(), 1);
}
