//! The event object (`cloudfront-functions.md` sections 3, 3.1, 3.2, 11.6).

use rimward_wire::event::{Event, Pair, Request, Response, SetCookie};

use crate::harness::Function;

fn pairs<'a>(list: &[(&'a str, &'a str)]) -> Vec<Pair<'a>> {
    list.iter().map(|&(name, value)| Pair { name, value }).collect()
}

fn request() -> Event<'static> {
    Event {
        distribution_domain_name: "d111111abcdef8.cloudfront.net",
        distribution_id: "EDFDVBD6EXAMPLE",
        request_id: "id==",
        viewer_ip: "198.51.100.11",
        request: Request {
            method: "GET",
            uri: "/a%20b",
            query: Some("b=2&a=%E5%AE%B6+x&1=one&b=3&flag&e="),
            headers: pairs(&[("host", "example.com"), ("accept", "a"), ("x-rare", "größe"), ("accept", "b")]),
            cookies: pairs(&[("sid", "1"), ("sid", "2"), ("theme", "dark")]),
        },
        response: None,
    }
}

fn shown(event: &Event<'_>, expression: &str) -> String {
    let source =
        format!("function handler(event) {{ return {{statusCode: 200, body: JSON.stringify({expression})}} }}");
    Function::new(&source).body(event)
}

#[test]
fn the_whole_event_has_the_documented_shape() {
    assert_eq!(
        shown(&request(), "event"),
        concat!(
            r#"{"version":"1.0","context":{"distributionDomainName":"d111111abcdef8.cloudfront.net","distributionId":"EDFDVBD6EXAMPLE","#,
            r#""eventType":"viewer-request","requestId":"id=="},"viewer":{"ip":"198.51.100.11"},"request":{"method":"GET","uri":"/a%20b","#,
            r#""querystring":{"b":{"value":"2","multiValue":[{"value":"2"},{"value":"3"}]},"a":{"value":"%E5%AE%B6+x"},"1":{"value":"one"},"#,
            r#""flag":{"value":""},"e":{"value":""}},"headers":{"host":{"value":"example.com"},"#,
            r#""accept":{"value":"a","multiValue":[{"value":"a"},{"value":"b"}]},"x-rare":{"value":"größe"}},"#,
            r#""cookies":{"sid":{"value":"1","multiValue":[{"value":"1"},{"value":"2"}]},"theme":{"value":"dark"}}}}"#,
        )
    );
}

#[test]
fn a_viewer_response_event_shows_the_response_without_body_and_the_request() {
    let event = Event {
        response: Some(Response {
            status: 404,
            description: "Not Found",
            headers: pairs(&[("content-type", "text/html")]),
            cookies: vec![
                SetCookie { name: "a", value: "1", attributes: Some("Secure; Path=/") },
                SetCookie { name: "b", value: "2", attributes: None },
                SetCookie { name: "a", value: "3", attributes: Some("HttpOnly") },
            ],
        }),
        ..request()
    };
    assert_eq!(shown(&event, "[event.context.eventType, event.request.uri]"), r#"["viewer-response","/a%20b"]"#);
    assert_eq!(
        shown(&event, "event.response"),
        concat!(
            r#"{"statusCode":404,"statusDescription":"Not Found","headers":{"content-type":{"value":"text/html"}},"#,
            r#""cookies":{"a":{"value":"1","attributes":"Secure; Path=/","multiValue":[{"value":"1","attributes":"Secure; Path=/"},"#,
            r#"{"value":"3","attributes":"HttpOnly"}]},"b":{"value":"2"}}}"#,
        )
    );
}

#[test]
fn the_raw_query_string_tells_a_bare_question_mark_from_none() {
    let mut event = request();
    let expression = "[event.request.rawQueryString(), Object.keys(event.request)]";
    let keys = r#"["method","uri","querystring","headers","cookies"]"#;
    assert_eq!(shown(&event, expression), format!(r#"["b=2&a=%E5%AE%B6+x&1=one&b=3&flag&e=",{keys}]"#));
    event.request.query = Some("");
    assert_eq!(shown(&event, expression), format!(r#"["",{keys}]"#));
    assert_eq!(shown(&event, "event.request.querystring"), "{}");
    event.request.query = None;
    assert_eq!(shown(&event, "[typeof event.request.rawQueryString()]"), r#"["undefined"]"#);
}

#[test]
fn names_of_prototype_members_are_ordinary_names() {
    let mut event = request();
    event.request.query = Some("__proto__=1&constructor=2&hasOwnProperty=3");
    assert_eq!(
        shown(&event, "Object.keys(event.request.querystring)"),
        r#"["__proto__","constructor","hasOwnProperty"]"#
    );
}

#[test]
fn a_broken_event_is_an_execution_failure_and_no_panic() {
    let mut bytes = Vec::new();
    request().write(&mut bytes);
    let mut engine = rimward_guest::engine::Engine::new().unwrap();
    let mut out = Vec::new();
    engine.load(b"function handler(e) { return e.request }", crate::harness::TERMS, &mut out);
    for cut in 0..bytes.len() {
        out.clear();
        engine.handle(bytes[..cut].to_vec().leak(), &mut out);
        assert_eq!(out[0], 2, "cut at {cut}");
    }
}
