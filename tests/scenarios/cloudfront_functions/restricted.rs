//! Section 5: headers that functions do not see, may not add, or may only read.

use super::behind;
use rimward_testkit::{Answer, Origin};
use rimward_tests::TestNode;

const VALIDATION: (u16, &str) = (502, "FunctionValidationError from cloudfront");

/// The vendor's list; the two with `*` by an example of each.
const DISALLOWED: [&str; 29] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amz-cf-id",
    "x-amz-cf-anything",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-edge-location",
    "x-edge-anything",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Adds, changes or deletes the header that the path names, or says whether it sees it.
const TOUCH: &str = "function handler(event) {
  var m = event.response || event.request, parts = event.request.uri.split('/');
  switch (parts[1]) {
    case 'add': m.headers[parts[2]] = { value: 'x' }; break;
    case 'change': m.headers[parts[2]].value += 'x'; break;
    case 'delete': delete m.headers[parts[2]]; break;
    case 'see': return { statusCode: 200, body: String(parts[2] in m.headers) };
  }
  return m;
}";

#[track_caller]
fn assert_refused(answer: &rimward_tests::Answer, what: &str) {
    assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION, "{what}");
    assert!(answer.body.contains("restricted header"), "{what}: {}", answer.body);
}

/// cloudfront-functions.md section 5: disallowed headers, at viewer-request.
#[tokio::test]
async fn disallowed_headers_are_not_shown_and_cannot_be_added() {
    let node = TestNode::with_function(TOUCH).await;
    for name in DISALLOWED {
        assert_eq!(node.get_with(&format!("/see/{name}"), &[(name, "viewer")]).await.body, "false", "{name}");
        node.record();
        assert_refused(&node.get(&format!("/add/{name}")).await, name);
        let record = node.record();
        let reason = format!("the function tried to add a disallowed header: `{name}`");
        assert_eq!(record["hooks"][0]["reason"], reason);
    }
    assert_eq!(node.get("/add/x-own").await.status(), 200);
}

/// cloudfront-functions.md section 5: disallowed headers, in responses of both kinds.
#[tokio::test]
async fn a_response_cannot_have_disallowed_headers() {
    let generated = TestNode::with_function(
        "function handler(e) { var h = {}; h[e.request.uri.slice(1)] = { value: 'x' }; return { statusCode: 200, headers: h }; }",
    )
    .await;
    let origin = Origin::new(|_| Answer::ok("there").header("x-real-ip", "1.1.1.1").header("x-edge-a", "1")).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nviewer-response = \"f\"\n",
        origin.url()
    );
    let edited = TestNode::start(&config, &[("f.js", TOUCH.as_bytes())]).await;
    for name in DISALLOWED {
        assert_refused(&generated.get(&format!("/{name}")).await, name);
        assert_refused(&edited.get(&format!("/add/{name}")).await, name);
    }
    assert_eq!(edited.get("/see/x-real-ip").await.body, "false");
    assert_eq!(edited.get("/keep").await.header("x-edge-a"), "1", "what is not shown stays");
}

/// cloudfront-functions.md section 5: read-only headers at viewer-request.
#[tokio::test]
async fn read_only_headers_are_shown_and_cannot_be_added_changed_or_deleted() {
    let node = TestNode::with_function(TOUCH).await;
    for name in ["cdn-loop", "content-length", "host", "transfer-encoding", "via"] {
        let sent: &[(&str, &str)] = match name {
            "content-length" => &[("content-length", "0")],
            "cdn-loop" => &[("cdn-loop", "other")],
            "via" => &[("via", "1.1 other")],
            _ => &[],
        };
        if !sent.is_empty() || name == "host" {
            assert_eq!(node.get_with(&format!("/see/{name}"), sent).await.body, "true", "{name}");
            for way in ["change", "delete"] {
                assert_refused(&node.get_with(&format!("/{way}/{name}"), sent).await, &format!("{way} {name}"));
            }
        }
        if name != "host" {
            assert_refused(&node.get(&format!("/add/{name}")).await, &format!("add {name}"));
        }
    }
}

/// cloudfront-functions.md section 5: read-only headers at viewer-response.
#[tokio::test]
async fn at_viewer_response_via_and_warning_are_read_only() {
    let answer = || Answer::ok("x").header("warning", "110 - stale").header("via", "1.1 there");
    for name in ["via", "warning"] {
        for change in [format!("r.headers['{name}'].value += 'x'"), format!("delete r.headers['{name}']")] {
            let (node, _origin) = behind(answer, &change).await;
            assert_refused(&node.get("/").await, &change);
        }
        let (node, _origin) = behind(|| Answer::ok("x"), &format!("r.headers['{name}'] = {{ value: 'x' }}")).await;
        assert_refused(&node.get("/").await, name);
    }
    let change = "r.headers['content-encoding'] = { value: 'br' }; delete r.headers['content-length']";
    let (node, _origin) = behind(answer, change).await;
    let answer = node.get("/").await;
    assert_eq!(
        (answer.header("content-encoding"), answer.header("content-length")),
        ("br", "1"),
        "Lambda@Edge alone has them read-only"
    );
}

/// cloudfront-functions.md section 3.2: names with capitals are refused, and the viewer reads the vendor's sentence (section 18).
#[tokio::test]
async fn header_names_with_capitals_are_refused() {
    let node = TestNode::with_function(TOUCH).await;
    let answer = node.get("/add/X-Own").await;
    assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION);
    assert!(answer.body.contains("must have header names in lower case"), "{}", answer.body);
}
