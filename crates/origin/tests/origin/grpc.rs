//! gRPC calls to origins (`cdn-behaviour.md` section 21), over real sockets.

use crate::SHORT;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use rimward_config::{Origin as Configured, OriginUrl};
use rimward_origin::{ErrorKind, Fetched, OriginError, Origins};
use rimward_testkit::frames::{END_STREAM, code, kind};
use rimward_testkit::{Answer, Authority, Frames, GrpcOrigin, Origin, soon};
use rimward_types::{Body, BodyError, RequestHead};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// What nobody waits for in a test.
const LONG: Duration = Duration::from_secs(600);

fn h2c(address: SocketAddr) -> Configured {
    let url = OriginUrl::Http { tls: false, host: address.ip().to_string(), port: address.port(), path: String::new() };
    Configured { h2c: true, ..Configured::new("app", url) }
}

fn over_tls(address: SocketAddr, authority: &Authority) -> Configured {
    let url = OriginUrl::Http { tls: true, host: "localhost".to_owned(), port: address.port(), path: String::new() };
    Configured { ca: Some(authority.file()), ..Configured::new("app", url) }
}

fn head() -> RequestHead {
    let mut head = RequestHead { method: http::Method::POST, ..RequestHead::get("/test.Chat/Talk") };
    for (name, value) in [("content-type", "application/grpc"), ("grpc-timeout", "10S"), ("te", "trailers")] {
        head.headers.insert(name, value.parse().unwrap());
    }
    head
}

/// A viewer's half that a test sends part by part.
struct Half(UnboundedReceiver<Result<Bytes, BodyError>>);

impl http_body::Body for Half {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

fn half() -> (UnboundedSender<Result<Bytes, BodyError>>, Body) {
    let (sender, receiver) = unbounded_channel();
    (sender, Body::stream(Half(receiver)))
}

async fn call(origins: &Origins, origin: &Configured, body: Body) -> Result<Fetched, OriginError> {
    soon("an answer or an error", origins.call(origin, head(), body, LONG)).await
}

/// The same in a task, for a test that plays the origin meanwhile.
fn calling(origins: &Origins, origin: &Configured, body: Body) -> JoinHandle<Result<Fetched, OriginError>> {
    let (origins, origin) = (origins.clone(), origin.clone());
    tokio::spawn(async move { call(&origins, &origin, body).await })
}

/// What is left of an answer, and its trailers.
async fn rest(body: Body) -> (Vec<u8>, Option<HeaderMap>) {
    let collected = soon("the end of an answer", BodyExt::collect(body)).await.expect("a whole answer");
    let trailers = collected.trailers().cloned();
    (collected.to_bytes().to_vec(), trailers)
}

async fn next(body: &mut Body) -> Result<Bytes, BodyError> {
    let frame = soon("a part of an answer", body.frame()).await.expect("more");
    frame.map(|frame| frame.into_data().expect("data"))
}

#[tokio::test]
async fn a_unary_call_goes_there_and_back_with_its_trailers() {
    let authority = Authority::new();
    for tls in [false, true] {
        let origin = match tls {
            true => GrpcOrigin::tls(authority.server_speaking(&["localhost"], &["h2"])).await,
            false => GrpcOrigin::plain().await,
        };
        let configured = if tls { over_tls(origin.address(), &authority) } else { h2c(origin.address()) };
        let origins = Origins::new();
        let asked = calling(&origins, &configured, Body::Full("ping".into()));
        let mut call = origin.call().await;
        assert_eq!((call.head.method.as_str(), call.head.uri.path()), ("POST", "/test.Chat/Talk"));
        assert_eq!(call.head.uri.scheme_str(), Some(if tls { "https" } else { "http" }));
        assert_eq!(call.head.uri.authority().unwrap().as_str(), configured.host());
        assert_eq!((call.header("te"), call.header("grpc-timeout")), (Some("trailers"), Some("10S")));
        assert_eq!(call.header("host"), None);
        assert_eq!(call.read_bytes(4).await, b"ping");
        assert_eq!(call.read().await, Ok(None));
        call.answer(&[("x-own", "1")]);
        call.send("pong");
        call.finish(&[("grpc-status", "0"), ("x-behind", "2")]);
        let fetched = asked.await.unwrap().unwrap();
        assert_eq!((fetched.head.status, fetched.head.header("x-own")), (StatusCode::OK, Some("1")));
        let (body, trailers) = rest(fetched.body).await;
        assert_eq!(body, b"pong");
        let trailers = trailers.unwrap();
        assert_eq!((&trailers["grpc-status"], &trailers["x-behind"]), (&"0".parse().unwrap(), &"2".parse().unwrap()));
        assert_eq!(origins.kept(), 1, "the connection waits for the next call");
    }
}

#[tokio::test]
async fn an_answer_of_trailers_alone_is_a_head() {
    let origin = GrpcOrigin::plain().await;
    let asked = calling(&Origins::new(), &h2c(origin.address()), Body::Full("ping".into()));
    origin.call().await.only_trailers(&[("grpc-status", "12"), ("grpc-message", "no such method")]);
    let fetched = asked.await.unwrap().unwrap();
    assert_eq!(fetched.head.header("grpc-status"), Some("12"));
    assert!(matches!(fetched.body, Body::Empty));
}

/// It would hang if the head waited for the end of the viewer's half, or a part for the next one.
#[tokio::test]
async fn both_halves_go_on_at_once_part_by_part() {
    let origin = GrpcOrigin::plain().await;
    let (viewer, body) = half();
    let asked = calling(&Origins::new(), &h2c(origin.address()), body);
    let mut call = origin.call().await;
    call.answer(&[]);
    let mut answer = asked.await.unwrap().unwrap().body;
    for turn in ["one", "two", "three"] {
        viewer.send(Ok(Bytes::from(turn))).unwrap();
        assert_eq!(call.read_bytes(turn.len()).await, turn.as_bytes());
        call.send(turn.to_uppercase());
        assert_eq!(next(&mut answer).await.unwrap(), turn.to_uppercase());
    }
    drop(viewer);
    assert_eq!(call.read().await, Ok(None));
    call.finish(&[("grpc-status", "0")]);
    let (left, trailers) = rest(answer).await;
    assert_eq!((left.len(), &trailers.unwrap()["grpc-status"]), (0, &"0".parse().unwrap()));
}

#[tokio::test]
async fn an_answer_that_comes_before_the_viewer_has_ended_ends_its_half() {
    let origin = GrpcOrigin::plain().await;
    let (viewer, body) = half();
    let asked = calling(&Origins::new(), &h2c(origin.address()), body);
    let mut call = origin.call().await;
    call.answer(&[]);
    call.finish(&[("grpc-status", "9")]);
    let (_, trailers) = rest(asked.await.unwrap().unwrap().body).await;
    assert_eq!(trailers.unwrap()["grpc-status"], "9");
    soon("the end of the viewer's half", viewer.closed()).await;
}

/// A viewer's half that is there at once, and counts what is taken of it.
struct Much {
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl http_body::Body for Much {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let part = self.left.min(16 * 1024);
        self.left -= part;
        self.taken.fetch_add(part, Ordering::Relaxed);
        Poll::Ready((part > 0).then(|| Ok(Frame::data(Bytes::from(vec![0; part])))))
    }
}

#[tokio::test]
async fn an_origin_that_reads_nothing_holds_the_viewers_half_back() {
    const ALL: usize = 32 << 20;
    let origin = GrpcOrigin::plain().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let body = Body::stream(Much { left: ALL, taken: taken.clone() });
    let asked = calling(&Origins::new(), &h2c(origin.address()), body);
    let mut call = origin.call().await;
    call.answer(&[]);
    let answer = asked.await.unwrap().unwrap().body;
    // The origin's window and our buffer; it would be all of it, had nothing held it back.
    let before = taken.load(Ordering::Relaxed);
    assert!(before < ALL / 8, "{before} bytes were taken");
    assert_eq!(call.read_bytes(ALL).await.len(), ALL);
    call.finish(&[]);
    rest(answer).await;
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_does_not_hold_up_other_calls_of_the_connection() {
    let origin = GrpcOrigin::plain().await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    let mut stuck = Vec::new();
    for _ in 0..30 {
        let asked = calling(&origins, &configured, Body::Full("x".into()));
        let mut call = origin.call().await;
        call.answer(&[]);
        // More than a stream's window each; together far more than one stream's, or a default connection's.
        call.send(vec![0; 1 << 20]);
        stuck.push((asked.await.unwrap().unwrap(), call));
    }
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let mut call = origin.call().await;
    call.answer(&[]);
    call.send("through");
    assert_eq!(next(&mut asked.await.unwrap().unwrap().body).await.unwrap(), "through");
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_viewer_that_leaves_resets_the_origins_stream() {
    let origin = GrpcOrigin::plain().await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    // Before the head.
    let (_viewer, body) = half();
    let asked = calling(&origins, &configured, body);
    let mut call = origin.call().await;
    asked.abort();
    call.until_given_up().await;
    assert!(call.read().await.is_err());
    // In the middle of the answer, with the viewer's half still open.
    let (_viewer, body) = half();
    let asked = calling(&origins, &configured, body);
    let mut call = origin.call().await;
    call.answer(&[]);
    drop(asked.await.unwrap().unwrap());
    call.until_abandoned().await;
    let error = call.read().await.unwrap_err();
    assert!(error.contains("stream"), "{error}");
    // And after its end.
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let mut call = origin.call().await;
    call.answer(&[]);
    drop(asked.await.unwrap().unwrap());
    call.until_abandoned().await;
    assert_eq!(origin.connections(), 1, "the others go on");
}

#[tokio::test]
async fn half_a_viewers_half_never_looks_whole_to_the_origin() {
    let origin = GrpcOrigin::plain().await;
    let (viewer, body) = half();
    let asked = calling(&Origins::new(), &h2c(origin.address()), body);
    let mut call = origin.call().await;
    viewer.send(Ok(Bytes::from_static(b"half"))).unwrap();
    assert_eq!(call.read_bytes(4).await, b"half");
    viewer.send(Err(BodyError::Viewer("it left".to_owned()))).unwrap();
    assert!(call.read().await.is_err());
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::RequestBody, 400));
}

/// An origin of frames: takes a connection, and gives the first stream that a call opens.
async fn frames(listener: &TcpListener) -> (Frames, u32) {
    let mut frames = Frames::accept(listener).await;
    let stream = frames.next_of(kind::HEADERS).await.stream;
    (frames, stream)
}

async fn listen() -> (TcpListener, Configured) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let configured = h2c(listener.local_addr().unwrap());
    (listener, configured)
}

const HEAD: [(&str, &str); 2] = [(":status", "200"), ("content-type", "application/grpc")];

#[tokio::test]
async fn an_origin_that_resets_a_stream_is_told_with_its_code() {
    let (listener, configured) = listen().await;
    let origins = Origins::new();
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let (mut peer, stream) = frames(&listener).await;
    peer.send_headers(0, stream, &HEAD).await;
    let mut answer = asked.await.unwrap().unwrap().body;
    peer.reset(stream, code::ENHANCE_YOUR_CALM).await;
    let error = next(&mut answer).await.unwrap_err();
    let BodyError::Reset { side: "origin", source } = &error else { panic!("{error}") };
    // What the HTTP/2 layer of the viewer's side looks for.
    let layer = source.source().unwrap().to_string();
    assert!(layer.starts_with("stream error received"), "{layer}");
    // RFC 9113 section 8.1: without an error it is for what came whole, which this did not.
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let stream = peer.next_of(kind::HEADERS).await.stream;
    peer.send_headers(0, stream, &HEAD).await;
    let mut answer = asked.await.unwrap().unwrap().body;
    peer.reset(stream, code::NO_ERROR).await;
    assert!(matches!(next(&mut answer).await, Err(BodyError::Origin(_))));
    // Before the head there is no answer.
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let stream = peer.next_of(kind::HEADERS).await.stream;
    peer.reset(stream, code::CANCEL).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Closed, 1), "{error}");
}

/// RFC 9113 section 8.7: such a request was not looked at, so it goes again with what was sent of it.
#[tokio::test]
async fn a_refused_stream_is_asked_for_again_with_all_that_was_sent() {
    let (listener, configured) = listen().await;
    let (viewer, body) = half();
    let origins = Origins::new();
    let asked = calling(&origins, &configured, body);
    let (mut peer, first) = frames(&listener).await;
    viewer.send(Ok(Bytes::from_static(b"ping"))).unwrap();
    assert_eq!(peer.next_of(kind::DATA).await.payload, b"ping");
    peer.reset(first, code::REFUSED_STREAM).await;
    let second = peer.next_of(kind::HEADERS).await.stream;
    let again = peer.next_of(kind::DATA).await;
    assert_eq!((again.stream, again.payload.as_slice()), (second, &b"ping"[..]));
    peer.send_headers(END_STREAM, second, &HEAD).await;
    assert_eq!(asked.await.unwrap().unwrap().attempts, 1, "that it was refused says nothing of the origin");
    assert_eq!(origins.counters().retried.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_refused_again_and_again_or_too_large_to_keep_is_502() {
    let (listener, configured) = listen().await;
    let asked = calling(&Origins::new(), &configured, Body::Full("x".into()));
    let (mut peer, mut stream) = frames(&listener).await;
    for _ in 0..3 {
        peer.reset(stream, code::REFUSED_STREAM).await;
        stream = peer.next_of(kind::HEADERS).await.stream;
    }
    peer.reset(stream, code::REFUSED_STREAM).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::Closed, 502), "{error}");

    let (listener, configured) = listen().await;
    let (viewer, body) = half();
    let asked = calling(&Origins::new(), &configured, body);
    let (mut peer, stream) = frames(&listener).await;
    viewer.send(Ok(Bytes::from(vec![0; (64 << 10) + 1]))).unwrap();
    peer.next_of(kind::DATA).await;
    peer.reset(stream, code::REFUSED_STREAM).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.attempts), (ErrorKind::Closed, 1), "{error}");
}

/// RFC 9113 section 6.8: streams above the last one of GOAWAY were not looked at; those below go on.
#[tokio::test]
async fn goaway_sends_calls_that_were_not_looked_at_to_another_connection_and_lets_the_others_end() {
    let (listener, configured) = listen().await;
    let origins = Origins::new();
    let first = calling(&origins, &configured, Body::Full("one".into()));
    let (mut old, one) = frames(&listener).await;
    let second = calling(&origins, &configured, Body::Full("two".into()));
    let two = old.next_of(kind::HEADERS).await.stream;
    assert!(two > one);
    old.go_away(one, code::NO_ERROR).await;
    let (mut new, again) = frames(&listener).await;
    assert_eq!(new.next_of(kind::DATA).await.payload, b"two");
    new.send_headers(END_STREAM, again, &HEAD).await;
    assert!(!second.await.unwrap().unwrap().connection_reused);
    old.send_headers(END_STREAM, one, &HEAD).await;
    first.await.unwrap().unwrap();
    // Nothing goes to the old one any more.
    let third = calling(&origins, &configured, Body::Full("three".into()));
    let three = new.next_of(kind::HEADERS).await.stream;
    new.send_headers(END_STREAM, three, &HEAD).await;
    assert!(third.await.unwrap().unwrap().connection_reused);
}

#[tokio::test]
async fn a_goodbye_between_calls_costs_no_call() {
    let origin = GrpcOrigin::plain().await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    for _ in 0..10 {
        let asked = calling(&origins, &configured, Body::Full("x".into()));
        // On which connection is a matter of luck: the old one takes it until the goodbye has arrived.
        origin.call().await.only_trailers(&[("grpc-status", "0")]);
        asked.await.unwrap().unwrap();
        origin.say_goodbye();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_ends_its_calls_and_no_other() {
    let (listener, configured) = listen().await;
    let origins = Origins::new();
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let (mut peer, stream) = frames(&listener).await;
    peer.send_headers(0, stream, &HEAD).await;
    let mut answer = asked.await.unwrap().unwrap().body;
    drop(peer);
    assert!(matches!(next(&mut answer).await, Err(BodyError::Origin(_))));
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let (mut peer, stream) = frames(&listener).await;
    peer.send_headers(END_STREAM, stream, &HEAD).await;
    asked.await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_share_connections_up_to_what_the_origin_allows() {
    let origin = GrpcOrigin::with_streams(2).await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    let first = calling(&origins, &configured, Body::Full("x".into()));
    // The settings of the origin come with its first answer, at the latest.
    let mut held = vec![origin.call().await];
    held[0].answer(&[]);
    let mut answers = vec![first.await.unwrap().unwrap()];
    for expected in [1, 2, 2, 3] {
        let asked = calling(&origins, &configured, Body::Full("x".into()));
        let mut call = origin.call().await;
        assert_eq!(call.connection, expected);
        call.answer(&[]);
        held.push(call);
        answers.push(asked.await.unwrap().unwrap());
    }
    // A place that becomes free is taken again.
    drop((answers.remove(0), held.remove(0)));
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let call = origin.call().await;
    assert!([1, 3].contains(&call.connection));
    call.only_trailers(&[]);
    asked.await.unwrap().unwrap();
}

#[tokio::test]
async fn at_the_limit_of_connections_calls_wait_for_a_place_and_then_get_503() {
    let origin = GrpcOrigin::with_streams(1).await;
    let (origins, mut configured) = (Origins::new(), h2c(origin.address()));
    configured.max_connections = 1;
    let first = calling(&origins, &configured, Body::Full("x".into()));
    let mut call = origin.call().await;
    call.answer(&[]);
    let answer = first.await.unwrap().unwrap();
    let waiting = calling(&origins, &configured, Body::Full("x".into()));
    call.finish(&[("grpc-status", "0")]);
    rest(answer.body).await;
    let mut call = origin.call().await;
    assert_eq!((call.connection, origin.connections()), (1, 1));
    call.answer(&[]);
    let _held = waiting.await.unwrap().unwrap();
    configured.connect_timeout = SHORT;
    let error = self::call(&origins, &configured, Body::Full("x".into())).await.unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::Saturated, 503), "{error}");
}

#[tokio::test]
async fn many_calls_at_once_make_one_connection() {
    let origin = GrpcOrigin::plain().await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    let asked: Vec<_> = (0..50).map(|_| calling(&origins, &configured, Body::Full("x".into()))).collect();
    for _ in 0..50 {
        origin.call().await.only_trailers(&[("grpc-status", "0")]);
    }
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn an_origin_that_is_away_fails_all_who_wait_and_is_tried_as_often_as_allowed() {
    let mut configured = h2c(Origin::nobody().await);
    configured.attempts = 2;
    let origins = Origins::new();
    let asked: Vec<_> = (0..20).map(|_| calling(&origins, &configured, Body::Full("x".into()))).collect();
    for asked in asked {
        let error = asked.await.unwrap().unwrap_err();
        assert_eq!((error.kind, error.attempts, error.status().as_u16()), (ErrorKind::Connect, 2, 502), "{error}");
    }
}

#[tokio::test]
async fn an_origin_that_speaks_http_1_alone_is_named_as_such() {
    // Over TLS without ALPN, and with another protocol.
    let authority = Authority::new();
    for alpn in [&[][..], &["http/1.1"]] {
        let origin = Origin::tls(authority.server_speaking(&["localhost"], alpn), |_| Answer::ok("x")).await;
        let error = call(&Origins::new(), &over_tls(origin.address(), &authority), Body::Empty).await.unwrap_err();
        assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::NotHttp2, 502), "{alpn:?} {error}");
        assert_eq!(origin.calls(), 0);
    }
    // Without TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let configured = h2c(listener.local_addr().unwrap());
    let plain = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut preface = [0; 24];
        socket.read_exact(&mut preface).await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await.unwrap();
        while matches!(socket.read(&mut preface).await, Ok(1..)) {}
    };
    let origins = Origins::new();
    let (called, ()) = tokio::join!(call(&origins, &configured, Body::Full("x".into())), plain);
    let error = called.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotHttp2, "{error}");
}

#[tokio::test]
async fn a_plain_origin_without_h2c_a_bucket_and_the_demo_are_not_asked() {
    let origin = Origin::must_not_be_called().await;
    let mut plain = h2c(origin.address());
    plain.h2c = false;
    for origin in [plain, Configured::new("demo", OriginUrl::Demo)] {
        let error = call(&Origins::new(), &origin, Body::Empty).await.unwrap_err();
        assert_eq!((error.kind, error.attempts), (ErrorKind::NotHttp2, 0));
    }
}

#[tokio::test]
async fn a_certificate_is_judged_as_for_any_request() {
    let authority = Authority::new();
    let origin = GrpcOrigin::tls(authority.server_speaking(&["localhost"], &["h2"])).await;
    let stranger = over_tls(origin.address(), &Authority::new());
    assert_eq!(call(&Origins::new(), &stranger, Body::Empty).await.unwrap_err().kind, ErrorKind::Tls);
}

#[tokio::test]
async fn an_origin_that_is_to_move_has_its_read_timeout_and_a_viewer_that_is_to_move_does_not_spend_it() {
    let origin = GrpcOrigin::plain().await;
    let (origins, mut configured) = (Origins::new(), h2c(origin.address()));
    configured.read_timeout = SHORT;
    // The viewer has said all: no head comes.
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let mut call = origin.call().await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::ReadTimeout, 504), "{error}");
    call.until_given_up().await;
    // A head, and then nothing.
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let mut call = origin.call().await;
    call.answer(&[]);
    let mut answer = asked.await.unwrap().unwrap().body;
    assert!(matches!(next(&mut answer).await, Err(BodyError::TimedOut)));
    call.until_abandoned().await;
    // The viewer's half is open: it may think for as long as it wants.
    let (viewer, body) = half();
    let asked = calling(&origins, &configured, body);
    let mut call = origin.call().await;
    tokio::time::sleep(3 * SHORT).await;
    assert!(!asked.is_finished());
    call.answer(&[]);
    let mut answer = asked.await.unwrap().unwrap().body;
    assert!(tokio::time::timeout(3 * SHORT, answer.frame()).await.is_err());
    // Until it ends its half.
    drop(viewer);
    assert!(matches!(next(&mut answer).await, Err(BodyError::TimedOut)));
}

#[tokio::test]
async fn neither_side_may_be_silent_for_ever() {
    let origin = GrpcOrigin::plain().await;
    let (origins, configured) = (Origins::new(), h2c(origin.address()));
    let (_viewer, body) = half();
    let called = {
        let (origins, configured) = (origins.clone(), Configured { read_timeout: SHORT, ..configured.clone() });
        tokio::spawn(async move { origins.call(&configured, head(), body, 2 * SHORT).await })
    };
    let mut call = origin.call().await;
    call.answer(&[]);
    let mut answer = soon("a head", called).await.unwrap().unwrap().body;
    assert!(matches!(next(&mut answer).await, Err(BodyError::TimedOut)));
    call.until_abandoned().await;
}

#[tokio::test]
async fn the_whole_call_has_the_completion_timeout() {
    let origin = GrpcOrigin::plain().await;
    let (origins, mut configured) = (Origins::new(), h2c(origin.address()));
    configured.completion_timeout = Some(SHORT);
    let (_viewer, body) = half();
    let asked = calling(&origins, &configured, body);
    let _call = origin.call().await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::CompletionTimeout, "{error}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_keepalive() {
    let (listener, mut configured) = listen().await;
    configured.keepalive = SHORT;
    let origins = Origins::new();
    let asked = calling(&origins, &configured, Body::Full("x".into()));
    let (mut peer, stream) = frames(&listener).await;
    peer.send_headers(END_STREAM, stream, &HEAD).await;
    asked.await.unwrap().unwrap();
    // The rest of the viewer's half, then the end of the connection.
    soon("the end of the connection", async { while peer.next().await.is_some() {} }).await;
    assert_eq!(origins.kept(), 0);
}

#[tokio::test]
async fn a_head_with_too_many_lines_is_502() {
    let (listener, configured) = listen().await;
    let asked = calling(&Origins::new(), &configured, Body::Full("x".into()));
    let (mut peer, stream) = frames(&listener).await;
    let names: Vec<String> = (0..100).map(|i| format!("x-{i}")).collect();
    let mut fields = HEAD.to_vec();
    fields.extend(names.iter().map(|name| (name.as_str(), "1")));
    peer.send_headers(0, stream, &fields).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.status().as_u16()), (ErrorKind::HeadTooLarge, 502), "{error}");
}
