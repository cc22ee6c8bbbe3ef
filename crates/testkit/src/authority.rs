//! A certificate authority for tests.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Signs certificates that its clients trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate chain and its key on disk, for as long as the authority lives.
#[derive(Debug, Clone)]
pub struct PemFiles {
    /// Chain.
    pub cert: PathBuf,
    /// Key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When the machine gives no randomness or no temporary folder.
    #[expect(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Rimward tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        Self { issuer, folder: TempDir::new().expect("a temporary folder") }
    }

    /// Signs a certificate for these hosts.
    ///
    /// # Panics
    /// When a name is no host name.
    pub fn sign(&self, hosts: &[&str]) -> PemFiles {
        let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let certificate =
            CertificateParams::new(names).expect("host names").signed_by(&key, &self.issuer).expect("a certificate");
        let stem = hosts.first().copied().unwrap_or("none").replace('*', "any");
        let (cert_file, key_file) =
            (self.folder.path().join(format!("{stem}.pem")), self.folder.path().join(format!("{stem}.key")));
        std::fs::write(&cert_file, certificate.pem()).expect("a writable folder");
        std::fs::write(&key_file, key.serialize_pem()).expect("a writable folder");
        PemFiles { cert: cert_file, key: key_file }
    }

    /// Its own certificate, as a PEM file.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn file(&self) -> PathBuf {
        let file = self.folder.path().join("authority.pem");
        std::fs::write(&file, self.issuer.pem()).expect("a writable folder");
        file
    }

    /// TLS of a server with a certificate for these hosts.
    ///
    /// # Panics
    /// When a name is no host name.
    pub fn server(&self, hosts: &[&str]) -> Arc<ServerConfig> {
        let files = self.sign(hosts);
        let chain = vec![CertificateDer::from_pem_file(&files.cert).expect("our own certificate")];
        let key = PrivateKeyDer::from_pem_file(&files.key).expect("our own key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("our own certificate");
        Arc::new(config)
    }

    /// TLS of a client that trusts this authority alone.
    ///
    /// # Panics
    /// Never.
    pub fn client(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("our own certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
