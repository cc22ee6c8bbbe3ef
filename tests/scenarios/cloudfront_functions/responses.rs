//! Section 4.2: responses that a function returns.

use super::{before, behind};
use rimward_config::Limits;
use rimward_testkit::{Answer, Raw};
use rimward_tests::{DEMO, TestNode};

const VALIDATION: (u16, &str) = (502, "FunctionValidationError from cloudfront");

/// A node whose function answers with the response that the request's path stands for.
async fn answering(cases: &str) -> TestNode {
    TestNode::with_function(&format!("function handler(event) {{ switch (event.request.uri) {{ {cases} }} }}")).await
}

/// cloudfront-functions.md section 4.2 rule 1.
#[tokio::test]
async fn a_status_is_a_number_from_200_to_599() {
    let node = TestNode::with_function(
        "function handler(e) { var n = e.request.uri.slice(1); return { statusCode: n === 'text' ? '200' : Number(n) }; }",
    )
    .await;
    for good in [200, 204, 299, 301, 404, 418, 599] {
        assert_eq!(node.get(&format!("/{good}")).await.status(), good);
    }
    for bad in ["0", "-1", "100", "199", "200.5", "600", "999", "100000", "text", "NaN"] {
        let answer = node.get(&format!("/{bad}")).await;
        assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION, "{bad}");
    }
}

/// cloudfront-functions.md section 4.2 rules 2 to 5.
#[tokio::test]
async fn everything_but_the_status_may_be_left_out_and_a_body_is_text_or_base64() {
    let node = answering(
        "case '/bare': return { statusCode: 200 };
         case '/text': return { statusCode: 200, body: 'größe' };
         case '/object': return { statusCode: 200, body: { encoding: 'text', data: 'hi' } };
         case '/base64': return { statusCode: 200, body: { encoding: 'base64', data: 'AAH/' } };
         case '/length': return { statusCode: 200, body: 'hi', headers: { 'content-length': { value: '7' } } };
         case '/wrong-base64': return { statusCode: 200, body: { encoding: 'base64', data: '*' } };
         case '/wrong-encoding': return { statusCode: 200, body: { encoding: 'hex', data: '00' } };
         case '/no-data': return { statusCode: 200, body: { encoding: 'text' } };
         case '/number': return { statusCode: 200, body: 5 };",
    )
    .await;
    let bodies: [(&str, &[u8]); 5] = [
        ("/bare", b""),
        ("/text", "größe".as_bytes()),
        ("/object", b"hi"),
        ("/base64", &[0, 1, 255]),
        ("/length", b"hi"),
    ];
    for (path, body) in bodies {
        let answer = node.get(path).await;
        assert_eq!((answer.status(), &*answer.bytes), (200, body), "{path}");
        assert_eq!(answer.header("content-length"), body.len().to_string(), "{path}: the node computes it");
    }
    for path in ["/wrong-base64", "/wrong-encoding", "/no-data", "/number"] {
        let answer = node.get(path).await;
        assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION, "{path}");
    }
}

/// cloudfront-functions.md section 4.2 rule 3, at viewer-response.
#[tokio::test]
async fn at_viewer_response_an_absent_body_is_the_origins_and_an_empty_one_is_none() {
    let answer = || Answer::ok("the origin's").header("content-type", "text/plain");
    for (change, body) in [
        ("r.headers['x-a'] = { value: '1' }", "the origin's"),
        ("r.body = ''", ""),
        ("r.body = { encoding: 'text', data: '' }", ""),
        ("r.body = 'mine'; r.headers['content-type'] = { value: 'text/html' }", "mine"),
        ("r.statusCode = 203", "the origin's"),
        ("r.body = { encoding: 'base64', data: 'aGk=' }", "hi"),
    ] {
        let (node, _origin) = behind(answer, change).await;
        let answer = node.get("/").await;
        assert_eq!(
            (answer.body.as_str(), answer.header("content-length")),
            (body, body.len().to_string().as_str()),
            "{change}"
        );
    }
}

/// cloudfront-functions.md section 4.2 rules 3 and 5: what a function writes over every page has no place in a 204 or 304.
#[tokio::test]
async fn a_body_for_every_answer_does_not_break_those_that_have_none() {
    let answers = || Answer::new(204, "").header("x-a", "1");
    let (node, _origin) = behind(answers, "r.body = 'mine'; r.headers['x-b'] = { value: '2' }").await;
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.body.as_str(), answer.header("x-b")), (204, "", "2"));

    let tagged = || Answer::ok("the origin's").header("etag", "\"v1\"").header("cache-control", "max-age=60");
    let (node, _origin) = behind(tagged, "r.body = 'mine'; r.headers['x-b'] = { value: '2' }").await;
    assert_eq!(node.get("/").await.body, "mine");
    let again = node.get_with("/", &[("if-none-match", "\"v1\"")]).await;
    assert_eq!((again.status(), again.body.as_str(), again.header("x-b")), (304, "", "2"));

    let (node, _origin) = behind(|| Answer::ok("there"), "r.statusCode = 204; r.body = 'mine'").await;
    assert_eq!(node.get("/").await.status(), 502, "its own mistake");
}

/// cloudfront-functions.md section 4.2 rule 6.
#[tokio::test]
async fn each_cookie_becomes_a_line_and_a_header_is_no_way_to_set_one() {
    let node = answering(
        "case '/': return { statusCode: 200, cookies: {
           one: { value: '1', attributes: 'Secure; Path=/' },
           many: { value: 'a', attributes: 'HttpOnly', multiValue: [{ value: 'a', attributes: 'HttpOnly' }, { value: 'b' }] } } };
         case '/header': return { statusCode: 200, headers: { 'set-cookie': { value: 'a=1' } } };",
    )
    .await;
    let answer = node.get("/").await;
    let lines: Vec<&str> = answer.head.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(lines, ["one=1; Secure; Path=/", "many=a; HttpOnly", "many=b"]);
    let refused = node.get("/header").await;
    assert_eq!((refused.status(), refused.header("x-cache")), VALIDATION);
}

/// cloudfront-functions.md section 4.2 rule 7.
#[tokio::test]
async fn the_request_cannot_be_changed_at_viewer_response() {
    let (node, origin) = behind(
        || Answer::ok("there"),
        "event.request.uri = '/other'; event.request.querystring = 'x=1'; event.request.headers['x-a'] = { value: '1' }",
    )
    .await;
    assert_eq!(node.get("/own?a=1").await.body, "there");
    assert_eq!(origin.only_request().target, "/own?a=1");
    assert_eq!(node.record()["path"], "/own");
}

/// cloudfront-functions.md sections 3, 3.2 and 4.2 rule 8: the vendor's example, as a viewer gets it over HTTP/1.1.
#[tokio::test]
async fn a_generated_response_has_the_nodes_own_headers_and_its_own_reason_phrase() {
    let code = "function handler() { return { statusCode: 308, statusDescription: 'Found', headers: {
        'cloudfront-functions': { value: 'generated-by-CloudFront-Functions' },
        'location': { value: 'https://aws.amazon.com/cloudfront/' } } }; }";
    let config = format!(
        "[node]\nlocation = {{ name = \"FRA56-P3\", region = \"eu-central-1\" }}\n{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n"
    );
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    let mut viewer = Raw::connect(node.listen(Limits::default()).await).await;
    let answer = viewer.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.response().await;
    assert!(answer.head.starts_with("HTTP/1.1 308 Found\r\n"), "{}", answer.head);
    for line in [
        "Cloudfront-Functions: generated-by-CloudFront-Functions",
        "Location: https://aws.amazon.com/cloudfront/",
        "Content-Length: 0",
        "Server: Rimward",
        "X-Cache: FunctionGeneratedResponse from cloudfront",
        "X-Amz-Cf-Pop: FRA56-P3",
    ] {
        assert!(answer.head.contains(line), "{line}\n{}", answer.head);
    }
    for name in ["date", "via", "x-amz-cf-id"] {
        assert!(answer.header(name).is_some(), "{name}\n{}", answer.head);
    }
}

/// cloudfront-functions.md section 4: a function that returns neither is refused, whatever it returned.
#[tokio::test]
async fn what_is_neither_request_nor_response_is_refused() {
    let (node, origin) = before(
        "switch (r.uri) { case '/event': return event; case '/text': return 'x'; case '/null': return null;
           case '/empty': return {}; case '/list': return [r]; case '/promise': return Promise.resolve(); case '/true': return true;
           case '/request': return { request: r }; }",
    )
    .await;
    for path in ["/event", "/text", "/null", "/empty", "/list", "/promise", "/true", "/request"] {
        let answer = node.get(path).await;
        assert_eq!((answer.status(), answer.header("x-cache")), VALIDATION, "{path}");
    }
    assert_eq!(origin.calls(), 0);
}
