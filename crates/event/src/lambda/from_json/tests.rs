use super::*;
use crate::BodyChange;
use crate::lambda::json::{OwnedEvent, event_from_json, outcome_to_json};
use crate::viewer::json::tests::any_json;
use proptest::prelude::*;
use serde_json::json;

const SAMPLE: &str = include_str!("../to_json/sample.json");

/// The sample's event at `hook`, with a response of 200 where the hook has one.
fn event(hook: Hook) -> OwnedEvent {
    let mut event = event_from_json(SAMPLE).unwrap();
    event.hook = hook;
    if hook.is_response() {
        let mut head = rimward_types::ResponseHead::new(http::StatusCode::OK);
        head.headers.insert("via", HeaderValue::from_static("1.1 origin"));
        head.headers.insert("content-length", HeaderValue::from_static("10"));
        event.response = Some(head);
    }
    event
}

fn run(hook: Hook, result: &Value) -> Result<Outcome, Invalid> {
    from_json(&event(hook).as_event(), &result.to_string(), Strictness::Strict)
}

/// The event's own request or response, as a handler returns it after `edit`.
fn edited(hook: Hook, edit: impl FnOnce(&mut Value)) -> Value {
    let event: Value = serde_json::from_str(&event(hook).as_event().to_json()).unwrap();
    let member = if hook.is_response() { "response" } else { "request" };
    let mut value = event["Records"][0]["cf"][member].clone();
    edit(&mut value);
    value
}

fn body_of(outcome: Result<Outcome, Invalid>) -> BodyChange {
    match outcome.unwrap() {
        Outcome::Request { body, .. } | Outcome::Response(_, body) => body,
    }
}

/// lambda-at-edge.md section 16: the four canonical events come back unchanged.
#[test]
fn an_event_that_comes_back_as_it_was_changes_nothing() {
    for hook in Hook::ALL {
        let event = event(hook);
        match run(hook, &edited(hook, |_| {})).unwrap() {
            Outcome::Request { head, body, origin } => {
                assert_eq!(head.headers, event.request.headers, "{hook}");
                assert_eq!((head.path, head.query), (event.request.path, event.request.query));
                assert_eq!((body, origin), (BodyChange::Keep, None));
            }
            Outcome::Response(head, body) => {
                let own = event.response.unwrap();
                assert_eq!((head.status, head.headers, body), (own.status, own.headers, BodyChange::Keep), "{hook}");
            }
        }
    }
}

/// lambda-at-edge.md section 15 rule 1.
#[test]
fn a_result_is_an_object() {
    for text in ["null", "[]", "\"x\"", "1", "", "{", "undefined"] {
        for hook in Hook::ALL {
            let result = from_json(&event(hook).as_event(), text, Strictness::Strict);
            assert!(matches!(result, Err(Invalid::Shape(_))), "{hook} {text}");
        }
    }
    assert!(matches!(run(Hook::OriginResponse, &json!({})), Err(Invalid::Type { .. })));
}

/// lambda-at-edge.md sections 5.2 and 16: generated 302, 200 and 401, numbers as status.
#[test]
fn request_hooks_may_answer() {
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        for status in [json!("302"), json!(302)] {
            let result = run(hook, &json!({ "status": status, "headers": { "location": [{ "value": "/x" }] } }));
            match result.unwrap() {
                Outcome::Response(head, body) => {
                    assert_eq!(head.status, 302);
                    assert_eq!(head.header("location"), Some("/x"));
                    assert_eq!(head.header("content-length"), Some("0"));
                    assert_eq!(body, BodyChange::Replace(Bytes::new()));
                }
                other => panic!("{other:?}"),
            }
        }
        for status in
            [json!("199"), json!("600"), json!(99), json!("OK"), json!(""), json!(200.5), json!("+200"), json!(null)]
        {
            assert!(matches!(run(hook, &json!({ "status": status })), Err(Invalid::Status(_))), "{status}");
        }
    }
}

/// lambda-at-edge.md section 5.2.
#[test]
fn a_body_with_204_is_refused_at_viewer_request() {
    let empty = json!({ "status": "204", "body": "" });
    assert!(matches!(run(Hook::ViewerRequest, &empty), Err(Invalid::Body(_))));
    assert!(run(Hook::OriginRequest, &empty).is_ok());
    assert!(run(Hook::ViewerRequest, &json!({ "status": "204" })).is_ok());
}

/// lambda-at-edge.md sections 8 and 16: 40 KB and one byte more.
#[test]
fn a_generated_response_has_a_size_limit() {
    for (hook, limit) in [(Hook::ViewerRequest, 40 * 1024), (Hook::OriginRequest, 1024 * 1024)] {
        let with = |size: usize| run(hook, &json!({ "status": "200", "body": "x".repeat(size) }));
        assert!(with(limit).is_ok());
        assert!(matches!(with(limit + 1), Err(Invalid::TooLarge { .. })));
    }
}

/// lambda-at-edge.md 5.2.
#[test]
fn base64_is_exact() {
    let with = |text| {
        run(
            Hook::OriginResponse,
            &edited(Hook::OriginResponse, |response| {
                response["body"] = json!(text);
                response["bodyEncoding"] = json!("base64");
            }),
        )
    };
    assert_eq!(body_of(with("aGk=")), BodyChange::Replace("hi".into()));
    for text in ["*", "aGk", "a===", "aG\nk="] {
        assert!(matches!(with(text), Err(Invalid::Body(_))), "{text}");
    }
    let other = json!({ "status": "200", "body": "x", "bodyEncoding": "hex" });
    assert!(matches!(run(Hook::OriginRequest, &other), Err(Invalid::Type { .. })));
    let number = json!({ "status": "200", "body": 1 });
    assert!(matches!(run(Hook::OriginRequest, &number), Err(Invalid::Type { .. })));
}

/// lambda-at-edge.md sections 3.4 and 16.
#[test]
fn a_header_map_has_its_shape() {
    let with = |headers| run(Hook::OriginRequest, &json!({ "status": "200", "headers": headers }));
    let good = json!({ "X-Upper": [{ "value": "1" }], "set-cookie": [{ "key": "Set-Cookie", "value": "a" }, { "key": "X-From", "value": "b" }] });
    match with(good).unwrap() {
        Outcome::Response(head, _) => {
            assert_eq!(head.header("x-upper"), Some("1"));
            assert_eq!(head.headers.get_all("set-cookie").iter().count(), 2);
        }
        other => panic!("{other:?}"),
    }
    for headers in [
        json!([]),
        json!({ "x": "1" }),
        json!({ "x": { "value": "1" } }),
        json!({ "x": ["1"] }),
        json!({ "x": [{}] }),
        json!({ "x": [{ "value": 1 }] }),
        json!({ "x": [{ "key": 1, "value": "1" }] }),
    ] {
        assert!(matches!(with(headers.clone()), Err(Invalid::Type { .. })), "{headers}");
    }
    let injected = with(json!({ "location": [{ "value": "/\r\nx: y" }] }));
    assert_eq!(injected.unwrap_err(), Invalid::HeaderValue { name: "location".to_owned(), character: '\r' });
}

/// lambda-at-edge.md section 16: `host` in viewer-request and origin-request, `via`, `x-cache`, `connection`.
#[test]
fn header_rules_hold_per_trigger() {
    let host = |request: &mut Value| request["headers"]["host"][0]["value"] = json!("other.example");
    let refused = run(Hook::ViewerRequest, &edited(Hook::ViewerRequest, host)).unwrap_err();
    assert_eq!(refused.to_string(), "the function tried to change a read-only header: `host`");
    assert!(run(Hook::OriginRequest, &edited(Hook::OriginRequest, host)).is_ok());
    let via = |response: &mut Value| drop(response["headers"].as_object_mut().unwrap().remove("via"));
    let refused = run(Hook::OriginResponse, &edited(Hook::OriginResponse, via)).unwrap_err();
    assert_eq!(refused.to_string(), "the function tried to delete a read-only header: `via`");
    for name in ["x-cache", "connection", "x-edge-a"] {
        let added = edited(Hook::OriginResponse, |response| response["headers"][name] = json!([{ "value": "1" }]));
        assert_eq!(run(Hook::OriginResponse, &added).unwrap_err(), Invalid::Disallowed(name.to_owned()));
    }
}

/// lambda-at-edge.md sections 7 and 16.
#[test]
fn uri_and_query_have_rules() {
    let with = |uri: &str, query: &str| {
        run(
            Hook::OriginRequest,
            &edited(Hook::OriginRequest, |request| {
                request["uri"] = json!(uri);
                request["querystring"] = json!(query);
            }),
        )
    };
    assert!(matches!(with("form", ""), Err(Invalid::Uri(_))));
    for query in ["a b", "a#b", "a\u{7f}"] {
        assert!(matches!(with("/", query), Err(Invalid::Query(_))), "{query}");
    }
    assert!(with("/", &"q".repeat(8190)).is_ok(), "8191 in all");
    assert_eq!(with("/", &"q".repeat(8191)).unwrap_err(), Invalid::UrlTooLong(8192));
    let method = edited(Hook::OriginRequest, |request| request["method"] = json!("GET"));
    assert!(matches!(run(Hook::OriginRequest, &method), Err(Invalid::Method { .. })));
    let ip = edited(Hook::OriginRequest, |request| request["clientIp"] = json!("192.0.2.1"));
    assert_eq!(run(Hook::OriginRequest, &ip).unwrap_err(), Invalid::ClientIp);
}

/// lambda-at-edge.md section 3.5.
#[test]
fn a_request_body_is_replaced_only_on_demand() {
    let with = |body: Value| run(Hook::ViewerRequest, &edited(Hook::ViewerRequest, |request| request["body"] = body));
    assert_eq!(body_of(with(json!({ "action": "read-only", "data": "*", "encoding": "hex" }))), BodyChange::Keep);
    assert_eq!(body_of(with(json!({ "data": "eA==" }))), BodyChange::Keep);
    assert_eq!(body_of(with(json!({ "action": "replace", "data": "eA==" }))), BodyChange::Replace("x".into()));
    let text = with(json!({ "action": "replace", "encoding": "text", "data": "x".repeat(40 * 1024) }));
    match text.unwrap() {
        Outcome::Request { head, .. } => assert_eq!(head.header("content-length"), Some("40960")),
        other => panic!("{other:?}"),
    }
    let long = json!({ "action": "replace", "encoding": "text", "data": "x".repeat(40 * 1024 + 1) });
    assert!(matches!(with(long), Err(Invalid::TooLarge { .. })));
    assert!(with(json!({ "action": "replace", "data": "A".repeat(54_476) })).is_ok());
    assert!(matches!(with(json!({ "action": "replace", "data": "A".repeat(54_480) })), Err(Invalid::TooLarge { .. })));
    assert!(matches!(with(json!({ "action": "replace", "data": "*" })), Err(Invalid::Body(_))));
    assert!(matches!(with(json!({ "action": "write" })), Err(Invalid::Type { .. })));
    assert!(matches!(with(json!("x")), Err(Invalid::Body(_))));
}

/// lambda-at-edge.md sections 2, 3.3 and 16.
#[test]
fn a_response_hook_may_replace_the_body_where_it_may() {
    let with = |hook, edit: fn(&mut Value)| run(hook, &edited(hook, edit));
    let empty = with(Hook::OriginResponse, |response| response["body"] = json!(""));
    match empty.unwrap() {
        Outcome::Response(head, body) => {
            assert_eq!(body, BodyChange::Replace(Bytes::new()), "an empty body removes the origin's");
            assert_eq!(head.header("content-length"), Some("0"));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(with(Hook::ViewerResponse, |response| response["body"] = json!("")), Err(Invalid::Body(_))));
    let status = with(Hook::ViewerResponse, |response| response["status"] = json!("404"));
    assert_eq!(status.unwrap_err(), Invalid::StatusChanged);
    assert!(with(Hook::ViewerResponse, |response| response["status"] = json!(200)).is_ok());
    assert!(with(Hook::OriginResponse, |response| response["status"] = json!("404")).is_ok());
    let revalidated = with(Hook::OriginResponse, |response| {
        response["status"] = json!("304");
        response["body"] = json!("x");
    });
    assert!(matches!(revalidated, Err(Invalid::Body(_))));
}

#[test]
fn an_outcome_shows_what_the_node_goes_on_with() {
    let event = event(Hook::OriginRequest);
    let changed = edited(Hook::OriginRequest, |request| request["origin"]["custom"]["domainName"] = json!("beta"));
    let outcome = run(Hook::OriginRequest, &changed).unwrap();
    let json = outcome_to_json(&event.as_event(), &outcome);
    assert_eq!(json["request"]["origin"]["custom"]["domainName"], "beta");
    assert_eq!(json["request"]["headers"]["host"][0]["value"], "example.org");
}

proptest! {
    #[test]
    fn no_json_panics(value in any_json(), text in any::<String>(), part in any_json()) {
        let _ = event_from_json(&value.to_string());
        for hook in Hook::ALL {
            let event = event(hook);
            let _ = from_json(&event.as_event(), &text, Strictness::Strict);
            for member in ["headers", "body", "origin", "uri", "status"] {
                let edited = edited(hook, |own| own[member] = part.clone());
                let _ = from_json(&event.as_event(), &edited.to_string(), Strictness::Strict);
            }
        }
    }
}
