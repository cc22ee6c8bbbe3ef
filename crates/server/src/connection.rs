//! One connection: TLS, the choice of protocol, the requests, the end.

use crate::Shared;
use crate::answer::{Session, answer};
use crate::counters::{Counters, add};
use crate::fingerprint;
use crate::flow::Flow;
use crate::gate::{Gate, Protocol};
use crate::handshake::{Attempt, Handshake, HandshakeFailure};
use crate::overheard::Overheard;
use crate::service::Service;
use crate::stall::Streams;
use crate::switch::Switched;
use crate::tls::Asked;
use crate::tunnel;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use rimward_config::Limits;
use rimward_types::connection::{Mutual, Tls};
use rimward_types::{Connection, Ended, Passage};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// HTTP/2 streams of a connection at a time (RFC 9113 section 6.5.2 advises 100 or more).
pub(crate) const STREAMS: u32 = 128;
/// Streams that a viewer may reset before we took them, and that we may have reset for its mistakes; past them the
/// connection ends (CVE-2023-44487 and its kin).
const PENDING_RESETS: usize = 20;
const LOCAL_RESETS: usize = 128;
/// Header lines that the HTTP/1 parser reads without heap.
const HEADERS_ON_STACK: usize = 100;
/// The largest buffer of the HTTP/1 parser besides the head: what a body arrives in.
const READ_BUFFER: usize = 64 * 1024;

/// What telling a viewer may take that its connection is denied.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a connection needs from its server.
pub(crate) struct Arrival<S> {
    pub(crate) service: Arc<S>,
    pub(crate) flow: Arc<Flow>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

/// Serves a connection to its end. `tls`: whether it is one for HTTPS.
pub(crate) async fn serve<S: Service>(socket: TcpStream, tls: bool, arrival: Arrival<S>) {
    let flow = arrival.flow.clone();
    // However the connection ends: what was agreed to and never begun holds the flow, and the flow holds it.
    let _settled = Settled(flow.clone());
    let served = async move {
        match tls {
            false => plain(socket, arrival).await,
            // Larger, and done before the first request.
            true => Box::pin(encrypted(socket, arrival)).await,
        }
    };
    let mut served = pin!(served);
    poll_fn(|cx| {
        flow.waker.register(cx.waker());
        if flow.is_cut() { Poll::Ready(()) } else { served.as_mut().poll(cx) }
    })
    .await;
}

async fn plain<S: Service>(socket: TcpStream, arrival: Arrival<S>) {
    let mut gate = arrival.gate(socket);
    let flow = arrival.flow.clone();
    let protocol = poll_fn(|cx| {
        // A connection without request has nothing to finish.
        if flow.is_stopped() { Poll::Ready(Ok(None)) } else { gate.poll_protocol(cx) }
    });
    if let Ok(Some(protocol)) = protocol.await {
        let connection = Arc::new(Connection::new(arrival.peer, arrival.local, None));
        run(gate, protocol, arrival.session(connection)).await;
    }
}

async fn encrypted<S: Service>(socket: TcpStream, arrival: Arrival<S>) {
    // A reload took HTTPS away.
    let Some(tls) = arrival.shared.settings.load().tls.clone() else { return };
    let began = Instant::now();
    let mut attempt = Attempt::default();
    let accepted = attempt.accept(&tls, arrival.local.ip(), socket);
    let failure = match tokio::time::timeout(arrival.limits.head_timeout, accepted).await {
        Ok(Ok(stream)) => return Box::pin(secured(stream, arrival, attempt, began)).await,
        Ok(Err(error)) => {
            tracing::debug!(peer = %arrival.peer, %error, "no TLS with the viewer");
            HandshakeFailure::of(&error)
        }
        Err(_) => HandshakeFailure::Timeout,
    };
    add(&arrival.counters.handshakes_failed);
    if let Some(handshake) = attempt.told(&arrival, began, Err(failure)) {
        arrival.service.handshake(handshake).await;
    }
}

async fn secured<S: Service>(
    mut stream: TlsStream<Overheard<TcpStream>>,
    arrival: Arrival<S>,
    attempt: Attempt,
    began: Instant,
) {
    let (socket, session) = stream.get_mut();
    let fingerprints = fingerprint::of(&socket.take_first());
    let protocol = if session.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
    let tls = Tls {
        version: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        },
        cipher: session.negotiated_cipher_suite().map_or_else(String::new, |suite| cipher(suite.suite())),
        server_name: session.server_name().map(str::to_owned),
        resumed: session.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        fingerprints,
        mutual: attempt.asked.as_ref().map(|Asked { site, witness }| Mutual {
            distribution: site.distribution.clone(),
            certificate: session.peer_certificates().and_then(|_| witness.shown()),
        }),
    };
    let connection = Arc::new(Connection::new(arrival.peer, arrival.local, Some(tls)));
    if let Some(Asked { site, .. }) = &attempt.asked {
        // From here on a reload finds it; one that came in between is seen here.
        let _first = arrival.flow.site.set(site.clone());
        if !arrival.shared.settings.load().still_has(site) {
            return;
        }
        let handshake = attempt.told(&arrival, began, Ok(connection.clone()));
        if let Some(handshake) = handshake
            && !arrival.service.handshake(handshake).await
        {
            // The viewer reads that it is over, not that something broke.
            let farewell = tokio::time::timeout(FAREWELL, stream.shutdown());
            let _whether_it_reads = farewell.await;
            return;
        }
    }
    let mut gate = arrival.gate(stream);
    gate.speak(protocol);
    run(gate, protocol, arrival.session(connection)).await;
}

impl Attempt {
    /// What the service is told of it, where a distribution asked for a certificate.
    fn told<S>(
        &self,
        arrival: &Arrival<S>,
        began: Instant,
        outcome: Result<Arc<Connection>, HandshakeFailure>,
    ) -> Option<Handshake> {
        let Asked { site, witness } = self.asked.as_ref()?;
        Some(Handshake {
            distribution: site.distribution.clone(),
            peer: arrival.peer,
            local: arrival.local,
            server_name: self.server_name.clone(),
            certificate: witness.shown(),
            outcome,
            took: began.elapsed(),
        })
    }
}

/// The registered name, `TLS_AES_128_GCM_SHA256`; the library calls those of TLS 1.3 `TLS13_...`.
fn cipher(suite: rustls::CipherSuite) -> String {
    suite.as_str().map_or_else(String::new, |name| name.replacen("TLS13_", "TLS_", 1))
}

impl<S: Service> Arrival<S> {
    fn gate<T: AsyncRead + AsyncWrite + Unpin>(&self, io: T) -> Gate<T> {
        Gate::new(io, self.flow.clone(), self.limits.clone(), self.counters.clone())
    }

    fn session(self, connection: Arc<Connection>) -> Arc<Session<S>> {
        let Arrival { service, flow, limits, counters, .. } = self;
        Arc::new(Session { service, connection, flow, limits, counters, served: Default::default() })
    }
}

async fn run<S, T>(gate: Gate<T>, protocol: Protocol, session: Arc<Session<S>>)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (flow, limits) = (session.flow.clone(), session.limits.clone());
    let peer = session.connection.peer;
    let counters = session.counters.clone();
    let service = {
        let session = session.clone();
        service_fn(move |request| answer(session.clone(), request))
    };
    let result = match protocol {
        Protocol::Http1 => {
            let mut builder = http1::Builder::new();
            // The gate keeps the times.
            builder.header_read_timeout(None).title_case_headers(true).max_buf_size(buffer(&limits));
            if limits.headers > HEADERS_ON_STACK {
                builder.max_headers(limits.headers);
            }
            let mut connection = builder.serve_connection(gate, service);
            let result = drive(&mut connection, &flow, http1::Connection::graceful_shutdown).await;
            if result.is_ok() {
                let parts = connection.into_parts();
                // Rarer than any request, and larger: not in the task of every connection.
                Box::pin(end(parts.io, &parts.read_buf, &session)).await;
            }
            result
        }
        Protocol::Http2 => {
            let streams = Streams { limit: limits.body_idle, counters };
            let mut builder = http2::Builder::new(streams);
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_pending_accept_reset_streams(PENDING_RESETS)
                .max_local_error_reset_streams(LOCAL_RESETS)
                .max_header_list_size(u32::try_from(limits.head.as_u64()).unwrap_or(u32::MAX));
            // Larger and rarer than HTTP/1: not in the task of every connection.
            Box::pin(async {
                let mut connection = builder.serve_connection(gate, service);
                let result = drive(&mut connection, &flow, http2::Connection::graceful_shutdown).await;
                if flow.is_flooded() {
                    add(&session.counters.flooded);
                    tracing::debug!(%peer, "the viewer resets too many streams");
                }
                result
            })
            .await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// Lets go of a switch of protocols that was agreed to when nothing comes of it any more.
struct Settled(Arc<Flow>);

impl Drop for Settled {
    fn drop(&mut self) {
        if let Some(Switched { tunnel, .. }) = self.0.switch.take()
            && self.0.is_cut()
        {
            tunnel.end(Passage { ended: Ended::Cut, ..Passage::default() });
        }
    }
}

/// What comes after HTTP/1: the tunnel that was agreed to, or the end. `read`: what the parser has read and not used.
async fn end<S, T>(mut gate: Gate<T>, read: &[u8], session: &Session<S>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    match session.flow.switch.take() {
        Some(switched) => {
            let (socket, held) = gate.into_parts();
            let ahead = if read.is_empty() { held } else { [read, &held].concat() };
            tunnel::run(socket, ahead, switched, &session.limits, &session.counters).await;
        }
        // The viewer is told that it is over; whether it listens is its affair.
        None => drop(poll_fn(|cx| gate.poll_close(cx)).await),
    }
}

/// Room for a head and its end, and for a body in decent parts.
fn buffer(limits: &Limits) -> usize {
    (limits.head.as_usize() + 1024).max(READ_BUFFER)
}

/// Runs a connection; when it is to stop, tells it once.
async fn drive<C>(connection: &mut C, flow: &Flow, stop: impl Fn(Pin<&mut C>)) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>> + Unpin,
{
    let mut connection = Pin::new(connection);
    let mut told = false;
    poll_fn(|cx| {
        loop {
            if !told && flow.is_stopped() {
                told = true;
                stop(connection.as_mut());
            }
            let polled = connection.as_mut().poll(cx);
            // The gate may have asked for the end while it was polled.
            if polled.is_ready() || told || !flow.is_stopped() {
                return polled;
            }
        }
    })
    .await
}
