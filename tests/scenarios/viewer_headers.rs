//! `CloudFront-*` headers (`cloudfront-functions.md` section 14).

use rimward_tests::{DEMO, TestNode};

const CODE: &str = "function handler(event) {\n\
    var h = event.request.headers, out = {};\n\
    Object.keys(h).filter(function (n) { return n.indexOf('cloudfront-') === 0 }).forEach(function (n) { out[n] = h[n].value });\n\
    return { statusCode: 200, body: JSON.stringify(out) };\n}";

async fn node(policy: &str) -> TestNode {
    let config = format!("{DEMO}viewer-request = \"f\"\n{policy}\n[functions.f]\ncode = \"f.js\"\n");
    TestNode::start(&config, &[("f.js", CODE.as_bytes())]).await
}

#[tokio::test]
async fn a_function_sees_the_headers_that_a_policy_names() {
    let policy = "cache-policy = \"devices\"\nforward = { headers = [\"CloudFront-Viewer-Address\", \"CloudFront-Forwarded-Proto\"] }\n\
                  [cache-policies.devices]\nheaders = [\"CloudFront-Is-Mobile-Viewer\"]";
    let node = node(policy).await;
    let answer = node.get_with("/", &[("user-agent", "x (iPhone)"), ("cloudfront-viewer-address", "spoofed")]).await;
    let seen: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let expected = serde_json::json!({
        "cloudfront-viewer-address": "203.0.113.7:4711",
        "cloudfront-forwarded-proto": "http",
        "cloudfront-is-mobile-viewer": "true",
    });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn without_a_policy_there_are_none() {
    assert_eq!(node("").await.get("/").await.body, "{}");
}
