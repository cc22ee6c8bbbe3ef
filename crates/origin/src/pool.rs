//! Connections to one origin: those in use are counted, those that are not are kept for a while.
//!
//! A connection has no task of its own: whoever uses it also drives it ([`Channel::driver`]). That saves a task, a
//! wake-up across threads and a channel for each exchange. One that is kept is driven by nobody; it is looked at when
//! it is taken out, and the closing of the origin's side is seen then.

use crate::error::ErrorKind;
use crate::multiplex::Multiplex;
use crate::outgoing::Outgoing;
use crate::stream::{Stream, Traffic};
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Requests that may wait for a connection, beside as many as there may be connections.
pub(crate) const QUEUE: usize = 64;

/// A connection with its driver. Large, and handed on with each exchange: it stays in its box.
pub(crate) struct Channel {
    pub(crate) sender: SendRequest<Outgoing>,
    pub(crate) driver: Connection<TokioIo<Stream>, Outgoing>,
    pub(crate) traffic: Arc<Traffic>,
    /// Whether it has served a request.
    pub(crate) used: bool,
    idle_since: Instant,
}

/// Where a pool's connections lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ca: Option<PathBuf>,
    /// Name of the TLS handshake, where it is not the host.
    pub(crate) sni: Option<String>,
    /// Names that the certificate may be for, where they are not the handshake's.
    pub(crate) certificate_names: Vec<String>,
    pub(crate) max_connections: usize,
}

/// The connections to one endpoint.
///
/// In use are at most `max_connections`, each with a permit. A new one is made only when none is kept, so those in use
/// and those kept are no more than that together.
pub(crate) struct Pool {
    pub(crate) endpoint: Endpoint,
    permits: Arc<Semaphore>,
    /// Leave for connections that stay: half of them, so that requests always find others.
    tunnels: Arc<Semaphore>,
    waiting: AtomicUsize,
    #[allow(clippy::vec_box, reason = "they go in and out in their boxes")]
    idle: Mutex<Vec<Box<Channel>>>,
    /// Connections for gRPC.
    pub(crate) multiplex: Multiplex,
    /// A task closes what is kept too long.
    reaped: AtomicBool,
}

impl Channel {
    pub(crate) fn new(
        sender: SendRequest<Outgoing>,
        driver: Connection<TokioIo<Stream>, Outgoing>,
        traffic: Arc<Traffic>,
    ) -> Box<Self> {
        Box::new(Self { sender, driver, traffic, used: false, idle_since: Instant::now() })
    }

    /// Whether it can take a request now: the last exchange is over and the origin has not closed.
    pub(crate) fn is_ready(&mut self) -> bool {
        // The driver sees what happened while nobody looked. It is awake again when it is used.
        let closed = Pin::new(&mut self.driver).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        !closed && self.sender.is_ready()
    }
}

impl Pool {
    pub(crate) fn new(endpoint: Endpoint) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(endpoint.max_connections.clamp(1, Semaphore::MAX_PERMITS))),
            tunnels: Arc::new(Semaphore::new(endpoint.max_connections.div_ceil(2).clamp(1, Semaphore::MAX_PERMITS))),
            endpoint,
            waiting: AtomicUsize::new(0),
            idle: Mutex::default(),
            multiplex: Multiplex::default(),
            reaped: AtomicBool::new(false),
        })
    }

    /// Waits for leave to use one connection.
    pub(crate) async fn permit(&self, limit: Duration) -> Result<OwnedSemaphorePermit, (ErrorKind, String)> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Waiting::take(&self.waiting, self.endpoint.max_connections + QUEUE).ok_or_else(|| {
            (ErrorKind::Saturated, format!("{} connections and the queue", self.endpoint.max_connections))
        })?;
        match tokio::time::timeout(limit, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                let busy = self.endpoint.max_connections;
                Err((ErrorKind::Saturated, format!("none of {busy} connections became free within {limit:?}")))
            }
        }
    }

    /// Leave for a connection that becomes a tunnel, or that calls share, beside that for the connection. Nobody waits for it.
    pub(crate) fn tunnel(&self) -> Result<OwnedSemaphorePermit, (ErrorKind, String)> {
        let most = self.endpoint.max_connections.div_ceil(2);
        let busy = |_| (ErrorKind::Saturated, format!("{most} of its connections are for WebSockets and gRPC"));
        self.tunnels.clone().try_acquire_owned().map_err(busy)
    }

    /// A kept connection that still works, the latest first.
    pub(crate) fn take(&self, keepalive: Duration) -> Option<Box<Channel>> {
        loop {
            let mut channel = self.idle.lock().pop()?;
            if channel.idle_since.elapsed() < keepalive && channel.is_ready() {
                return Some(channel);
            }
        }
    }

    /// Keeps a connection whose exchange is over, if it can serve another.
    pub(crate) fn keep(self: &Arc<Self>, mut channel: Box<Channel>, keepalive: Duration) {
        if keepalive.is_zero() || !channel.is_ready() {
            return;
        }
        channel.used = true;
        channel.idle_since = Instant::now();
        self.idle.lock().push(channel);
        if !self.reaped.swap(true, Ordering::AcqRel) {
            tokio::spawn(reap(Arc::downgrade(self), keepalive));
        }
    }

    /// Connections kept.
    pub(crate) fn kept(&self) -> usize {
        self.idle.lock().len() + self.multiplex.kept()
    }

    /// Whether nothing is kept, used or waited for.
    pub(crate) fn is_unused(&self) -> bool {
        self.kept() == 0
            && self.multiplex.is_unused()
            && self.permits.available_permits() >= self.endpoint.max_connections
    }
}

/// Closes connections that are kept too long, until there are none.
async fn reap(pool: Weak<Pool>, keepalive: Duration) {
    loop {
        tokio::time::sleep(keepalive).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle.lock();
        idle.retain(|channel| channel.idle_since.elapsed() < keepalive);
        if idle.is_empty() {
            // Under the lock, so that `keep` either sees this or has its connection seen.
            pool.reaped.store(false, Ordering::Release);
            return;
        }
    }
}

/// Leave for a connection that stays: that of [`Pool::tunnel`], and that of [`Pool::permit`].
pub(crate) type Lasting = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// A place in the queue.
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(crate) fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
