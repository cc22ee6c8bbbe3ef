//! Trust stores: who may sign the certificates of viewers, and the judgement on one.

use crate::BindError;
use crate::certificate;
use rimward_config::{MutualTls, MutualTlsMode, TrustStore};
use rimward_types::connection::ViewerCertificate;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

/// The largest file of authorities.
const AUTHORITIES: u64 = 4 << 20;
/// The largest file of revocation lists: each handshake verifies the signature of a list, over all of it.
const REVOCATIONS: u64 = 4 << 20;
/// Authorities of a store.
const MOST_AUTHORITIES: usize = 1000;
/// Bytes of the names that a handshake has room for (RFC 8446 section 4.2.4), less some for what stands around them.
const NAMES: usize = 48 * 1024;

/// How a distribution judges certificates.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    verifier: Arc<dyn ClientCertVerifier>,
    ignore_expiry: bool,
    /// Digest of all that the judgement depends on.
    pub(crate) digest: [u8; 32],
}

impl Judge {
    /// Reads the trust store. Blocks.
    pub(crate) fn read(settings: &MutualTls) -> Result<Self, BindError> {
        let store = &*settings.trust_store;
        let mut digest = Sha256::new();
        digest.update([u8::from(settings.mode == MutualTlsMode::Optional), u8::from(settings.ignore_expiry)]);
        let roots = Arc::new(roots(store, settings.ignore_expiry, &mut digest)?);
        let lists = revocations(store, &mut digest)?;
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), ring::default_provider().into());
        if settings.advertise_names {
            let names: usize = roots.subjects().iter().map(|name| name.as_ref().len() + 2).sum();
            if names > NAMES {
                let reason = format!(
                    "its names have {names} bytes, too many for `advertise-names`: a handshake has room for {NAMES}"
                );
                return Err(wrong(&store.authorities, reason));
            }
        } else {
            builder = builder.clear_root_hint_subjects();
        }
        if settings.mode == MutualTlsMode::Optional {
            builder = builder.allow_unauthenticated();
        }
        if !lists.is_empty() {
            // An authority without a list revokes nothing.
            builder = builder.with_crls(lists).allow_unknown_revocation_status();
        }
        let failed = |error: rustls::server::VerifierBuilderError| match store.revocations.first() {
            Some(path) => wrong(path, error.to_string()),
            None => wrong(&store.authorities, error.to_string()),
        };
        let verifier = builder.build().map_err(failed)?;
        Ok(Self { verifier, ignore_expiry: settings.ignore_expiry, digest: digest.finalize().into() })
    }
}

fn wrong(path: &Path, reason: impl Into<String>) -> BindError {
    BindError::Certificate { path: path.to_owned(), reason: reason.into() }
}

fn roots(store: &TrustStore, ignore_expiry: bool, digest: &mut Sha256) -> Result<RootCertStore, BindError> {
    let path = &store.authorities;
    let pem = read(path, AUTHORITIES)?;
    digest.update(Sha256::digest(&pem));
    let mut roots = RootCertStore::empty();
    let now = UnixTime::now().as_secs();
    let mut expired = 0;
    for (place, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        if place >= MOST_AUTHORITIES {
            return Err(wrong(path, format!("it has more than {MOST_AUTHORITIES} certificates")));
        }
        let wrong = |reason: String| wrong(path, format!("certificate {}: {reason}", place + 1));
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        let ends = authority(&certificate).map_err(|reason| wrong(reason.to_owned()))?;
        // Verification looks at the dates of what a viewer sends, not at those of an authority.
        if ends < now && !ignore_expiry {
            tracing::warn!(file = %path.display(), certificate = place + 1, "the authority has expired and is not trusted");
            expired += 1;
            continue;
        }
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    match (roots.is_empty(), expired) {
        (false, _) => Ok(roots),
        (true, 0) => Err(wrong(path, "there is no certificate in it")),
        (true, _) => Err(wrong(path, "all certificates in it have expired")),
    }
}

/// When an authority's certificate ends, in seconds since 1970. The library trusts each certificate that it is given as an authority,
/// also a viewer's own: its holder could make certificates for everybody.
fn authority(der: &[u8]) -> Result<u64, &'static str> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| "it cannot be read")?;
    let constraints = certificate.basic_constraints().map_err(|_| "its basicConstraints cannot be read")?;
    if !constraints.is_some_and(|constraints| constraints.value.ca) {
        return Err("it is no authority's: basicConstraints does not say CA:TRUE");
    }
    let usage = certificate.key_usage().map_err(|_| "its keyUsage cannot be read")?;
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err("it is no authority's: keyUsage does not have keyCertSign");
    }
    Ok(u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default())
}

fn revocations(
    store: &TrustStore,
    digest: &mut Sha256,
) -> Result<Vec<CertificateRevocationListDer<'static>>, BindError> {
    let mut lists = Vec::new();
    for path in &store.revocations {
        let pem = read(path, REVOCATIONS)?;
        digest.update(Sha256::digest(&pem));
        let found = CertificateRevocationListDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| wrong(path, error.to_string()))?;
        if found.is_empty() {
            return Err(wrong(path, "there is no revocation list in it"));
        }
        lists.extend(found.into_iter().map(|list| (path, list)));
    }
    let mut scopes = HashSet::new();
    for (path, list) in &lists {
        if !scopes.insert(scope(list).ok_or_else(|| wrong(path, "a revocation list in it cannot be read"))?) {
            let reason = "it has another list of an authority that has one already, of which only the first would count: \
                          keep the newest";
            return Err(wrong(path, reason));
        }
    }
    Ok(lists.into_iter().map(|(_, list)| list).collect())
}

/// Whose certificates a list is about: its issuer, and its part of them, where it says that it has one (RFC 5280 section 5.2.5).
fn scope(list: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, list) = CertificateRevocationList::from_der(list).ok()?;
    let part = list.extensions().iter().find(|extension| extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT);
    Some((list.issuer().as_raw().to_vec(), part.map(|part| part.value.to_vec()).unwrap_or_default()))
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, BindError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| wrong(path, error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(wrong(path, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// When a certificate ends, in seconds since 1970; `None` when it cannot be read.
fn end_of(der: &[u8]) -> Option<u64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    u64::try_from(certificate.validity().not_after.timestamp()).ok()
}

/// The judge of one connection; it remembers what it was shown.
#[derive(Debug)]
pub(crate) struct Witness {
    judge: Judge,
    shown: OnceLock<Option<Arc<ViewerCertificate>>>,
}

impl Witness {
    pub(crate) fn new(judge: &Judge) -> Arc<Self> {
        Arc::new(Self { judge: judge.clone(), shown: OnceLock::new() })
    }

    /// The certificate that the viewer sent, verified or not; `None` when it sent none that can be read.
    pub(crate) fn shown(&self) -> Option<Arc<ViewerCertificate>> {
        self.shown.get().cloned().flatten()
    }

    /// The judgement where the viewer's certificate has expired and that is to be ignored: at the last moment when it still held. All
    /// other rules count. Authorities must be valid now, or the key of one that was given up could sign for times gone by.
    fn verify_before_expiry(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let end = end_of(leaf).ok_or(CertificateError::BadEncoding)?;
        let holds = |other: &&CertificateDer<'_>| end_of(other).is_some_and(|end| end >= now.as_secs());
        let others: Vec<_> = others.iter().filter(holds).cloned().collect();
        let then = UnixTime::since_unix_epoch(Duration::from_secs(end.min(now.as_secs())));
        self.judge.verifier.verify_client_cert(leaf, &others, then)
    }
}

impl ClientCertVerifier for Witness {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.judge.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.judge.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let shown = self.shown.get_or_init(|| certificate::read(leaf).map(Arc::new));
        let verified = self.judge.verifier.verify_client_cert(leaf, others, now);
        let verified = match verified {
            Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }))
                if self.judge.ignore_expiry =>
            {
                self.verify_before_expiry(leaf, others, now)
            }
            other => other,
        };
        // Nobody could be told whose it is.
        if verified.is_ok() && shown.is_none() {
            return Err(CertificateError::BadEncoding.into());
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.verifier.supported_verify_schemes()
    }
}
