//! What is known of a viewer's connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// One viewer connection.
#[derive(Debug)]
pub struct Connection {
    /// The viewer's address.
    pub peer: SocketAddr,
    /// The listener's address.
    pub local: SocketAddr,
    /// TLS, when the connection has it.
    pub tls: Option<Tls>,
    requests: AtomicU64,
}

/// What TLS agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// Cipher suite, as `TLS_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// Server name that the viewer asked for.
    pub server_name: Option<String>,
    /// Whether the handshake took up an earlier session.
    pub resumed: bool,
    /// What the viewer's TLS library is; `None` when its first message was too long to be looked at.
    pub fingerprints: Option<Fingerprints>,
}

/// Names for kinds of TLS clients, made of what they offer in the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints {
    /// JA3: 32 hexadecimal digits.
    pub ja3: String,
    /// JA4, as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
    pub ja4: String,
}

impl Connection {
    /// A connection without requests yet.
    pub fn new(peer: SocketAddr, local: SocketAddr, tls: Option<Tls>) -> Self {
        Self { peer, local, tls, requests: AtomicU64::new(0) }
    }

    /// Counts a request, and says whether there was one before.
    pub fn count_request(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) > 0
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
