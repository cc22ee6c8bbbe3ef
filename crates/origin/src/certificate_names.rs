//! Certificates that need not be for the name of the handshake: `allowedCertificateNames` (`cloudfront-functions.md` section 11.3).

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Accepts a certificate of a trusted authority for any of the names. All else is the usual verifier's.
#[derive(Debug)]
pub(crate) struct CertificateNames {
    usual: Arc<WebPkiServerVerifier>,
    names: Vec<ServerName<'static>>,
}

impl CertificateNames {
    /// `*.example.com` stands for any one label before `.example.com`, which a certificate with this very wildcard covers.
    pub(crate) fn try_new(roots: Arc<RootCertStore>, names: &[String]) -> Result<Self, String> {
        let usual = WebPkiServerVerifier::builder_with_provider(roots, Arc::new(ring::default_provider()))
            .build()
            .map_err(|error| format!("cannot set up TLS: {error}"))?;
        let name = |name: &String| {
            let plain = name.strip_prefix("*.").map_or_else(|| name.clone(), |rest| format!("any.{rest}"));
            ServerName::try_from(plain).map_err(|error| format!("`{name}` is no name of a certificate: {error}"))
        };
        Ok(Self { usual, names: names.iter().map(name).collect::<Result<_, _>>()? })
    }
}

impl ServerCertVerifier for CertificateNames {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut last = Error::InvalidCertificate(CertificateError::NotValidForName);
        for name in &self.names {
            match self.usual.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
                Ok(verified) => return Ok(verified),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
