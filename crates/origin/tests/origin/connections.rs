//! Which connection a request goes over.

use crate::{SHORT, fetch, get, of, post, text};
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Origin, soon, step};
use rimward_types::{Body, RequestHead};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn a_connection_is_used_again_after_every_kind_of_body() {
    let origin = Origin::answers([
        Answer::ok("length"),
        Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nchunk\r\n0\r\n\r\n"),
        Answer::new(304, ""),
        Answer::ok(""),
        Answer::ok("last"),
    ])
    .await;
    let origins = Origins::new();
    for n in 0..5 {
        let fetched = get(&origins, &of(&origin), "/").await.unwrap();
        assert_eq!(fetched.connection_reused, n > 0, "request {n}");
        text(fetched).await;
    }
    assert_eq!(origin.connections(), 1);
    assert_eq!((origins.kept(), origins.counters().reused.load(Ordering::Relaxed)), (1, 4));
}

#[tokio::test]
async fn a_dropped_body_or_request_closes_its_connection() {
    let origin = Origin::answers([
        Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").then_never(),
        Answer::never(),
        Answer::ok("fine"),
    ])
    .await;
    let origins = Origins::new();
    let to = of(&origin);
    drop(get(&origins, &to, "/").await.unwrap());
    tokio::select! {
        _ = origins.fetch(&to, RequestHead::get("/"), Body::Empty) => panic!("it never answers"),
        () = origin.wait_for_calls(2) => {}
    }
    assert_eq!(origins.kept(), 0);
    assert_eq!(text(get(&origins, &to, "/").await.unwrap()).await, "fine");
    assert_eq!(origin.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_the_origin_has_closed_is_not_used() {
    let origin = Origin::new(|_| Answer::ok("x").then_close()).await;
    let origins = Origins::new();
    for _ in 0..3 {
        let head = post("/");
        assert_eq!(text(fetch(&origins, &of(&origin), head, "once".into()).await.unwrap()).await, "x");
    }
    assert_eq!((origin.calls(), origin.connections()), (3, 3));
}

#[tokio::test]
async fn connection_close_is_obeyed() {
    let origin = Origin::new(|_| Answer::ok("x").header("connection", "close")).await;
    let origins = Origins::new();
    text(get(&origins, &of(&origin), "/").await.unwrap()).await;
    assert_eq!(origins.kept(), 0);
}

/// `cdn-behaviour.md` section 8, `OriginKeepaliveTimeout`.
#[tokio::test]
async fn an_unused_connection_is_closed_after_its_time() {
    let origin = Origin::new(|_| Answer::ok("x")).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    to.keepalive = SHORT;
    text(get(&origins, &to, "/").await.unwrap()).await;
    assert_eq!(origins.kept(), 1);
    soon("the connection to be closed", async {
        while origins.kept() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_are_bounded_and_the_rest_waits_its_turn() {
    let (go, wait) = step();
    let wait = Mutex::new(Some(wait));
    let origin = Origin::new(move |_| match wait.lock().unwrap().take() {
        Some(wait) => Answer::default().then_wait(wait).then("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"),
        None => Answer::ok("second"),
    })
    .await;
    let origins = Origins::new();
    let mut to = of(&origin);
    to.max_connections = 1;
    let first = async { text(get(&origins, &to, "/").await.unwrap()).await };
    let second = async {
        origin.wait_for_calls(1).await;
        let waiting = async { text(get(&origins, &to, "/").await.unwrap()).await };
        let (second, ()) = tokio::join!(waiting, async { go.go() });
        second
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.as_str(), second.as_str(), origin.connections()), ("first", "second", 1));
}

#[tokio::test]
async fn waiting_for_a_connection_ends_with_503() {
    let origin = Origin::new(|_| Answer::never()).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    (to.max_connections, to.connect_timeout) = (1, SHORT);
    let busy = origins.fetch(&to, RequestHead::get("/"), Body::Empty);
    let refused = async {
        origin.wait_for_calls(1).await;
        get(&origins, &to, "/").await.unwrap_err()
    };
    tokio::select! {
        _ = busy => panic!("it never answers"),
        error = refused => assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::Saturated, 503)),
    }
}
