//! `[node.geo]` and `geo-restriction`: where viewers are.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// `[node.geo]`: databases in MaxMind's format, at most 1 GB each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GeoFiles {
    /// `places`: of cities or countries. Default: none.
    pub places: Option<PathBuf>,
    /// `networks`: of autonomous systems. Default: none.
    pub networks: Option<PathBuf>,
}

/// `geo-restriction` of a distribution (`cdn-behaviour.md` section 16). Codes of countries are two capital letters (ISO 3166-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeoRestriction {
    /// `{ allow = ["DE", "AT"] }`: viewers in these are served.
    Allow(BTreeSet<[u8; 2]>),
    /// `{ deny = ["FR"] }`: viewers in these are not.
    Deny(BTreeSet<[u8; 2]>),
}

impl GeoRestriction {
    /// Whether a viewer in `country` is served. One whose country nobody knows is.
    pub fn serves(&self, country: Option<&str>) -> bool {
        let Some(code) = country.and_then(code) else { return true };
        match self {
            Self::Allow(countries) => countries.contains(&code),
            Self::Deny(countries) => !countries.contains(&code),
        }
    }
}

/// A code as it is compared; `None` when it is none.
pub(crate) fn code(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}
