//! Certificates, the choice among them, and which viewers show theirs.

use crate::BindError;
use crate::trust::{Judge, Witness};
use rimward_config::{Certificate, MutualTls, MutualTlsSites, TlsListen};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// What TLS is made of. New connections get the newest.
#[derive(Debug)]
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    certificates: Arc<Certificates>,
    /// For viewers that are not asked for certificates; they may resume sessions.
    plain: Arc<ServerConfig>,
    names: MutualTlsSites,
    /// Distributions that ask, by their place in `names`.
    sites: HashMap<usize, Arc<Site>>,
}

/// A distribution that asks viewers for certificates.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) distribution: Arc<str>,
    function: Option<Arc<str>>,
    judge: Judge,
}

/// How to speak to a viewer.
pub(crate) struct Choice {
    pub(crate) config: Arc<ServerConfig>,
    /// Who asks for a certificate, if somebody does.
    pub(crate) asked: Option<Asked>,
}

/// A viewer is asked for a certificate.
pub(crate) struct Asked {
    /// By whom.
    pub(crate) site: Arc<Site>,
    /// Who sees it.
    pub(crate) witness: Arc<Witness>,
}

impl Tls {
    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN (`cdn-behaviour.md` section 4). Blocks.
    ///
    /// # Errors
    /// A certificate or key that is missing, malformed, or does not belong to the other; a trust store that cannot be used.
    pub(crate) fn read(tls: &TlsListen, names: &MutualTlsSites) -> Result<Self, BindError> {
        let keys = tls.certificates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(BindError::NoCertificate);
        }
        let provider = Arc::new(ring::default_provider());
        let certificates = Arc::new(Certificates(keys));
        let mut plain = config(&provider, &certificates, WebPkiClientVerifier::no_client_auth())?;
        plain.ticketer = ring::Ticketer::new().map_err(failed)?;
        Ok(Self { provider, certificates, plain: Arc::new(plain), sites: sites(names)?, names: names.clone() })
    }

    /// How to speak to a viewer that asks for `server_name` at `local`.
    pub(crate) fn choose(&self, server_name: Option<&str>, local: IpAddr) -> Result<Choice, BindError> {
        let place = self.names.place_of(server_name, local);
        let Some(site) = place.and_then(|place| self.sites.get(&place)) else {
            return Ok(Choice { config: self.plain.clone(), asked: None });
        };
        let witness = Witness::new(&site.judge);
        let mut config = config(&self.provider, &self.certificates, witness.clone())?;
        // A session that is taken up again would not show its certificate (`cloudfront-functions.md` section 13).
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Choice { config: Arc::new(config), asked: Some(Asked { site: site.clone(), witness }) })
    }

    /// Whether a viewer whom `site` let in would be judged in the same way now.
    pub(crate) fn still_has(&self, site: &Site) -> bool {
        let same = |other: &Arc<Site>| {
            let rules = |site: &Site| (site.distribution.clone(), site.function.clone(), site.judge.digest);
            rules(other) == rules(site)
        };
        self.sites.values().any(same)
    }
}

fn sites(names: &MutualTlsSites) -> Result<HashMap<usize, Arc<Site>>, BindError> {
    // Many distributions may share one store.
    let mut judges: Vec<(&MutualTls, Judge)> = Vec::new();
    let mut sites = HashMap::new();
    for (place, site) in names.iter() {
        let known = judges.iter().find(|(settings, _)| **settings == site.settings);
        let judge = match known {
            Some((_, judge)) => judge.clone(),
            None => {
                let judge = Judge::read(&site.settings)?;
                judges.push((&site.settings, judge.clone()));
                judge
            }
        };
        let (distribution, function) = (site.distribution.clone(), site.function.clone());
        sites.insert(place, Arc::new(Site { distribution, function, judge }));
    }
    Ok(sites)
}

fn config(
    provider: &Arc<CryptoProvider>,
    certificates: &Arc<Certificates>,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, BindError> {
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificates.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn failed(error: rustls::Error) -> BindError {
    BindError::Tls(error.to_string())
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
