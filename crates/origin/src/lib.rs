//! Requests to origins: connections, TLS, timeouts, retries (`cdn-behaviour.md` section 8).
//!
//! - [`error`]: why an origin gave no answer.
//! - [`demo`]: the demo origin inside the node.
//! - [`fields`]: fields that belong to a connection.
//! - `fetch`: one request, with its attempts.
//! - `retry`: whether there is another attempt. Pure.
//! - `exchange`, `outgoing`, `arriving`: one attempt; the bodies there and back. `gathered`: the first part of a request's
//!   body, before there is a connection.
//! - `signing`: Signature Version 4 for buckets, pure; `credentials`: the keys that it is made with.
//! - `grpc`: one call, with its attempts; `multiplex`: the HTTP/2 connections that calls share; `upload`, `download`: its two
//!   halves; `pace`: how long nothing may move in it; `http2_error`: what the HTTP/2 layer's errors mean.
//! - `websocket`: handshakes, and connections after them.
//! - `pool`, `connect`, `stream`: connections; `certificate_names`: what a certificate may be for.

mod arriving;
mod certificate_names;
mod connect;
mod credentials;
pub mod demo;
mod download;
pub mod error;
mod exchange;
mod fetch;
pub mod fields;
mod gathered;
mod grpc;
mod http2_error;
mod multiplex;
mod outgoing;
mod pace;
mod pool;
mod retry;
mod signing;
mod stream;
mod upload;
mod websocket;

pub use error::{ErrorKind, OriginError};
pub use fields::remove_hop_by_hop;

use connect::Trust;
use credentials::Keyring;
use parking_lot::RwLock;
use pool::{Endpoint, Pool};
use rimward_config::{Bucket, Origin, OriginUrl};
use rimward_types::{Body, Clock, Interim, RequestHead, ResponseHead, SystemClock};
use signing::Signer;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Pools that are kept; past it unused ones are dropped. Functions may name origins, so their number is not ours.
const POOLS: usize = 1024;

/// The head of an answer and a body that arrives.
#[derive(Debug)]
pub struct Fetched {
    /// Head, without hop-by-hop fields. `content-length` is there when the origin gave one.
    pub head: ResponseHead,
    /// Body; ends with an error when the origin closed early, framed it wrongly, or stood still too long.
    pub body: Body,
    /// How long it took.
    pub timing: Timing,
    /// Whether the connection had served a request before.
    pub connection_reused: bool,
    /// Attempts made, this one included.
    pub attempts: u32,
    /// Whether the request was signed with the node's own keys: what a bucket then says of an error is the operator's.
    pub signed: bool,
    /// Whether the request had `Range`.
    pub for_range: bool,
}

/// How long an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Waiting for a connection and making it, in the last attempt; zero for a reused one.
    pub connect: Duration,
    /// From the start of all attempts to the head of the answer.
    pub first_byte: Duration,
}

/// Makes a request's head, the same each time: for each attempt, so that no copy is kept for those that are never made.
pub type MakeHead<'a> = &'a (dyn Fn() -> RequestHead + Sync);

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections made.
    pub connected: AtomicU64,
    /// Connections that could not be made.
    pub connect_failed: AtomicU64,
    /// Requests over a connection that had served before.
    pub reused: AtomicU64,
    /// Requests sent again after a failed attempt.
    pub retried: AtomicU64,
}

/// The node's connections to its origins. Cheap to clone; lives over configuration changes.
#[derive(Clone)]
pub struct Origins(Arc<Shared>);

struct Shared {
    /// The time of the demo origin and of signatures.
    clock: Arc<dyn Clock>,
    /// By host; the pools of one host differ in port and TLS.
    pools: RwLock<HashMap<String, Vec<Arc<Pool>>>>,
    trust: Trust,
    keys: Keyring,
    counters: Counters,
    /// First parts of requests' bodies.
    waiting: Arc<gathered::Waiting>,
}

impl Default for Origins {
    fn default() -> Self {
        Self::new()
    }
}

impl Origins {
    /// Without connections yet.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// The same, with a clock that the demo origin dates its answers by, and signatures are dated by.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            clock,
            pools: RwLock::default(),
            trust: Trust::default(),
            keys: Keyring::default(),
            counters: Counters::default(),
            waiting: Arc::default(),
        }))
    }

    /// Reads what `origin` needs from disk and environment (`ca`, keys for signatures). For each origin of a new
    /// configuration, before it serves.
    ///
    /// # Errors
    /// A text for the operator when a file is missing or has no certificate, or when there are no keys.
    pub fn prepare(&self, origin: &Origin) -> Result<(), String> {
        if let Some((source, _)) = origin.bucket.as_ref().and_then(Bucket::signer) {
            self.0.keys.prepare(source, self.0.clock.now())?;
        }
        match &origin.url {
            OriginUrl::Http { tls: true, .. } => self.0.trust.read(origin.ca.clone()).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Sends a request to `origin`.
    ///
    /// Added here: the origin's path before `head.path`, its custom headers, the framing of `body`. Removed: hop-by-hop
    /// fields, `expect`. `host`: the head's if it has one, else [`Origin::host`]. Everything else (`via`,
    /// `x-forwarded-for`, ...) is the caller's. A request to a bucket that takes signatures is signed. Dropping the future or
    /// the body closes the connection.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn fetch(&self, origin: &Origin, head: RequestHead, body: Body) -> Result<Fetched, OriginError> {
        self.fetch_telling(origin, &|| head.clone(), body, &Interim::default()).await
    }

    /// As [`Origins::fetch`], with a head that is made for each attempt; interim answers of the origin go to `interim`, without
    /// hop-by-hop fields.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn fetch_telling(
        &self,
        origin: &Origin,
        make: MakeHead<'_>,
        body: Body,
        interim: &Interim,
    ) -> Result<Fetched, OriginError> {
        match &origin.url {
            OriginUrl::Demo => Ok(demo::answer(&origin.name, make(), body, self.0.clock.now()).await),
            OriginUrl::Http { tls, host, port, path } => {
                let pool = self.0.pool(*tls, host, *port, origin);
                let request = fetch::Wanted { prefix: path, make, body, interim, websocket: false };
                fetch::fetch(&self.0, origin, pool, request).await
            }
        }
    }

    /// Asks `origin` to go on as a WebSocket, over a connection of its own that never serves another request. When it
    /// agrees, the answer is 101 and its body a [`Body::Tunnel`]; any other answer is as from [`Origins::fetch_telling`].
    /// The demo origin never agrees.
    ///
    /// # Errors
    /// See [`ErrorKind`]; [`ErrorKind::Protocol`] for a 101 that does not prove that the origin knows the protocol.
    pub async fn open_websocket(
        &self,
        origin: &Origin,
        make: MakeHead<'_>,
        interim: &Interim,
    ) -> Result<Fetched, OriginError> {
        match &origin.url {
            OriginUrl::Demo => Ok(demo::answer(&origin.name, make(), Body::Empty, self.0.clock.now()).await),
            OriginUrl::Http { tls, host, port, path } => {
                let pool = self.0.pool(*tls, host, *port, origin);
                let request = fetch::Wanted { prefix: path, make, body: Body::Empty, interim, websocket: true };
                fetch::fetch(&self.0, origin, pool, request).await
            }
        }
    }

    /// Makes a gRPC call: over HTTP/2, over a connection that it may share with other calls, both halves at once. `te: trailers` is
    /// added; the body of the answer has its trailers. `idle`: how long neither side may send anything while the viewer's half is
    /// open; the origin's own times hold when it is to move (`cdn-behaviour.md` section 21).
    ///
    /// # Errors
    /// See [`ErrorKind`]; [`ErrorKind::NotHttp2`] for the demo origin, a bucket, and a plain origin without `h2c`.
    pub async fn call(
        &self,
        origin: &Origin,
        head: RequestHead,
        body: Body,
        idle: Duration,
    ) -> Result<Fetched, OriginError> {
        match &origin.url {
            OriginUrl::Http { tls, host, port, path } if origin.speaks_grpc() => {
                let pool = self.0.pool(*tls, host, *port, origin);
                grpc::call(&self.0, origin, pool, grpc::Wanted { prefix: path, head, body, idle }).await
            }
            _ => {
                let detail = "it is asked for HTTP/1.1 alone: gRPC needs an https:// URL, or `h2c`".to_owned();
                Err(OriginError { kind: ErrorKind::NotHttp2, attempts: 0, detail })
            }
        }
    }

    /// The counts.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Connections that are kept unused now.
    pub fn kept(&self) -> usize {
        self.0.pools.read().values().flatten().map(|pool| pool.kept()).sum()
    }
}

impl Shared {
    /// Who signs requests to `origin`, if somebody does.
    async fn signer(&self, origin: &Origin) -> Result<Option<Signer>, OriginError> {
        let Some((source, behavior)) = origin.bucket.as_ref().and_then(Bucket::signer) else { return Ok(None) };
        let now = self.clock.now();
        let credentials = self.keys.get(source, now).await.map_err(|detail| OriginError {
            kind: ErrorKind::Credentials,
            attempts: 0,
            detail,
        })?;
        let region = origin.bucket.as_ref().and_then(|bucket| bucket.region.clone());
        // What the vendor takes the endpoint without a region for.
        let region = region.unwrap_or_else(|| "us-east-1".into());
        Ok(Some(Signer { credentials, region, behavior, now }))
    }

    fn pool(&self, tls: bool, host: &str, port: u16, origin: &Origin) -> Arc<Pool> {
        let fits = |pool: &&Arc<Pool>| {
            let endpoint = &pool.endpoint;
            endpoint.port == port
                && endpoint.tls == tls
                && endpoint.ca == origin.ca
                && endpoint.sni == origin.overrides.sni
                && endpoint.certificate_names == origin.overrides.certificate_names
                && endpoint.max_connections == origin.max_connections
        };
        if let Some(pool) = self.pools.read().get(host).and_then(|pools| pools.iter().find(fits)) {
            return pool.clone();
        }
        let mut pools = self.pools.write();
        if let Some(pool) = pools.get(host).and_then(|pools| pools.iter().find(fits)) {
            return pool.clone();
        }
        if pools.len() >= POOLS {
            pools.retain(|_, pools| {
                pools.retain(|pool| !pool.is_unused());
                !pools.is_empty()
            });
        }
        let (host, ca, max_connections) = (host.to_owned(), origin.ca.clone(), origin.max_connections);
        let (sni, certificate_names) = (origin.overrides.sni.clone(), origin.overrides.certificate_names.clone());
        let pool = Pool::new(Endpoint { tls, host: host.clone(), port, ca, sni, certificate_names, max_connections });
        pools.entry(host).or_default().push(pool.clone());
        pool
    }
}
