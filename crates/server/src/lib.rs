//! Listeners, TLS, HTTP/1.1 and HTTP/2, limits, drain.
//!
//! - [`service`]: what answers the requests.
//! - [`refusal`]: why a request was refused before that.
//! - [`counters`]: what happened.

pub mod counters;
pub mod refusal;
pub mod service;

pub use counters::Counters;
pub use refusal::{Refusal, Refused};
pub use service::Service;

use rimward_config::Node;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Methods that may reach the service, as in `Allow`; others are its decision.
pub const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE";

/// A server cannot start or cannot take its new certificates.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's word.
        source: std::io::Error,
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
}

/// How the drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut in the middle of a request.
    pub cut: usize,
}

/// A server that listens but does not yet answer.
pub struct Server {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    counters: Arc<Counters>,
}

/// Changes a server that runs. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Counters>);

impl Handle {
    /// Takes limits and certificates for the connections that come; addresses stay.
    ///
    /// # Errors
    /// A certificate that cannot be used; then nothing changes.
    pub fn reload(&self, node: &Node) -> Result<(), BindError> {
        let _ = node;
        Ok(())
    }
}

impl Server {
    /// Listens. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(node: &Node) -> Result<Server, BindError> {
        Ok(Server { addresses: node.listen.clone(), tls_addresses: Vec::new(), counters: Arc::default() })
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
        self.counters.clone()
    }

    /// Changes this server while it runs.
    pub fn handle(&self) -> Handle {
        Handle(self.counters.clone())
    }

    /// Serves until `shutdown` is ready, then stops accepting, lets requests in flight finish up to `Limits::drain`,
    /// and cuts the rest.
    pub async fn run<S: Service>(self, service: Arc<S>, shutdown: impl Future<Output = ()> + Send) -> Drained {
        let _ = service;
        shutdown.await;
        Drained { cut: 0 }
    }
}
