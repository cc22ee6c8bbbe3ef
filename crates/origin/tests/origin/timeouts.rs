//! `cdn-behaviour.md` section 8: times.

use crate::{SHORT, fetch, get, of, post};
use rimward_config::{Origin as Configured, OriginUrl};
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Origin};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_silent_origin_is_504_and_a_get_is_tried_again() {
    let origin = Origin::new(|_| Answer::never()).await;
    let mut to = of(&origin);
    to.read_timeout = SHORT;
    let error = get(&Origins::new(), &to, "/").await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16(), error.attempts), (ErrorKind::ReadTimeout, 504, 3));
    assert_eq!((origin.calls(), origin.connections()), (3, 3));
}

#[tokio::test]
async fn a_silent_origin_gets_a_post_once() {
    let origin = Origin::new(|_| Answer::never()).await;
    let mut to = of(&origin);
    to.read_timeout = SHORT;
    let error = fetch(&Origins::new(), &to, post("/"), "order".into()).await.unwrap_err();
    assert_eq!((error.kind, error.attempts, origin.calls()), (ErrorKind::ReadTimeout, 1, 1));
}

#[tokio::test]
async fn the_second_attempt_may_succeed() {
    let origin = Origin::answers([Answer::never(), Answer::ok("x")]).await;
    let mut to = of(&origin);
    to.read_timeout = SHORT;
    assert_eq!(get(&Origins::new(), &to, "/").await.unwrap().attempts, 2);
}

#[tokio::test]
async fn the_completion_time_is_for_all_attempts() {
    let origin = Origin::new(|_| Answer::never()).await;
    let mut to = of(&origin);
    to.completion_timeout = Some(SHORT);
    let error = get(&Origins::new(), &to, "/").await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16(), error.attempts), (ErrorKind::CompletionTimeout, 504, 1));
    assert_eq!(origin.calls(), 1);
}

/// A listener that accepts nothing and says nothing: the TLS handshake never comes.
#[tokio::test]
async fn a_handshake_that_never_comes_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = OriginUrl::Http { tls: true, host: "localhost".to_owned(), port, path: String::new() };
    let to = Configured { connect_timeout: SHORT, attempts: 2, ..Configured::new("app", url) };
    let error = get(&Origins::new(), &to, "/").await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16(), error.attempts), (ErrorKind::ConnectTimeout, 504, 2));
}
