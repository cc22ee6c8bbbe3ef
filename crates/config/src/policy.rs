//! `[cache-policies.NAME]` (`cdn-behaviour.md` section 6) and `forward` (section 7.1).

use http::HeaderName;
use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HOST, ORIGIN, REFERER, USER_AGENT,
};
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
/// `"all-viewer"`, `"all-viewer-except-host"`, `"none"`, or a table of `headers`, `cookies` and `query`,
/// each `"none"` (the default), `"all"`, `["a"]` or `{ except = ["a"] }`. Default: [`Forward::default_of`].
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
        Self { headers: ForwardHeaders::Except(vec![HOST]), cookies: NameSet::All, query: NameSet::All }
    }

    /// `none`: what the cache key has, and no more.
    pub fn none() -> Self {
        Self { headers: ForwardHeaders::None, cookies: NameSet::None, query: NameSet::None }
    }

    /// The vendor's managed origin request policy with this name or id (`cdn-behaviour.md` section 7.1).
    /// `AllViewerAndCloudFrontHeaders` has no counterpart: headers of the node are named one by one.
    pub fn managed(name: &str) -> Option<Self> {
        let only = |names: &[HeaderName]| Self { headers: ForwardHeaders::Only(names.to_vec()), ..Self::none() };
        Some(match name {
            "216adef6-5c7f-47e4-b989-5492eafa07d3" => Self::all_viewer(),
            "all-viewer-except-host-header" | "b689b0a8-53d0-40ab-baf2-68738e2966ac" => Self::all_viewer_except_host(),
            "cors-custom-origin" | "59781a5b-3903-41f3-afcb-af62929ccde1" => only(&[ORIGIN]),
            "cors-s3-origin" | "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf" => {
                only(&[ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD])
            }
            "host-header-only" | "bf0718e1-ba1e-49d1-88b1-f726733018ae" => only(&[HOST]),
            "user-agent-referer-headers" | "acba4595-bd28-49b8-b9fe-13317c0390fa" => only(&[USER_AGENT, REFERER]),
            _ => return None,
        })
    }

    /// What is forwarded where a behavior with `policy` does not say. With CloudFront's rules the key alone selects what a viewer
    /// gets, whatever the origin says; so where answers are stored the origin gets no more than the key, as it does there without
    /// an origin request policy (`cdn-behaviour.md` section 7.3).
    pub fn default_of(policy: &CachePolicy) -> Self {
        match policy.profile {
            Profile::CloudFront if policy.enabled => Self::none(),
            _ => Self::all_viewer_except_host(),
        }
    }

    /// Whether the origin sees the viewer's `Host`.
    pub fn forwards_host(&self) -> bool {
        self.headers.contains(&HOST)
    }

    /// What reaches the origin without being in the key of `policy`.
    pub fn beyond(&self, policy: &CachePolicy) -> Unkeyed {
        // `Host` is put into the key where it is forwarded.
        let keyed = |name: &HeaderName| *name == HOST || policy.headers.contains(name);
        Unkeyed {
            headers: match &self.headers {
                ForwardHeaders::None => false,
                ForwardHeaders::Only(names) => !names.iter().all(keyed),
                ForwardHeaders::All | ForwardHeaders::Except(_) => true,
            },
            authorization: self.headers.contains(&AUTHORIZATION) && !keyed(&AUTHORIZATION),
            cookies: !covers(&policy.cookies, &self.cookies),
            query: !covers(&policy.query, &self.query),
        }
    }
}

/// What reaches an origin without being in the key: an answer may depend on it, and whoever asks next under the same key gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unkeyed {
    /// Headers.
    pub headers: bool,
    /// `Authorization`, one of them.
    pub authorization: bool,
    /// Cookies.
    pub cookies: bool,
    /// Query parameters.
    pub query: bool,
}

impl Unkeyed {
    /// Whether it is anything.
    pub fn any(self) -> bool {
        self.headers || self.cookies || self.query
    }
}

/// Whether all names of `part` are in `whole`.
fn covers(whole: &NameSet, part: &NameSet) -> bool {
    match (whole, part) {
        (NameSet::All, _) | (_, NameSet::None) => true,
        (NameSet::Except(out), NameSet::Except(left)) => out.iter().all(|name| left.contains(name)),
        (_, NameSet::Only(names)) => names.iter().all(|name| whole.contains(name)),
        (NameSet::None | NameSet::Only(_) | NameSet::Except(_), NameSet::All | NameSet::Except(_)) => false,
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
    /// - `caching-optimized-for-uncompressed-objects`: as `caching-optimized`, without codings.
    /// - `elemental-mediapackage`: 0 s, 1 d, 1 y; `Origin` and the parameters of manifests in the key.
    /// - `amplify`: 2 s, 2 s, 10 min; country, host, `Authorization`, all cookies and the query in the key.
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
        let uncompressed = CachePolicy {
            name: "caching-optimized-for-uncompressed-objects".into(),
            accept_encoding: false,
            ..optimized.clone()
        };
        let media = CachePolicy {
            headers: vec![ORIGIN],
            query: NameSet::Only(["aws.manifestfilter", "start", "end", "m"].map(str::to_owned).to_vec()),
            accept_encoding: true,
            ..CachePolicy::new("elemental-mediapackage", Profile::CloudFront)
        };
        let amplify = CachePolicy {
            min_ttl: Duration::from_secs(2),
            default_ttl: Some(Duration::from_secs(2)),
            max_ttl: Duration::from_secs(600),
            headers: vec![AUTHORIZATION, HeaderName::from_static("cloudfront-viewer-country"), HOST],
            cookies: NameSet::All,
            query: NameSet::All,
            accept_encoding: true,
            ..CachePolicy::new("amplify", Profile::CloudFront)
        };
        let own = CachePolicy::new(Self::DEFAULT, Profile::Rfc);
        vec![own, optimized, uncompressed, disabled, origin_headers, with_query, media, amplify]
    }

    /// The name of the built-in policy that the vendor's managed cache policy with this id is (`cdn-behaviour.md` section 6).
    pub fn name_of_managed(id: &str) -> Option<&'static str> {
        Some(match id {
            "658327ea-f89d-4fab-a63d-7e88639e58f6" => "caching-optimized",
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => "caching-optimized-for-uncompressed-objects",
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => "caching-disabled",
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => "use-origin-cache-control-headers",
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => "use-origin-cache-control-headers-query-strings",
            "08627262-05a9-4f76-9ded-b50ca2e3a84f" => "elemental-mediapackage",
            "2e54312d-136d-493c-8eb9-b001f22f67d2" => "amplify",
            _ => return None,
        })
    }
}
