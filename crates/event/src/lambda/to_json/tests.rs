use super::super::json::event_from_json;
use super::*;
use crate::ViewerContext;
use http::Method;

/// lambda-at-edge.md section 3.7.
const SAMPLE: &str = include_str!("sample.json");

#[test]
fn the_vendor_s_sample_is_written_byte_for_byte() {
    let event = event_from_json(SAMPLE).unwrap();
    let compact: String = SAMPLE.lines().map(str::trim_start).collect();
    assert_eq!(event.as_event().to_json(), compact);
}

fn head(version: Version) -> RequestHead {
    let mut head = RequestHead { version, method: Method::GET, ..RequestHead::get("/a?b=%20") };
    for (name, value) in [("x-my-id", &b"caf\xe9"[..]), ("cookie", b"a=1"), ("cookie", b"b=2"), ("upgrade", b"h2c")] {
        head.headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    head
}

/// lambda-at-edge.md sections 3.4, 6.1 and 6.4.
#[test]
fn each_line_is_an_element_and_disallowed_headers_are_not_shown() {
    let request = head(Version::HTTP_11);
    let context = ViewerContext { viewer_ip: "2001:db8::1", ..ViewerContext::default() };
    let event =
        LambdaEvent { hook: Hook::ViewerRequest, context, request: &request, body: None, origin: None, response: None };
    let json = event.to_json();
    assert!(json.contains(
        r#""headers":{"x-my-id":[{"key":"X-My-Id","value":"café"}],"cookie":[{"key":"Cookie","value":"a=1"},{"key":"Cookie","value":"b=2"}]}"#
    ));
    assert!(json.contains(r#""uri":"/a","querystring":"b=%20""#));
    let request = head(Version::HTTP_2);
    let json = LambdaEvent { request: &request, ..event }.to_json();
    assert!(json.contains(r#""x-my-id":[{"key":"x-my-id""#), "HTTP/2 names are lower case");
}

/// lambda-at-edge.md section 3.2: which members exist in which hook.
#[test]
fn members_belong_to_their_hooks() {
    let event = event_from_json(SAMPLE).unwrap();
    let response = ResponseHead::new(http::StatusCode::NOT_FOUND);
    for hook in Hook::ALL {
        let response = hook.is_response().then_some(&response);
        let json = LambdaEvent { hook, response, ..event.as_event() }.to_json();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let cf = &json["Records"][0]["cf"];
        assert_eq!(cf["config"]["eventType"], hook.as_str());
        assert_eq!(cf["request"].get("body").is_some(), !hook.is_response(), "{hook}");
        assert_eq!(cf["request"].get("origin").is_some(), !hook.is_viewer(), "{hook}");
        assert_eq!(cf.get("response").is_some(), hook.is_response(), "{hook}");
        if hook.is_response() {
            assert_eq!(cf["response"]["status"], "404", "a string");
            assert_eq!(cf["response"]["statusDescription"], "Not Found");
        }
    }
}
