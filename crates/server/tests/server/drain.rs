//! Stopping: what is in flight is finished, nothing new is taken, and it ends in time.

use crate::stage::{SHORT, Stage, limits};
use rimward_config::Limits;
use rimward_server::Drained;
use rimward_testkit::{Client, Raw};
use tokio::net::TcpStream;

#[tokio::test]
async fn requests_in_flight_are_finished_and_idle_connections_closed() {
    let mut stage = Stage::start().await;
    let mut fresh = stage.raw().await;
    let mut idle = stage.raw().await;
    idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.response().await;
    let mut busy = stage.raw().await;
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    stage.started(2).await;
    stage.stop();
    assert!(fresh.is_closed().await && idle.is_closed().await);
    assert!(TcpStream::connect(stage.address).await.is_err());
    stage.script.release.send_replace(true);
    let answer = busy.response().await;
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("waited", Some("close")));
    assert!(busy.is_closed().await);
    assert_eq!(stage.drained().await, Drained { cut: 0 });
}

#[tokio::test]
async fn http_2_streams_in_flight_are_finished() {
    let mut stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let waiting = client.send(client.request("GET", "/wait", ""));
    let script = stage.script.clone();
    let stop = async {
        stage.started(1).await;
        stage.stop();
        script.release.send_replace(true);
    };
    let (answer, ()) = tokio::join!(waiting, stop);
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(stage.drained().await, Drained { cut: 0 });
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_and_counted() {
    let mut stage = Stage::with(Limits { drain: SHORT, ..limits() }).await;
    let mut busy = stage.raw().await;
    busy.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut half = Raw::connect(stage.address).await;
    half.send("GET / HTTP/1.1\r\n").await;
    stage.started(1).await;
    stage.stop();
    assert!(busy.is_closed().await && half.is_closed().await);
    stage.dropped(1).await;
    assert_eq!(stage.drained().await, Drained { cut: 1 });
}
