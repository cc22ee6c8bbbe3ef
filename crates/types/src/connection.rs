//! What is known of a viewer's connection.

use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
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
    /// What mutual TLS came to, on a connection to a distribution that has it.
    pub mutual: Option<Mutual>,
}

/// What mutual TLS came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutual {
    /// Id of the distribution whose rules the viewer was judged by; over this connection it is served, and no other that has
    /// mutual TLS.
    pub distribution: Arc<str>,
    /// The viewer's certificate, verified. `None`: it sent none, and the distribution does not insist.
    pub certificate: Option<Arc<ViewerCertificate>>,
}

/// What a viewer's certificate says (`cloudfront-functions.md` sections 13 and 14). All texts are ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerCertificate {
    /// The certificate itself, DER.
    pub der: Bytes,
    /// Serial number: bytes in lower-case hexadecimal, with colons between them.
    pub serial: String,
    /// Who signed it, as RFC 4514 writes names; what is not ASCII is escaped.
    pub issuer: String,
    /// Whose it is, likewise.
    pub subject: String,
    /// Begin of its validity, `2026-01-02T03:04:05Z`.
    pub not_before: String,
    /// End of its validity, likewise.
    pub not_after: String,
    /// SHA-256 of `der`: 64 digits of lower-case hexadecimal.
    pub sha256: String,
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

    /// What mutual TLS came to for the distribution `id`; `None` on a connection that was made for another.
    pub fn mutual(&self, id: &str) -> Option<&Mutual> {
        self.tls.as_ref()?.mutual.as_ref().filter(|mutual| *mutual.distribution == *id)
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
