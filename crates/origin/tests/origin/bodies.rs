//! Bodies of answers: streaming, framing, early ends.

use crate::{SHORT, fetch, get, of, post, text};
use http_body_util::BodyExt;
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Origin, soon, step};
use rimward_types::{Body, BodyError};
use std::sync::Mutex;
use tokio::sync::mpsc;

/// A body that the test feeds.
pub fn fed() -> (mpsc::Sender<Result<&'static str, BodyError>>, Body) {
    struct Fed(mpsc::Receiver<Result<&'static str, BodyError>>);
    impl http_body::Body for Fed {
        type Data = bytes::Bytes;
        type Error = BodyError;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, BodyError>>> {
            self.0.poll_recv(cx).map(|part| part.map(|part| part.map(|text| http_body::Frame::data(text.into()))))
        }
    }
    let (sender, receiver) = mpsc::channel(1);
    (sender, Body::stream(Fed(receiver)))
}

#[tokio::test]
async fn parts_come_as_the_origin_sends_them() {
    let (go, wait) = step();
    let wait = Mutex::new(Some(wait));
    let origin = Origin::new(move |_| {
        let wait = wait.lock().unwrap().take().unwrap();
        Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
            .then_wait(wait)
            .then("3\r\ntwo\r\n0\r\n\r\n")
    })
    .await;
    let mut fetched = get(&Origins::new(), &of(&origin), "/").await.unwrap();
    assert_eq!(fetched.body.len(), None);
    assert_eq!(soon("a part", fetched.body.frame()).await.unwrap().unwrap().into_data().unwrap(), "one");
    go.go();
    assert_eq!(soon("a part", fetched.body.frame()).await.unwrap().unwrap().into_data().unwrap(), "two");
    assert!(soon("the end", fetched.body.frame()).await.is_none());
}

/// `cdn-behaviour.md` section 8: a short body is noticed, so that it is not stored.
#[tokio::test]
async fn a_body_that_ends_early_is_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
    ] {
        let origin = Origin::answers([Answer::raw(answer).then_close()]).await;
        let fetched = get(&Origins::new(), &of(&origin), "/").await.unwrap();
        let error = soon("the end", fetched.body.collect(u64::MAX)).await.unwrap_err();
        assert!(matches!(error, BodyError::Origin(_)), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn a_body_without_framing_ends_with_the_connection() {
    let origin = Origin::answers([Answer::raw("HTTP/1.0 200 OK\r\n\r\nhello").then_close()]).await;
    assert_eq!(text(get(&Origins::new(), &of(&origin), "/").await.unwrap()).await, "hello");
}

#[tokio::test]
async fn a_body_that_stands_still_ends_in_time() {
    let origin =
        Origin::answers([Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").then_never()]).await;
    let mut to = of(&origin);
    to.read_timeout = SHORT;
    let fetched = get(&Origins::new(), &to, "/").await.unwrap();
    assert!(matches!(soon("the end", fetched.body.collect(u64::MAX)).await, Err(BodyError::TimedOut)));
}

/// `cdn-behaviour.md` section 8: the completion time holds for the body too.
#[tokio::test]
async fn a_body_that_is_not_complete_in_time_ends() {
    let origin =
        Origin::answers([Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").then_never()]).await;
    let mut to = of(&origin);
    to.completion_timeout = Some(SHORT);
    let fetched = get(&Origins::new(), &to, "/").await.unwrap();
    assert!(matches!(soon("the end", fetched.body.collect(u64::MAX)).await, Err(BodyError::TimedOut)));
}

#[tokio::test]
async fn a_request_body_streams_and_an_answer_may_come_before_its_end() {
    let origin = Origin::new(|_| Answer::ok("done")).await;
    let origins = Origins::new();
    let to = of(&origin);
    let (parts, body) = fed();
    let feed = async {
        for part in ["one", "two", "three"] {
            parts.send(Ok(part)).await.unwrap();
        }
        drop(parts);
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    assert_eq!(text(fetched.unwrap()).await, "done");
    assert_eq!(origin.only_request().body, "onetwothree");
}

#[tokio::test]
async fn a_viewer_that_breaks_off_is_not_laid_to_the_origin_and_not_sent_again() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let origins = Origins::new();
    let to = of(&origin);
    let (parts, body) = fed();
    let feed = async {
        parts.send(Ok("one")).await.unwrap();
        parts.send(Err(BodyError::Viewer("gone".to_owned()))).await.unwrap();
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    let error = fetched.unwrap_err();
    assert_eq!((error.kind, error.attempts, error.kind.failover_status()), (ErrorKind::RequestBody, 0, None));
    assert_eq!((origin.calls(), origin.connections()), (0, 0), "it was not asked yet");
}

#[tokio::test]
async fn a_slow_viewer_does_not_use_up_the_origins_time() {
    let origin = Origin::new(|_| Answer::ok("done")).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    to.read_timeout = SHORT;
    let (parts, body) = fed();
    let feed = async {
        parts.send(Ok("x".repeat(64 << 10).leak())).await.unwrap();
        // Another request to a silent origin takes its read time twice over.
        let silent = Origin::new(|_| Answer::never()).await;
        let mut other = of(&silent);
        (other.read_timeout, other.attempts) = (SHORT, 2);
        assert_eq!(get(&Origins::new(), &other, "/").await.unwrap_err().kind, ErrorKind::ReadTimeout);
        parts.send(Ok("two")).await.unwrap();
        drop(parts);
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    assert_eq!(text(fetched.unwrap()).await, "done");
}

/// Whoever sends a byte now and then takes no connection: there is one, and the next request has it.
#[tokio::test]
async fn a_body_that_drips_takes_up_no_connection() {
    let origin = Origin::new(|_| Answer::ok("done")).await;
    let origins = Origins::new();
    let mut to = of(&origin);
    to.max_connections = 1;
    let (parts, body) = fed();
    let feed = async {
        parts.send(Ok("o")).await.unwrap();
        assert_eq!(text(get(&origins, &to, "/").await.unwrap()).await, "done");
        parts.send(Ok("n")).await.unwrap();
        assert_eq!(text(get(&origins, &to, "/").await.unwrap()).await, "done");
        parts.send(Ok("e")).await.unwrap();
        drop(parts);
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    assert_eq!(text(fetched.unwrap()).await, "done");
    let bodies: Vec<_> = origin.received().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, ["", "", "one"]);
}

#[tokio::test]
async fn a_long_body_that_breaks_off_is_laid_to_the_viewer_too() {
    let origin = Origin::new(|_| Answer::ok("")).await;
    let origins = Origins::new();
    let to = of(&origin);
    let (parts, body) = fed();
    let feed = async {
        parts.send(Ok("x".repeat(64 << 10).leak())).await.unwrap();
        parts.send(Err(BodyError::Viewer("gone".to_owned()))).await.unwrap();
    };
    let (fetched, ()) = tokio::join!(fetch(&origins, &to, post("/"), body), feed);
    let error = fetched.unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::RequestBody, 1));
    assert_eq!((origin.calls(), origin.connections()), (0, 1));
}
