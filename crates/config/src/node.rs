//! `[node]`: where the node listens and what it lets in.

use crate::{Acl, GeoFiles};
use rimward_types::ByteSize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// `[node]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `listen`: addresses for HTTP without TLS, `"127.0.0.1:8080"`. Default: `["127.0.0.1:8080"]`, or none with
    /// `[node.tls]`.
    pub listen: Vec<SocketAddr>,
    /// `admin`: address of the admin API. Default: no admin API.
    pub admin: Option<SocketAddr>,
    /// `workers`: threads that serve requests. Default: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// `state`: folder for compiled code, relative to the file. Default: the command chooses one.
    pub state: Option<PathBuf>,
    /// `[node.tls]`: HTTPS. Default: no HTTPS.
    pub tls: Option<TlsListen>,
    /// `[node.limits]`.
    pub limits: Limits,
    /// `[node.acl]`: what viewers may do besides reading, and who may use the admin API. Default: nothing; this machine.
    pub acl: Acl,
    /// `location`: where the node is, `{ name = "FRA", region = "eu-central-1" }`, for functions that ask
    /// (`cloudfront-functions.md` section 11.6). Default: both empty.
    pub location: Location,
    /// `[node.geo]`: databases of where viewers are. Default: none.
    pub geo: GeoFiles,
    /// `compile`: what compiling one component may take. Default: 4 GB and 4 min.
    pub compile: Compile,
    /// `access-log`: `"off"`, `"stdout"`, `"stderr"`, or a file's path. Default: `"stdout"`.
    pub access_log: AccessLog,
    /// `connection-log`: the same for connections to distributions with mutual TLS. Default: `"off"`.
    pub connection_log: AccessLog,
}

/// `compile` of `[node]`: walls around the process that compiles the component of an origin function. The largest runtimes
/// for Python take about a quarter of the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compile {
    /// `memory`: of the process, 64 MB to 64 GB. Default: 4 GB.
    pub memory: ByteSize,
    /// `time`: of all its threads on processors, 1 s to 1 h; until it is done it may take ten times as long. Default: 4 min.
    pub time: Duration,
}

impl Default for Compile {
    fn default() -> Self {
        Self { memory: ByteSize::mb(4096), time: Duration::from_secs(240) }
    }
}

/// `location` of `[node]`: two texts of at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// `name`: a short name for the place; at CloudFront the code of its airport.
    pub name: String,
    /// `region`: the region that the place belongs to.
    pub region: String,
}

/// `[node.tls]`: listeners for HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsListen {
    /// `listen`: addresses for HTTPS. At least one.
    pub listen: Vec<SocketAddr>,
    /// `certificates`: `[{ cert = "site.pem", key = "site.key" }]`. At least one; the first is for viewers that name
    /// no server.
    pub certificates: Vec<Certificate>,
}

/// A certificate and its key, PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// `cert`: the certificate, then those that signed it.
    pub cert: PathBuf,
    /// `key`: the private key.
    pub key: PathBuf,
}

/// `[node.limits]`: walls around every viewer connection (`cdn-behaviour.md` section 20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `url`: path and query, 256 B to 64 KB. Default: 8 KB. Over it: 414.
    pub url: ByteSize,
    /// `head`: request line and headers, 1 KB to 1 MB. Default: 32 KB. Over it: 431.
    pub head: ByteSize,
    /// `headers`: header lines, 1 to 1,000. Default: 100, which the parser reads without heap. Over it: 431.
    pub headers: usize,
    /// `connections`: open at a time, 1 to 1,000,000. Default: 10,000.
    pub connections: usize,
    /// `connections-per-address`: open at a time of one IPv4 address or IPv6 network of 64 bits, 0 (no limit) to 1,000,000; but
    /// for `[node.acl] many-connections`. Default: 256.
    pub connections_per_address: Option<usize>,
    /// `requests-per-connection`: after as many the connection is closed, 1 or more. Default: no limit.
    pub requests_per_connection: Option<usize>,
    /// `idle`: a kept-alive connection without a request, 1 s to 1 h. Default: 60 s.
    pub idle: Duration,
    /// `head-timeout`: until a request's head is complete, 1 s to 10 min. Default: 10 s.
    pub head_timeout: Duration,
    /// `body-idle`: between two parts of a body, either way, 1 s to 1 h. Default: 30 s.
    pub body_idle: Duration,
    /// `body-rate`: bytes in a second that a viewer sends of a request's body at least, on average, up to 1 MB. Default: 500 B.
    /// 0: any rate will do.
    pub body_rate: ByteSize,
    /// `body-grace`: time that a request's body may take whatever its rate, 1 s to 1 h. Default: 30 s.
    pub body_grace: Duration,
    /// `request-body`: a request's body, up to 64 GB. Default: 64 GB. Over it: 413.
    pub request_body: ByteSize,
    /// `websockets`: open at a time, among the connections; 0 to 1,000,000. Default: as many as connections. Over it: 503.
    pub websockets: Option<usize>,
    /// `websocket-idle`: a WebSocket whose origin sends nothing, 1 s to 24 h. Default: 10 min (`cdn-behaviour.md`
    /// section 20).
    pub websocket_idle: Duration,
    /// `grpc-idle`: a gRPC call that its viewer has not ended, without a byte either way, 1 s to 24 h. Default: 10 min, as for
    /// WebSockets.
    pub grpc_idle: Duration,
    /// `drain`: what requests in flight, and WebSockets, get when the node stops, 0 s to 1 h. Default: 30 s.
    pub drain: Duration,
}

/// Where a log goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

impl Node {
    /// Where a node listens that is not told where: loopback, port 8080.
    pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
}

impl Default for Node {
    fn default() -> Self {
        Self {
            listen: vec![Self::DEFAULT_LISTEN],
            admin: None,
            workers: None,
            state: None,
            tls: None,
            limits: Limits::default(),
            acl: Acl::default(),
            location: Location::default(),
            geo: GeoFiles::default(),
            compile: Compile::default(),
            access_log: AccessLog::default(),
            connection_log: AccessLog::Off,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url: ByteSize::kb(8),
            head: ByteSize::kb(32),
            headers: 100,
            connections: 10_000,
            connections_per_address: Some(256),
            requests_per_connection: None,
            idle: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            body_rate: ByteSize::bytes(500),
            body_grace: Duration::from_secs(30),
            request_body: ByteSize::mb(64 << 10),
            websockets: None,
            websocket_idle: Duration::from_secs(600),
            grpc_idle: Duration::from_secs(600),
            drain: Duration::from_secs(30),
        }
    }
}
