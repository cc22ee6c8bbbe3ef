//! WebSocket through a whole node (`cdn-behaviour.md` section 21, `lambda-at-edge.md` section 2).

use crate::lambda::returns;
use rimward_config::Limits;
use rimward_testkit::websocket::{ACCEPT, KEY, agreed, handshake};
use rimward_testkit::{Answer, Origin, Raw, RawResponse};
use rimward_tests::{DEMO, TestNode};
use serde_json::Value;
use std::time::Duration;

/// A node in front of `origin`; `keys` are further keys of its one behavior, and what comes after it.
async fn in_front_of(origin: &Origin, keys: &str, files: &[(&str, &[u8])]) -> TestNode {
    let node = TestNode::start(&config(origin, keys), files).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

fn config(origin: &Origin, keys: &str) -> String {
    DEMO.replace("builtin:demo", &origin.url()) + keys
}

/// The config of one function `f` at `hook`.
fn function(hook: &str) -> String {
    format!("{hook} = \"f\"\n[functions.f]\ncode = \"f.js\"\n")
}

async fn echo() -> Origin {
    Origin::new(|_| agreed("").then_echo()).await
}

/// A viewer that has sent its handshake for `/chat`, and the answer.
async fn ask(node: &TestNode, fields: &str) -> (Raw, RawResponse) {
    ask_within(node, fields, Limits::default()).await
}

async fn ask_within(node: &TestNode, fields: &str, limits: Limits) -> (Raw, RawResponse) {
    let mut viewer = Raw::connect(node.listen(limits).await).await;
    let answer = viewer.send(handshake("/chat?room=1", fields)).await.response().await;
    (viewer, answer)
}

/// Ends a tunnel, and gives its record.
async fn hang_up(node: &TestNode, mut viewer: Raw) -> Value {
    viewer.finish().await;
    viewer.rest().await;
    node.record()
}

#[tokio::test]
async fn a_websocket_goes_to_the_origin_and_back_and_leaves_one_record_at_its_end() {
    let origin = echo().await;
    let node = in_front_of(&origin, "", &[]).await;
    let (mut viewer, answer) = ask(&node, "Sec-WebSocket-Protocol: chat\r\nCookie: a=1\r\n").await;
    assert_eq!(answer.status, 101, "{}", answer.head);
    for (field, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", ACCEPT),
        ("x-cache", "Miss from cloudfront"),
        ("via", "1.1 rimward"),
    ] {
        assert_eq!(answer.header(field), Some(value), "{}", answer.head);
    }
    assert!(answer.header("cache-status").unwrap().contains("detail=upgrade"), "{}", answer.head);
    assert!(answer.header("x-amz-cf-id").is_some());
    assert_eq!(viewer.bounce(b"hello").await, b"hello");
    let record = hang_up(&node, viewer).await;
    let received = origin.only_request();
    assert_eq!(received.target, "/chat?room=1");
    for (field, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "chat"),
        ("cookie", "a=1"),
        ("via", "1.1 rimward"),
    ] {
        assert_eq!(received.header(field), Some(value), "{field}");
    }
    assert_eq!((&record["scheme"], &record["status"], &record["result"]), (&"ws".into(), &101.into(), &"Miss".into()));
    assert_eq!(record["websocket"], serde_json::json!({ "received": 5, "sent": 5, "ended": "viewer-closed" }));
    assert_eq!((&record["bytes"], &record["complete"]), (&5.into(), &true.into()));
    assert_eq!(record["origins"][0]["status"], 101);
}

/// `cdn-behaviour.md` section 21: never cached, and no two share one.
#[tokio::test]
async fn the_cache_has_no_part_in_it_even_where_the_page_is_stored() {
    let origin = Origin::new(|request| match request.header("upgrade") {
        Some(_) => agreed("Cache-Control: max-age=60\r\n").then_echo(),
        None => Answer::cached(60, "page"),
    })
    .await;
    let node = in_front_of(&origin, "", &[]).await;
    assert_eq!(node.get("/chat?room=1").await.body, "page");
    for _ in 0..2 {
        let (mut viewer, answer) = ask(&node, "").await;
        assert_eq!((answer.status, viewer.bounce(b"a").await), (101, b"a".to_vec()));
    }
    assert_eq!(node.get("/chat?room=1").await.header("x-cache"), "Hit from cloudfront");
    assert_eq!(origin.calls(), 3);
}

#[tokio::test]
async fn an_origin_that_does_not_agree_is_an_ordinary_answer_that_is_not_stored() {
    let origin = Origin::new(|request| match request.header("upgrade") {
        Some(_) => Answer::cached(60, "no websocket here"),
        None => Answer::ok("page"),
    })
    .await;
    let node = in_front_of(&origin, "", &[]).await;
    let (mut viewer, answer) = ask(&node, "").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "no websocket here"));
    assert_eq!((answer.header("upgrade"), answer.header("connection")), (None, None), "{}", answer.head);
    viewer.send("GET /chat?room=1 HTTP/1.1\r\nHost: www.example.com\r\n\r\n").await;
    assert_eq!(viewer.response().await.text(), "page");
    let record = node.record();
    assert_eq!((&record["scheme"], &record["websocket"]), (&"http".into(), &Value::Null));
}

#[tokio::test]
async fn an_origin_that_switches_without_knowing_the_protocol_is_502() {
    let origin =
        Origin::new(|_| Answer::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").then_echo())
            .await;
    let node = in_front_of(&origin, "", &[]).await;
    let (_, answer) = ask(&node, "").await;
    assert_eq!(answer.status, 502, "{}", answer.head);
    assert_eq!(node.record()["detail"], "OriginInvalidResponseError");
}

/// Section 21: `Sec-WebSocket-Key` and `-Version` reach the origin where the policies forward them.
#[tokio::test]
async fn a_behavior_that_does_not_forward_the_key_says_why_it_fails() {
    let origin = Origin::new(|request| match request.header("sec-websocket-key") {
        Some(_) => agreed("").then_echo(),
        None => Answer::new(400, "no key"),
    })
    .await;
    let node = in_front_of(&origin, "forward = { headers = \"none\" }\n", &[]).await;
    let (_, answer) = ask(&node, "").await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "no key"));
    assert_eq!(node.record()["detail"], "WebSocketHeadersNotForwarded");
    let listed = "forward = { headers = [\"sec-websocket-key\", \"Sec-WebSocket-Version\"] }\n";
    node.reload(&config(&origin, listed), &[]).await;
    assert_eq!(ask(&node, "").await.1.status, 101);
    assert_eq!(origin.received()[1].header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn viewer_request_may_refuse_it_and_nothing_goes_further() {
    let origin = Origin::must_not_be_called().await;
    let code = b"function handler(e) {
        return e.request.headers.origin && e.request.headers.origin.value === 'https://www.example.com'
            ? e.request : { statusCode: 403, body: 'not from here' };
    }";
    let node = in_front_of(&origin, &function("viewer-request"), &[("f.js", code)]).await;
    let (mut viewer, answer) = ask(&node, "Origin: https://evil.example\r\n").await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "not from here"));
    let again = viewer.send(handshake("/chat", "")).await.response().await;
    assert_eq!(again.status, 403, "the connection goes on");
}

#[tokio::test]
async fn viewer_request_may_change_path_headers_and_origin() {
    let (origin, other) = (Origin::must_not_be_called().await, echo().await);
    let code = format!(
        "import cf from 'cloudfront';
        function handler(e) {{
            if (e.request.headers.upgrade || e.request.headers.connection) throw new Error('hidden headers are shown');
            e.request.uri = '/rooms' + e.request.uri;
            e.request.headers['x-user'] = {{ value: 'ann' }};
            cf.updateRequestOrigin({{ domainName: 'localhost',
                customOriginConfig: {{ port: {}, protocol: 'http', sslProtocols: ['TLSv1.2'] }} }});
            return e.request;
        }}",
        other.address().port()
    );
    let node = in_front_of(&origin, &function("viewer-request"), &[("f.js", code.as_bytes())]).await;
    let (mut viewer, answer) = ask(&node, "").await;
    assert_eq!(answer.status, 101, "{}", answer.head);
    assert_eq!(viewer.bounce(b"hello").await, b"hello");
    let received = other.only_request();
    assert_eq!((received.target.as_str(), received.header("x-user")), ("/rooms/chat?room=1", Some("ann")));
}

#[tokio::test]
async fn viewer_response_may_change_the_headers_of_the_101_and_nothing_else() {
    let origin = echo().await;
    let code = |edit: &str| format!("function handler(e) {{ {edit} return e.response; }}");
    let header = code("e.response.headers['x-status'] = { value: '' + e.response.statusCode };");
    let node = in_front_of(&origin, &function("viewer-response"), &[("f.js", header.as_bytes())]).await;
    let (mut viewer, answer) = ask(&node, "").await;
    assert_eq!((answer.status, answer.header("x-status")), (101, Some("101")), "{}", answer.head);
    assert_eq!(viewer.bounce(b"hello").await, b"hello");
    hang_up(&node, viewer).await;
    for (edit, why) in [("e.response.statusCode = 200;", "the status"), ("e.response.body = 'x';", "the body")] {
        node.reload(&config(&origin, &function("viewer-response")), &[("f.js", code(edit).as_bytes())]).await;
        let (_, answer) = ask(&node, "").await;
        assert_eq!((answer.status, answer.header("x-cache")), (502, Some("FunctionValidationError from cloudfront")));
        let reason = node.record()["hooks"][0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(why) && reason.contains("101"), "{reason}");
    }
}

/// `lambda-at-edge.md` section 2: on a 101 the response hooks see a head alone.
#[tokio::test]
async fn origin_functions_run_on_the_handshake_and_on_the_101() {
    let origin = echo().await;
    let agreed = format!(
        r#"{{"status":"101","headers":{{"sec-websocket-accept":[{{"value":"{ACCEPT}"}}],"x-seen":[{{"value":"1"}}]}}}}"#
    );
    let asked = format!(
        r#"{{"uri":"/moved","method":"GET","querystring":"","headers":{{"host":[{{"value":"{}"}}],"sec-websocket-key":[{{"value":"{KEY}"}}],"sec-websocket-version":[{{"value":"13"}}],"via":[{{"value":"1.1 rimward"}}]}}}}"#,
        origin.address()
    );
    let keys = "origin-request = \"ask\"\norigin-response = \"see\"\n[functions.ask]\ncomponent = \"ask.wasm\"\n\
                [functions.see]\ncomponent = \"see.wasm\"\n";
    let files = [("ask.wasm", returns(&asked)), ("see.wasm", returns(&agreed))];
    let files = [(files[0].0, &*files[0].1), (files[1].0, &*files[1].1)];
    let node = in_front_of(&origin, keys, &files).await;
    let (mut viewer, answer) = ask(&node, "").await;
    assert_eq!((answer.status, answer.header("x-seen")), (101, Some("1")), "{}", answer.head);
    assert_eq!(viewer.bounce(b"hello").await, b"hello");
    assert_eq!(origin.only_request().target, "/moved");
    let record = hang_up(&node, viewer).await;
    assert_eq!(
        (&record["hooks"][0]["hook"], &record["hooks"][1]["hook"]),
        (&"origin-request".into(), &"origin-response".into())
    );
    for result in [r#"{"status":"200","headers":{}}"#, r#"{"status":"101","headers":{},"body":"x"}"#] {
        let node = in_front_of(&origin, keys, &[files[0], ("see.wasm", &returns(result))]).await;
        let (_, answer) = ask(&node, "").await;
        assert_eq!(
            (answer.status, answer.header("x-cache")),
            (502, Some("LambdaValidationError from cloudfront")),
            "{result}"
        );
    }
}

#[tokio::test]
async fn an_error_page_stands_in_for_an_origin_that_refuses() {
    let origin = Origin::new(|request| match request.target.as_str() {
        "/error.html" => Answer::ok("sorry"),
        _ => Answer::new(404, "no such room"),
    })
    .await;
    let keys = "[[distributions.error-pages]]\nstatus = 404\npage = \"/error.html\"\n";
    let node = in_front_of(&origin, keys, &[]).await;
    let (_, answer) = ask(&node, "").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "sorry"));
    assert_eq!(origin.received()[1].header("upgrade"), None);
}

#[tokio::test]
async fn a_group_goes_on_to_its_second_origin() {
    let (first, second) = (Origin::new(|_| Answer::new(503, "busy")).await, echo().await);
    let config = format!(
        "[origins.a]\nurl = \"{}\"\n[origins.b]\nurl = \"{}\"\n[origin-groups.g]\nprimary = \"a\"\nsecondary = \"b\"\nfailover = [503]\n\
         [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"g\"\n",
        first.url(),
        second.url()
    );
    let node = TestNode::start(&config, &[]).await;
    let (mut viewer, answer) = ask(&node, "").await;
    assert_eq!((answer.status, viewer.bounce(b"hello").await), (101, b"hello".to_vec()));
    assert_eq!((first.calls(), second.calls()), (1, 1));
}

#[tokio::test]
async fn a_reload_leaves_open_ones_alone() {
    let (origin, other) = (echo().await, Origin::new(|_| Answer::new(404, "gone")).await);
    let node = in_front_of(&origin, "", &[]).await;
    let (mut viewer, _) = ask(&node, "").await;
    assert_eq!(viewer.bounce(b"before").await, b"before");
    node.reload(&config(&other, ""), &[]).await;
    assert_eq!(viewer.bounce(b"after").await, b"after");
    assert_eq!(ask(&node, "").await.1.status, 404);
    let record = node.record();
    assert_eq!(record["status"], 404);
    assert_eq!(hang_up(&node, viewer).await["websocket"]["received"], 11);
}

#[tokio::test]
async fn each_end_has_its_word_in_the_record() {
    let closing = Origin::new(|_| agreed("").then("bye").then_close()).await;
    let node = in_front_of(&closing, "", &[]).await;
    let (mut viewer, _) = ask(&node, "").await;
    assert_eq!(viewer.rest().await, b"bye");
    drop(viewer);
    let record = node.record_in_time().await;
    assert_eq!((&record["websocket"]["ended"], &record["complete"]), (&"origin-closed".into(), &true.into()));

    let silent = Origin::new(|_| agreed("").then_never()).await;
    let node = in_front_of(&silent, "", &[]).await;
    let (viewer, _) = ask(&node, "").await;
    viewer.break_off();
    let record = node.record_in_time().await;
    assert_eq!((&record["websocket"]["ended"], &record["complete"]), (&"viewer-failed".into(), &false.into()));
    let idle = Limits { websocket_idle: Duration::from_millis(50), ..Limits::default() };
    let (mut viewer, _) = ask_within(&node, "", idle).await;
    assert!(viewer.is_closed().await);
    assert_eq!(node.record_in_time().await["websocket"]["ended"], "idle");
}

#[tokio::test]
async fn megabytes_go_through_unchanged_both_ways_at_once() {
    let origin = echo().await;
    let node = in_front_of(&origin, "", &[]).await;
    let (mut viewer, _) = ask(&node, "").await;
    let bytes: Vec<u8> = (0..6u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(viewer.bounce(&bytes).await == bytes);
    let record = hang_up(&node, viewer).await;
    assert_eq!((&record["websocket"]["received"], &record["bytes"]), (&bytes.len().into(), &bytes.len().into()));
}
