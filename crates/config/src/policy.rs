//! `[cache-policies.NAME]` (`cdn-behaviour.md` section 6) and `forward` (section 7.1).

use http::HeaderName;
use rimward_types::ByteSize;
pub use rimward_types::NameSet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
/// The vendor's minimum TTL of error caching (`cdn-behaviour.md` section 11).
const ERROR_TTL: Duration = Duration::from_secs(10);
const YEAR: Duration = Duration::from_secs(31_536_000);

/// `[cache-policies.NAME]`: what is in the cache key, and how long answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// Its name: 1 to 64 letters, digits, `-` and `_`.
    pub name: Arc<str>,
    /// `profile`: `"rfc"` or `"cloudfront"`, whose rules on freshness hold. Default: `"rfc"`.
    pub profile: Profile,
    /// `min-ttl`: kept at least as long, up to 100 y. Default: 0 s.
    pub min_ttl: Duration,
    /// `default-ttl`: kept as long where the origin does not say, `min-ttl` to `max-ttl`. Default: with `"rfc"` not
    /// set (heuristic freshness, RFC 9111 section 4.2.2), with `"cloudfront"` 1 d or `min-ttl` where that is more.
    pub default_ttl: Option<Duration>,
    /// `max-ttl`: kept at most as long, up to 100 y. Default: 1 y, or the other two where they are more.
    pub max_ttl: Duration,
    /// `error-ttl`: with `"cloudfront"`, errors are kept at least as long, and an origin that failed is left in peace as
    /// long while something stale can be served (`cdn-behaviour.md` section 11), up to 100 y. Default: 10 s.
    pub error_ttl: Duration,
    /// The same for single statuses, written as `error-ttl = { 404 = "1 min", default = "10 s" }`.
    pub error_ttls: BTreeMap<u16, Duration>,
    /// `headers`: request headers in the key, at most 10. Default: none.
    pub headers: Vec<HeaderName>,
    /// `cookies` in the key: `"none"`, `"all"`, `["a", "b"]` or `{ except = ["a"] }`. Default: `"none"`.
    pub cookies: NameSet,
    /// `query` parameters in the key, written like `cookies`. Default: with `"rfc"` `"all"`, with `"cloudfront"`
    /// `"none"`.
    pub query: NameSet,
    /// `accept-encoding`: whether the viewer's, made normal (`br,gzip`), is in the key. Default: false.
    pub accept_encoding: bool,
    /// `slice`: ranges of what is not stored are answered from slices of this size, 64 KB to 64 MB. Default: from the
    /// whole.
    pub slice: Option<ByteSize>,
    /// `enabled`: whether answers are stored. Default: true, unless all three times are set to 0 s.
    pub enabled: bool,
}

/// Whose rules on freshness hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// RFC 9111: `Vary` selects, the origin's word counts, times clamp it.
    #[default]
    Rfc,
    /// CloudFront's: `cdn-behaviour.md` section 10.
    CloudFront,
}

/// `forward`: what of the viewer's request reaches the origin, besides what is in the cache key. One of
/// `"all-viewer"`, `"all-viewer-except-host"` (the default), `"none"`, or a table of `headers`, `cookies` and `query`,
/// each `"none"` (the default), `"all"`, `["a"]` or `{ except = ["a"] }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Forward {
    /// Headers other than `Cookie`.
    pub headers: ForwardHeaders,
    /// Cookies.
    pub cookies: NameSet,
    /// Query parameters.
    pub query: NameSet,
}

/// Which headers reach the origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum ForwardHeaders {
    /// None.
    #[default]
    None,
    /// All, `Host` among them.
    All,
    /// The listed ones, at most 10.
    Only(Vec<HeaderName>),
    /// All but the listed ones, at most 10.
    Except(Vec<HeaderName>),
}

impl ForwardHeaders {
    /// Whether `name` is in it.
    pub fn contains(&self, name: &HeaderName) -> bool {
        match self {
            ForwardHeaders::None => false,
            ForwardHeaders::All => true,
            ForwardHeaders::Only(names) => names.contains(name),
            ForwardHeaders::Except(names) => !names.contains(name),
        }
    }
}

impl Forward {
    /// `all-viewer`: everything that the viewer sent.
    pub fn all_viewer() -> Self {
        Self { headers: ForwardHeaders::All, cookies: NameSet::All, query: NameSet::All }
    }

    /// `all-viewer-except-host`: everything but `Host`, so that the origin sees its own name.
    pub fn all_viewer_except_host() -> Self {
        Self { headers: ForwardHeaders::Except(vec![http::header::HOST]), cookies: NameSet::All, query: NameSet::All }
    }

    /// `none`: what the cache key has, and no more.
    pub fn none() -> Self {
        Self { headers: ForwardHeaders::None, cookies: NameSet::None, query: NameSet::None }
    }

    /// Whether the origin sees the viewer's `Host`.
    pub fn forwards_host(&self) -> bool {
        self.headers.contains(&http::header::HOST)
    }
}

impl Default for Forward {
    fn default() -> Self {
        Self::all_viewer_except_host()
    }
}

impl CachePolicy {
    /// The policy of a behavior that names none.
    pub const DEFAULT: &'static str = "origin-cache-control";

    /// A policy of `profile` with every setting at its default.
    pub fn new(name: impl Into<Arc<str>>, profile: Profile) -> Self {
        let (default_ttl, query) = match profile {
            Profile::Rfc => (None, NameSet::All),
            Profile::CloudFront => (Some(DAY), NameSet::None),
        };
        Self {
            name: name.into(),
            profile,
            min_ttl: Duration::ZERO,
            default_ttl,
            max_ttl: YEAR,
            error_ttl: ERROR_TTL,
            error_ttls: BTreeMap::new(),
            headers: Vec::new(),
            cookies: NameSet::None,
            query,
            accept_encoding: false,
            slice: None,
            enabled: true,
        }
    }

    /// The policies that need no definition (`cdn-behaviour.md` section 6 has the vendor's).
    ///
    /// - `origin-cache-control`: RFC 9111 as it stands, the whole query in the key. The default.
    /// - `caching-optimized`: 1 s, 1 d, 1 y; no query, cookies or headers in the key.
    /// - `caching-disabled`: stores nothing.
    /// - `use-origin-cache-control-headers`: the origin's times; host, method overrides and all cookies in the key.
    /// - `use-origin-cache-control-headers-query-strings`: the same with the query.
    pub fn built_in() -> Vec<CachePolicy> {
        let optimized = CachePolicy {
            min_ttl: Duration::from_secs(1),
            accept_encoding: true,
            ..CachePolicy::new("caching-optimized", Profile::CloudFront)
        };
        let disabled = CachePolicy {
            default_ttl: Some(Duration::ZERO),
            max_ttl: Duration::ZERO,
            enabled: false,
            ..CachePolicy::new("caching-disabled", Profile::CloudFront)
        };
        let origin_headers = CachePolicy {
            default_ttl: Some(Duration::ZERO),
            headers: ["host", "origin", "x-http-method-override", "x-http-method", "x-method-override"]
                .map(HeaderName::from_static)
                .to_vec(),
            cookies: NameSet::All,
            accept_encoding: true,
            ..CachePolicy::new("use-origin-cache-control-headers", Profile::CloudFront)
        };
        let with_query = CachePolicy {
            name: "use-origin-cache-control-headers-query-strings".into(),
            query: NameSet::All,
            ..origin_headers.clone()
        };
        vec![CachePolicy::new(Self::DEFAULT, Profile::Rfc), optimized, disabled, origin_headers, with_query]
    }
}
