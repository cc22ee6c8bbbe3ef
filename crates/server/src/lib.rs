//! Listeners, TLS, HTTP/1.1 and HTTP/2, limits, drain.
//!
//! - [`service`]: what answers the requests.
//! - [`refusal`]: why a request was refused before that.
//! - [`counters`]: what happened.
//! - `listener`, `tls`, `connection`: from a socket to a protocol. `open`: the places, and whose is given up.
//! - [`handshake`]: TLS with a viewer, and why there is none; `trust`, `certificate`: mutual TLS.
//! - `overheard`, `client_hello`, `fingerprint`: what a viewer's TLS library is.
//! - `gate`, with `head` and `chunked`: judges HTTP/1 before the parser; `times`: keeps the times of a connection.
//! - `answer`, `request`, `framing`: one request, to the service and back.
//! - `stall`: HTTP/2 streams whose viewer takes nothing. `resets`: those that it resets.
//! - `interim`: interim answers, written between two answers.
//! - `switch`: requests that ask to switch protocols; `tunnel`: the connection afterwards.
//! - `flow`: what these parts tell each other. [`seldom`]: lines of the log that others could make at will.

mod answer;
mod certificate;
mod chunked;
mod client_hello;
mod connection;
pub mod counters;
mod counting;
mod fingerprint;
mod flow;
mod framing;
mod gate;
pub mod handshake;
mod head;
mod interim;
mod listener;
mod open;
mod overheard;
mod rate;
pub mod refusal;
mod request;
mod resets;
pub mod seldom;
pub mod service;
mod stall;
mod switch;
mod times;
mod tls;
mod trust;
mod tunnel;

pub use counters::Counters;
pub use handshake::{Handshake, HandshakeFailure};
pub use refusal::{Refusal, Refused};
pub use seldom::Seldom;
pub use service::Service;

use arc_swap::ArcSwap;
use connection::Arrival;
use counters::add;
use flow::Flow;
use open::{Bounds, Full, Open};
use rimward_config::{Limits, MutualTlsSites, Networks, Node};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Methods that may reach the service, as in `Allow`; others are its decision.
pub const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE";

/// Connections over the limit that get an answer at a time; more are dropped without.
const TURNED_AWAY: u64 = 64;
/// Rest after the system would not give a connection, as when there are no file descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// A server cannot start or cannot take its new certificates.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's word.
        source: io::Error,
    },
    /// A certificate or key file is missing, malformed, or does not belong to the other.
    #[error("cannot use {path}: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// HTTPS is asked for without certificate.
    #[error("there is an https listener but no certificate")]
    NoCertificate,
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// How the drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut in the middle of a request.
    pub cut: u64,
}

/// A server that listens but does not yet answer.
pub struct Server {
    listeners: Vec<TcpListener>,
    tls_listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

/// Changes a server that runs. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

/// Limits, certificates and trust stores that were read and do not count yet.
pub struct Prepared {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
}

pub(crate) struct Shared {
    pub(crate) settings: ArcSwap<Settings>,
    counters: Arc<Counters>,
    open: Arc<Open>,
}

/// What a new connection gets; it keeps it to its end.
pub(crate) struct Settings {
    limits: Arc<Limits>,
    /// Who may have more connections than one address.
    many: Networks,
    pub(crate) tls: Option<Arc<tls::Tls>>,
}

// === impl Server ===

impl Server {
    /// Listens; `sites` ask viewers for certificates. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(node: &Node, sites: &MutualTlsSites) -> Result<Server, BindError> {
        let settings = ArcSwap::from_pointee(Settings::read(node, sites)?);
        let listeners = listen(&node.listen)?;
        let tls_listeners = listen(node.tls.as_ref().map_or(&[], |tls| &tls.listen))?;
        Ok(Server {
            addresses: addresses(&listeners)?,
            tls_addresses: addresses(&tls_listeners)?,
            listeners,
            tls_listeners,
            shared: Arc::new(Shared { settings, counters: Arc::default(), open: Arc::default() }),
        })
    }

    /// Addresses of the HTTP listeners, in the order of the configuration, with the port that was taken for port 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Addresses of the HTTPS listeners.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// The counts.
    pub fn counters(&self) -> Arc<Counters> {
        self.shared.counters.clone()
    }

    /// Changes this server while it runs.
    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }

    /// Serves until `shutdown` is ready, then stops accepting, lets requests in flight finish up to `Limits::drain`,
    /// and cuts the rest.
    pub async fn run<S: Service>(self, service: Arc<S>, shutdown: impl Future<Output = ()> + Send) -> Drained {
        let Server { listeners, tls_listeners, shared, .. } = self;
        let (stop, stopped) = watch::channel(());
        let with_tls = listeners.into_iter().map(|l| (l, false)).chain(tls_listeners.into_iter().map(|l| (l, true)));
        let accepting: Vec<_> = with_tls
            .map(|(listener, tls)| {
                tokio::spawn(accept(listener, tls, shared.clone(), service.clone(), stopped.clone()))
            })
            .collect();
        shutdown.await;
        drop(stop);
        for listener in accepting {
            // Ends by itself now; the listener is closed when it has.
            let _ = listener.await;
        }
        shared.drain().await
    }
}

impl Handle {
    /// Takes limits, certificates and trust stores for the connections that come; addresses stay. Viewers whose certificates would
    /// be judged by other rules now may finish what they have asked for within `Limits::drain`, WebSockets included, and have to connect
    /// again for more. Blocks on files.
    ///
    /// # Errors
    /// A certificate or trust store that cannot be used; then nothing changes.
    pub fn reload(&self, node: &Node, sites: &MutualTlsSites) -> Result<(), BindError> {
        self.prepare(node, sites)?.apply();
        Ok(())
    }

    /// Reads what [`Handle::reload`] takes, and changes nothing yet. Blocks on files.
    ///
    /// # Errors
    /// A certificate or trust store that cannot be used.
    pub fn prepare(&self, node: &Node, sites: &MutualTlsSites) -> Result<Prepared, BindError> {
        Ok(Prepared { shared: self.0.clone(), settings: Arc::new(Settings::read(node, sites)?) })
    }
}

impl Prepared {
    /// Lets the connections that come have it. The service must know of all its sites by then: whom a new one lets in is not looked
    /// at again.
    pub fn apply(self) {
        let Self { shared, settings } = self;
        shared.settings.store(settings.clone());
        let mut revoked = Vec::new();
        shared.open.each(|flow| {
            if flow.site.get().is_some_and(|site| !settings.still_has(site)) {
                flow.revoke();
                revoked.push(Arc::downgrade(flow));
            }
        });
        if !revoked.is_empty() {
            shared.cut_later(revoked, settings.limits.drain);
        }
    }
}

impl Settings {
    fn read(node: &Node, sites: &MutualTlsSites) -> Result<Settings, BindError> {
        let tls = node.tls.as_ref().map(|tls| tls::Tls::read(tls, sites)).transpose()?;
        let (limits, many) = (Arc::new(node.limits.clone()), node.acl.many_connections.clone());
        Ok(Settings { limits, many, tls: tls.map(Arc::new) })
    }

    fn bounds(&self) -> Bounds<'_> {
        Bounds {
            connections: self.limits.connections,
            per_address: self.limits.connections_per_address,
            many: &self.many,
            idle: self.limits.idle,
            head_timeout: self.limits.head_timeout,
        }
    }

    /// Whether a viewer whom `site` let in would be judged in the same way now.
    pub(crate) fn still_has(&self, site: &tls::Site) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.still_has(site))
    }
}

fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    addresses.iter().map(|address| listener::listen(*address)).collect()
}

fn addresses(listeners: &[TcpListener]) -> Result<Vec<SocketAddr>, BindError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = |l: &TcpListener| l.local_addr().map_err(|source| BindError::Listen { address: unknown, source });
    listeners.iter().map(address).collect()
}

// === accepting ===

async fn accept<S: Service>(
    listener: TcpListener,
    tls: bool,
    shared: Arc<Shared>,
    service: Arc<S>,
    mut stopped: watch::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => shared.admit(socket, peer, tls, &service),
            Err(error) => {
                let now = Instant::now();
                let given_up = is_out_of_descriptors(&error) && shared.open.give_up_one(now);
                shared.counters.given_up.fetch_add(given_up.into(), Ordering::Relaxed);
                if let Some(times) = NOT_ACCEPTED.note(now) {
                    tracing::warn!(%error, times, "cannot accept a connection");
                }
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Tells that connections cannot be accepted.
static NOT_ACCEPTED: Seldom = Seldom::new();
/// Addresses that have as many connections as they may.
static TOO_MANY_OF_ADDRESS: Seldom = Seldom::new();

/// Whether the process (EMFILE) or the system (ENFILE) has no descriptor left.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

impl Shared {
    fn admit<S: Service>(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr, tls: bool, service: &Arc<S>) {
        add(&self.counters.accepted);
        let settings = self.settings.load();
        let Ok(local) = socket.local_addr() else { return };
        // Answers are written whole; waiting to fill packets would only delay them.
        let _ = socket.set_nodelay(true);
        let flow = Arc::new(Flow::default());
        let id = match self.open.enter(&flow, peer.ip(), &settings.bounds(), Instant::now()) {
            Ok((id, given_up)) => {
                self.counters.given_up.fetch_add(given_up, Ordering::Relaxed);
                id
            }
            Err(full) => {
                if let (Full::Address, Some(times)) = (&full, TOO_MANY_OF_ADDRESS.note(Instant::now())) {
                    tracing::warn!(%peer, times, "refused: one address has as many connections as it may; see `many-connections` of node.acl");
                }
                self.counters.refuse(match full {
                    Full::All => Refusal::TooManyConnections,
                    Full::Address => Refusal::TooManyOfAddress,
                });
                if !tls {
                    self.turn_away(socket);
                }
                return;
            }
        };
        self.counters.open.fetch_add(1, Ordering::Relaxed);
        // Leaves when the task ends, however it ends.
        let place = Place { shared: self.clone(), id };
        let (limits, counters, service) = (settings.limits.clone(), self.counters.clone(), service.clone());
        let arrival = Arrival { service, flow, limits, counters, peer, local, shared: self.clone() };
        tokio::spawn(async move {
            let _place = place;
            connection::serve(socket, tls, arrival).await;
        });
    }

    fn turn_away(self: &Arc<Self>, socket: TcpStream) {
        if self.open.turned_away.fetch_add(1, Ordering::Relaxed) >= TURNED_AWAY {
            self.open.turned_away.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let shared = self.clone();
        tokio::spawn(async move {
            listener::turn_away(socket).await;
            shared.open.turned_away.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Cuts connections that are still there after `drain`.
    fn cut_later(self: Arc<Self>, flows: Vec<Weak<Flow>>, drain: Duration) {
        let cut = move || {
            for flow in flows.iter().filter_map(Weak::upgrade) {
                self.counters.cut.fetch_add(u64::from(!flow.is_idle()), Ordering::Relaxed);
                flow.cut();
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                tokio::time::sleep(drain).await;
                cut();
            })),
            // Nobody keeps the time.
            Err(_) => cut(),
        }
    }

    async fn drain(&self) -> Drained {
        self.open.each(|flow| flow.stop());
        let limit = self.settings.load().limits.drain;
        if tokio::time::timeout(limit, self.open.empty()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let mut cut = 0;
        self.open.each(|flow| {
            cut += u64::from(!flow.is_idle());
            flow.cut();
        });
        self.counters.cut.fetch_add(cut, Ordering::Relaxed);
        self.open.empty().await;
        Drained { cut }
    }
}

/// A connection's place among the open ones.
struct Place {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.counters.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.open.leave(self.id);
    }
}
