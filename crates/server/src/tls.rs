//! Certificates and the choice among them.

use crate::BindError;
use rimward_config::{Certificate, TlsListen};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::Path;
use std::sync::Arc;

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN (`cdn-behaviour.md` section 4).
///
/// # Errors
/// A certificate or key that is missing, malformed, or does not belong to the other.
pub(crate) fn config(tls: &TlsListen) -> Result<Arc<ServerConfig>, BindError> {
    let keys = tls.certificates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(BindError::NoCertificate);
    }
    let failed = |error: rustls::Error| BindError::Tls(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Certificates(keys)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new().map_err(failed)?;
    Ok(Arc::new(config))
}

fn read(files: &Certificate) -> Result<Arc<CertifiedKey>, BindError> {
    let wrong = |path: &Path, reason: String| BindError::Certificate { path: path.to_owned(), reason };
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(&files.cert, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, error.to_string()))?;
    let key = ring::sign::any_supported_type(&key).map_err(|error| wrong(&files.key, error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(wrong(&files.key, format!("it is not the key of {}", files.cert.display())))
        }
        Err(error) => Err(wrong(&files.cert, error.to_string())),
    }
}

/// Gives each viewer the first certificate that names the host it asks for, else the first of all.
#[derive(Debug)]
struct Certificates(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = asked.and_then(|name| self.0.iter().find(|key| names(key, &name)));
        named.or_else(|| self.0.first()).cloned()
    }
}

fn names(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let leaf = key.end_entity_cert().and_then(ParsedCertificate::try_from);
    leaf.is_ok_and(|leaf| verify_server_name(&leaf, name).is_ok())
}
