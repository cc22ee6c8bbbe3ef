//! `[trust-stores.NAME]` and `mutual-tls` of a distribution: viewers that show certificates.

use crate::host::Hosts;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// `[trust-stores.NAME]`: who signs the certificates of viewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustStore {
    /// Its name: 1 to 64 letters, digits, `-` and `_`.
    pub name: Arc<str>,
    /// `authorities`: a PEM file of 1 to 1,000 certificates, at most 4 MB. Intermediate ones may be among them; each is trusted by
    /// itself.
    pub authorities: PathBuf,
    /// `revocations`: up to 16 files with the authorities' revocation lists, PEM, at most 16 MB each. Default: none.
    pub revocations: Vec<PathBuf>,
}

/// `mutual-tls` of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTls {
    /// `trust-store`: name of a trust store.
    pub trust_store: Arc<TrustStore>,
    /// `mode`: `"required"` or `"optional"`. Default: `"required"`.
    pub mode: MutualTlsMode,
    /// `ignore-expiry`: whether certificates that have expired are taken all the same. Default: false.
    pub ignore_expiry: bool,
    /// `advertise-names`: whether viewers are told the names of the authorities, so that they can choose among certificates.
    /// Default: false.
    pub advertise_names: bool,
}

/// Whether a viewer must have a certificate. One that is sent is verified in either mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MutualTlsMode {
    /// Without one there is no connection.
    #[default]
    Required,
    /// It may have none.
    Optional,
}

/// Which distribution asks for certificates, by the server name that a viewer connects to.
#[derive(Debug, Clone, Default)]
pub struct MutualTlsSites {
    hosts: Hosts,
    /// In the order of the distributions.
    sites: Vec<Option<MutualTlsSite>>,
}

/// A distribution with mutual TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTlsSite {
    /// The distribution's id.
    pub distribution: Arc<str>,
    /// How it asks.
    pub settings: MutualTls,
    /// The function that judges each connection.
    pub function: Option<Arc<str>>,
}

// === impl MutualTlsSites ===

impl MutualTlsSites {
    /// No distribution asks.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn new(hosts: Hosts, sites: Vec<Option<MutualTlsSite>>) -> Self {
        Self { hosts, sites }
    }

    /// The distributions that ask, each once, with their places.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &MutualTlsSite)> {
        self.sites.iter().enumerate().filter_map(|(place, site)| Some((place, site.as_ref()?)))
    }

    /// The place of the distribution that serves `server_name`, as in [`MutualTlsSites::iter`]; `None`: nobody does. Viewers name
    /// no server where they know its address alone (RFC 6066 section 3): then `local` is its name.
    pub fn place_of(&self, server_name: Option<&str>, local: IpAddr) -> Option<usize> {
        match (server_name, local) {
            (Some(name), _) => self.hosts.find(&name.to_ascii_lowercase()),
            (None, IpAddr::V4(address)) => self.hosts.find(&address.to_string()),
            (None, IpAddr::V6(address)) => self.hosts.find(&format!("[{address}]")),
        }
    }
}
