//! What is said of the cache's part in an answer: `Cache-Status` (RFC 9211) and `X-Cache`.

use http::{HeaderMap, StatusCode};

/// The word for `X-Cache` and the log (`cdn-behaviour.md` section 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheResult {
    /// Served from cache, stale included; also a request that was collapsed onto another's fetch.
    Hit,
    /// The origin confirmed what is stored.
    RefreshHit,
    /// Fetched.
    Miss,
    /// Status 400 or above.
    Error,
}

impl CacheResult {
    /// The word, such as `RefreshHit`.
    pub fn as_str(self) -> &'static str {
        match self {
            CacheResult::Hit => "Hit",
            CacheResult::RefreshHit => "RefreshHit",
            CacheResult::Miss => "Miss",
            CacheResult::Error => "Error",
        }
    }

    /// This result for an answer of `status`: an error is called so, wherever it came from.
    pub fn with_status(self, status: StatusCode) -> Self {
        if status.as_u16() >= 400 { CacheResult::Error } else { self }
    }
}

/// Why a request went forward (RFC 9211 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Forward {
    /// The cache is off for it.
    Bypass,
    /// The method is not cached.
    Method,
    /// Nothing is stored under the key.
    UriMiss,
    /// Variants are stored, but none for this request.
    VaryMiss,
    /// What is stored is stale.
    Stale,
    /// The request's own directives ask for it.
    Request,
}

/// One member of `Cache-Status`, made into text only when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// Why it went forward; `None`: a hit.
    pub forward: Option<Forward>,
    /// Status that came from there.
    pub forward_status: Option<StatusCode>,
    /// Remaining freshness in seconds; negative when stale.
    pub ttl: Option<i64>,
    /// Whether the response is stored.
    pub stored: bool,
    /// Whether the request waited for another's fetch.
    pub collapsed: bool,
    /// A token that says more, such as why it was not stored.
    pub detail: Option<&'static str>,
}

impl CacheStatus {
    /// Appends the member to `headers`, after those of upstream caches.
    pub fn append_to(&self, headers: &mut HeaderMap) {
        let _ = headers;
    }
}
