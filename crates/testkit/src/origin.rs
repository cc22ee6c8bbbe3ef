//! A fake origin on a loopback port.

use crate::answer::{Answer, Part};
use bytes::Bytes;
use rustls::ServerConfig;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request that a fake origin received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Target, as it came.
    pub target: String,
    /// Header lines in their order, names as they came.
    pub headers: Vec<(String, String)>,
    /// Body without its framing.
    pub body: Bytes,
    /// Number of the connection, from 1.
    pub connection: usize,
}

impl Received {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }
}

type Script = dyn Fn(&Received) -> Answer + Send + Sync;

/// A fake origin. Stops when dropped.
pub struct Origin {
    address: SocketAddr,
    tls: bool,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
    connections: watch::Sender<usize>,
    count: watch::Sender<usize>,
}

impl Origin {
    /// Answers each request with what `script` makes of it.
    pub async fn new(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Box::new(script), None).await
    }

    /// The same over TLS.
    pub async fn tls(config: Arc<ServerConfig>, script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Box::new(script), Some(TlsAcceptor::from(config))).await
    }

    /// Gives these answers one after the other, and 500 when there are none left.
    pub async fn answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let left = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::new(move |_| {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| Answer::new(500, "the script of the fake origin has ended"))
        })
        .await
    }

    /// Fails the test (when it ends) if it gets a request.
    pub async fn must_not_be_called() -> Guarded {
        Guarded(Self::new(|_| Answer::new(500, "this origin must not be called")).await)
    }

    /// A loopback address where nobody listens.
    pub async fn nobody() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        listener.local_addr().expect("a bound address")
    }

    async fn start(script: Box<Script>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let state = Arc::new(State {
            script,
            received: Mutex::default(),
            connections: watch::Sender::new(0),
            count: watch::Sender::new(0),
        });
        let with_tls = tls.is_some();
        let task = tokio::spawn(accept(listener, tls, state.clone()));
        Self { address, tls: with_tls, state, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, or `https://localhost:port`.
    pub fn url(&self) -> String {
        if self.tls { format!("https://localhost:{}", self.address.port()) } else { format!("http://{}", self.address) }
    }

    /// Requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The only request so far.
    ///
    /// # Panics
    /// When there was none, or more than one.
    pub fn only_request(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "the origin got {} requests", received.len());
        received.remove(0)
    }

    /// Number of requests so far.
    pub fn calls(&self) -> usize {
        *self.state.count.borrow()
    }

    /// Number of connections so far.
    pub fn connections(&self) -> usize {
        *self.state.connections.borrow()
    }

    /// Waits until it has received `count` requests.
    pub async fn wait_for_calls(&self, count: usize) {
        let mut watch = self.state.count.subscribe();
        let _ = crate::soon("requests at the origin", watch.wait_for(|now| *now >= count)).await;
    }

    /// Waits until `count` connections were made to it.
    pub async fn wait_for_connections(&self, count: usize) {
        let mut watch = self.state.connections.subscribe();
        let _ = crate::soon("connections to the origin", watch.wait_for(|now| *now >= count)).await;
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// See [`Origin::must_not_be_called`].
pub struct Guarded(Origin);

impl std::ops::Deref for Guarded {
    type Target = Origin;

    fn deref(&self) -> &Origin {
        &self.0
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.0.calls(), 0, "an origin that must not be called was called: {:?}", self.0.received());
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    // Connections end with the origin.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        state.connections.send_modify(|count| *count += 1);
        let number = *state.connections.borrow();
        let (state, tls) = (state.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => serve(socket, number, &state).await,
                Some(acceptor) => match acceptor.accept(socket).await {
                    Ok(stream) => serve(stream, number, &state).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// Serves until the peer leaves or an answer ends the connection.
async fn serve<T: AsyncRead + AsyncWrite + Unpin>(mut io: T, connection: usize, state: &State) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let (head, _) = read_head(&mut io, &mut buffer).await?;
        let mut received = parse(&head, connection)?;
        if received.header("expect").is_some() {
            io.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
        }
        received.body = read_body(&mut io, &mut buffer, &received.headers).await?;
        let is_head = received.method == "HEAD";
        let answer = (state.script)(&received);
        state.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
        state.count.send_modify(|count| *count += 1);
        for part in answer.into_parts(is_head) {
            match part {
                Part::Bytes(bytes) => {
                    io.write_all(&bytes).await.ok()?;
                    io.flush().await.ok()?;
                }
                Part::Wait(wait) => {
                    let _ = wait.await;
                }
                Part::Never => until_closed(&mut io).await,
                Part::Echo => echo(&mut io, std::mem::take(&mut buffer)).await?,
                Part::Close => {
                    io.shutdown().await.ok()?;
                    return None;
                }
            }
        }
    }
}

async fn until_closed<T: AsyncRead + Unpin>(io: &mut T) {
    let mut scratch = [0u8; 1024];
    while matches!(io.read(&mut scratch).await, Ok(1..)) {}
}

async fn echo<T: AsyncRead + AsyncWrite + Unpin>(io: &mut T, mut bytes: Vec<u8>) -> Option<()> {
    bytes.reserve(64 * 1024);
    loop {
        io.write_all(&bytes).await.ok()?;
        io.flush().await.ok()?;
        bytes.clear();
        fill(io, &mut bytes).await?;
    }
}

/// Reads up to an empty line; gives the text before it. What came after stays in `buffer`.
pub(crate) async fn read_head<T: AsyncRead + Unpin>(io: &mut T, buffer: &mut Vec<u8>) -> Option<(String, usize)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            buffer.drain(..end + 4);
            return Some((head, end + 4));
        }
        fill(io, buffer).await?;
    }
}

/// Reads some; `None` at the end.
async fn fill<T: AsyncRead + Unpin>(io: &mut T, buffer: &mut Vec<u8>) -> Option<()> {
    match Pin::new(io).read_buf(buffer).await {
        Ok(1..) => Some(()),
        _ => None,
    }
}

fn parse(head: &str, connection: usize) -> Option<Received> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    Some(Received { method, target, headers: parse_headers(lines), body: Bytes::new(), connection })
}

pub(crate) fn parse_headers<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines.filter_map(|line| line.split_once(':')).map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect()
}

/// Reads a body that is framed by the headers; one without framing is empty. `None` when it ends early.
pub(crate) async fn read_body<T: AsyncRead + Unpin>(
    io: &mut T,
    buffer: &mut Vec<u8>,
    headers: &[(String, String)],
) -> Option<Bytes> {
    let header = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    if header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        let mut body = Vec::new();
        loop {
            let line = read_line(io, buffer).await?;
            let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                while !read_line(io, buffer).await?.is_empty() {}
                return Some(body.into());
            }
            body.extend_from_slice(&read_exact(io, buffer, size).await?);
            read_line(io, buffer).await?;
        }
    }
    let length = header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    read_exact(io, buffer, length).await.map(Bytes::from)
}

async fn read_line<T: AsyncRead + Unpin>(io: &mut T, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(2).position(|w| w == b"\r\n") {
            let line = String::from_utf8_lossy(&buffer[..end]).into_owned();
            buffer.drain(..end + 2);
            return Some(line);
        }
        fill(io, buffer).await?;
    }
}

async fn read_exact<T: AsyncRead + Unpin>(io: &mut T, buffer: &mut Vec<u8>, len: usize) -> Option<Vec<u8>> {
    while buffer.len() < len {
        fill(io, buffer).await?;
    }
    Some(buffer.drain(..len).collect())
}
