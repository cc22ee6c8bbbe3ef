//! From a name to a connection: addresses, TCP, TLS.

use crate::certificate_names::CertificateNames;
use crate::error::ErrorKind;
use crate::stream::{Io, Stream, Traffic};
use parking_lot::Mutex;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Why there is no connection: kind and particulars.
pub(crate) type Failed = (ErrorKind, String);

/// The name of HTTP/2 in ALPN (RFC 9113 section 3.2).
pub(crate) const H2: &[u8] = b"h2";

/// Certificates to trust, read once for each file.
#[derive(Default)]
pub(crate) struct Trust(Mutex<HashMap<Option<PathBuf>, Trusted>>);

/// What is spoken after the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1: what is spoken where nothing is agreed on.
    Http1,
    /// HTTP/2, by ALPN.
    Http2,
}

/// The authorities of one file, and TLS that asks for the handshake's name.
#[derive(Clone)]
pub(crate) struct Trusted {
    config: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// TLS that trusts `ca`, or the public authorities. With `names` the certificate must be for one of them.
    pub(crate) fn config(
        &self,
        ca: Option<&Path>,
        names: &[String],
        protocol: Protocol,
    ) -> Result<Arc<ClientConfig>, String> {
        let key = ca.map(Path::to_owned);
        let known = self.0.lock().get(&key).cloned();
        let known = match known {
            Some(known) => known,
            None => self.read(key)?,
        };
        let config = match protocol {
            Protocol::Http1 => known.config,
            Protocol::Http2 => known.http2,
        };
        if names.is_empty() {
            return Ok(config);
        }
        // Made for each connection: a function chose the names, and connections are kept.
        let mut config = ClientConfig::clone(&config);
        // A session that was agreed on under another name must not be taken up again under these.
        config.resumption = Resumption::disabled();
        config.dangerous().set_certificate_verifier(Arc::new(CertificateNames::try_new(known.roots, names)?));
        Ok(Arc::new(config))
    }

    /// The same, read anew.
    pub(crate) fn read(&self, ca: Option<PathBuf>) -> Result<Trusted, String> {
        let mut roots = RootCertStore::empty();
        match &ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let wrong = |error: &dyn std::fmt::Display| format!("cannot use {}: {error}", file.display());
                for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
                    let certificate = certificate.map_err(|error| wrong(&error))?;
                    roots.add(certificate).map_err(|error| wrong(&error))?;
                }
                if roots.is_empty() {
                    return Err(wrong(&"there is no certificate in it"));
                }
            }
        }
        let roots = Arc::new(roots);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("cannot set up TLS: {error}"))?
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![H2.to_vec()];
        // Sessions of the other kind have agreed on nothing.
        http2.resumption = Resumption::default();
        let trusted = Trusted { config: Arc::new(config), http2: Arc::new(http2), roots };
        self.0.lock().insert(ca, trusted.clone());
        Ok(trusted)
    }
}

/// Connects to `host`. `attempt`, from 0, chooses which of its addresses comes first, so that a dead one does not
/// take all attempts. TLS comes with the name of its handshake.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    tls: Option<(&str, Arc<ClientConfig>)>,
    limit: Duration,
    attempt: u32,
) -> Result<Stream, Failed> {
    let deadline = Instant::now() + limit;
    let late = |what: &str| (ErrorKind::ConnectTimeout, format!("{what} took more than {limit:?}"));
    let found = timeout_at(deadline, tokio::net::lookup_host((host, port))).await;
    let addresses = found
        .map_err(|_| (ErrorKind::Dns, format!("the address of {host} took more than {limit:?}")))?
        .map_err(|error| (ErrorKind::Dns, format!("{host}: {error}")))?;
    let socket = connect_any(addresses.collect(), attempt, deadline).await.map_err(|error| match error {
        Some(error) => (ErrorKind::Connect, format!("{host}:{port}: {error}")),
        None => late("connecting"),
    })?;
    // Requests are written whole; waiting to fill packets would only delay them.
    let _ = socket.set_nodelay(true);
    let io = match tls {
        None => Io::Plain(socket),
        Some((name, config)) => {
            let name = ServerName::try_from(name.to_owned()).map_err(|e| (ErrorKind::Tls, format!("{name}: {e}")))?;
            let handshake = TlsConnector::from(config).connect(name, socket);
            let stream = timeout_at(deadline, handshake).await.map_err(|_| late("the TLS handshake"))?;
            Io::Tls(Box::new(stream.map_err(|error| (tls_kind(&error), format!("{host}: {error}")))?))
        }
    };
    Ok(Stream { io, traffic: Arc::new(Traffic::default()), lasting: None })
}

/// An origin that has TLS and none of the protocols asked for says so.
fn tls_kind(error: &std::io::Error) -> ErrorKind {
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol);
    let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    if source == Some(&alert) { ErrorKind::NotHttp2 } else { ErrorKind::Tls }
}

/// Tries the addresses one after the other. All but the last share the time evenly. `None`: no time is left.
async fn connect_any(
    mut addresses: Vec<SocketAddr>,
    attempt: u32,
    deadline: Instant,
) -> Result<TcpStream, Option<std::io::Error>> {
    if addresses.is_empty() {
        return Err(Some(std::io::Error::other("it has no address")));
    }
    let first = attempt as usize % addresses.len();
    addresses.rotate_left(first);
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = Some(error),
            Err(_) => {}
        }
    }
    Err(last)
}
