//! What a behavior's cache policy asks for.

use crate::policy::profile::{LeaveToShare, MinTtlBeats};
use crate::tag;
use http::header::AUTHORIZATION;
use http::{HeaderName, StatusCode};
use rimward_types::ByteSize;
pub use rimward_types::NameSet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whose rules decide; the differences are the table in [`crate::policy::profile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// RFC 9111 as a shared cache, with RFC 5861 and RFC 9213.
    #[default]
    Rfc,
    /// CloudFront (`cdn-behaviour.md` sections 10 and 11).
    CloudFront,
}

/// Bounds on the time for which a stored response is fresh (`cdn-behaviour.md` section 10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlRules {
    /// At least this long.
    pub min: Duration,
    /// Where the origin says nothing. `None`: the RFC's heuristics.
    pub default: Option<Duration>,
    /// At most this long.
    pub max: Duration,
}

impl Default for TtlRules {
    fn default() -> Self {
        Self { min: Duration::ZERO, default: None, max: Duration::from_secs(31_536_000) }
    }
}

/// What the key is made of besides distribution and path (`cdn-behaviour.md` sections 5 and 6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRules {
    /// Query parameters.
    pub query: NameSet,
    /// Headers, by name; an absent header and an empty one are distinct.
    pub headers: Vec<HeaderName>,
    /// Cookies.
    pub cookies: NameSet,
    /// `Accept-Encoding`, normalised, with `br` as one of the codings.
    pub brotli: bool,
    /// `Accept-Encoding`, normalised, with `gzip` as one of the codings.
    pub gzip: bool,
    /// `Accept-Encoding`, normalised, with `zstd` where the viewer does not take `br`.
    pub zstd: bool,
}

/// Request headers that reach the origin (`cdn-behaviour.md` section 7.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ForwardedHeaders {
    /// All.
    #[default]
    All,
    /// These.
    Only(Vec<HeaderName>),
    /// All but these.
    Except(Vec<HeaderName>),
}

impl ForwardedHeaders {
    /// Whether `name` reaches the origin.
    pub fn contains(&self, name: &HeaderName) -> bool {
        match self {
            ForwardedHeaders::All => true,
            ForwardedHeaders::Only(names) => names.contains(name),
            ForwardedHeaders::Except(names) => !names.contains(name),
        }
    }

    /// Whether the node tells the origin the kind of device in place of `User-Agent`.
    pub fn names_device(&self) -> bool {
        matches!(self, ForwardedHeaders::Only(names) if names.iter().any(|name| {
            name.as_str().starts_with("cloudfront-is-") && name.as_str().ends_with("-viewer")
        }))
    }
}

/// The rules of one behavior, made from its cache policy. Shared by its requests: keep it in an `Arc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether there is any caching.
    pub enabled: bool,
    /// Whose rules decide.
    pub profile: Profile,
    /// Bounds on freshness.
    pub ttl: TtlRules,
    /// What the key is made of.
    pub key: KeyRules,
    /// Whether answers to OPTIONS are cached (`cdn-behaviour.md` section 4).
    pub options: bool,
    /// CloudFront profile: how long errors are kept at least, and the time between two questions to a failing origin.
    pub error_ttl: Duration,
    /// The same for single statuses.
    pub error_ttls: BTreeMap<u16, Duration>,
    /// Response headers that carry tags (`cdn-behaviour.md` section 17).
    pub tag_headers: Arc<[HeaderName]>,
    /// Which request headers reach the origin, for what viewers see of `Vary`.
    pub forwarded: ForwardedHeaders,
    /// Whether any cookies reach the origin.
    pub forwards_cookies: bool,
    /// Whether something of the viewer's request reaches the origin that is not in the key.
    pub unkeyed: bool,
    /// Drops `Set-Cookie` from what is stored: CloudFront does so when cookies are not forwarded.
    pub strip_set_cookie: bool,
    /// Ranges of what is not stored are answered from slices of this size. `None`: from the whole.
    pub slice: Option<ByteSize>,
}

impl Rules {
    /// Whether `no-store`, `no-cache` and `private` give way to a minimum TTL above zero, and to the time that errors are kept.
    pub fn outrank_restrictions(&self) -> bool {
        match self.profile.table().min_ttl_beats {
            MinTtlBeats::Nothing => false,
            MinTtlBeats::RestrictionsWhereKeyed => !self.unkeyed,
        }
    }

    /// Whether an answer to a request with `Authorization` needs leave to be shared.
    pub fn asks_leave_for_authorization(&self) -> bool {
        match self.profile.table().authorization {
            LeaveToShare::Always => true,
            LeaveToShare::WhereUnkeyed => {
                self.forwarded.contains(&AUTHORIZATION) && self.unkeyed && !self.key.headers.contains(&AUTHORIZATION)
            }
        }
    }

    /// How long an error of `status` is kept at least.
    pub fn error_ttl_of(&self, status: StatusCode) -> Duration {
        self.error_ttls.get(&status.as_u16()).copied().unwrap_or(self.error_ttl)
    }
}

impl Default for Rules {
    /// The RFC profile with the whole query in the key.
    fn default() -> Self {
        Self {
            enabled: true,
            profile: Profile::Rfc,
            ttl: TtlRules::default(),
            key: KeyRules { query: NameSet::All, ..KeyRules::default() },
            options: false,
            error_ttl: Duration::from_secs(10),
            error_ttls: BTreeMap::new(),
            tag_headers: tag::DEFAULT_HEADERS.into(),
            forwarded: ForwardedHeaders::All,
            forwards_cookies: true,
            unkeyed: false,
            strip_set_cookie: false,
            slice: None,
        }
    }
}
