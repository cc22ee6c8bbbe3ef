//! What a server is told.

use rimward_types::ByteSize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where to listen and how much to allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Addresses for HTTP.
    pub listen: Vec<SocketAddr>,
    /// Addresses and certificates for HTTPS.
    pub tls: Option<TlsOptions>,
    /// Limits.
    pub limits: Limits,
}

/// HTTPS listeners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Addresses.
    pub listen: Vec<SocketAddr>,
    /// Certificates; the first one that names the host is used, the first of all when none does.
    pub certificates: Vec<CertificateFiles>,
}

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Chain, leaf first.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Limits of connections and requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Length of the request target in bytes (`cdn-behaviour.md` section 20: 8,192).
    pub url: usize,
    /// Size of request line and headers in bytes (`cdn-behaviour.md` section 20: 32,768).
    pub head: usize,
    /// Header lines of a request. Up to 100 the parser needs no heap.
    pub headers: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a connection may be without request.
    pub idle: Duration,
    /// How long a TLS handshake or a request head may take from its first byte.
    pub head_timeout: Duration,
    /// How long a body may stand still in either direction.
    pub body_idle: Duration,
    /// Size of a request body (`cdn-behaviour.md` section 20: 64 GB).
    pub request_body: ByteSize,
    /// How long requests in flight may take after the server was told to stop.
    pub drain: Duration,
    /// HTTP/2 streams of a connection at a time.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url: 8192,
            head: 32 * 1024,
            headers: 100,
            connections: 10_000,
            idle: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            request_body: ByteSize::mb(64 * 1024),
            drain: Duration::from_secs(30),
            streams: 128,
        }
    }
}
