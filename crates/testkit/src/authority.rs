//! A certificate authority for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Signs certificates that its clients trust.
pub struct Authority {
    params: CertificateParams,
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A viewer's certificate and its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
    serial: SerialNumber,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// For long.
    Now,
    /// Until the end of the year 2020.
    Expired,
    /// From the year 2999 on.
    NotYet,
}

/// A certificate chain and its key on disk, for as long as the authority lives.
#[derive(Debug, Clone)]
pub struct PemFiles {
    /// Chain.
    pub cert: PathBuf,
    /// Key.
    pub key: PathBuf,
}

impl Identity {
    /// The certificate, PEM.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When the machine gives no randomness or no temporary folder.
    #[expect(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Self {
        Self::named("Rimward tests")
    }

    /// A new one, with its common name.
    ///
    /// # Panics
    /// When the machine gives no randomness or no temporary folder.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params.clone(), key).expect("a certificate");
        Self { params, issuer, folder: TempDir::new().expect("a temporary folder") }
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

    /// Signs a viewer's certificate with serial number `serial`, for `CN=<name>,O=Viewers`.
    ///
    /// # Panics
    /// When the machine gives no randomness.
    pub fn sign_viewer(&self, name: &str, serial: &[u8], lifetime: Lifetime) -> Identity {
        self.sign_for(name, serial, lifetime, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The same for a certificate that is a server's, not a viewer's.
    ///
    /// # Panics
    /// When the machine gives no randomness.
    pub fn sign_for_server(&self, name: &str) -> Identity {
        self.sign_for(name, &[1], Lifetime::Now, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn sign_for(&self, name: &str, serial: &[u8], lifetime: Lifetime, purpose: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, "Viewers");
        subject.push(DnType::CommonName, name);
        params.distinguished_name = subject;
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.extended_key_usages = vec![purpose];
        (params.not_before, params.not_after) = match lifetime {
            Lifetime::Now => (date_time_ymd(2020, 1, 2), date_time_ymd(2999, 1, 1)),
            Lifetime::Expired => (date_time_ymd(2020, 1, 2), date_time_ymd(2020, 12, 31)),
            Lifetime::NotYet => (date_time_ymd(2999, 1, 1), date_time_ymd(3000, 1, 1)),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let pem = certificate.pem().replace("\r\n", "\n");
        Identity { certificate: certificate.der().clone(), pem, key, serial: SerialNumber::from_slice(serial) }
    }

    /// Writes a revocation list with these certificates.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn revoke(&self, identities: &[&Identity]) -> PathBuf {
        let revoked = |identity: &&Identity| RevokedCertParams {
            serial_number: identity.serial.clone(),
            revocation_time: date_time_ymd(2021, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2021, 1, 1),
            next_update: date_time_ymd(2999, 1, 1),
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: identities.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let file = self.folder.path().join("revoked.pem");
        let list = list.signed_by(&self.issuer).and_then(|list| list.pem()).expect("a list");
        std::fs::write(&file, list).expect("a writable folder");
        file
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

    /// Another certificate of its key, which has expired, as a PEM file.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn expired_file(&self) -> PathBuf {
        let mut params = self.params.clone();
        (params.not_before, params.not_after) = (date_time_ymd(2010, 1, 1), date_time_ymd(2020, 12, 31));
        let certificate = params.self_signed(self.issuer.key()).expect("a certificate");
        let file = self.folder.path().join("expired.pem");
        std::fs::write(&file, certificate.pem()).expect("a writable folder");
        file
    }

    /// TLS of a server with a certificate for these hosts.
    ///
    /// # Panics
    /// When a name is no host name.
    pub fn server(&self, hosts: &[&str]) -> Arc<ServerConfig> {
        self.server_speaking(hosts, &[])
    }

    /// The same for a server that offers these protocols.
    ///
    /// # Panics
    /// When a name is no host name.
    pub fn server_speaking(&self, hosts: &[&str], alpn: &[&str]) -> Arc<ServerConfig> {
        let files = self.sign(hosts);
        let chain = vec![CertificateDer::from_pem_file(&files.cert).expect("our own certificate")];
        let key = PrivateKeyDer::from_pem_file(&files.key).expect("our own key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("our own certificate");
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// TLS of a client that trusts this authority alone.
    ///
    /// # Panics
    /// Never.
    pub fn client(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        self.client_showing(alpn, None)
    }

    /// The same for a client that shows a certificate where one is asked for.
    ///
    /// # Panics
    /// Never.
    pub fn client_showing(&self, alpn: &[&str], identity: Option<&Identity>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("our own certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(roots);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::try_from(identity.key.serialize_der()).expect("our own key");
                config.with_client_auth_cert(vec![identity.certificate.clone()], key).expect("our own certificate")
            }
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
