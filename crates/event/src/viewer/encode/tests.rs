use super::*;
use http::{HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use rimward_wire::event::{Event, Pair, Request, Response, SetCookie};

const CONTEXT: ViewerContext<'_> = ViewerContext {
    distribution_domain_name: "d1.cloudfront.net",
    distribution_id: "E1",
    request_id: "R==",
    viewer_ip: "192.0.2.1",
};

fn head(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())).collect()
}

fn event<'a>(request: Request<'a>, response: Option<Response<'a>>) -> Event<'a> {
    Event {
        distribution_domain_name: CONTEXT.distribution_domain_name,
        distribution_id: CONTEXT.distribution_id,
        request_id: CONTEXT.request_id,
        viewer_ip: CONTEXT.viewer_ip,
        request,
        response,
    }
}

fn pair<'a>(name: &'a str, value: &'a str) -> Pair<'a> {
    Pair { name, value }
}

/// cloudfront-functions.md sections 3, 3.3 and 5.
#[test]
fn an_encoded_request_is_what_the_wire_format_writes() {
    let mut request = RequestHead::get("/a%20b?x=%E5&y");
    request.headers = head(&[
        ("host", b"example.org"),
        ("x-forwarded-proto", b"https"),
        ("x-latin", b"caf\xe9"),
        ("cookie", b"a=1; b=\"2 3\";; c"),
        ("accept", b"text/html, */*"),
        ("accept", b"x/y"),
        ("cookie", b"a=4=5"),
    ]);
    let expected = event(
        Request {
            method: "GET",
            uri: "/a%20b",
            query: Some("x=%E5&y"),
            headers: vec![
                pair("host", "example.org"),
                pair("x-latin", "café"),
                pair("accept", "text/html, */*"),
                pair("accept", "x/y"),
            ],
            cookies: vec![pair("a", "1"), pair("b", "\"2 3\""), pair("c", ""), pair("a", "4=5")],
        },
        None,
    );
    let (mut bytes, mut wire) = (Vec::new(), Vec::new());
    encode_request(&CONTEXT, &request, &mut bytes);
    expected.write(&mut wire);
    assert_eq!(Event::read(&bytes), Ok(expected));
    assert_eq!(bytes, wire);
}

/// cloudfront-functions.md section 3.1: attributes are the text after the first `;`.
#[test]
fn an_encoded_response_is_what_the_wire_format_writes() {
    let mut response = ResponseHead::new(StatusCode::NOT_FOUND);
    response.headers = head(&[
        ("content-type", b"text/html"),
        ("x-cache", b"Hit"),
        ("set-cookie", b"id=1; Secure; Path=/"),
        ("set-cookie", b"flag"),
        ("set-cookie", b"id=2;"),
    ]);
    let cookie = |name, value, attributes| SetCookie { name, value, attributes };
    let expected = event(
        Request { method: "GET", uri: "/", ..Request::default() },
        Some(Response {
            status: 404,
            description: "Not Found",
            headers: vec![pair("content-type", "text/html")],
            cookies: vec![cookie("id", "1", Some("Secure; Path=/")), cookie("flag", "", None), cookie("id", "2", None)],
        }),
    );
    let (mut bytes, mut wire) = (Vec::new(), Vec::new());
    encode_response(&CONTEXT, &RequestHead::get("/"), &response, &mut bytes);
    expected.write(&mut wire);
    assert_eq!(Event::read(&bytes), Ok(expected));
    assert_eq!(bytes, wire);
    response.reason = Some("Gone Fishing".into());
    bytes.clear();
    encode_response(&CONTEXT, &RequestHead::get("/"), &response, &mut bytes);
    assert_eq!(Event::read(&bytes).unwrap().response.unwrap().description, "Gone Fishing");
}

proptest! {
    #[test]
    fn any_head_encodes_to_an_event_that_can_be_read(
        path in "/[!-~]{0,20}",
        query in prop::option::of("[!-~]{0,20}"),
        values in prop::collection::vec(prop::collection::vec(0x20u8..=0xff, 0..30), 0..6),
    ) {
        const NAMES: [&str; 4] = ["cookie", "x-a", "set-cookie", "connection"];
        let values = values.into_iter().map(|v| v.into_iter().filter(|b| *b != 0x7f).collect::<Vec<u8>>());
        let headers: HeaderMap = values.enumerate()
            .map(|(i, v)| (HeaderName::from_static(NAMES[i % 4]), HeaderValue::from_bytes(&v).unwrap()))
            .collect();
        let request = RequestHead { path, query, headers: headers.clone(), ..RequestHead::get("/") };
        let response = ResponseHead { headers, ..ResponseHead::new(StatusCode::OK) };
        let mut bytes = Vec::new();
        encode_response(&CONTEXT, &request, &response, &mut bytes);
        let event = Event::read(&bytes).unwrap();
        prop_assert_eq!(event.request.uri, &request.path);
        let mut wire = Vec::new();
        event.write(&mut wire);
        prop_assert_eq!(bytes, wire);
    }
}
