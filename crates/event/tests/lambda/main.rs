//! Results of Lambda@Edge handlers in JSON, held against the rules one section of `lambda-at-edge.md` after the other.

#![allow(clippy::unwrap_used)]

use rimward_event::invalid::Change;
use rimward_event::lambda::json::event_from_json;
use rimward_event::lambda::{Outcome, from_json};
use rimward_event::{BodyChange, Invalid, Strictness};
use rimward_types::{Hook, RequestHead, ResponseHead};
use serde_json::{Value, json};

mod events;
mod headers;
mod limits;

/// An event at `hook` whose message has `headers`, as a fixture.
fn fixture(hook: Hook, headers: &Value) -> Value {
    let mut request = json!({
        "clientIp": "203.0.113.178", "method": "GET", "uri": "/a%20b", "querystring": "q=1",
        "headers": { "host": [{ "key": "Host", "value": "www.example.com" }] },
    });
    if !hook.is_viewer() {
        request["origin"] = json!({ "custom": custom_origin() });
    }
    let mut cf = json!({ "config": { "eventType": hook.as_str() }, "request": request });
    if hook.is_response() {
        cf["response"] = json!({ "status": "200", "statusDescription": "OK", "headers": headers });
    } else {
        for (name, lines) in headers.as_object().unwrap() {
            cf["request"]["headers"][name] = lines.clone();
        }
    }
    json!({ "Records": [{ "cf": cf }] })
}

fn custom_origin() -> Value {
    json!({
        "customHeaders": {}, "domainName": "example.org", "keepaliveTimeout": 5, "path": "", "port": 443,
        "protocol": "https", "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
    })
}

/// What becomes of the event when the handler returns its own request or response after `edit`.
fn edited(hook: Hook, headers: &Value, edit: impl FnOnce(&mut Value)) -> Result<Outcome, Invalid> {
    let owned = event_from_json(&fixture(hook, headers).to_string()).unwrap();
    let shown: Value = serde_json::from_str(&owned.as_event().to_json()).unwrap();
    let member = if hook.is_response() { "response" } else { "request" };
    let mut result = shown["Records"][0]["cf"][member].clone();
    edit(&mut result);
    from_json(&owned.as_event(), &result.to_string(), Strictness::Strict)
}

/// What becomes of the event when the handler returns `result`, made from scratch.
fn returned(hook: Hook, result: &Value) -> Result<Outcome, Invalid> {
    let owned = event_from_json(&fixture(hook, &json!({})).to_string()).unwrap();
    from_json(&owned.as_event(), &result.to_string(), Strictness::Strict)
}

fn lines(value: &str) -> Value {
    json!([{ "key": "Any", "value": value }])
}

fn request(outcome: Result<Outcome, Invalid>) -> (RequestHead, BodyChange) {
    match outcome.unwrap() {
        Outcome::Request { head, body, .. } => (head, body),
        other => panic!("{other:?}"),
    }
}

fn response(outcome: Result<Outcome, Invalid>) -> (ResponseHead, BodyChange) {
    match outcome.unwrap() {
        Outcome::Response(head, body) => (head, body),
        other => panic!("{other:?}"),
    }
}

fn read_only(name: &str, change: Change) -> Invalid {
    Invalid::ReadOnly { name: name.to_owned(), change }
}

const DISALLOWED: &str = "Connection Expect Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection Trailer \
    Upgrade X-Accel-Buffering X-Accel-Charset X-Accel-Limit-Rate X-Accel-Redirect X-Amz-Cf-Any X-Amzn-Auth \
    X-Amzn-Cf-Billing X-Amzn-Cf-Id X-Amzn-Cf-Xff X-Amzn-Errortype X-Amzn-Fle-Profile X-Amzn-Header-Count \
    X-Amzn-Header-Order X-Amzn-Lambda-Integration-Tag X-Amzn-RequestId X-Cache X-Edge-Any X-Forwarded-Proto X-Real-IP";

const READ_ONLY: [(Hook, &str); 4] = [
    (Hook::ViewerRequest, "cdn-loop content-length host transfer-encoding via"),
    (
        Hook::OriginRequest,
        "accept-encoding cdn-loop content-length if-modified-since if-none-match if-range if-unmodified-since \
         transfer-encoding via",
    ),
    (Hook::OriginResponse, "transfer-encoding via"),
    (Hook::ViewerResponse, "warning via content-length content-encoding transfer-encoding"),
];
