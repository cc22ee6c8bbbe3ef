//! HTTP/1.1 and 1.0 as they should be.

use crate::stage::{Stage, count, limits};
use bytes::Bytes;
use std::time::Duration;

#[tokio::test]
async fn path_and_query_reach_the_service_as_sent() {
    let stage = Stage::start().await;
    for (target, seen) in [
        ("/a//b/../%2e%2E/c%20d;x=y", "/a//b/../%2e%2E/c%20d;x=y None"),
        ("/a?b=c&d=%20|^`\\[]{}'?", "/a Some(\"b=c&d=%20|^`\\\\[]{}'?\")"),
        ("/a?", "/a Some(\"\")"),
    ] {
        let get = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let body = stage.raw().await.send(get).await.response().await.text();
        assert!(body.starts_with(&format!("GET {seen}")), "{target}: {body}");
    }
}

#[tokio::test]
async fn an_absolute_target_means_its_path() {
    let stage = Stage::start().await;
    for (target, seen) in [("http://x/a?b", "/a Some(\"b\")"), ("HTTP://X", "/ None"), ("http://x?b", "/ Some(\"b\")")]
    {
        let mut raw = stage.raw().await;
        let answer = raw.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await.response().await;
        assert!(answer.text().starts_with(&format!("GET {seen}")), "{target}: {}", answer.text());
    }
}

#[tokio::test]
async fn header_names_are_title_case_and_a_date_is_there() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    let answer = raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert!(answer.head.contains("\r\nContent-Length: ") && answer.head.contains("\r\nDate: "), "{}", answer.head);
    assert!(answer.head.contains("\r\nServer: stage"), "{}", answer.head);
}

#[tokio::test]
async fn a_reason_phrase_of_its_own_is_sent() {
    let stage = Stage::start().await;
    let answer = stage.raw().await.send("GET /reason HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert!(answer.head.starts_with("HTTP/1.1 200 As You Like It\r\n"), "{}", answer.head);
}

#[tokio::test]
async fn a_connection_serves_many_requests_pipelined_or_not() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    for n in 0..50 {
        raw.send(format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(raw.response().await.text().starts_with(&format!("GET /{n} ")));
    }
    let many: String = (0..50).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    raw.send(many).await;
    for n in 0..50 {
        assert!(raw.response().await.text().starts_with(&format!("GET /{n} ")));
    }
    assert_eq!(count(&stage.counters.accepted), 1);
    assert_eq!(count(&stage.counters.requests), 100);
}

/// RFC 9112 section 9.3 and 7.1.
#[tokio::test]
async fn http_1_0_closes_by_default_and_gets_no_chunks() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("GET /a HTTP/1.0\r\n\r\n").await;
    let text = String::from_utf8(raw.rest().await).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Length"), "{head}");
    // Without `Host` it means the address that it came to.
    assert!(body.contains(&format!("host: {}", stage.address)), "{body}");

    let frames = stage.frames();
    let mut raw = stage.raw().await;
    raw.send("GET /stream HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n").await;
    frames.send(Bytes::from_static(b"one")).await.unwrap();
    drop(frames);
    let text = String::from_utf8(raw.rest().await).unwrap();
    assert!(!text.to_lowercase().contains("transfer-encoding") && text.ends_with("\r\n\r\none"), "{text}");

    let mut raw = stage.raw().await;
    for _ in 0..2 {
        raw.send("GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n").await;
        assert_eq!(raw.response().await.header("connection"), Some("keep-alive"));
    }
}

#[tokio::test]
async fn options_of_the_server_itself_are_answered_without_the_service() {
    let stage = Stage::start().await;
    let answer = stage.raw().await.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert_eq!((answer.status, answer.header("allow").is_some()), (200, true));
    assert_eq!(*stage.script.started.borrow(), 0);
}

#[tokio::test]
async fn offers_of_other_protocols_are_ignored_and_the_connection_goes_on() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    for upgrade in ["h2c", "websocket/1", "TLS/1.0, foo"] {
        raw.send(format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: {upgrade}\r\n\r\n")).await;
        assert_eq!(raw.response().await.status, 200, "{upgrade}");
    }
    raw.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n").await;
    assert_eq!(raw.response().await.status, 200);
    assert!(raw.is_closed().await);
}

#[tokio::test]
async fn a_body_is_asked_for_when_the_viewer_waits_for_that() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 100"));
    assert!(raw.send("hello").await.response().await.text().ends_with("\n\nhello"));
}

#[tokio::test]
async fn a_response_streams_while_it_is_made() {
    let stage = Stage::start().await;
    let frames = stage.frames();
    let mut raw = stage.raw().await;
    raw.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let head = raw.head().await;
    assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
    frames.send(Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(raw.some().await, b"3\r\none\r\n");
    frames.send(Bytes::from_static(b"two")).await.unwrap();
    assert_eq!(raw.some().await, b"3\r\ntwo\r\n");
}

#[tokio::test]
async fn a_viewer_that_does_not_read_slows_the_service_down() {
    let stage = Stage::start().await;
    let frames = stage.frames();
    let mut raw = stage.raw().await;
    raw.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").await;
    raw.head().await;
    let part = Bytes::from(vec![b'x'; 1 << 20]);
    // Sockets and parser hold some; far from all of it.
    let mut taken = 0;
    while taken < 64 {
        match tokio::time::timeout(Duration::from_millis(200), frames.send(part.clone())).await {
            Ok(sent) => sent.unwrap(),
            Err(_) => break,
        }
        taken += 1;
    }
    assert!(taken < 64, "64 MB were taken for a viewer that read nothing");
}

#[tokio::test]
async fn the_service_is_dropped_when_the_viewer_leaves() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
    stage.started(1).await;
    drop(raw);
    stage.dropped(1).await;
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_goes_on() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    assert_eq!(raw.send("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 500);
    assert_eq!(raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 200);
    assert_eq!(count(&stage.counters.panics), 1);
}

#[tokio::test]
async fn a_panic_in_a_body_cuts_the_response_alone() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("GET /panic-body HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let rest = String::from_utf8(raw.rest().await).unwrap();
    assert!(!rest.ends_with("0\r\n\r\n"), "{rest}");
    assert_eq!(stage.status_of("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    assert_eq!(count(&stage.counters.panics), 1);
}

#[tokio::test]
async fn an_early_answer_to_a_large_body_arrives() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n").await;
    raw.send(vec![b'x'; 400_000]).await;
    let answer = raw.response().await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "early"));
}

#[tokio::test]
async fn a_connection_closes_after_the_requests_that_it_may_have() {
    let stage = Stage::with(rimward_config::Limits { requests_per_connection: Some(2), ..limits() }).await;
    let mut raw = stage.raw().await;
    assert_eq!(raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.header("connection"), None);
    let last = raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert_eq!(last.header("connection"), Some("close"));
    assert!(raw.is_closed().await);
}

#[tokio::test]
async fn an_answer_with_wrong_framing_is_set_right() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    for _ in 0..2 {
        let answer = raw.send("GET /wrong-length HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
        assert_eq!((answer.header("content-length"), answer.text().as_str()), (Some("5"), "short"));
        assert_eq!(answer.header("transfer-encoding"), None);
    }
    let answer = raw.send("GET /interim HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert_eq!(answer.status, 500);
}

#[tokio::test]
async fn interim_answers_stand_before_the_answer_and_none_comes_after_it() {
    // RFC 9110 section 15.2
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    // Two requests at once: the second one's stand after the first one's answer.
    raw.send("GET /hints HTTP/1.1\r\nHost: x\r\n\r\nGET /hints HTTP/1.1\r\nHost: x\r\n\r\n").await;
    for _ in 0..2 {
        let hints = raw.response().await;
        assert_eq!((hints.status, hints.header("link")), (103, Some("</a.css>")));
        assert_eq!(raw.response().await.status, 102);
        let answer = raw.response().await;
        assert_eq!((answer.status, answer.text().as_str(), answer.header("link")), (200, "hinted", None));
    }
    let late = stage.script.interim.lock().unwrap().clone();
    late.send(http::StatusCode::PROCESSING, &http::HeaderMap::new());
    assert_eq!(raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 200);
}

#[tokio::test]
async fn http_1_0_gets_no_interim_answers() {
    // RFC 9110 section 15.2
    let stage = Stage::start().await;
    assert_eq!(stage.status_of("GET /hints HTTP/1.0\r\nHost: x\r\n\r\n").await, 200);
}
