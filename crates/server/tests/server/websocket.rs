//! WebSocket (RFC 6455, `cdn-behaviour.md` sections 20 and 21): a handshake, and the tunnel after it.

use crate::stage::{FAR_END, SHORT, Stage, count, limits, until};
use rimward_config::Limits;
use rimward_server::{Drained, Refusal};
use rimward_testkit::websocket::handshake;
use rimward_testkit::{Raw, soon};
use rimward_types::{Ended, Passage};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A viewer whose handshake was agreed to, and the far end of its tunnel.
async fn tunnel(stage: &Stage) -> (Raw, DuplexStream) {
    let mut viewer = stage.raw().await;
    let answer = viewer.send(handshake("/tunnel", "")).await.response().await;
    assert_eq!(answer.status, 101, "{}", answer.head);
    (viewer, stage.far_end())
}

async fn read(far: &mut DuplexStream, len: usize) -> String {
    let mut bytes = vec![0; len];
    soon("bytes at the far end", far.read_exact(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn rest(far: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    soon("the end at the far end", far.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test]
async fn bytes_go_both_ways_after_a_101_that_has_its_own_fields_and_no_length() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    let answer = viewer.send(handshake("/tunnel", "")).await.response().await;
    let fields = ["connection", "upgrade", "server", "content-length", "transfer-encoding"].map(|f| answer.header(f));
    assert_eq!(fields, [Some("Upgrade"), Some("websocket"), Some("stage"), None, None], "{}", answer.head);
    let mut far = stage.far_end();
    viewer.send("ping").await;
    assert_eq!(read(&mut far, 4).await, "ping");
    far.write_all(b"pong!").await.unwrap();
    assert_eq!(viewer.exactly(5).await, b"pong!");
    assert_eq!((count(&stage.counters.websockets_open), count(&stage.counters.open)), (1, 1));
    drop(far);
    assert!(viewer.is_closed().await);
    drop(viewer);
    assert_eq!(stage.passage(1).await, Passage { received: 4, sent: 5, ended: Ended::Origin });
    until("the connection to be closed", || count(&stage.counters.open) == 0).await;
    assert_eq!((count(&stage.counters.websockets_open), count(&stage.counters.websockets)), (0, 1));
    assert_eq!((count(&stage.counters.websocket_received), count(&stage.counters.websocket_sent)), (4, 5));
    assert_eq!(stage.counters.websockets_ended(Ended::Origin), 1);
}

#[tokio::test]
async fn what_a_viewer_sends_before_the_101_is_the_tunnels_in_order() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    // A request before it, and behind it what would be a request.
    let early = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    viewer.send(format!("GET /b HTTP/1.1\r\nHost: x\r\n\r\n{}{early}", handshake("/tunnel", ""))).await;
    assert!(viewer.response().await.text().starts_with("GET /b "));
    assert_eq!(viewer.response().await.status, 101);
    viewer.send("late").await;
    assert_eq!(read(&mut stage.far_end(), early.len() + 4).await, format!("{early}late"));
    assert_eq!(*stage.script.started.borrow(), 2, "it was taken for a request");
}

/// Else a proxy in front of us that takes the handshake for done would let its viewers past its own rules.
#[tokio::test]
async fn what_comes_behind_a_handshake_that_fails_is_never_a_request() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    viewer.send(format!("{}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", handshake("/refused", ""))).await;
    let answer = viewer.response().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(viewer.is_closed().await);
    assert_eq!(*stage.script.started.borrow(), 1);
    // While it is not settled.
    let mut viewer = stage.raw().await;
    viewer.send(handshake("/wait", "")).await;
    stage.started(2).await;
    viewer.send("GET /smuggled HTTP/1.1\r\n").await;
    viewer.send("Host: x\r\n\r\n").await;
    // Answered on another connection of the same thread, so that those bytes have come.
    assert_eq!(stage.status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    stage.script.release.send_replace(true);
    assert_eq!(viewer.response().await.text(), "waited");
    assert!(viewer.is_closed().await);
    assert_eq!(*stage.script.started.borrow(), 3);
}

#[tokio::test]
async fn a_viewer_that_waits_for_the_answer_goes_on_with_its_next_request() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    for _ in 0..2 {
        assert_eq!(viewer.send(handshake("/no", "")).await.response().await.status, 200);
        assert_eq!(viewer.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await.status, 200);
    }
    assert_eq!(viewer.send(handshake("/tunnel", "")).await.response().await.status, 101);
    assert_eq!(count(&stage.counters.accepted), 1);
}

#[tokio::test]
async fn a_tunnel_that_nobody_asked_for_is_500_and_closed() {
    let stage = Stage::start().await;
    let requests = [
        "GET /tunnel HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /tunnel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        "POST /tunnel HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /tunnel HTTP/1.0\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ];
    for (number, request) in requests.into_iter().enumerate() {
        assert_eq!(stage.status_of(request).await, 500, "{request}");
        stage.passage(number + 1).await;
        assert!(rest(&mut stage.far_end()).await.is_empty());
    }
    // An ordinary 101 is none either, asked for or not.
    assert_eq!(stage.status_of(handshake("/interim", "")).await, 500);
    assert_eq!(count(&stage.counters.websockets), 0);
}

#[tokio::test]
async fn much_more_than_the_buffers_goes_through_unchanged() {
    let stage = Stage::start().await;
    let (mut viewer, far) = tunnel(&stage).await;
    let (mut from, mut to) = tokio::io::split(far);
    let echo = tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
    let bytes: Vec<u8> = (0..8u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(viewer.bounce(&bytes).await == bytes);
    echo.abort();
}

#[tokio::test]
async fn an_origin_that_takes_nothing_holds_the_viewer_back() {
    let stage = Stage::start().await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let sent = tokio::spawn(async move {
        viewer.send(vec![b'x'; 16 << 20]).await;
        let _ = wait.await;
    });
    // One buffer beside what the far end holds, however much the viewer has.
    until("the far end to be full", || count(&stage.counters.websocket_received) > FAR_END as u64).await;
    assert_eq!(stage.status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    let taken = count(&stage.counters.websocket_received);
    assert!(taken <= FAR_END as u64 + 2 * 16 * 1024, "{taken}");
    let mut all = vec![0; 16 << 20];
    soon("all of it", far.read_exact(&mut all)).await.unwrap();
    drop(go);
    sent.await.unwrap();
    assert!(rest(&mut far).await.is_empty());
}

#[tokio::test]
async fn each_side_may_end_first_and_the_other_finishes() {
    let stage = Stage::start().await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    viewer.send("bye").await.finish().await;
    assert_eq!(rest(&mut far).await, b"bye");
    far.write_all(b"farewell").await.unwrap();
    drop(far);
    assert_eq!(viewer.rest().await, b"farewell");
    assert_eq!(stage.passage(1).await, Passage { received: 3, sent: 8, ended: Ended::Viewer });

    let (mut viewer, mut far) = tunnel(&stage).await;
    far.write_all(b"bye").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(viewer.rest().await, b"bye");
    viewer.send("farewell").await;
    assert_eq!(read(&mut far, 8).await, "farewell");
    viewer.finish().await;
    assert_eq!(stage.passage(2).await, Passage { received: 8, sent: 3, ended: Ended::Origin });
}

#[tokio::test]
async fn a_viewer_that_vanishes_takes_the_origin_along() {
    let stage = Stage::start().await;
    let (viewer, mut far) = tunnel(&stage).await;
    viewer.break_off();
    assert!(rest(&mut far).await.is_empty());
    assert_eq!(stage.passage(1).await.ended, Ended::ViewerFailed);
    // Before it is settled: the service's future is dropped.
    let mut viewer = stage.raw().await;
    viewer.send(handshake("/never", "")).await;
    stage.started(2).await;
    drop(viewer);
    stage.dropped(1).await;
    until("the seat to be free", || count(&stage.counters.websockets_open) == 0).await;
}

#[tokio::test]
async fn an_origin_that_says_nothing_for_long_ends_it_and_one_that_talks_does_not() {
    let stage = Stage::with(Limits { websocket_idle: SHORT, ..limits() }).await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    let talk = async {
        for _ in 0..4 {
            tokio::time::sleep(SHORT / 3).await;
            far.write_all(b".").await.unwrap();
        }
        read(&mut far, 0).await;
    };
    let listen = async {
        assert_eq!(viewer.exactly(4).await, b"....");
        // What the viewer sends keeps nothing open.
        viewer.send("x").await;
    };
    tokio::join!(talk, listen);
    assert!(viewer.is_closed().await);
    let passage = stage.passage(1).await;
    assert_eq!((passage.ended, passage.sent), (Ended::Idle, 4));
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_ends_it() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let (viewer, mut far) = tunnel(&stage).await;
    let flood = async { while far.write_all(&[0; 1024]).await.is_ok() {} };
    soon("the end of the flood", flood).await;
    assert_eq!(stage.passage(1).await.ended, Ended::ViewerStalled);
    assert_eq!(count(&stage.counters.stalled), 1);
    drop(viewer);
}

#[tokio::test]
async fn an_origin_that_takes_nothing_for_long_ends_it() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let (mut viewer, far) = tunnel(&stage).await;
    viewer.send(vec![0; 8 * FAR_END]).await;
    assert_eq!(stage.passage(1).await.ended, Ended::OriginStalled);
    drop(far);
}

#[tokio::test]
async fn there_are_no_more_than_the_limit_and_handshakes_count() {
    let stage = Stage::with(Limits { websockets: Some(1), ..limits() }).await;
    let mut asking = stage.raw().await;
    asking.send(handshake("/wait", "")).await;
    stage.started(1).await;
    let refused = stage.raw().await.send(handshake("/tunnel", "")).await.response().await;
    assert_eq!((refused.status, stage.counters.refused(Refusal::TooManyWebSockets)), (503, 1));
    stage.script.release.send_replace(true);
    assert_eq!(asking.response().await.status, 200);
    let (mut viewer, far) = tunnel(&stage).await;
    assert_eq!(stage.status_of(handshake("/tunnel", "")).await, 503);
    assert_eq!(stage.status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    drop(far);
    assert!(viewer.is_closed().await);
    drop(viewer);
    until("the seat to be free", || count(&stage.counters.websockets_open) == 0).await;
    tunnel(&stage).await;
}

#[tokio::test]
async fn tunnels_go_on_while_the_node_drains_and_are_cut_at_the_limit() {
    let mut stage = Stage::start().await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    let mut idle = stage.raw().await;
    idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    stage.stop();
    assert!(idle.is_closed().await);
    viewer.send("still").await;
    assert_eq!(read(&mut far, 5).await, "still");
    viewer.finish().await;
    assert!(rest(&mut far).await.is_empty());
    drop(far);
    assert_eq!(stage.passage(1).await.ended, Ended::Viewer);
    assert_eq!(stage.drained().await, Drained { cut: 0 });

    let mut stage = Stage::with(Limits { drain: SHORT, ..limits() }).await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    stage.stop();
    assert!(viewer.is_closed().await && rest(&mut far).await.is_empty());
    assert_eq!(stage.passage(1).await.ended, Ended::Cut);
    assert_eq!(stage.drained().await, Drained { cut: 1 });
}

#[tokio::test]
async fn a_viewer_that_is_gone_when_the_101_is_written_leaves_nothing_behind() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    // More than is held before it is settled, so that nobody looks whether the viewer is still there.
    viewer.send(format!("{}{}", handshake("/wait-tunnel", ""), "x".repeat(64 * 1024))).await;
    stage.started(1).await;
    assert_eq!(stage.status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    viewer.break_off();
    stage.script.release.send_replace(true);
    stage.passage(1).await;
    assert!(rest(&mut stage.far_end()).await.is_empty());
    until("the seat to be free", || count(&stage.counters.websockets_open) == 0).await;
    until("the connection to be closed", || count(&stage.counters.open) == 0).await;
}

#[tokio::test]
async fn a_viewer_that_leaves_before_it_is_settled_is_noticed_though_it_sent_something() {
    let stage = Stage::start().await;
    let mut viewer = stage.raw().await;
    viewer.send(format!("{}early", handshake("/never", ""))).await;
    stage.started(1).await;
    viewer.finish().await;
    stage.dropped(1).await;
    until("the seat to be free", || count(&stage.counters.websockets_open) == 0).await;
}

#[tokio::test]
async fn the_times_of_a_connection_go_on_after_a_handshake_that_failed() {
    let stage = Stage::with(Limits { idle: SHORT, ..limits() }).await;
    let mut viewer = stage.raw().await;
    assert_eq!(viewer.send(handshake("/no", "")).await.response().await.status, 200);
    assert!(viewer.is_closed().await);
    let stage = Stage::with(Limits { head_timeout: SHORT, ..limits() }).await;
    let mut viewer = stage.raw().await;
    assert_eq!(viewer.send(handshake("/no", "")).await.response().await.status, 200);
    viewer.send("GET / HTTP/1.1\r\n").await;
    assert_eq!(viewer.response().await.status, 408);
}

#[tokio::test]
async fn what_the_origin_said_last_arrives_though_it_takes_nothing_any_more() {
    let stage = Stage::start().await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    far.write_all(b"bye").await.unwrap();
    drop(far);
    viewer.send(vec![b'x'; 8 * FAR_END]).await;
    assert_eq!(viewer.rest().await, b"bye");
    drop(viewer);
    let passage = stage.passage(1).await;
    assert_eq!((passage.ended, passage.sent), (Ended::Origin, 3));
}

#[tokio::test]
async fn a_viewer_that_closes_while_the_origin_sends_has_closed_and_not_failed() {
    let stage = Stage::start().await;
    let (mut viewer, mut far) = tunnel(&stage).await;
    viewer.finish().await;
    assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    viewer.break_off();
    while far.write_all(&[0; 1024]).await.is_ok() {}
    assert_eq!(stage.passage(1).await.ended, Ended::Viewer);
}

#[tokio::test]
async fn a_handshake_that_is_agreed_to_while_the_node_stops_is_turned_away() {
    let mut stage = Stage::start().await;
    let mut asking = stage.raw().await;
    asking.send(handshake("/wait-tunnel", "")).await;
    stage.started(1).await;
    stage.stop();
    // The listener is gone before connections are told.
    until("the drain", || std::net::TcpStream::connect(stage.address).is_err()).await;
    stage.script.release.send_replace(true);
    let answer = asking.response().await;
    assert_eq!((answer.status, answer.header("connection"), answer.header("upgrade")), (503, Some("close"), None));
    assert!(asking.is_closed().await);
    assert_eq!((stage.passage(1).await.ended, stage.counters.refused(Refusal::Stopping)), (Ended::Cut, 1));
    assert_eq!(stage.drained().await, Drained { cut: 0 });
}

#[tokio::test]
async fn none_begins_while_the_node_stops() {
    let mut stage = Stage::start().await;
    let mut busy = stage.raw().await;
    busy.send(format!("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n{}", handshake("/tunnel", ""))).await;
    stage.started(1).await;
    let mut idle = stage.raw().await;
    stage.stop();
    assert!(idle.is_closed().await);
    stage.script.release.send_replace(true);
    let answer = busy.response().await;
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("waited", Some("close")));
    assert!(busy.is_closed().await);
    assert_eq!(*stage.script.started.borrow(), 1);
    assert_eq!(stage.drained().await, Drained { cut: 0 });
}

/// A viewer that sends all the time must not keep the origin from being heard.
#[tokio::test]
async fn one_way_leaves_the_other_its_turn() {
    let stage = Stage::start().await;
    let (mut viewer, far) = tunnel(&stage).await;
    let (mut from, mut to) = tokio::io::split(far);
    let drain = tokio::spawn(async move { tokio::io::copy(&mut from, &mut tokio::io::sink()).await });
    to.write_all(b"heard").await.unwrap();
    let flood = viewer.send(vec![b'x'; 4 << 20]).await;
    assert_eq!(flood.exactly(5).await, b"heard");
    drop(viewer);
    drop(to);
    drain.await.unwrap().unwrap();
}
