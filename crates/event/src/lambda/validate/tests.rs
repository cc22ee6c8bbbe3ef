use super::*;
use crate::ViewerContext;
use crate::lambda::{bytes_of, text_of};
use proptest::prelude::*;

fn request() -> RequestHead {
    let mut request = RequestHead::get("/a?b");
    request.headers.insert("host", HeaderValue::from_static("example.org"));
    request.headers.insert("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    request.headers.insert("connection", HeaderValue::from_static("close"));
    request
}

fn event(request: &RequestHead) -> LambdaEvent<'_> {
    let context = ViewerContext::default();
    LambdaEvent { hook: Hook::OriginRequest, context, request, body: None, origin: None, response: None }
}

fn returned(headers: HeaderLines) -> ReturnedRequest {
    ReturnedRequest {
        method: "GET".to_owned(),
        client_ip: None,
        uri: "/a".to_owned(),
        querystring: "b".to_owned(),
        headers,
        body: None,
        origin: None,
    }
}

#[test]
fn typed_values_are_bytes() {
    let request = request();
    let lines = vec![("Host".to_owned(), b"other".to_vec()), ("x-latin".to_owned(), b"caf\xe9".to_vec())];
    let outcome = validate(&event(&request), Returned::Request(returned(lines)), Encoding::Bytes, Strictness::Strict);
    match outcome.unwrap() {
        Outcome::Request { head, body, origin } => {
            assert_eq!(head.header("host"), Some("other"));
            assert_eq!(head.headers["x-latin"].as_bytes(), b"caf\xe9");
            assert_eq!(head.headers["connection"], "close", "hidden headers survive");
            assert_eq!((body, origin), (BodyChange::Keep, None));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_of_one_name_are_one_header() {
    let request = RequestHead::get("/a?b");
    let lines =
        vec![("x-a".to_owned(), b"1".to_vec()), ("x-b".to_owned(), b"2".to_vec()), ("X-A".to_owned(), b"3".to_vec())];
    let outcome = validate(&event(&request), Returned::Request(returned(lines)), Encoding::Bytes, Strictness::Strict);
    let Outcome::Request { head, .. } = outcome.unwrap() else { panic!("a request goes on") };
    assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "3"]);
}

#[test]
fn many_lines_of_one_name_are_one_header_too() {
    let request = RequestHead::get("/a?b");
    let mut lines: HeaderLines = (0..100).map(|n| (format!("X-{}", n % 50), vec![b'0' + n / 50])).collect();
    lines.push(("x-7".to_owned(), b"2".to_vec()));
    let outcome = validate(&event(&request), Returned::Request(returned(lines)), Encoding::Bytes, Strictness::Strict);
    let Outcome::Request { head, .. } = outcome.unwrap() else { panic!("a request goes on") };
    assert_eq!(head.headers.get_all("x-7").iter().collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!((head.headers.keys_len(), head.headers.len()), (50, 101));
}

/// lambda-at-edge.md 5.1.
#[test]
fn a_response_hook_returns_a_response() {
    let request = request();
    let response = ResponseHead::new(StatusCode::OK);
    let event = LambdaEvent { hook: Hook::ViewerResponse, response: Some(&response), ..event(&request) };
    let result = validate(&event, Returned::Request(returned(Vec::new())), Encoding::Bytes, Strictness::Strict);
    assert!(matches!(result, Err(Invalid::Shape(_))));
}

#[test]
fn too_many_lines_are_refused_before_they_cost_time() {
    let request = request();
    let lines = (0..10_000).map(|i| (format!("x-{i}"), Vec::new())).collect();
    let result = validate(&event(&request), Returned::Request(returned(lines)), Encoding::Bytes, Strictness::Strict);
    assert!(matches!(result, Err(Invalid::TooLarge { .. })));
}

proptest! {
    #[test]
    fn text_carries_any_byte(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(bytes_of(&text_of(&bytes)), Some(bytes));
    }

    #[test]
    fn no_result_panics(
        status in any::<u16>(),
        reason in prop::option::of(any::<String>()),
        uri in any::<String>(),
        headers in prop::collection::vec((any::<String>(), prop::collection::vec(any::<u8>(), 0..20)), 0..6),
        body in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
    ) {
        let request = request();
        let own = ResponseHead::new(StatusCode::OK);
        for hook in Hook::ALL {
            let event = LambdaEvent { hook, response: hook.is_response().then_some(&own), ..event(&request) };
            let body = body.clone().map(Bytes::from);
            let response = ReturnedResponse { status, reason: reason.clone(), headers: headers.clone(), body: body.clone() };
            let _ = validate(&event, Returned::Response(response), Encoding::Bytes, Strictness::Strict);
            let request = ReturnedRequest { uri: uri.clone(), body, ..returned(headers.clone()) };
            let _ = validate(&event, Returned::Request(request), Encoding::Text, Strictness::Test);
        }
    }
}
