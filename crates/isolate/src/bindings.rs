//! What a function may read beside its event and its store.

use rimward_jwks::Keys;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What the node gives to one function.
#[derive(Clone, Default)]
pub struct Bindings {
    /// Where the node is.
    pub location: Location,
    /// Variables of `rimward.environment`. They may end up in the function's snapshot.
    pub environment: BTreeMap<String, String>,
    /// Secrets of `rimward.secret`. They stay out of snapshots: a top level that asks for one runs in each invocation.
    pub secrets: BTreeMap<String, String>,
    /// Keys of `rimward.verifyJwt`.
    pub keys: Option<Arc<Keys>>,
}

/// Where the node is (`cloudfront-functions.md` section 11.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// `cf.edgeLocation.name`: an IATA code at the vendor's.
    pub name: Arc<str>,
    /// `cf.edgeLocation.region`
    pub region: Arc<str>,
}

/// Without the secrets' content.
impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings")
            .field("location", &self.location)
            .field("environment", &self.environment)
            .field("secrets", &self.secrets.keys())
            .field("keys", &self.keys.as_ref().map(|keys| keys.is_loaded()))
            .finish()
    }
}
