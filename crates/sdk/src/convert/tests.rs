#![allow(clippy::unwrap_used)]

use super::*;
use crate::Outcome;
use crate::bindings::{handle_request, handle_response};

fn request() -> types::Request {
    let header = |name: &str, value: &str| types::Header { name: name.into(), value: value.into() };
    types::Request {
        client_ip: "203.0.113.178".into(),
        method: "POST".into(),
        uri: "/a/b".into(),
        querystring: "x=1&y=2".into(),
        headers: vec![header("host", "example.org"), header("cookie", "a=1"), header("cookie", "b=\u{e9}")],
        body: Some(types::Body { data: b"name=x".to_vec(), truncated: true, replace: false }),
        origin: Some(types::Origin::Custom(types::CustomOrigin {
            domain_name: "app".into(),
            port: 443,
            protocol: types::Protocol::Https,
            path: String::new(),
            custom_headers: vec![header("x-key", "1")],
            read_timeout: 30,
            keepalive_timeout: 5,
            response_completion_timeout: None,
            ssl_protocols: vec!["TLSv1.2".into()],
        })),
    }
}

fn context() -> types::Context {
    types::Context {
        hook: types::Hook::OriginRequest,
        distribution_id: "EDFDVBD6EXAMPLE".into(),
        distribution_domain_name: "d111111abcdef8.cloudfront.net".into(),
        request_id: "r".into(),
        invocation_id: "i".into(),
        function_name: "f".into(),
        function_version: "1".into(),
        memory_limit_mb: 128,
        deadline_ms: 0,
    }
}

#[test]
fn a_request_that_goes_on_is_what_came() {
    // `lambda-at-edge.md` section 5.3: the result replaces everything, so nothing may be lost on the way.
    let untouched = |request: Request, _: &Context| Ok::<_, String>(request);
    let outcome = handle_request(untouched, request(), context()).unwrap();
    let types::Outcome::Request(out) = outcome else { panic!("a request") };
    assert_eq!(format!("{out:?}"), format!("{:?}", request()));
}

#[test]
fn a_handler_sees_types_of_the_http_crate() {
    let handler = |mut request: Request, context: &Context| {
        assert_eq!(context.hook, Hook::OriginRequest);
        assert_eq!(request.uri().query(), Some("x=1&y=2"));
        assert_eq!(request.headers().get_all("cookie").iter().count(), 2);
        assert!(request.body().is_truncated() && request.body().bytes() == b"name=x");
        let Some(Origin::Custom(origin)) = request.extensions_mut().get_mut::<Origin>() else { panic!("an origin") };
        origin.domain_name = "beta".into();
        *request.body_mut() = "name=y".into();
        *request.uri_mut() = "/c".parse().unwrap();
        Ok::<_, String>(request)
    };
    let types::Outcome::Request(out) = handle_request(handler, request(), context()).unwrap() else {
        panic!("a request")
    };
    assert_eq!((out.uri.as_str(), out.querystring.as_str()), ("/c", ""));
    let body = out.body.unwrap();
    assert!(body.replace && body.data == b"name=y");
    assert!(matches!(out.origin, Some(types::Origin::Custom(origin)) if origin.domain_name == "beta"));
}

#[test]
fn an_answer_and_an_error_go_out_as_such() {
    let answer = |_: Request, _: &Context| Ok::<Outcome, String>(Response::new("no".into()).into());
    let types::Outcome::Response(out) = handle_request(answer, request(), context()).unwrap() else {
        panic!("an answer")
    };
    assert_eq!((out.status, out.body.as_deref()), (200, Some(&b"no"[..])));
    let fails = |_: Request, _: &Context| Err::<Outcome, _>("no table");
    assert_eq!(handle_request(fails, request(), context()).unwrap_err(), "no table");
    let made_up = |_: Request, _: &Context| Ok::<_, String>(Request::default());
    assert!(handle_request(made_up, request(), context()).unwrap_err().contains("ClientIp"));
}

#[test]
fn the_origins_body_is_kept_unless_it_is_replaced() {
    // `lambda-at-edge.md` section 3.3.
    let from_origin =
        || types::Response { status: 404, status_description: "Not Found".into(), headers: vec![], body: None };
    let kept = |_: &Request, response: Response, _: &Context| Ok::<_, String>(response);
    let out = handle_response(kept, request(), from_origin(), context()).unwrap();
    assert_eq!((out.body, out.status_description.as_str()), (None, "Not Found"));
    let emptied = |_: &Request, response: Response, _: &Context| Ok::<_, String>(response.map(|_| "".into()));
    let out = handle_response(emptied, request(), from_origin(), context()).unwrap();
    assert_eq!(out.body, Some(vec![]));
}
