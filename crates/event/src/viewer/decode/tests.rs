use super::*;
use crate::ViewerContext;
use crate::invalid::Change;
use http::HeaderName;
use proptest::prelude::*;
use rimward_wire::event::{Event, Pair};
use rimward_wire::reply::Value;

fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())).collect()
}

fn request() -> RequestHead {
    let mut request = RequestHead::get("/page?b=2&a=1&a=%20x&flag");
    request.headers = headers(&[("host", b"example.org"), ("cookie", b"sid=1;  theme=dark"), ("upgrade", b"h2c")]);
    request
}

fn response() -> ResponseHead {
    let mut response = ResponseHead::new(StatusCode::OK);
    response.headers = headers(&[
        ("content-type", b"text/html"),
        ("content-length", b"10"),
        ("set-cookie", b"id=1;Secure"),
        ("set-cookie", b"b=2"),
    ]);
    response
}

fn field<'a>(name: &'a str, values: &[&'a str]) -> Field<'a> {
    Field { name, values: values.iter().map(|text| Value { text, attributes: None }).collect() }
}

/// A reply that leaves the request alone.
fn untouched() -> Reply<'static> {
    Reply::Request { method: "GET", uri: None, query: Query::Unchanged, headers: None, cookies: None, origin: None }
}

fn answer() -> Reply<'static> {
    Reply::Response { status: 200, description: None, headers: None, cookies: None, body: Body::Absent }
}

fn on_request(reply: &Reply<'_>) -> Result<Outcome, Invalid> {
    decode(Hook::ViewerRequest, reply, &request(), None, Strictness::Strict)
}

fn on_response(reply: &Reply<'_>) -> Result<Outcome, Invalid> {
    decode(Hook::ViewerResponse, reply, &request(), Some(&response()), Strictness::Strict)
}

#[track_caller]
fn continued(result: Result<Outcome, Invalid>) -> RequestHead {
    match result.unwrap() {
        Outcome::Request(head, _) => head,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn answered(result: Result<Outcome, Invalid>) -> (ResponseHead, BodyChange) {
    match result.unwrap() {
        Outcome::Response(head, body) => (head, body),
        other => panic!("{other:?}"),
    }
}

fn lines(map: &HeaderMap) -> Vec<(&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn with_query(query: Query<'_>) -> Result<RequestHead, Invalid> {
    let reply = Reply::Request { method: "GET", uri: None, query, headers: None, cookies: None, origin: None };
    on_request(&reply).map(|outcome| continued(Ok(outcome)))
}

fn with_uri(uri: &str) -> Result<Outcome, Invalid> {
    let query = Query::Unchanged;
    on_request(&Reply::Request { method: "GET", uri: Some(uri), query, headers: None, cookies: None, origin: None })
}

#[test]
fn an_untouched_request_is_the_viewer_s() {
    let head = continued(on_request(&untouched()));
    assert_eq!((head.path.as_str(), head.query.as_deref()), ("/page", Some("b=2&a=1&a=%20x&flag")));
    assert_eq!(lines(&head.headers), lines(&request().headers));
}

/// cloudfront-functions.md section 4.1 rules 1 to 3.
#[test]
fn method_uri_and_length_have_rules() {
    let reply = Reply::Request {
        method: "POST",
        uri: None,
        query: Query::Unchanged,
        headers: None,
        cookies: None,
        origin: None,
    };
    assert!(matches!(on_request(&reply), Err(Invalid::Method { .. })));
    assert_eq!(continued(with_uri("/new")).path, "/new");
    assert!(matches!(with_uri("new"), Err(Invalid::Uri(_))));
    assert!(matches!(with_uri("/a?b"), Err(Invalid::Uri(_))));
    let long = format!("/{}", "x".repeat(8191 - 1 - "b=2&a=1&a=%20x&flag".len()));
    assert!(with_uri(&long).is_ok());
    assert_eq!(with_uri(&format!("{long}x")).unwrap_err(), Invalid::UrlTooLong(8192));
}

#[test]
fn a_viewer_s_own_odd_url_passes_while_the_function_leaves_it() {
    let mut odd = request();
    odd.path = "/a#b".to_owned();
    odd.query = Some("#".repeat(9000));
    assert!(decode(Hook::ViewerRequest, &untouched(), &odd, None, Strictness::Strict).is_ok());
}

/// cloudfront-functions.md section 3.2 and section 4.1 rules 4 and 5.
#[test]
fn a_returned_query_has_the_returned_order_and_the_viewer_s_bytes() {
    let fields = |fields: &[Field<'static>]| with_query(Query::Fields(fields.to_vec())).unwrap().query;
    let all = [field("a", &["1", "%20x"]), field("flag", &[""]), field("b", &["2"])];
    assert_eq!(fields(&all).as_deref(), Some("a=1&a=%20x&flag&b=2"), "a function may sort");
    let changed = [field("new", &["n"]), field("b", &["3"]), field("flag", &[""])];
    assert_eq!(fields(&changed).as_deref(), Some("new=n&b=3&flag"));
    let many = [field("b", &["2"]), field("a", &["1", "2", "3"]), field("flag", &[""])];
    assert_eq!(fields(&many).as_deref(), Some("b=2&a=1&a=2&a=3&flag"));
    assert_eq!(fields(&[]), None);
    assert_eq!(with_query(Query::Text("z=1&a=2")).unwrap().query.as_deref(), Some("z=1&a=2"));
    assert_eq!(with_query(Query::Text("")).unwrap().query, None);
}

/// cloudfront-functions.md section 17: a bare `?`.
#[test]
fn a_bare_question_mark_stays_when_nothing_changed() {
    let mut bare = request();
    bare.query = Some(String::new());
    for query in [Query::Unchanged, Query::Fields(Vec::new()), Query::Text("")] {
        let reply = Reply::Request { method: "GET", uri: None, query, headers: None, cookies: None, origin: None };
        let head = continued(decode(Hook::ViewerRequest, &reply, &bare, None, Strictness::Strict));
        assert_eq!(head.query.as_deref(), Some(""));
    }
}

#[test]
fn a_query_string_must_be_encoded() {
    for text in ["a b", "a=1#x", "a=\u{1}", "\n"] {
        assert!(matches!(with_query(Query::Text(text)), Err(Invalid::Query(_))), "{text:?}");
    }
    assert!(matches!(with_query(Query::Fields(vec![field("a/b", &["1"])])), Err(Invalid::Query(_))));
    assert!(matches!(with_query(Query::Fields(vec![field("a", &["x y"])])), Err(Invalid::Query(_))));
}

#[test]
fn cookies_are_joined_into_one_line_and_keep_their_place() {
    let with = |cookies: Vec<Field<'static>>| {
        let query = Query::Unchanged;
        on_request(&Reply::Request {
            method: "GET",
            uri: None,
            query,
            headers: None,
            cookies: Some(cookies),
            origin: None,
        })
    };
    let same = continued(with(vec![field("theme", &["dark"]), field("sid", &["1"])]));
    assert_eq!(lines(&same.headers), lines(&request().headers), "unchanged cookies keep their bytes");
    let changed = continued(with(vec![field("new", &["n"]), field("theme", &["light"]), field("sid", &["1"])]));
    let expected: [(&str, &[u8]); 3] =
        [("host", b"example.org"), ("cookie", b"sid=1; theme=light; new=n"), ("upgrade", b"h2c")];
    assert_eq!(lines(&changed.headers), expected);
    let gone = continued(with(Vec::new()));
    assert!(!gone.headers.contains_key("cookie"));
    assert!(matches!(with(vec![field("a=b", &["1"])]), Err(Invalid::Cookie { .. })));
    assert!(matches!(with(vec![field("a", &["1\r\nx: y"])]), Err(Invalid::HeaderValue { .. })));
}

/// cloudfront-functions.md section 17.
#[test]
fn headers_have_rules() {
    let with = |headers: Vec<Field<'static>>, strictness| {
        let query = Query::Unchanged;
        let reply =
            Reply::Request { method: "GET", uri: None, query, headers: Some(headers), cookies: None, origin: None };
        decode(Hook::ViewerRequest, &reply, &request(), None, strictness)
    };
    let host = || field("host", &["example.org"]);
    let upper = with(vec![host(), field("X-Foo", &["1"])], Strictness::Strict);
    assert_eq!(upper.unwrap_err(), Invalid::HeaderCase("X-Foo".to_owned()));
    let deleted = Invalid::ReadOnly { name: "host".to_owned(), change: Change::Deleted };
    assert_eq!(with(Vec::new(), Strictness::Strict).unwrap_err(), deleted);
    assert!(with(Vec::new(), Strictness::Test).is_ok(), "the test operation does not look");
    assert!(matches!(with(vec![field("X-Foo", &["1"])], Strictness::Test), Err(Invalid::HeaderCase(_))));
    let big = with(
        vec![host(), Field { name: "x-big", values: vec![Value { text: BIG, attributes: None }] }],
        Strictness::Strict,
    );
    assert!(matches!(big, Err(Invalid::TooLarge { .. })));
}

const BIG: &str = match std::str::from_utf8(&[b'x'; 33 * 1024]) {
    Ok(text) => text,
    Err(_) => "",
};

/// cloudfront-functions.md section 4.2.
#[test]
fn a_generated_response_has_a_length_and_no_more() {
    let (head, body) = answered(on_request(&answer()));
    assert_eq!(lines(&head.headers), [("content-length", &b"0"[..])]);
    assert_eq!(body, BodyChange::Replace(Bytes::new()));
    let reply = Reply::Response {
        status: 302,
        description: Some("Found"),
        headers: Some(vec![field("location", &["/x"])]),
        cookies: Some(vec![Field { name: "a", values: vec![Value { text: "1", attributes: Some("Path=/") }] }]),
        body: Body::Text("moved"),
    };
    let (head, body) = answered(on_request(&reply));
    let expected: [(&str, &[u8]); 3] = [("set-cookie", b"a=1; Path=/"), ("location", b"/x"), ("content-length", b"5")];
    assert_eq!(lines(&head.headers), expected);
    assert_eq!(body, BodyChange::Replace("moved".into()));
    assert_eq!(head.reason, None, "the standard phrase needs no keeping");
}

#[test]
fn a_status_is_200_to_599_and_may_have_any_phrase() {
    let with = |status, description| {
        on_request(&Reply::Response { status, description, headers: None, cookies: None, body: Body::Absent })
    };
    for status in [0, 100, 199, 600, 70_000] {
        assert_eq!(with(status, None).unwrap_err(), Invalid::Status(status.to_string()));
    }
    assert!(with(200, None).is_ok() && with(599, None).is_ok());
    let (head, _) = answered(with(308, Some("Found")));
    assert_eq!(head.reason.as_deref(), Some("Found"));
    assert_eq!(with(200, Some("a\r\nb")).unwrap_err(), Invalid::Reason);
}

/// cloudfront-functions.md sections 4.2 rule 4 and 17.
#[test]
fn base64_must_be_base64() {
    let with =
        |body| on_request(&Reply::Response { status: 200, description: None, headers: None, cookies: None, body });
    for text in ["aGk=", "aGk"] {
        assert_eq!(answered(with(Body::Base64(text))).1, BodyChange::Replace("hi".into()));
    }
    for text in ["*", "a", "aGk=x", "aG k", "aGk-"] {
        assert!(matches!(with(Body::Base64(text)), Err(Invalid::Body(_))), "{text}");
    }
}

/// cloudfront-functions.md section 7: 40 KB for headers and body.
#[test]
fn a_generated_response_has_at_most_40_kb() {
    let with = |text: &str| {
        on_request(&Reply::Response {
            status: 200,
            description: None,
            headers: None,
            cookies: None,
            body: Body::Text(text),
        })
    };
    assert!(with(&"x".repeat(40_960)).is_ok());
    assert!(matches!(with(&"x".repeat(40_961)), Err(Invalid::TooLarge { .. })));
}

#[test]
fn statuses_without_a_body_have_no_length() {
    let with =
        |body| on_request(&Reply::Response { status: 204, description: None, headers: None, cookies: None, body });
    assert!(answered(with(Body::Absent)).0.headers.is_empty());
    assert!(matches!(with(Body::Text("x")), Err(Invalid::Body(_))));
}

/// cloudfront-functions.md section 4.2 rule 3.
#[test]
fn a_viewer_response_keeps_what_is_not_touched() {
    let (head, body) = answered(on_response(&answer()));
    assert_eq!(body, BodyChange::Keep);
    assert_eq!(lines(&head.headers), lines(&response().headers));
    let reply = Reply::Response {
        status: 200,
        description: Some("OK"),
        headers: None,
        cookies: Some(vec![
            field("b", &["3"]),
            Field { name: "id", values: vec![Value { text: "1", attributes: Some("Secure") }] },
        ]),
        body: Body::Text(""),
    };
    let (head, body) = answered(on_response(&reply));
    assert_eq!(body, BodyChange::Replace(Bytes::new()), "an empty body removes the origin's");
    let expected: [(&str, &[u8]); 4] = [
        ("content-type", b"text/html"),
        ("content-length", b"0"),
        ("set-cookie", b"id=1;Secure"),
        ("set-cookie", b"b=3"),
    ];
    assert_eq!(lines(&head.headers), expected);
}

#[test]
fn a_viewer_response_function_cannot_return_a_request() {
    assert!(matches!(on_response(&untouched()), Err(Invalid::Shape(_))));
}

#[test]
fn a_failed_reply_keeps_its_category() {
    let failed = |failure| Reply::Failed { failure, message: "TypeError: x", line: 3, column: 7 };
    let threw = on_request(&failed(Failure::Execution)).unwrap_err();
    assert_eq!(threw.category(Tier::Viewer), crate::FailureCategory::FunctionExecution);
    assert_eq!(threw, Invalid::Threw { message: "TypeError: x".to_owned(), line: 3, column: 7 });
    let shape = on_request(&failed(Failure::Validation)).unwrap_err();
    assert_eq!(shape.category(Tier::Viewer), crate::FailureCategory::FunctionValidation);
}

/// Groups pairs as the guest does: one field for each name, values in message order.
fn grouped<'a>(pairs: impl Iterator<Item = Pair<'a>>) -> Vec<Field<'a>> {
    let mut fields: Vec<Field<'a>> = Vec::new();
    for Pair { name, value } in pairs {
        let value = Value { text: value, attributes: None };
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.values.push(value),
            None => fields.push(Field { name, values: vec![value] }),
        }
    }
    fields
}

fn arbitrary_field() -> impl Strategy<Value = (String, Vec<(String, Option<String>)>)> {
    let name = prop_oneof![
        Just("host".to_owned()),
        Just("x-a".to_owned()),
        Just("content-length".to_owned()),
        "[a-zA-Z-]{0,8}",
        any::<String>()
    ];
    (name, prop::collection::vec((any::<String>(), prop::option::of(any::<String>())), 0..4))
}

proptest! {
    /// What the function was given and gives back unchanged is the viewer's message, byte for byte.
    #[test]
    fn an_event_that_comes_back_as_it_was_changes_nothing(
        path in "/[!-~&&[^?#]]{0,20}",
        query in prop::option::of("[a-c=&%2+]{0,30}"),
        cookie in "[a-c=; \"]{0,30}",
        value in prop::collection::vec(0x20u8..=0xff, 0..20),
    ) {
        let value: Vec<u8> = value.into_iter().filter(|b| *b != 0x7f).collect();
        let headers = headers(&[("host", b"h"), ("cookie", cookie.as_bytes()), ("te", &value), ("x-a", &value), ("x-a", b"2")]);
        let request = RequestHead { path, query, headers, ..RequestHead::get("/") };
        let mut bytes = Vec::new();
        super::super::encode_request(&ViewerContext::default(), &request, &mut bytes);
        let event = Event::read(&bytes).unwrap();
        let query = event.request.query.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
        let query = query.map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Pair { name, value }
        });
        let reply = Reply::Request {
            method: event.request.method,
            uri: Some(event.request.uri),
            query: Query::Fields(grouped(query)),
            headers: Some(grouped(event.request.headers.iter().copied())),
            cookies: Some(grouped(event.request.cookies.iter().copied())),
            origin: None,
        };
        let head = continued(decode(Hook::ViewerRequest, &reply, &request, None, Strictness::Strict));
        prop_assert_eq!(&head.path, &request.path);
        prop_assert_eq!(&head.query, &request.query);
        prop_assert_eq!(lines(&head.headers), lines(&request.headers));
    }

    #[test]
    fn no_reply_panics_and_none_breaks_the_wire(
        uri in prop::option::of(any::<String>()),
        query in any::<String>(),
        fields in prop::collection::vec(arbitrary_field(), 0..6),
        status in 0u32..70_000,
        body in any::<String>(),
        strict in any::<bool>(),
    ) {
        let strictness = if strict { Strictness::Strict } else { Strictness::Test };
        let fields: Vec<Field<'_>> = fields.iter().map(|(name, values)| Field {
            name,
            values: values.iter().map(|(text, attributes)| Value { text, attributes: attributes.as_deref() }).collect(),
        }).collect();
        let replies = [
            Reply::Request { method: "GET", uri: uri.as_deref(), query: Query::Text(&query), headers: Some(fields.clone()), cookies: None, origin: None },
            Reply::Request { method: "GET", uri: None, query: Query::Fields(fields.clone()), headers: None, cookies: Some(fields.clone()), origin: None },
            Reply::Response { status, description: Some(&body), headers: Some(fields.clone()), cookies: Some(fields.clone()), body: Body::Base64(&body) },
            Reply::Response { status: 200, description: None, headers: None, cookies: Some(fields.clone()), body: Body::Text(&body) },
        ];
        for reply in &replies {
            for hook in [Hook::ViewerRequest, Hook::ViewerResponse] {
                if let Ok(Outcome::Request(head, _)) = decode(hook, reply, &request(), Some(&response()), strictness) {
                    prop_assert!(head.path.starts_with('/'));
                    let url = head.path_and_query();
                    prop_assert!(!url.bytes().any(|b| b <= b' ' || b == b'#'));
                }
            }
        }
    }
}
