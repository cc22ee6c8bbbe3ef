//! Section 3: the event object, as a function in either runtime finds it.

use super::{before, behind, of_runtime, showing};
use rimward_testkit::Answer;
use rimward_tests::{DEMO, TestNode, request};
use serde_json::{Value, json};

async fn seen(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Value {
    let answer = node.get_with(path, headers).await;
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}: {}", answer.status(), answer.body))
}

/// cloudfront-functions.md section 3.
#[tokio::test]
async fn the_event_has_the_documented_members_and_no_others() {
    let code = "function handler(event) { return { statusCode: 200, body: JSON.stringify(event) }; }";
    for runtime in ["cloudfront-js-1.0", "cloudfront-js-2.0"] {
        let node = of_runtime(runtime, code).await;
        let answer = node.get("/a%20b/%E5%AE%B6?x=%E5%AE%B6+y&flag").await;
        let event: Value = serde_json::from_str(&answer.body).unwrap();
        let id = answer.header("x-amz-cf-id");
        let domain = event["context"]["distributionDomainName"].as_str().unwrap();
        assert!(domain.ends_with(".rimward.local"), "{domain}");
        let expected = json!({
            "version": "1.0",
            "context": {
                "distributionDomainName": domain,
                "distributionId": event["context"]["distributionId"],
                "eventType": "viewer-request",
                "requestId": id,
            },
            "viewer": { "ip": "203.0.113.7" },
            "request": {
                "method": "GET",
                "uri": "/a%20b/%E5%AE%B6",
                "querystring": { "x": { "value": "%E5%AE%B6+y" }, "flag": { "value": "" } },
                "headers": { "host": { "value": "www.example.com" } },
                "cookies": {},
            },
        });
        assert_eq!(event, expected, "{runtime}");
        let (characters, end) = id.split_at(54);
        assert!(
            characters.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) && end == "==",
            "{id}"
        );
        assert_eq!(node.record()["id"], id, "the log has the same");
    }
}

/// cloudfront-functions.md section 3: `context` is what the configuration says.
#[tokio::test]
async fn the_context_names_the_distribution() {
    let config = DEMO
        .replace("domains = ", "id = \"EDFDVBD6EXAMPLE\"\ndomain-name = \"d111111abcdef8.cloudfront.net\"\ndomains = ");
    let code = b"function handler(e) { return { statusCode: 200, body: e.context.distributionId + ' ' + e.context.distributionDomainName + ' ' + e.context.endpoint }; }";
    let node = TestNode::start(
        &format!("{config}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n"),
        &[("f.js", code)],
    )
    .await;
    assert_eq!(node.get("/").await.body, "EDFDVBD6EXAMPLE d111111abcdef8.cloudfront.net undefined");
}

/// cloudfront-functions.md section 3: the body of a request is not accessible.
#[tokio::test]
async fn the_body_of_a_request_is_not_shown_and_reaches_the_origin() {
    let (node, origin) = before("r.headers['x-body'] = { value: typeof r.body + typeof event.body }").await;
    assert_eq!(
        node.send(request("POST", "/", &[("content-length", "5")]), "hello".to_owned().into()).await.status(),
        200
    );
    let received = origin.only_request();
    assert_eq!((received.header("x-body"), &*received.body), (Some("undefinedundefined"), &b"hello"[..]));
}

/// cloudfront-functions.md sections 3 and 3.1: the response without body, cookies with their attributes and apart from the headers.
#[tokio::test]
async fn a_viewer_response_event_shows_status_headers_and_cookies() {
    let answer = || {
        Answer::new(201, "text")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("set-cookie", "id=1; Secure; Path=/")
            .header("set-cookie", "id=2;HttpOnly")
            .header("set-cookie", "plain=3")
    };
    let body = "r.headers['x-seen'] = { value: JSON.stringify([event.context.eventType, typeof r.body, r.statusCode, r.statusDescription, r.headers['x-a'], r.headers['set-cookie'] === undefined, r.cookies]) }";
    let (node, _origin) = behind(answer, body).await;
    let shown: Value = serde_json::from_str(node.get("/").await.header("x-seen")).unwrap();
    let expected = json!([
        "viewer-response",
        "undefined",
        201,
        "Created",
        { "value": "1", "multiValue": [{ "value": "1" }, { "value": "2" }] },
        true,
        {
            "id": {
                "value": "1",
                "attributes": "Secure; Path=/",
                "multiValue": [{ "value": "1", "attributes": "Secure; Path=/" }, { "value": "2", "attributes": "HttpOnly" }],
            },
            "plain": { "value": "3" },
        },
    ]);
    assert_eq!(shown, expected);
}

/// cloudfront-functions.md section 3.1.
#[tokio::test]
async fn a_name_that_comes_twice_has_all_its_values_and_a_comma_list_is_one() {
    let node = showing("event.request").await;
    let headers = [
        ("accept", "text/html"),
        ("accept", "text/xml, text/plain"),
        ("cookie", "sid=1; theme=dark; sid=2; empty=; bare"),
        ("cookie", "late=x=y"),
        ("X-List", "a, b"),
    ];
    let shown = seen(&node, "/?a=1&b&a=2&c=&a=3&d=x=y", &headers).await;
    let value = |text: &str| json!({ "value": text });
    assert_eq!(
        shown["headers"]["accept"],
        json!({ "value": "text/html", "multiValue": [value("text/html"), value("text/xml, text/plain")] })
    );
    assert_eq!(shown["headers"]["x-list"], value("a, b"));
    assert_eq!(shown["headers"]["cookie"], Value::Null, "cookies are no headers");
    assert_eq!(
        shown["querystring"],
        json!({
            "a": { "value": "1", "multiValue": [value("1"), value("2"), value("3")] },
            "b": value(""), "c": value(""), "d": value("x=y"),
        })
    );
    assert_eq!(
        shown["cookies"],
        json!({
            "sid": { "value": "1", "multiValue": [value("1"), value("2")] },
            "theme": value("dark"), "empty": value(""), "bare": value(""), "late": value("x=y"),
        })
    );
}

/// cloudfront-functions.md section 3.2.
#[tokio::test]
async fn header_names_are_lower_case_and_those_of_parameters_and_cookies_stay() {
    let node =
        showing("[Object.keys(event.request.headers), Object.keys(event.request.querystring), Object.keys(event.request.cookies)]").await;
    let shown = seen(&node, "/?Case=1&case=2", &[("X-Mixed-Case", "1"), ("cookie", "Sid=1; sid=2")]).await;
    assert_eq!(shown, json!([["host", "x-mixed-case"], ["Case", "case"], ["Sid", "sid"]]));
}

/// cloudfront-functions.md section 3.2: plain insertion order, also of names that look like numbers; values of a name adjacent.
#[tokio::test]
async fn parameters_come_in_the_order_of_the_wire_and_go_out_in_it() {
    let (node, origin) = before(
        "r.headers['x-keys'] = { value: Object.keys(r.querystring).join() }; if (r.uri === '/add') r.querystring.z = { value: '9' }",
    )
    .await;
    node.get("/keep?b=1&a=2&1=x&0=y&b=3").await;
    node.get("/add?b=1&a=2&1=x&0=y&b=3").await;
    let received = origin.received();
    assert_eq!(received[0].header("x-keys"), Some("b,a,1,0"));
    assert_eq!(received[0].target, "/keep?b=1&a=2&1=x&0=y&b=3", "untouched is untouched");
    assert_eq!(received[1].target, "/add?b=1&b=3&a=2&1=x&0=y&z=9");
}

/// cloudfront-functions.md section 3.3: nothing is percent-decoded, `+` stays, and cookies are as they came.
#[tokio::test]
async fn values_are_shown_as_they_were_sent() {
    let node = showing("[event.request.uri, event.request.querystring, event.request.cookies.c.value]").await;
    let shown = seen(&node, "/a%2Fb%20c?q%3D=%26+%ff&ä=ö", &[("cookie", "c=%20+\"x\"")]).await;
    assert_eq!(shown, json!(["/a%2Fb%20c", { "q%3D": { "value": "%26+%ff" }, "ä": { "value": "ö" } }, "%20+\"x\""]));
}

/// cloudfront-functions.md section 3.3: ISO-8859-1 is shown as text; what is left alone goes on byte for byte, what is changed as
/// UTF-8.
#[tokio::test]
async fn bytes_that_are_no_utf_8_are_read_as_iso_8859_1() {
    let (node, origin) = before(
        "r.headers['x-same'] = { value: String(r.headers['x-latin'].value === 'caf\\u00e9' && r.headers['x-utf8'].value === 'caf\\u00e9') };
         r.headers['x-changed'].value += '!'",
    )
    .await;
    let mut head = request("GET", "/", &[]);
    for (name, value) in [("x-latin", &b"caf\xe9"[..]), ("x-utf8", b"caf\xc3\xa9"), ("x-changed", b"caf\xe9")] {
        head.headers.insert(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    node.send(head, rimward_types::Body::Empty).await;
    let received = origin.only_request();
    assert_eq!(received.header("x-same"), Some("true"));
    assert_eq!(received.header("x-utf8"), Some("café"));
    assert_eq!(received.header("x-changed"), Some("café!"));
    // The fake origin reads UTF-8, and the one byte is none.
    assert_eq!(received.header("x-latin"), Some("caf\u{fffd}"));
}

/// cloudfront-functions.md section 3.3.
#[tokio::test]
async fn host_is_shown_in_lower_case_without_port_and_last_dot() {
    let node = showing("event.request.headers.host.value").await;
    let mut head = request("GET", "/", &[]);
    head.headers.insert("host", http::HeaderValue::from_static("WWW.Example.com.:8080"));
    assert_eq!(node.send(head, rimward_types::Body::Empty).await.body, "\"www.example.com\"");
}

/// cloudfront-functions.md section 11.6: `rawQueryString`, and section 17: a bare `?`.
#[tokio::test]
async fn the_raw_query_string_tells_a_bare_question_mark_from_none() {
    let node =
        showing("[event.request.querystring, event.request.rawQueryString(), typeof event.request.rawQueryString()]")
            .await;
    assert_eq!(seen(&node, "/?b=1&a&b=%20", &[]).await[1], "b=1&a&b=%20");
    assert_eq!(seen(&node, "/?", &[]).await, json!([{}, "", "string"]));
    assert_eq!(seen(&node, "/", &[]).await, json!([{}, null, "undefined"]));
}

/// cloudfront-functions.md section 11.6: at viewer-response it is that of the event's request, which viewer-request returned.
#[tokio::test]
async fn the_raw_query_string_at_viewer_response_is_that_of_the_request_of_its_event() {
    let config = format!(
        "{DEMO}viewer-request = \"q\"\nviewer-response = \"s\"\n[functions.q]\ncode = \"q.js\"\n[functions.s]\ncode = \"s.js\"\n"
    );
    let before: &[u8] = b"function handler(e) { e.request.querystring.added = { value: 'x' }; return e.request; }";
    let after: &[u8] = b"function handler(e) { e.response.body = e.request.rawQueryString(); return e.response; }";
    let node = TestNode::start(&config, &[("q.js", before), ("s.js", after)]).await;
    assert_eq!(node.get("/?a=1").await.body, "a=1&added=x");
}
