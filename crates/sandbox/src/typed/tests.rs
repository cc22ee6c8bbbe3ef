#![allow(clippy::unwrap_used)]

use super::*;
use http::HeaderValue;
use proptest::prelude::*;
use rimward_event::lambda::{Encoding, Outcome, validate};
use rimward_event::{BodyChange, Strictness, ViewerContext};
use rimward_types::RequestHead;

fn custom() -> LambdaOrigin {
    LambdaOrigin::Custom(CustomOrigin {
        domain_name: "origin.example".to_owned(),
        path: "/base".to_owned(),
        custom_headers: vec![(HeaderName::from_static("x-key"), HeaderValue::from_bytes(b"\xe9").unwrap())],
        port: 443,
        protocol: Protocol::Https,
        keepalive_timeout: duration(5),
        read_timeout: duration(30),
        completion_timeout: Some(duration(60)),
        ssl_protocols: vec![SslProtocol::TlsV1_2],
    })
}

fn s3() -> LambdaOrigin {
    LambdaOrigin::S3(S3Origin {
        domain_name: "b.s3.eu-west-1.amazonaws.com".to_owned(),
        path: String::new(),
        custom_headers: Vec::new(),
        auth: S3Auth::OriginAccessIdentity,
        region: Some("eu-west-1".to_owned()),
        read_timeout: None,
        completion_timeout: None,
    })
}

fn event<'a>(head: &'a RequestHead, origin: &'a LambdaOrigin) -> LambdaEvent<'a> {
    LambdaEvent {
        hook: Hook::OriginRequest,
        context: ViewerContext {
            distribution_domain_name: "d.example",
            distribution_id: "E1",
            request_id: "r",
            viewer_ip: "203.0.113.1",
        },
        request: head,
        body: None,
        origin: Some(origin),
        response: None,
    }
}

#[test]
fn a_request_that_the_function_hands_back_untouched_is_unchanged() {
    for origin in [custom(), s3()] {
        let mut head = RequestHead::get("/a/b?x=1&y");
        head.headers.insert("host", HeaderValue::from_static("www.example.com"));
        head.headers.append("x-many", HeaderValue::from_static("one"));
        head.headers.append("x-many", HeaderValue::from_static("two"));
        head.headers.insert("x-bytes", HeaderValue::from_bytes(&[0x80, 0xff, b'a']).unwrap());
        head.headers.insert("x-utf8", HeaderValue::from_bytes("é".as_bytes()).unwrap());
        let event = event(&head, &origin);
        let outcome = types::Outcome::Request(request(&event));
        let outcome = validate(&event, returned(outcome).unwrap(), Encoding::Bytes, Strictness::Strict).unwrap();
        let Outcome::Request { head: is, body, origin } = outcome else { panic!("not a request") };
        assert_eq!((is.path, is.query, is.headers), (head.path, head.query, head.headers));
        assert_eq!((body, origin), (BodyChange::Keep, None));
    }
}

#[test]
fn headers_that_functions_may_not_see_are_left_out() {
    let mut head = RequestHead::get("/");
    head.headers.insert("connection", HeaderValue::from_static("close"));
    head.headers.insert("x-edge-secret", HeaderValue::from_static("1"));
    assert!(request(&event(&head, &custom())).headers.is_empty());
}

#[test]
fn a_character_that_is_no_byte_is_named() {
    let header = types::Header { name: "x-a".to_owned(), value: "a→b".to_owned() };
    assert_eq!(lines(vec![header]), Err(Invalid::HeaderValue { name: "x-a".to_owned(), character: '→' }));
}

#[test]
fn a_body_replaces_the_viewers_only_when_it_says_so() {
    let head = RequestHead::get("/");
    let mut request = request(&event(&head, &custom()));
    for (replace, expected) in [(false, None), (true, Some(Bytes::from_static(b"new")))] {
        request.body = Some(types::Body { data: b"new".to_vec(), truncated: false, replace });
        assert_eq!(returned_request(request.clone()).unwrap().body, expected);
    }
}

#[test]
fn unknown_tls_versions_and_bad_custom_headers_are_refused() {
    let types::Origin::Custom(mut changed) = origin(&custom()) else { panic!("not custom") };
    changed.ssl_protocols.push("TLSv1.4".to_owned());
    assert!(returned_origin(types::Origin::Custom(changed.clone())).is_err());
    changed.ssl_protocols.clear();
    changed.custom_headers = vec![types::Header { name: "x a".to_owned(), value: String::new() }];
    assert_eq!(returned_origin(types::Origin::Custom(changed.clone())), Err(Invalid::HeaderName("x a".to_owned())));
    changed.custom_headers = vec![types::Header { name: "x-a".to_owned(), value: "a\r\nb".to_owned() }];
    let fault = Invalid::HeaderValue { name: "x-a".to_owned(), character: '\r' };
    assert_eq!(returned_origin(types::Origin::Custom(changed)), Err(fault));
}

proptest! {
    #[test]
    fn every_value_survives_the_way_to_a_function_and_back(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let shown = header(&HeaderName::from_static("x-a"), &value);
            prop_assert_eq!(lines(vec![shown]).unwrap(), vec![("x-a".to_owned(), value.as_bytes().to_vec())]);
        }
    }

    #[test]
    fn whatever_text_a_function_returns_nothing_panics(name in "\\PC{0,12}", value in any::<String>()) {
        let line = types::Header { name, value };
        let _ = lines(vec![line.clone()]);
        let _ = custom_headers(vec![line]);
    }
}
