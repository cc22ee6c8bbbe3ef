//! What is said of the cache's part in an answer: `Cache-Status` (RFC 9211) and the word for `X-Cache`.

use crate::policy::PassReason;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::fmt::{self, Write};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

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

/// Room for the text of most members.
const USUAL_LENGTH: usize = 96;

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

impl Forward {
    /// The token of RFC 9211.
    pub fn as_str(self) -> &'static str {
        match self {
            Forward::Bypass => "bypass",
            Forward::Method => "method",
            Forward::UriMiss => "uri-miss",
            Forward::VaryMiss => "vary-miss",
            Forward::Stale => "stale",
            Forward::Request => "request",
        }
    }
}

/// One member of `Cache-Status`, made into text only when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// Of a hit.
    pub fn hit(ttl: i64) -> Self {
        Self { ttl: Some(ttl), ..Self::default() }
    }

    /// Of a request that went forward.
    pub fn forwarded(forward: Forward) -> Self {
        Self { forward: Some(forward), ..Self::default() }
    }

    /// Of a request that the cache had no part in.
    pub fn passed(reason: PassReason) -> Self {
        let forward = match reason {
            PassReason::Method => Forward::Method,
            PassReason::Disabled => Forward::Bypass,
            PassReason::Body | PassReason::Upgrade | PassReason::Grpc => Forward::Request,
        };
        Self { detail: Some(reason.as_str()), ..Self::forwarded(forward) }
    }

    /// Appends the member to `headers`, after those of upstream caches (RFC 9211 section 2). Gives its text.
    pub fn append_to(&self, headers: &mut HeaderMap) -> String {
        let mut text = String::with_capacity(USUAL_LENGTH);
        let _infallible = write!(text, "{self}");
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.append(CACHE_STATUS, value);
        }
        text
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rimward")?;
        match self.forward {
            None => f.write_str("; hit")?,
            Some(forward) => {
                f.write_str("; fwd=")?;
                f.write_str(forward.as_str())?;
                if let Some(status) = self.forward_status {
                    f.write_str("; fwd-status=")?;
                    f.write_str(status.as_str())?;
                }
                if self.stored {
                    f.write_str("; stored")?;
                }
                if self.collapsed {
                    f.write_str("; collapsed")?;
                }
            }
        }
        if let Some(ttl) = self.ttl {
            // Integers of structured fields have at most 15 digits (RFC 9651 section 3.3.1).
            write!(f, "; ttl={}", ttl.clamp(-999_999_999_999_999, 999_999_999_999_999))?;
        }
        if let Some(detail) = self.detail {
            f.write_str("; detail=")?;
            f.write_str(detail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sfv::{FieldType, List, Parser};

    fn all() -> Vec<CacheStatus> {
        let miss = CacheStatus::forwarded(Forward::UriMiss);
        vec![
            CacheStatus::hit(376),
            CacheStatus { detail: Some("stale-while-revalidate"), ..CacheStatus::hit(-412) },
            CacheStatus { forward_status: Some(StatusCode::OK), stored: true, ttl: Some(60), ..miss },
            CacheStatus { forward_status: Some(StatusCode::OK), stored: true, collapsed: true, ..miss },
            CacheStatus { detail: Some("no-store"), ..miss },
            CacheStatus::passed(PassReason::Method),
            CacheStatus::passed(PassReason::Disabled),
            CacheStatus { ttl: Some(i64::MIN), ..miss },
        ]
    }

    #[test]
    fn members_read_as_in_the_rfc() {
        // RFC 9211 section 4
        let texts: Vec<String> = all().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "Rimward; hit; ttl=376",
                "Rimward; hit; ttl=-412; detail=stale-while-revalidate",
                "Rimward; fwd=uri-miss; fwd-status=200; stored; ttl=60",
                "Rimward; fwd=uri-miss; fwd-status=200; stored; collapsed",
                "Rimward; fwd=uri-miss; detail=no-store",
                "Rimward; fwd=method; detail=method",
                "Rimward; fwd=bypass; detail=disabled",
                "Rimward; fwd=uri-miss; ttl=-999999999999999",
            ]
        );
    }

    #[test]
    fn members_are_structured_fields() {
        for status in all() {
            let text = status.to_string();
            let list: List = Parser::new(&text).parse().unwrap();
            assert_eq!(list.serialize().unwrap().replace(';', "; "), text);
        }
    }

    #[test]
    fn the_member_comes_after_those_of_upstream() {
        // RFC 9211 section 2
        let mut headers = HeaderMap::new();
        headers.append(CACHE_STATUS, HeaderValue::from_static("OriginCache; hit"));
        CacheStatus::hit(1).append_to(&mut headers);
        let lines: Vec<_> = headers.get_all(CACHE_STATUS).iter().collect();
        assert_eq!(lines, ["OriginCache; hit", "Rimward; hit; ttl=1"]);
    }
}
