//! `cdn-behaviour.md` section 8: what fails, how often it is tried, what the viewer gets.

use crate::{at, fetch, get, of, post, text};
use http::HeaderValue;
use rimward_config::{Origin as Configured, OriginUrl};
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Origin};
use rimward_types::{Body, RequestHead};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_refused_connection_is_tried_as_often_as_allowed_with_any_method() {
    let nobody = Origin::nobody().await;
    for (head, attempts) in [(RequestHead::get("/"), 3), (post("/"), 1)] {
        let origins = Origins::new();
        let mut to = at(nobody);
        to.attempts = attempts;
        let error = fetch(&origins, &to, head, "body".into()).await.unwrap_err();
        assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::Connect, 502));
        assert_eq!(error.attempts, u32::from(attempts));
        assert_eq!(origins.counters().connect_failed.load(Ordering::Relaxed), u64::from(attempts));
    }
}

#[tokio::test]
async fn a_name_without_address_is_502() {
    let url = OriginUrl::Http { tls: false, host: "no-such-host.invalid".to_owned(), port: 80, path: String::new() };
    let error = get(&Origins::new(), &Configured::new("app", url), "/").await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16(), error.attempts), (ErrorKind::Dns, 502, 1));
}

/// The origin's keep-alive time ran out while the request was on its way.
#[tokio::test]
async fn a_get_on_a_connection_that_closes_is_sent_again_on_a_new_one() {
    let origin = Origin::answers([Answer::ok("one"), Answer::hang_up(), Answer::ok("three")]).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    to.attempts = 1;
    text(get(&origins, &to, "/").await.unwrap()).await;
    let mut head = RequestHead::get("/page?a=1");
    head.headers.append("cookie", HeaderValue::from_static("a=1"));
    head.headers.append("cookie", HeaderValue::from_static("b=2"));
    let fetched = fetch(&origins, &to, head, Body::Empty).await.unwrap();
    assert_eq!((fetched.attempts, fetched.connection_reused), (1, false));
    assert_eq!(text(fetched).await, "three");
    assert_eq!((origin.calls(), origin.connections()), (3, 2));
    let [_, lost, again] = &origin.received()[..] else { panic!("three requests") };
    assert_eq!((&lost.target, &lost.headers), (&again.target, &again.headers));
    assert_eq!((again.target.as_str(), again.all("cookie")), ("/page?a=1", vec!["a=1", "b=2"]));
}

#[tokio::test]
async fn a_post_on_a_connection_that_closes_is_not_sent_again() {
    let origin = Origin::answers([Answer::ok("one"), Answer::hang_up(), Answer::ok("three")]).await;
    let origins = Origins::new();
    text(get(&origins, &of(&origin), "/").await.unwrap()).await;
    let error = fetch(&origins, &of(&origin), post("/"), "order".into()).await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::Closed, 502));
    assert_eq!(origin.calls(), 2);
}

#[tokio::test]
async fn a_new_connection_that_closes_is_an_error() {
    let origin = Origin::new(|_| Answer::hang_up()).await;
    let error = get(&Origins::new(), &of(&origin), "/").await.unwrap_err();
    assert_eq!((error.kind, error.attempts, origin.calls()), (ErrorKind::Closed, 1, 1));
    assert_eq!(error.kind.failover_status().unwrap(), 502);
}

#[tokio::test]
async fn what_is_no_answer_is_502() {
    for (bytes, kind) in [
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 2xx OK\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nhello", ErrorKind::Protocol),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\nX: ", ErrorKind::Closed),
    ] {
        let origin = Origin::answers([Answer::raw(bytes).then_close()]).await;
        let error = get(&Origins::new(), &of(&origin), "/").await.unwrap_err();
        assert_eq!((error.kind, error.status().as_u16(), error.attempts), (kind, 502, 1), "{bytes:?}: {error}");
        assert_eq!(origin.calls(), 1);
    }
}

/// `cdn-behaviour.md` section 8 and 20.
#[tokio::test]
async fn a_head_over_the_limit_is_502() {
    let head = |len: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nX: {}\r\n\r\n", "a".repeat(len));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
    let origin = Origin::answers([
        Answer::raw(head(32_000)),
        Answer::raw(head(33_000)),
        Answer::raw(head(200_000)),
        Answer::raw(many),
    ])
    .await;
    let origins = Origins::new();
    assert_eq!(get(&origins, &of(&origin), "/").await.unwrap().head.status, 200);
    for _ in 0..3 {
        let error = get(&origins, &of(&origin), "/").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::HeadTooLarge, "{error}");
        assert_eq!(error.kind.as_str(), "OriginHeaderTooBigError");
    }
}

#[tokio::test]
async fn an_endless_row_of_interim_answers_ends_in_time() {
    let endless = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
    let origin = Origin::new(move |_| Answer::raw(endless.clone()).then_never()).await;
    let mut to = of(&origin);
    (to.read_timeout, to.attempts) = (crate::SHORT, 1);
    let error = fetch(&Origins::new(), &to, RequestHead::get("/"), Body::Empty).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadTimeout);
}
