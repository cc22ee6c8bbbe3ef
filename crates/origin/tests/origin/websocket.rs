//! WebSocket with an origin (RFC 6455 section 4, `cdn-behaviour.md` section 21).

use crate::tls::https;
use crate::{SHORT, get, of, text};
use http::HeaderValue;
use rimward_config::Origin as Configured;
use rimward_origin::{ErrorKind, Fetched, OriginError, Origins};
use rimward_testkit::websocket::{ACCEPT, KEY, agreed};
use rimward_testkit::{Answer, Authority, Origin, soon};
use rimward_types::{Body, Duplex, Interim, RequestHead};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn open(
    origins: &Origins,
    origin: &Configured,
    headers: &[(&'static str, &str)],
) -> Result<Fetched, OriginError> {
    let mut head = RequestHead::get("/chat");
    for (name, value) in headers {
        head.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    soon("an answer", origins.open_websocket(origin, &|| head.clone(), &Interim::default())).await
}

const VIEWER: [(&str, &str); 5] = [
    ("sec-websocket-key", KEY),
    ("sec-websocket-version", "13"),
    ("sec-websocket-protocol", "chat"),
    ("connection", "keep-alive, x-hop, upgrade"),
    ("x-hop", "1"),
];

fn tunnel(fetched: Fetched) -> Box<dyn Duplex> {
    match fetched.body {
        Body::Tunnel(mut tunnel) => tunnel.take_origin().unwrap(),
        other => panic!("{:?} {other:?}", fetched.head),
    }
}

async fn exactly(stream: &mut Box<dyn Duplex>, len: usize) -> String {
    let mut bytes = vec![0; len];
    soon("bytes", stream.read_exact(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_handshake_has_the_fields_of_the_switch_and_what_comes_behind_101_is_not_lost() {
    let origin =
        Origin::new(|_| agreed("Sec-WebSocket-Protocol: chat\r\nContent-Length: 5\r\n").then("hello").then_echo())
            .await;
    let fetched = open(&Origins::new(), &of(&origin), &VIEWER).await.unwrap();
    assert_eq!(fetched.head.status, 101);
    let fields = ["sec-websocket-accept", "sec-websocket-protocol", "connection", "upgrade", "content-length"];
    assert_eq!(fields.map(|field| fetched.head.header(field)), [Some(ACCEPT), Some("chat"), None, None, None]);
    let request = origin.only_request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/chat"));
    let fields =
        ["connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "x-hop"];
    let expected = [Some("Upgrade"), Some("websocket"), Some(KEY), Some("13"), Some("chat"), None];
    assert_eq!(fields.map(|field| request.header(field)), expected);
    let mut stream = tunnel(fetched);
    assert_eq!(exactly(&mut stream, 5).await, "hello");
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(exactly(&mut stream, 4).await, "ping");
}

#[tokio::test]
async fn over_tls_too() {
    let authority = Authority::new();
    let origin = Origin::tls(authority.server(&["localhost"]), |_| agreed("").then_echo()).await;
    let configured = https(&origin, Some(&authority));
    let mut stream = tunnel(open(&Origins::new(), &configured, &VIEWER).await.unwrap());
    stream.write_all(b"ping").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(exactly(&mut stream, 4).await, "ping");
}

/// A 101 alone proves nothing: see `Proof` in `websocket.rs`.
#[tokio::test]
async fn a_101_that_does_not_prove_that_the_origin_knows_the_protocol_is_502() {
    let answer = |fields: &str| Answer::raw(format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n")).then_never();
    let good = [&format!("Sec-WebSocket-Accept: {ACCEPT}\r\n"), "Upgrade: websocket\r\n", "Connection: upgrade\r\n"];
    for fields in [
        String::new(),
        format!("{}{}", good[0], good[1]),
        format!("{}{}", good[0], good[2]),
        format!("{}{}", good[1], good[2]),
        format!("Sec-WebSocket-Accept: {KEY}\r\n{}{}", good[1], good[2]),
        format!("{}Upgrade: h2c\r\n{}", good[0], good[2]),
    ] {
        let script = fields.clone();
        let origin = Origin::new(move |_| answer(&script)).await;
        let error = open(&Origins::new(), &of(&origin), &VIEWER).await.unwrap_err();
        assert_eq!((error.kind, error.status().as_u16(), error.attempts), (ErrorKind::Protocol, 502, 1), "{fields:?}");
    }
    let origin = Origin::new(|_| agreed("").then_never()).await;
    let error = open(&Origins::new(), &of(&origin), &[]).await.unwrap_err();
    assert!(error.to_string().contains("without Sec-WebSocket-Key"), "{error}");
}

#[tokio::test]
async fn no_other_request_meets_the_connection_of_a_handshake() {
    let origin = Origin::new(|request| match request.header("upgrade") {
        Some(_) => Answer::new(426, "not here"),
        None => Answer::ok("page"),
    })
    .await;
    let (origins, configured) = (Origins::new(), of(&origin));
    assert_eq!(text(get(&origins, &configured, "/").await.unwrap()).await, "page");
    assert_eq!(origins.kept(), 1);
    let refused = open(&origins, &configured, &VIEWER).await.unwrap();
    assert_eq!((refused.head.status.as_u16(), refused.connection_reused), (426, false));
    assert_eq!(text(refused).await, "not here");
    assert_eq!(text(get(&origins, &configured, "/").await.unwrap()).await, "page");
    let connections: Vec<_> = origin.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 1]);
    assert_eq!(origins.kept(), 1);
}

#[tokio::test]
async fn a_tunnel_counts_among_the_origins_connections_until_its_end() {
    let origin = Origin::new(|request| match request.header("upgrade") {
        Some(_) => agreed("").then_echo(),
        None => Answer::ok("page"),
    })
    .await;
    let (origins, mut configured) = (Origins::new(), of(&origin));
    (configured.max_connections, configured.connect_timeout) = (1, SHORT);
    let stream = tunnel(open(&origins, &configured, &VIEWER).await.unwrap());
    assert_eq!(open(&origins, &configured, &VIEWER).await.unwrap_err().kind, ErrorKind::Saturated);
    assert_eq!(get(&origins, &configured, "/").await.unwrap_err().kind, ErrorKind::Saturated);
    drop(stream);
    assert_eq!(text(get(&origins, &configured, "/").await.unwrap()).await, "page");
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn the_demo_answers_a_handshake_like_any_request() {
    let demo = Configured::new("demo", rimward_config::OriginUrl::Demo);
    let answer = open(&Origins::new(), &demo, &VIEWER).await.unwrap();
    assert!(answer.head.status.as_u16() >= 200 && !matches!(answer.body, Body::Tunnel(_)));
}

#[tokio::test]
async fn a_head_in_time_is_all_that_the_times_of_an_answer_ask_for() {
    let origin = Origin::new(|_| agreed("").then_echo()).await;
    let mut configured = of(&origin);
    (configured.read_timeout, configured.completion_timeout) = (SHORT, Some(SHORT));
    let mut stream = tunnel(open(&Origins::new(), &configured, &VIEWER).await.unwrap());
    tokio::time::sleep(2 * SHORT).await;
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(exactly(&mut stream, 4).await, "ping");
    let silent = Origin::new(|_| Answer::never()).await;
    let mut configured = of(&silent);
    (configured.read_timeout, configured.attempts) = (SHORT, 1);
    let error = open(&Origins::new(), &configured, &VIEWER).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadTimeout);
}

#[tokio::test]
async fn tunnels_leave_half_of_the_connections_to_requests() {
    let origin = Origin::new(|request| match request.header("upgrade") {
        Some(_) => agreed("").then_echo(),
        None => Answer::ok("page"),
    })
    .await;
    let (origins, mut configured) = (Origins::new(), of(&origin));
    configured.max_connections = 4;
    let tunnels =
        [open(&origins, &configured, &VIEWER).await.unwrap(), open(&origins, &configured, &VIEWER).await.unwrap()];
    let refused = open(&origins, &configured, &VIEWER).await.unwrap_err();
    assert_eq!((refused.kind, refused.status().as_u16()), (ErrorKind::Saturated, 503));
    assert_eq!(text(get(&origins, &configured, "/").await.unwrap()).await, "page");
    drop(tunnels);
    open(&origins, &configured, &VIEWER).await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_was_sent_is_not_sent_again() {
    let silent = Origin::new(|_| Answer::never()).await;
    let mut configured = of(&silent);
    configured.read_timeout = SHORT;
    let error = open(&Origins::new(), &configured, &VIEWER).await.unwrap_err();
    assert_eq!((error.kind, silent.calls()), (ErrorKind::ReadTimeout, 1));
}
