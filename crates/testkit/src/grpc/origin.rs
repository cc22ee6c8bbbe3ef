//! A server whose calls a test plays.

use super::{Half, Part, fields, half};
use crate::soon;
use bytes::Bytes;
use http::{HeaderMap, Response, request};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A server that speaks HTTP/2 alone. Each call waits for the test, which takes it with [`GrpcOrigin::call`]. Stops when dropped.
pub struct GrpcOrigin {
    address: SocketAddr,
    tls: bool,
    calls: Mutex<UnboundedReceiver<Call>>,
    connections: watch::Sender<usize>,
    goodbye: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// A call as the server sees it. Dropped before its head, its stream is reset; after that, it ends without trailers.
pub struct Call {
    /// Head of the request.
    pub head: request::Parts,
    /// Number of the connection, from 1.
    pub connection: usize,
    body: Incoming,
    answer: Option<oneshot::Sender<Response<Half>>>,
    parts: Option<UnboundedSender<Part>>,
}

impl GrpcOrigin {
    /// Without TLS, by prior knowledge. As many calls at a time as wanted.
    pub async fn plain() -> Self {
        Self::start(None, None).await
    }

    /// The same, with `most` calls over a connection at a time.
    pub async fn with_streams(most: u32) -> Self {
        Self::start(None, Some(most)).await
    }

    /// Over TLS; `config` should have `h2` in ALPN.
    pub async fn tls(config: Arc<ServerConfig>) -> Self {
        Self::start(Some(TlsAcceptor::from(config)), None).await
    }

    async fn start(tls: Option<TlsAcceptor>, streams: Option<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let (sender, calls) = unbounded_channel();
        let (connections, goodbye) = (watch::Sender::new(0), watch::Sender::new(false));
        let with_tls = tls.is_some();
        let accepting = Accepting { sender, connections: connections.clone(), goodbye: goodbye.subscribe(), streams };
        let task = tokio::spawn(accepting.run(listener, tls));
        Self { address, tls: with_tls, calls: Mutex::new(calls), connections, goodbye, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, or `https://localhost:port`.
    pub fn url(&self) -> String {
        if self.tls { format!("https://localhost:{}", self.address.port()) } else { format!("http://{}", self.address) }
    }

    /// The next call that arrives.
    ///
    /// # Panics
    /// When none does.
    pub async fn call(&self) -> Call {
        soon("a call at the origin", async { self.calls.lock().await.recv().await }).await.expect("it listens")
    }

    /// Whether a call waits to be taken.
    pub async fn is_called(&self) -> bool {
        !self.calls.lock().await.is_empty()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    /// Lets the connections end (GOAWAY) that are there; calls that have begun go on. New ones are taken as before.
    pub fn say_goodbye(&self) {
        self.goodbye.send_replace(true);
        self.goodbye.send_replace(false);
    }
}

impl Drop for GrpcOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Accepting {
    sender: UnboundedSender<Call>,
    connections: watch::Sender<usize>,
    goodbye: watch::Receiver<bool>,
    streams: Option<u32>,
}

impl Accepting {
    async fn run(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            self.connections.send_modify(|count| *count += 1);
            let number = *self.connections.borrow();
            let (one, tls) = (self.clone(), tls.clone());
            connections.spawn(async move {
                match tls {
                    None => one.serve(socket, number).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(socket).await {
                            one.serve(stream, number).await;
                        }
                    }
                }
            });
        }
    }

    async fn serve<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, io: T, connection: usize) {
        let sender = self.sender.clone();
        let service = service_fn(move |request| {
            let (head, body) = http::Request::into_parts(request);
            let (answer, answered) = oneshot::channel();
            let _nobody_plays = sender.send(Call { head, connection, body, answer: Some(answer), parts: None });
            // Without an answer the stream is reset.
            answered
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_concurrent_streams(self.streams);
        let mut serving = pin!(builder.serve_connection(TokioIo::new(io), service));
        self.goodbye.mark_unchanged();
        loop {
            tokio::select! {
                _ = serving.as_mut() => return,
                changed = self.goodbye.changed() => match changed {
                    Ok(()) => serving.as_mut().graceful_shutdown(),
                    Err(_) => return,
                },
            }
        }
    }
}

impl Call {
    /// The first value of a header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next part of the viewer's half; `None` at its end.
    ///
    /// # Errors
    /// When it was broken off.
    pub async fn read(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            match soon("a part of the viewer's half", self.body.frame()).await {
                None if self.is_whole() => return Ok(None),
                None => return Err("reset without an error".to_owned()),
                Some(Err(error)) => return Err(with_source(&error)),
                Some(Ok(frame)) => match frame.into_data() {
                    // The end may come in a frame of its own.
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    Err(_) => return Ok(None),
                },
            }
        }
    }

    fn is_whole(&self) -> bool {
        hyper::body::Body::is_end_stream(&self.body)
    }

    /// Reads until so many bytes of the viewer's half are there.
    ///
    /// # Panics
    /// When it ends before.
    pub async fn read_bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            bytes.extend(self.read().await.expect("a whole half").expect("more of it"));
        }
        bytes
    }

    /// Gives the head of an answer: status 200, and these fields besides the type.
    pub fn answer(&mut self, headers: &[(&str, &str)]) {
        let (parts, half) = half();
        self.head_with(half, headers);
        self.parts = Some(parts);
    }

    /// Sends a part.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let parts = self.parts.as_ref().expect("the head goes first");
        let _nobody_reads = parts.send(Ok(Frame::data(bytes.into())));
    }

    /// Ends the answer with trailers.
    pub fn finish(self, trailers: &[(&str, &str)]) {
        let parts = self.parts.as_ref().expect("the head goes first");
        let _nobody_reads = parts.send(Ok(Frame::trailers(fields(trailers))));
    }

    /// Answers with a head alone.
    pub fn only_trailers(mut self, headers: &[(&str, &str)]) {
        let (_, half) = half();
        self.head_with(half, headers);
    }

    /// Resets the stream in the middle of the answer.
    pub fn break_off(self) {
        let parts = self.parts.as_ref().expect("the head goes first");
        let _nobody_reads = parts.send(Err(std::io::Error::other("broken off")));
    }

    /// Waits until nobody takes the answer any more.
    pub async fn until_abandoned(&self) {
        let parts = self.parts.as_ref().expect("the head goes first");
        soon("the end of the stream", parts.closed()).await;
    }

    /// Waits until nobody waits for the head any more.
    pub async fn until_given_up(&mut self) {
        let answer = self.answer.as_mut().expect("no head yet");
        soon("the end of the stream", answer.closed()).await;
    }

    fn head_with(&mut self, half: Half, headers: &[(&str, &str)]) {
        let mut all: HeaderMap = fields(&[("content-type", "application/grpc")]);
        all.extend(fields(headers));
        let mut response = Response::new(half);
        *response.headers_mut() = all;
        let _nobody_waits = self.answer.take().expect("one head").send(response);
    }
}

pub(super) fn with_source(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
