//! The TLS handshake with a viewer, and why there was none.

use crate::overheard::Overheard;
use crate::tls::{Asked, Tls};
use rimward_types::Connection;
use rimward_types::connection::ViewerCertificate;
use rustls::{CertificateError, Error};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// How a handshake for a distribution with mutual TLS went.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The distribution's id.
    pub distribution: Arc<str>,
    /// The viewer's address.
    pub peer: SocketAddr,
    /// The listener's address.
    pub local: SocketAddr,
    /// The server name that the viewer asked for.
    pub server_name: Option<String>,
    /// The certificate that it sent. Verified where there is a connection; else it may be anybody's.
    pub certificate: Option<Arc<ViewerCertificate>>,
    /// The connection, or why there is none.
    pub outcome: Result<Arc<Connection>, HandshakeFailure>,
    /// From the first to the last message.
    pub took: Duration,
}

/// Why there is no TLS with a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeFailure {
    /// It sent no certificate, and must.
    CertificateMissing,
    /// No authority of the trust store signed it.
    CertificateUntrusted,
    /// It is no longer valid.
    CertificateExpired,
    /// It is not yet valid.
    CertificateNotYetValid,
    /// Its authority has revoked it.
    CertificateRevoked,
    /// It is for other purposes than a client's.
    CertificatePurpose,
    /// It is malformed, or the viewer has not its key.
    CertificateInvalid,
    /// The viewer and the node found no common ground, or the viewer broke off.
    Protocol,
    /// The connection broke.
    Connection,
    /// The viewer was too slow.
    Timeout,
}

impl HandshakeFailure {
    /// The word in the connection log, in the vendor's style.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CertificateMissing => "ClientCertMissing",
            Self::CertificateUntrusted => "ClientCertUntrusted",
            Self::CertificateExpired => "ClientCertExpired",
            Self::CertificateNotYetValid => "ClientCertNotYetValid",
            Self::CertificateRevoked => "ClientCertRevoked",
            Self::CertificatePurpose => "ClientCertIntentInvalid",
            Self::CertificateInvalid => "ClientCertInvalid",
            Self::Protocol => "TlsError",
            Self::Connection => "TcpError",
            Self::Timeout => "TcpTimeout",
        }
    }

    pub(crate) fn of(error: &io::Error) -> Self {
        let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
            return Self::Connection;
        };
        match error {
            Error::NoCertificatesPresented => Self::CertificateMissing,
            Error::InvalidCertificate(why) => match why {
                CertificateError::UnknownIssuer => Self::CertificateUntrusted,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::CertificateExpired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::CertificateNotYetValid
                }
                CertificateError::Revoked => Self::CertificateRevoked,
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                    Self::CertificatePurpose
                }
                _ => Self::CertificateInvalid,
            },
            _ => Self::Protocol,
        }
    }
}

/// A handshake under way: what is known of it, whether or not it comes to an end.
#[derive(Default)]
pub(crate) struct Attempt {
    pub(crate) server_name: Option<String>,
    /// Who asks for a certificate.
    pub(crate) asked: Option<Asked>,
}

impl Attempt {
    /// Reads the viewer's first message, chooses by its server name, and finishes the handshake.
    pub(crate) async fn accept(
        &mut self,
        tls: &Tls,
        local: IpAddr,
        socket: TcpStream,
    ) -> io::Result<TlsStream<Overheard<TcpStream>>> {
        let start = LazyConfigAcceptor::new(Default::default(), Overheard::new(socket)).await?;
        self.server_name = start.client_hello().server_name().map(str::to_owned);
        let choice = tls.choose(self.server_name.as_deref(), local).map_err(io::Error::other)?;
        self.asked = choice.asked;
        start.into_stream(choice.config).await
    }
}
