//! Attacks with bytes and with time, through listener, pipeline and origin connections.

use rimward_config::Limits;
use rimward_testkit::{Answer as Given, Client, Origin, Raw};
use rimward_tests::TestNode;
use std::time::Duration;

/// Low enough not to be waited for, high enough for a busy machine.
const SHORT: Duration = Duration::from_millis(300);

fn config(origin: &Origin, more: &str) -> String {
    format!(
        "[origins.app]\nurl = \"{}\"\n{more}[[distributions]]\ndomains = [\"*\"]\n\
         behaviors = [{{ origin = \"app\", methods = \"all\" }}]\n",
        origin.url()
    )
}

async fn echo() -> Origin {
    Origin::new(|received| Given::ok(format!("{} {}", received.method, received.target))).await
}

#[tokio::test]
async fn no_request_is_smuggled_past_the_node() {
    // RFC 9112 section 11.2: each of these is two requests to somebody.
    let origin = echo().await;
    let node = TestNode::start(&config(&origin, ""), &[]).await;
    let address = node.listen(Limits::default()).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    let length = smuggled.len();
    for (name, head) in [
        ("CL.TE", format!("content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", length + 5)),
        ("TE.CL", "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n5c\r\n".to_owned()),
        ("TE.TE", "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE in another spelling", "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE with a tab", "transfer-encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE before a space", "transfer-encoding : chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("CL twice", format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n")),
        ("CL as a list", format!("content-length: 0, {length}\r\n\r\n")),
        ("CL with a sign", format!("content-length: +{length}\r\n\r\n")),
        ("a folded line", "x: y\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("a bare line feed", "x: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("a bare carriage return", "x: y\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("a null byte", "x: y\0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
    ] {
        let mut viewer = Raw::connect(address).await;
        let first = viewer.send(format!("POST /first HTTP/1.1\r\nhost: a\r\n{head}{smuggled}")).await;
        let answer = first.response().await;
        assert!(matches!(answer.status, 400 | 501), "{name}: {}", answer.head);
        assert!(first.try_response(false).await.is_none(), "{name}: the connection is closed");
    }
    assert_eq!(origin.calls(), 0, "{:?}", origin.received());
}

#[tokio::test]
async fn a_body_stays_a_body_on_its_way_to_the_origin() {
    let origin = Origin::new(|received| Given::ok(String::from_utf8_lossy(&received.body).into_owned())).await;
    let node = TestNode::start(&config(&origin, ""), &[]).await;
    let mut viewer = Raw::connect(node.listen(Limits::default()).await).await;
    let body = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    let length = body.len();
    viewer.send(format!("POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}")).await;
    assert_eq!(viewer.response().await.text(), body);
    let chunks = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    viewer.send(format!("POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")).await;
    assert_eq!(viewer.response().await.text(), body);
    let targets: Vec<_> = origin.received().into_iter().map(|received| received.target).collect();
    assert_eq!(targets, ["/a", "/b"]);
}

#[tokio::test]
async fn an_answer_that_is_two_poisons_no_later_request() {
    // An origin that sends more than it announced: the rest belongs to nobody.
    let origin = Origin::new(|received| match received.target.as_str() {
        "/long" => {
            Given::raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        }
        _ => Given::ok("good"),
    })
    .await;
    let node = TestNode::start(&config(&origin, ""), &[]).await;
    let mut viewer = Raw::connect(node.listen(Limits::default()).await).await;
    assert_eq!(viewer.send("GET /long HTTP/1.1\r\nhost: a\r\n\r\n").await.response().await.text(), "ok");
    for _ in 0..3 {
        assert_eq!(viewer.send("GET /next HTTP/1.1\r\nhost: a\r\n\r\n").await.response().await.text(), "good");
    }
}

#[tokio::test]
async fn http_2_cannot_say_what_http_1_must_not_hear() {
    // RFC 9113 sections 8.2.1 and 8.2.2
    let origin = echo().await;
    let node = TestNode::start(&config(&origin, ""), &[]).await;
    let client = Client::http2(node.listen(Limits::default()).await).await;
    let mut request = client.request("POST", "/", "0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
    request.headers_mut().insert("content-length", "5".parse().unwrap());
    let answered = client.send(request).await;
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status().is_client_error()));
    assert!(origin.received().iter().all(|received| received.target == "/"), "{:?}", origin.received());
}

#[tokio::test]
async fn a_viewer_that_trickles_its_head_or_its_body_is_cut() {
    let origin = echo().await;
    let node = TestNode::start(&config(&origin, ""), &[]).await;
    let limits = Limits { head_timeout: SHORT, body_idle: SHORT, ..Limits::default() };
    let address = node.listen(limits).await;
    let mut head = Raw::connect(address).await;
    assert_eq!(head.send("GET / HTTP/1.1\r\nhost: a\r\nx-a: ").await.response().await.status, 408);
    assert_eq!(origin.calls(), 0);
    let mut body = Raw::connect(address).await;
    body.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc").await;
    let answer = body.try_response(false).await;
    assert!(answer.is_none_or(|answer| answer.status >= 400));
    // Others are served meanwhile and after.
    assert_eq!(
        Raw::connect(address).await.send("GET /ok HTTP/1.1\r\nhost: a\r\n\r\n").await.response().await.status,
        200
    );
}

#[tokio::test]
async fn an_origin_that_trickles_is_cut_and_holds_up_nobody_else() {
    let origin = Origin::new(|received| match received.target.as_str() {
        "/head" => Given::raw("HTTP/1.1 200 OK\r\nx-a: ").then_never(),
        "/body" => {
            Given::raw("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 100\r\n\r\nabc").then_never()
        }
        _ => Given::ok("fast"),
    })
    .await;
    let node = TestNode::start(&config(&origin, "read-timeout = \"1 s\"\nattempts = 1\n"), &[]).await;
    let address = node.listen(Limits::default()).await;
    let mut slow = Raw::connect(address).await;
    slow.send("GET /head HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut cut = Raw::connect(address).await;
    cut.send("GET /body HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(
        Raw::connect(address).await.send("GET /ok HTTP/1.1\r\nhost: a\r\n\r\n").await.response().await.text(),
        "fast"
    );
    assert_eq!(slow.response().await.status, 504);
    assert!(cut.try_response(false).await.is_none(), "an answer that is cut is not taken for a whole one");
    assert_eq!(node.proxy().cache().usage().objects, 0, "and is not stored");
}
