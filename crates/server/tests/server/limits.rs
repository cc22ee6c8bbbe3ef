//! Walls: sizes, numbers and times.

use crate::stage::{AT_MOST, SHORT, Stage, count, limits, node, until};
use rimward_config::{Acl, Limits, Networks, Node};
use rimward_server::Refusal;
use rimward_types::ByteSize;
use std::time::{Duration, Instant};

/// `cdn-behaviour.md` section 11 and 20.
#[tokio::test]
async fn a_url_over_the_limit_is_414() {
    let stage = Stage::with(Limits { url: ByteSize::bytes(100), ..limits() }).await;
    let get = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(len - 1));
    assert_eq!(stage.status_of(get(100)).await, 200);
    assert_eq!(stage.status_of(get(101)).await, 414);
    // It need not be complete.
    assert_eq!(stage.status_of(format!("GET /{}", "a".repeat(200))).await, 414);
    assert_eq!(stage.counters.refused(Refusal::UrlTooLong), 2);
}

/// RFC 6585 section 5.
#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let stage = Stage::with(Limits { head: ByteSize::kb(9), ..limits() }).await;
    let get = |len: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(len));
    assert_eq!(stage.status_of(get(9000)).await, 200);
    assert_eq!(stage.status_of(get(9200)).await, 431);
    assert_eq!(stage.status_of(format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(20_000))).await, 431);
    let large = Stage::start().await;
    assert_eq!(large.status_of(get(32_000)).await, 200);
    assert_eq!(large.status_of(get(33_000)).await, 431);
}

#[tokio::test]
async fn too_many_headers_are_431() {
    for most in [10, 120] {
        let stage = Stage::with(Limits { headers: most, ..limits() }).await;
        let get = |count: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
        assert_eq!(stage.status_of(get(most)).await, 200);
        assert_eq!(stage.status_of(get(most + 1)).await, 431);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_or_ends_early() {
    let stage = Stage::with(Limits { request_body: ByteSize::bytes(10), ..limits() }).await;
    assert_eq!(stage.status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n").await, 413);
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n";
    let answer = stage.raw().await.send(chunked).await.response().await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "body is larger than 10 bytes"));
}

#[tokio::test]
async fn a_connection_over_the_limit_is_503_and_room_comes_back() {
    let stage = Stage::with(Limits { connections: 1, ..limits() }).await;
    let mut first = stage.raw().await;
    first.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    stage.started(1).await;
    let mut second = stage.raw().await;
    let answer = second.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    assert!(second.is_closed().await);
    assert_eq!(stage.counters.refused(Refusal::TooManyConnections), 1);
    drop(first);
    until("the first connection to go", || count(&stage.counters.open) == 0).await;
    assert_eq!(stage.status_of("GET /c HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
}

#[tokio::test]
async fn at_the_limit_an_idle_connection_makes_room() {
    let stage = Stage::with(Limits { connections: 3, ..limits() }).await;
    let mut busy = stage.raw().await;
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    stage.started(1).await;
    let mut silent = stage.raw().await;
    let mut kept = stage.raw().await;
    assert_eq!(kept.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 200);
    // Whoever opens connections and says nothing keeps nobody out, however often.
    let mut silents = Vec::new();
    for _ in 0..20 {
        until("a place", || count(&stage.counters.open) <= 3).await;
        assert_eq!(stage.status_of("GET /b HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
        silents.push(stage.raw().await);
    }
    assert!(kept.is_closed().await && silent.is_closed().await);
    assert!(count(&stage.counters.given_up) >= 2);
    assert_eq!(stage.counters.refused(Refusal::TooManyConnections), 0);
    stage.script.release.send_replace(true);
    assert_eq!(busy.response().await.text(), "waited");
}

#[tokio::test]
async fn an_address_has_a_limit_of_its_own_unless_it_is_listed() {
    let acl = Acl { many_connections: Networks::default(), ..Acl::default() };
    let limits = Limits { connections_per_address: Some(2), ..limits() };
    let stage = Stage::on(Node { limits: limits.clone(), acl, ..node() }).await;
    let first = stage.raw().await;
    let _second = stage.raw().await;
    until("both", || count(&stage.counters.open) == 2).await;
    assert_eq!(stage.status_of("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await, 503);
    assert_eq!(stage.counters.refused(Refusal::TooManyOfAddress), 1);
    drop(first);
    until("the first to go", || count(&stage.counters.open) == 1).await;
    assert_eq!(stage.status_of("GET /b HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    let listed = Stage::with(limits).await;
    let held = [listed.raw().await, listed.raw().await, listed.raw().await];
    assert_eq!(listed.status_of("GET /c HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    drop(held);
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let stage = Stage::with(Limits { idle: SHORT, ..limits() }).await;
    assert!(stage.raw().await.is_closed().await);
    let mut raw = stage.raw().await;
    assert_eq!(raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 200);
    assert!(raw.is_closed().await);
    assert_eq!(count(&stage.counters.idle), 2);
}

#[tokio::test]
async fn a_request_in_flight_is_not_idle() {
    let stage = Stage::with(Limits { idle: SHORT, head_timeout: SHORT, ..limits() }).await;
    let mut raw = stage.raw().await;
    let mut other = stage.raw().await;
    raw.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // By the time that the other connection is closed for being idle, this one would be too.
    assert!(other.is_closed().await && stage.raw().await.is_closed().await);
    stage.script.release.send_replace(true);
    assert_eq!(raw.response().await.text(), "waited");
}

/// RFC 9110 section 15.5.9; a slow loris.
#[tokio::test]
async fn a_head_that_does_not_come_in_time_is_408() {
    let stage = Stage::with(Limits { head_timeout: SHORT, ..limits() }).await;
    let began = Instant::now();
    for start in ["G", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n"] {
        let mut raw = stage.raw().await;
        assert_eq!(raw.send(start).await.response().await.status, 408, "{start}");
        assert!(raw.is_closed().await);
    }
    let mut raw = stage.raw().await;
    raw.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b").await;
    assert_eq!(raw.response().await.status, 200);
    assert_eq!(raw.response().await.status, 408);
    assert!(began.elapsed() < AT_MOST);
    assert_eq!(stage.counters.refused(Refusal::HeadTimeout), 4);
}

#[tokio::test]
async fn bytes_that_trickle_do_not_buy_time_for_a_head() {
    let stage = Stage::with(Limits { head_timeout: SHORT * 2, ..limits() }).await;
    let mut raw = stage.raw().await;
    let mut other = stage.raw().await;
    raw.send("GET / HTTP/1.1\r\nHost: x\r\nA: ").await;
    // The timer of another connection gives the beat.
    other.send("G").await;
    raw.send("b").await;
    assert_eq!(other.response().await.status, 408);
    raw.send("b").await;
    assert_eq!(raw.response().await.status, 408);
}

#[tokio::test]
async fn a_body_that_stands_still_ends_in_time() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let mut raw = stage.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe").await;
    let answer = raw.response().await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "no byte of the body came in time"));
    assert!(raw.is_closed().await);
    assert_eq!(count(&stage.counters.stalled), 1);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_ends() {
    let slow = Limits { body_idle: Duration::from_secs(3600), body_grace: SHORT, ..limits() };
    let stage = Stage::with(slow.clone()).await;
    let mut raw = stage.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh").await;
    let answer = raw.response().await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "no byte of the body came in time"));
    assert!(raw.is_closed().await);
    assert_eq!(count(&stage.counters.stalled), 1);
    // Without a rate only the time between two parts counts.
    let stage = Stage::with(Limits { body_rate: ByteSize::bytes(0), ..slow }).await;
    let mut raw = stage.raw().await;
    raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh").await;
    // The wait of another connection gives the beat.
    let quick = Stage::with(Limits { body_idle: SHORT * 2, ..limits() }).await;
    let mut other = quick.raw().await;
    other.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh").await;
    assert_eq!(other.response().await.status, 400);
    raw.send("ello").await;
    assert_eq!(raw.response().await.status, 200);
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_is_cut() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let mut raw = stage.raw().await;
    raw.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n").await;
    until("the cut", || count(&stage.counters.stalled) == 1).await;
    until("the connection to go", || count(&stage.counters.open) == 0).await;
    assert!(raw.rest().await.len() < 8 << 20);
}
