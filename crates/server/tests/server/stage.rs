//! A server with a service that does what the path says.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use rimward_config::{Certificate, Limits, MutualTlsSites, Node, TlsListen};
use rimward_server::{Counters, Drained, Handle, Handshake, Refused, Server, Service};
use rimward_testkit::{PATIENCE, Raw, soon};
use rimward_types::{Body, BodyError, Connection, Interim, Passage, RequestHead, ResponseHead, Tunnel};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub struct Stage {
    pub address: SocketAddr,
    pub tls: Option<SocketAddr>,
    pub counters: Arc<Counters>,
    pub handle: Handle,
    pub script: Arc<Script>,
    stop: Option<oneshot::Sender<()>>,
    run: JoinHandle<Drained>,
}

/// `/wait` waits for `release`; `/stream` sends what is sent to it; `/early` leaves the body alone.
pub struct Script {
    pub release: watch::Sender<bool>,
    pub started: watch::Sender<usize>,
    /// Service futures that were dropped before they answered.
    pub dropped: watch::Sender<usize>,
    pub frames: Mutex<Option<mpsc::Receiver<Bytes>>>,
    pub connections: Mutex<Vec<Arc<Connection>>>,
    pub refusals: Mutex<Vec<String>>,
    /// What the service was told of handshakes; it lets in whom `admit` says.
    pub handshakes: Mutex<Vec<Handshake>>,
    pub admit: AtomicBool,
    /// Where the interim answers to `/hints` went.
    pub interim: Mutex<Interim>,
    /// The far ends of the tunnels of `/tunnel`, the last one last.
    pub tunnels: Mutex<Vec<DuplexStream>>,
    /// How tunnels ended.
    pub passages: watch::Sender<Vec<Passage>>,
}

/// Bytes that a tunnel's far end holds before it is read.
pub const FAR_END: usize = 1024;

impl Default for Script {
    fn default() -> Self {
        Self {
            release: watch::Sender::new(false),
            started: watch::Sender::new(0),
            dropped: watch::Sender::new(0),
            frames: Mutex::default(),
            connections: Mutex::default(),
            refusals: Mutex::default(),
            handshakes: Mutex::default(),
            admit: AtomicBool::new(true),
            interim: Mutex::default(),
            tunnels: Mutex::default(),
            passages: watch::Sender::new(Vec::new()),
        }
    }
}

/// Limits that no test meets unless it lowers them.
pub fn limits() -> Limits {
    Limits::default()
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(limits()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::on(Node { limits, ..node() }).await
    }

    pub async fn https(certificates: Vec<Certificate>) -> Self {
        let tls = TlsListen { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], certificates };
        Self::on(Node { tls: Some(tls), ..node() }).await
    }

    pub async fn on(node: Node) -> Self {
        Self::asking(node, &MutualTlsSites::none()).await
    }

    /// A server with distributions that ask for certificates.
    pub async fn asking(node: Node, sites: &MutualTlsSites) -> Self {
        let server = Server::bind(&node, sites).expect("free ports");
        let script = Arc::new(Script::default());
        let (stop, stopped) = oneshot::channel();
        let (address, tls) = (server.addresses()[0], server.tls_addresses().first().copied());
        let (counters, handle) = (server.counters(), server.handle());
        let service = script.clone();
        let run = tokio::spawn(async move {
            server
                .run(service, async {
                    let _ = stopped.await;
                })
                .await
        });
        Self { address, tls, counters, handle, script, stop: Some(stop), run }
    }

    pub fn stop(&mut self) {
        self.stop.take();
    }

    pub async fn drained(self) -> Drained {
        soon("the drain", self.run).await.expect("the server does not panic")
    }

    pub async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// Sends `bytes` and gives the status of the first answer.
    pub async fn status_of(&self, bytes: impl AsRef<[u8]>) -> u16 {
        self.raw().await.send(bytes).await.response().await.status
    }

    pub async fn started(&self, count: usize) {
        let mut started = self.script.started.subscribe();
        let _ = soon("a request in the service", started.wait_for(|now| *now >= count)).await;
    }

    pub async fn dropped(&self, count: usize) {
        let mut dropped = self.script.dropped.subscribe();
        let _ = soon("a dropped request", dropped.wait_for(|now| *now >= count)).await;
    }

    pub fn frames(&self) -> mpsc::Sender<Bytes> {
        let (sender, receiver) = mpsc::channel(1);
        *self.script.frames.lock().expect("not poisoned") = Some(receiver);
        sender
    }

    /// The far end of the tunnel that began last.
    pub fn far_end(&self) -> DuplexStream {
        self.script.tunnels.lock().expect("not poisoned").pop().expect("a tunnel")
    }

    /// How the `count`th tunnel to end ended.
    pub async fn passage(&self, count: usize) -> Passage {
        let mut passages = self.script.passages.subscribe();
        let all = soon("the end of a tunnel", passages.wait_for(|all| all.len() >= count)).await;
        all.expect("the script is there")[count - 1]
    }

    pub fn refusals(&self) -> Vec<String> {
        self.script.refusals.lock().expect("not poisoned").clone()
    }
}

pub fn node() -> Node {
    Node { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..Node::default() }
}

/// Waits until `value` says so; for counters, which nobody can await.
pub async fn until(what: &str, value: impl Fn() -> bool) {
    soon(what, async {
        while !value() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

struct Dropped<'a>(&'a Script, bool);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.send_modify(|count| *count += 1);
        }
    }
}

impl Service for Script {
    async fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        interim: Interim,
    ) -> (ResponseHead, Body) {
        {
            // Once each: whoever holds a connection works for it.
            let mut seen = self.connections.lock().expect("not poisoned");
            if !seen.last().is_some_and(|last| Arc::ptr_eq(last, &connection)) {
                seen.push(connection.clone());
            }
        }
        drop(connection);
        self.started.send_modify(|count| *count += 1);
        let mut guard = Dropped(self, false);
        let mut answer = ResponseHead::new(StatusCode::OK);
        let body: Body = match head.path.as_str() {
            "/wait" => {
                let _ = self.release.subscribe().wait_for(|go| *go).await;
                "waited".into()
            }
            "/hints" => {
                let mut hints = HeaderMap::new();
                hints.insert(header::LINK, HeaderValue::from_static("</a.css>"));
                interim.send(StatusCode::CONTINUE, &hints);
                interim.send(StatusCode::EARLY_HINTS, &hints);
                tokio::task::yield_now().await;
                interim.send(StatusCode::PROCESSING, &HeaderMap::new());
                *self.interim.lock().expect("not poisoned") = interim;
                "hinted".into()
            }
            "/never" => std::future::pending().await,
            "/panic" => panic!("as the test wants it"),
            "/panic-body" => Body::stream(Panics),
            "/stream" => Body::stream(Frames(self.frames.lock().expect("not poisoned").take().expect("frames"))),
            "/big" => Bytes::from(vec![b'x'; 8 << 20]).into(),
            "/early" => {
                answer.status = StatusCode::FORBIDDEN;
                drop(body);
                "early".into()
            }
            "/wrong-length" => {
                answer.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("99"));
                answer.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("gzip"));
                "short".into()
            }
            "/interim" => {
                answer.status = StatusCode::SWITCHING_PROTOCOLS;
                Body::Empty
            }
            "/tunnel" | "/wait-tunnel" => {
                if head.path == "/wait-tunnel" {
                    let _ = self.release.subscribe().wait_for(|go| *go).await;
                }
                answer.status = StatusCode::SWITCHING_PROTOCOLS;
                answer.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("9"));
                let (near, far) = tokio::io::duplex(FAR_END);
                self.tunnels.lock().expect("not poisoned").push(far);
                let passages = self.passages.clone();
                Body::Tunnel(Tunnel::new(Box::new(near)).telling(move |passage| {
                    passages.send_modify(|all| all.push(passage));
                }))
            }
            "/reason" => {
                answer.reason = Some("As You Like It".into());
                "".into()
            }
            _ => match body.collect(u64::MAX).await {
                Ok(body) => echo(&head, &body).into(),
                Err(error) => {
                    answer.status = StatusCode::BAD_REQUEST;
                    error.to_string().into()
                }
            },
        };
        answer.headers.insert(header::SERVER, HeaderValue::from_static("stage"));
        guard.1 = true;
        (answer, body)
    }

    async fn handshake(&self, handshake: Handshake) -> bool {
        self.handshakes.lock().expect("not poisoned").push(handshake);
        self.admit.load(Ordering::Relaxed)
    }

    fn refused(&self, _: &Connection, refused: &Refused<'_>) -> (ResponseHead, Body) {
        let line = String::from_utf8_lossy(refused.line);
        self.refusals.lock().expect("not poisoned").push(format!("{} {line}", refused.refusal.as_str()));
        refused.refusal.page()
    }
}

fn echo(head: &RequestHead, body: &[u8]) -> String {
    let mut text = format!("{} {} {:?} {:?}\n", head.method, head.path, head.query, head.version);
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(body));
    text
}

struct Panics;

impl http_body::Body for Panics {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        panic!("as the test wants it")
    }
}

struct Frames(mpsc::Receiver<Bytes>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A limit that a test waits for: short, so that the test is quick.
pub const SHORT: Duration = Duration::from_millis(60);

pub fn count(counter: &std::sync::atomic::AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

/// The time that a limit of [`SHORT`] may take on a busy machine.
pub const AT_MOST: Duration = PATIENCE;
