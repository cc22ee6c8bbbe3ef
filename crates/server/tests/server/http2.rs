//! HTTP/2, mostly by prior knowledge.

use crate::stage::{SHORT, Stage, count, limits, until};
use bytes::Bytes;
use http::Version;
use http_body_util::BodyExt;
use rimward_config::Limits;
use rimward_testkit::{Client, Raw, soon};

#[tokio::test]
async fn a_request_reaches_the_service_with_a_host() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let answer = client.get("/a%20b?c=d").await;
    assert_eq!(answer.version(), Version::HTTP_2);
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(text.starts_with("GET /a%20b Some(\"c=d\") HTTP/2.0\n"), "{text}");
    assert!(text.contains(&format!("host: {}\n", stage.address)), "{text}");
}

/// RFC 9113 section 8.2.3.
#[tokio::test]
async fn cookies_in_several_fields_become_one() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let mut request = client.request("GET", "/", "");
    for cookie in ["a=1", "b=2", "c=3"] {
        request.headers_mut().append("cookie", cookie.parse().unwrap());
    }
    let answer = client.fetch(request).await.unwrap();
    assert!(String::from_utf8_lossy(answer.body()).contains("cookie: a=1; b=2; c=3\n"));
}

#[tokio::test]
async fn a_host_that_is_not_the_authority_is_refused() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let mut request = client.request("GET", "/", "");
    request.headers_mut().insert("host", "other".parse().unwrap());
    assert_eq!(client.fetch(request).await.unwrap().status(), 400);
    assert_eq!(stage.refusals(), ["host-mismatch "]);
    assert_eq!(client.get("/").await.status(), 200);
}

#[tokio::test]
async fn limits_hold() {
    let stage = Stage::with(Limits { headers: 20, ..limits() }).await;
    let client = Client::http2(stage.address).await;
    assert_eq!(client.get(&format!("/{}", "a".repeat(8192))).await.status(), 414);
    let mut request = client.request("GET", "/", "");
    for n in 0..21 {
        request.headers_mut().append("x", n.into());
    }
    assert_eq!(client.fetch(request).await.unwrap().status(), 431);
    let mut request = client.request("GET", "/", "");
    for n in 0..5 {
        request
            .headers_mut()
            .insert(http::HeaderName::try_from(format!("x-{n}")).unwrap(), "a".repeat(8000).parse().unwrap());
    }
    assert_eq!(client.fetch(request).await.unwrap().status(), 431);
    assert_eq!(client.fetch(client.request("TRACE", "/", "")).await.unwrap().status(), 405);
}

#[tokio::test]
async fn bodies_go_both_ways_and_streams_do_not_wait_for_each_other() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let waiting = client.send(client.request("GET", "/wait", ""));
    let others = async {
        stage.started(1).await;
        let body = vec![b'y'; 300_000];
        let answer = client.fetch(client.request("POST", "/", body.clone())).await.unwrap();
        assert!(answer.body().ends_with(&body));
        assert_eq!(client.get("/big").await.body().len(), 8 << 20);
        stage.script.release.send_replace(true);
    };
    let (waited, ()) = tokio::join!(waiting, others);
    assert_eq!(waited.unwrap().status(), 200);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_goes_on() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    assert_eq!(client.get("/panic").await.status(), 500);
    assert!(client.fetch(client.request("GET", "/panic-body", "")).await.is_err());
    assert_eq!(client.get("/a").await.status(), 200);
}

#[tokio::test]
async fn the_service_is_dropped_when_the_viewer_resets_the_stream() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    let request = client.send(client.request("GET", "/never", ""));
    tokio::select! {
        _ = request => panic!("it never answers"),
        () = stage.started(1) => {}
    }
    stage.dropped(1).await;
    assert_eq!(client.get("/a").await.status(), 200);
}

#[tokio::test]
async fn a_stream_whose_viewer_takes_nothing_ends_and_others_go_on() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let client = Client::http2(stage.address).await;
    // The client library opens a window and then waits for its reader: the stream stands, the socket does not.
    let answer = client.send(client.request("GET", "/big", "")).await.unwrap();
    until("the cut", || count(&stage.counters.stalled) == 1).await;
    assert!(soon("the end of the body", answer.into_body().collect()).await.is_err());
    assert_eq!(client.get("/a").await.status(), 200);
}

#[tokio::test]
async fn a_stream_that_waits_for_the_service_is_not_cut() {
    let stage = Stage::with(Limits { body_idle: SHORT, ..limits() }).await;
    let client = Client::http2(stage.address).await;
    let frames = stage.frames();
    let mut answer = client.send(client.request("GET", "/stream", "")).await.unwrap();
    let standing = client.send(client.request("GET", "/big", "")).await.unwrap();
    until("the cut of the other", || count(&stage.counters.stalled) == 1).await;
    drop(standing);
    frames.send(Bytes::from_static(b"late")).await.unwrap();
    let frame = soon("a frame", answer.frame()).await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "late");
}

#[tokio::test]
async fn an_idle_connection_is_told_and_closed() {
    let stage = Stage::with(Limits { idle: SHORT, head_timeout: SHORT, ..limits() }).await;
    let client = Client::http2(stage.address).await;
    assert_eq!(client.get("/a").await.status(), 200);
    until("the connection to go", || count(&stage.counters.open) == 0).await;
    assert_eq!(count(&stage.counters.idle), 1);
}

/// RFC 9113 section 8.2.1, RFC 9112 section 6.3: what HTTP/1 takes off or refuses must not come in here.
#[tokio::test]
async fn a_value_between_spaces_and_a_length_sent_twice_are_refused() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    for value in [" a", "a\t", " "] {
        let mut request = client.request("GET", "/", "");
        request.headers_mut().insert("x", value.parse().unwrap());
        assert_eq!(client.fetch(request).await.unwrap().status(), 400, "{value:?}");
    }
    let mut request = client.request("POST", "/", "ab");
    for _ in 0..2 {
        request.headers_mut().append("content-length", "2".parse().unwrap());
    }
    assert_eq!(client.fetch(request).await.unwrap().status(), 400);
    assert_eq!(stage.refusals(), ["header-space ", "header-space ", "header-space ", "length-repeated "]);
    let mut request = client.request("GET", "/", "");
    request.headers_mut().insert("x", "".parse().unwrap());
    request.headers_mut().insert("y", "a b".parse().unwrap());
    assert_eq!(client.fetch(request).await.unwrap().status(), 200);
}

/// Frames that ask for nothing do not keep a connection.
#[tokio::test]
async fn pings_do_not_keep_an_idle_connection() {
    let stage = Stage::with(Limits { idle: SHORT, head_timeout: SHORT, ..limits() }).await;
    let mut raw = Raw::connect(stage.address).await;
    raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut seen = Vec::new();
    // Each answer to a ping is the beat for the next, until the server has had enough.
    loop {
        let some = raw.some().await;
        if some.is_empty() {
            break;
        }
        seen.extend_from_slice(&some);
        raw.send(b"\0\0\x08\x06\0\0\0\0\0pingping").await;
    }
    assert!(seen.windows(5).any(|w| w == b"\x08\x07\0\0\0"), "no GOAWAY in {seen:?}");
}

/// CVE-2023-44487.
#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let stage = Stage::start().await;
    let mut raw = Raw::connect(stage.address).await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for n in 0..2000u32 {
        let stream = (n * 2 + 1).to_be_bytes();
        // :method GET, :scheme http, :path /never, :authority x
        let block = b"\x82\x86\x04\x06/never\x01\x01x";
        bytes.extend_from_slice(&[0, 0, block.len() as u8, 1, 5]);
        bytes.extend_from_slice(&stream);
        bytes.extend_from_slice(block);
        bytes.extend_from_slice(&[0, 0, 4, 3, 0]);
        bytes.extend_from_slice(&stream);
        bytes.extend_from_slice(&[0, 0, 0, 8]);
    }
    raw.send(bytes).await;
    raw.rest().await;
    assert!(*stage.script.started.borrow() < 2000);
    assert_eq!(Client::http2(stage.address).await.get("/a").await.status(), 200);
}

/// The same in rounds: each stream is in the service by the time that it is reset.
#[tokio::test]
async fn streams_that_are_reset_later_end_the_connection_too() {
    let stage = Stage::start().await;
    let mut raw = Raw::connect(stage.address).await;
    raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    for round in 0..11u32 {
        let streams: Vec<[u8; 4]> = (0..100).map(|n| ((round * 100 + n) * 2 + 1).to_be_bytes()).collect();
        let mut heads = Vec::new();
        let mut resets = Vec::new();
        for stream in &streams {
            let block = b"\x82\x86\x04\x06/never\x01\x01x";
            heads.extend_from_slice(&[0, 0, block.len() as u8, 1, 5]);
            heads.extend_from_slice(stream);
            heads.extend_from_slice(block);
            resets.extend_from_slice(&[0, 0, 4, 3, 0]);
            resets.extend_from_slice(stream);
            resets.extend_from_slice(&[0, 0, 0, 8]);
        }
        raw.send(heads).await;
        stage.started((round as usize + 1) * 100).await;
        raw.send(resets).await;
        // Those of the last round end the connection, and the rest with it.
        stage.dropped((round as usize + 1) * 100).await;
    }
    let rest = raw.rest().await;
    // RFC 9113 section 7: ENHANCE_YOUR_CALM.
    assert!(rest.ends_with(b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0b"), "{rest:?}");
    until("the connection to go", || count(&stage.counters.open) == 0).await;
    assert_eq!(count(&stage.counters.flooded), 1);
}

#[tokio::test]
async fn answers_that_are_taken_whole_are_no_resets() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    for _ in 0..300 {
        assert_eq!(client.get("/a").await.status(), 200);
    }
    assert_eq!(count(&stage.counters.flooded), 0);
}

/// Work that outlives its viewer counts against the connection, as the work of streams does.
#[tokio::test]
async fn a_connection_has_a_bound_on_what_is_worked_on() {
    let stage = Stage::start().await;
    let client = Client::http2(stage.address).await;
    assert_eq!(client.get("/a").await.status(), 200);
    let connection = stage.script.connections.lock().unwrap()[0].clone();
    let work = vec![connection; 1024];
    assert_eq!(client.get("/b").await.status(), 503);
    assert_eq!(stage.refusals(), ["too-much-work "]);
    drop(work);
    assert_eq!(client.get("/c").await.status(), 200);
    assert_eq!(count(&stage.counters.flooded), 0, "a refusal is no flood: the viewer reset nothing");
}
