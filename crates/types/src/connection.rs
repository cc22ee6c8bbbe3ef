//! What is known of a viewer's connection.

use std::net::SocketAddr;

/// One viewer connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The viewer's address.
    pub peer: SocketAddr,
    /// The listener's address.
    pub local: SocketAddr,
    /// TLS, when the connection has it.
    pub tls: Option<Tls>,
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
}

impl Connection {
    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
