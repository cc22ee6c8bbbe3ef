//! What a handler may return (`cloudfront-functions.md` section 4).

use rimward_wire::{
    event::{Event, Pair, Request, Response, SetCookie},
    reply::{Body, Failure, Field, Query, Reply, Value},
};

use crate::harness::Function;

fn event() -> Event<'static> {
    let pair = |name, value| Pair { name, value };
    Event {
        request: Request {
            method: "GET",
            uri: "/",
            query: Some("b=1&7=x&a=2&b=3"),
            headers: vec![pair("host", "example.com"), pair("accept", "a"), pair("accept", "b")],
            cookies: vec![pair("sid", "1")],
        },
        ..Event::default()
    }
}

fn response_event() -> Event<'static> {
    let cookie = |name, value, attributes| SetCookie { name, value, attributes };
    Event {
        response: Some(Response {
            status: 200,
            description: "OK",
            headers: vec![Pair { name: "server", value: "s" }],
            cookies: vec![cookie("a", "1", Some("Secure")), cookie("a", "2", None), cookie("b", "3", None)],
        }),
        ..event()
    }
}

/// The reply of a handler with this body.
fn check(event: &Event<'_>, body: &str, expect: impl FnOnce(Reply<'_>)) {
    let bytes = Function::new(&format!("function handler(event) {{ {body} }}")).reply(event);
    expect(Reply::read(&bytes).unwrap());
}

fn field<'a>(name: &'a str, values: &[&'a str]) -> Field<'a> {
    Field { name, values: values.iter().map(|&text| Value { text, attributes: None }).collect() }
}

fn invalid(event: &Event<'_>, body: &str, text: &str) {
    let failed = Function::new(&format!("function handler(event) {{ {body} }}")).failure(event);
    assert_eq!((failed.failure, failed.message.as_str()), (Failure::Validation, text), "{body}");
}

#[test]
fn an_untouched_request_is_reported_as_unchanged() {
    check(&event(), "var h = event.request.headers.host.value; return event.request;", |reply| {
        let unchanged = Reply::Request {
            method: "GET",
            uri: None,
            query: Query::Unchanged,
            headers: None,
            cookies: None,
            origin: None,
        };
        assert_eq!(reply, unchanged);
    });
}

#[test]
fn changed_parts_are_reported_and_the_others_not() {
    let body = "event.request.uri = '/x'; event.request.headers['x-new'] = {value: 'é家'}; return event.request;";
    check(&event(), body, |reply| {
        let Reply::Request { uri, query, headers, cookies, .. } = reply else { panic!() };
        assert_eq!((uri, query, cookies), (Some("/x"), Query::Unchanged, None));
        let expected = vec![field("host", &["example.com"]), field("accept", &["a", "b"]), field("x-new", &["é家"])];
        assert_eq!(headers, Some(expected));
    });
}

#[test]
fn a_removed_field_is_missing_and_a_removed_map_is_empty() {
    let body = "delete event.request.headers.accept; delete event.request.cookies; return event.request;";
    check(&event(), body, |reply| {
        let Reply::Request { headers, cookies, .. } = reply else { panic!() };
        assert_eq!((headers, cookies), (Some(vec![field("host", &["example.com"])]), Some(vec![])));
    });
}

/// Section 3.2: integer-like names stay where the message had them.
#[test]
fn query_parameters_keep_their_order_on_the_wire() {
    check(&event(), "event.request.querystring.z = {value: 'n'}; return event.request;", |reply| {
        let Reply::Request { query, .. } = reply else { panic!() };
        let expected = vec![field("b", &["1", "3"]), field("7", &["x"]), field("a", &["2"]), field("z", &["n"])];
        assert_eq!(query, Query::Fields(expected));
    });
    check(&event(), "event.request.querystring = 'q=1&q=2'; return event.request;", |reply| {
        assert!(matches!(reply, Reply::Request { query: Query::Text("q=1&q=2"), .. }));
    });
}

/// Section 4.1 rule 6.
#[test]
fn a_changed_list_wins_over_value_and_a_changed_value_replaces_the_first() {
    for (change, values) in [
        ("a.value = 'n'", &["n", "b"][..]),
        ("a.multiValue.push({value: 'c'}); a.value = 'ignored'", &["a", "b", "c"]),
        ("a.multiValue = [{value: 'only'}]", &["only"]),
        ("delete a.multiValue", &["a"]),
        ("delete a.multiValue; a.value = 'n'", &["n"]),
        ("delete a.value; a.multiValue.pop()", &["a"]),
    ] {
        let body = format!("var a = event.request.headers.accept; {change}; return event.request;");
        check(&event(), &body, |reply| {
            let Reply::Request { headers: Some(headers), .. } = reply else { panic!("{change}") };
            assert_eq!(headers[1], field("accept", values), "{change}");
        });
    }
}

#[test]
fn a_response_carries_status_description_headers_cookies_and_body() {
    let body = "return {statusCode: 302, statusDescription: 'Found', headers: {location: {value: '/l'}},
        cookies: {a: {value: '1', attributes: 'Secure'}, b: {value: '', multiValue: [{value: '2'}, {value: '3', attributes: 'Path=/'}]}},
        body: {encoding: 'base64', data: 'aGk='}};";
    check(&event(), body, |reply| {
        let value = |text, attributes| Value { text, attributes };
        let cookies = vec![
            Field { name: "a", values: vec![value("1", Some("Secure"))] },
            Field { name: "b", values: vec![value("2", None), value("3", Some("Path=/"))] },
        ];
        let expected = Reply::Response {
            status: 302,
            description: Some("Found"),
            headers: Some(vec![field("location", &["/l"])]),
            cookies: Some(cookies),
            body: Body::Base64("aGk="),
        };
        assert_eq!(reply, expected);
    });
}

#[test]
fn a_body_is_absent_text_or_base64() {
    for (body, expected) in [
        ("", Body::Absent),
        (", body: 'hi'", Body::Text("hi")),
        (", body: ''", Body::Text("")),
        (", body: {encoding: 'text', data: 'hi'}", Body::Text("hi")),
        (", body: {encoding: 'base64', data: '*'}", Body::Base64("*")),
    ] {
        check(&event(), &format!("return {{statusCode: 200{body}}};"), |reply| {
            let empty = (None, None, None);
            let Reply::Response { description, headers, cookies, body, .. } = reply else { panic!() };
            assert_eq!((description, headers, cookies), empty);
            assert_eq!(body, expected);
        });
    }
}

#[test]
fn a_returned_response_of_the_event_reports_what_changed() {
    check(&response_event(), "return event.response;", |reply| {
        let Reply::Response { status: 200, description: Some("OK"), headers: None, cookies: None, body } = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(body, Body::Absent);
    });
    let body =
        "event.response.cookies.a.attributes = 'HttpOnly'; delete event.response.headers; return event.response;";
    check(&response_event(), body, |reply| {
        let Reply::Response { headers, cookies: Some(cookies), .. } = reply else { panic!() };
        assert_eq!(headers, Some(vec![]));
        let value = |text, attributes| Value { text, attributes };
        assert_eq!(cookies[0].values, [value("1", Some("HttpOnly")), value("2", None)]);
        assert_eq!(cookies[1].values, [value("3", None)]);
    });
}

#[test]
fn nonsense_is_a_validation_failure_that_names_the_part() {
    let event = event();
    let shape = "the function must return a request or a response";
    for nothing in ["", "return;", "return null;", "return 'x';", "return 1;", "return {};", "return [];"] {
        invalid(&event, nothing, shape);
    }
    invalid(&event, "return event;", "the function must return event.request or a response, not the event");
    for (change, text) in [
        ("delete r.uri", "request.uri must be a string"),
        ("r.method = 1", "request.method must be a string"),
        ("r.headers = 'x'", "request.headers must be an object"),
        ("r.headers.a = 'x'", "request.headers[\"a\"] must be an object"),
        ("r.headers.a = {value: 1}", "request.headers[\"a\"].value must be a string"),
        ("r.headers.a = {}", "request.headers[\"a\"].value must be a string"),
        ("r.cookies.a = {multiValue: 'x'}", "request.cookies[\"a\"].multiValue must be an array"),
        ("r.querystring.a = {multiValue: [1]}", "request.querystring[\"a\"].multiValue[0] must be an object"),
    ] {
        invalid(&event, &format!("var r = event.request; {change}; return r;"), text);
    }
    for (members, text) in [
        ("statusCode: '200'", "response.statusCode must be an integer"),
        ("statusCode: 200.5", "response.statusCode must be an integer"),
        ("statusCode: -1", "response.statusCode must be an integer"),
        ("statusCode: 200, statusDescription: 1", "response.statusDescription must be a string"),
        ("statusCode: 200, body: 1", "response.body must be a string or an object"),
        (
            "statusCode: 200, body: {encoding: 'gzip', data: ''}",
            "response.body.encoding must be \"text\" or \"base64\"",
        ),
        ("statusCode: 200, body: {encoding: 'text'}", "response.body.data must be a string"),
        (
            "statusCode: 200, cookies: {a: {value: 'x', attributes: 1}}",
            "response.cookies[\"a\"].attributes must be a string",
        ),
    ] {
        invalid(&event, &format!("return {{{members}}};"), text);
    }
    invalid(&response_event(), "return event.request;", "response.statusCode must be an integer");
}

#[test]
fn a_handler_may_be_async_and_its_jobs_run_to_the_end() {
    let source = "async function handler(event) {
        for (let i = 0; i < 3; i++) await null;
        event.request.uri = await Promise.resolve('/later');
        return event.request;
    }";
    let bytes = Function::new(source).reply(&event());
    assert!(matches!(Reply::read(&bytes).unwrap(), Reply::Request { uri: Some("/later"), .. }));
}

/// Section 4.1: what a result has of its own counts, whatever stands on the prototype of all objects.
#[test]
fn members_of_the_prototype_are_no_members_of_a_result() {
    let bent = "Object.prototype.statusCode = 500; Object.prototype.multiValue = 'x'; Object.prototype.attributes = 7;";
    for added in ["", "event.request.more = 1;"] {
        let body = format!("{bent} {added} event.request.headers.x = {{ value: 'y' }}; return event.request;");
        check(&event(), &body, |reply| {
            let Reply::Request { headers: Some(headers), .. } = reply else { panic!("{reply:?}") };
            assert_eq!(headers.last(), Some(&field("x", &["y"])), "{added}");
        });
    }
}
