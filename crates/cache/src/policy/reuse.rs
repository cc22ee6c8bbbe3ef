//! Whether what is stored answers a request (RFC 9111 section 4.2, RFC 5861).

use super::admit::{StaleTerms, Terms};
use super::age;
use super::directives::{RequestDirectives, Seconds};
use super::profile::Table;
use rimward_types::Timestamp;
use std::time::Duration;

/// What may be done with a stored response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It is fresh.
    Fresh,
    /// It is stale and the request accepts that (`max-stale`, RFC 9111 section 5.2.1.2).
    StaleAccepted,
    /// It is stale and may be served while it is revalidated (RFC 5861 section 3).
    StaleWhileRevalidate,
    /// It must be validated first.
    Validate(Reason),
}

/// Why it must be validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is stale (RFC 9111 section 4.2).
    Stale,
    /// It was purged softly.
    Expired,
    /// A directive of the request asks for it.
    Request(Wish),
}

/// What a request asks for beyond freshness (RFC 9111 section 5.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `no-cache`.
    NoCache,
    /// `max-age`: younger.
    MaxAge,
    /// `min-fresh`: fresh for longer.
    MinFresh,
}

impl Wish {
    /// The directive.
    pub fn as_str(self) -> &'static str {
        match self {
            Wish::NoCache => "request-no-cache",
            Wish::MaxAge => "request-max-age",
            Wish::MinFresh => "request-min-fresh",
        }
    }

    /// The rule behind it.
    pub fn reference(self) -> &'static str {
        match self {
            Wish::NoCache => "RFC 9111 section 5.2.1.4",
            Wish::MaxAge => "RFC 9111 section 5.2.1.1",
            Wish::MinFresh => "RFC 9111 section 5.2.1.3",
        }
    }
}

/// Its age in terms of freshness.
fn counted_age(terms: &Terms, now: Timestamp) -> Duration {
    age::current(terms.counted_age, terms.received, now)
}

/// Seconds of freshness that remain; negative when stale. For `Cache-Status`.
pub fn ttl(terms: &Terms, now: Timestamp) -> i64 {
    let (lifetime, age) = (terms.lifetime.time, counted_age(terms, now));
    if lifetime > age { seconds(lifetime - age) } else { -seconds(age - lifetime) }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// Whether it is fresh, whatever a request says.
pub fn is_fresh(terms: &Terms, now: Timestamp) -> bool {
    terms.lifetime.time > counted_age(terms, now)
}

/// How long it has been stale; zero while fresh.
fn staleness(terms: &Terms, now: Timestamp) -> Duration {
    counted_age(terms, now).saturating_sub(terms.lifetime.time)
}

/// Decides on a response stored on `terms`. `expired`: it was purged softly. `request` is not read in profiles that do
/// not obey requests.
pub fn reuse(terms: &Terms, expired: bool, request: &RequestDirectives, table: &Table, now: Timestamp) -> Reuse {
    let fresh = !expired && is_fresh(terms, now);
    if table.request_directives {
        let age = age::current(terms.initial_age, terms.received, now);
        let left = terms.lifetime.time.saturating_sub(counted_age(terms, now));
        let too_old = match request.max_age {
            Seconds::Absent => false,
            // `max-age=0` is how browsers ask for validation.
            Seconds::Invalid | Seconds::Given(0) => true,
            Seconds::Given(limit) => age > Duration::from_secs(u64::from(limit)),
        };
        let too_short = request.min_fresh.given().is_some_and(|wanted| left < wanted);
        let wish = match () {
            () if request.no_cache => Some(Wish::NoCache),
            () if too_old => Some(Wish::MaxAge),
            () if fresh && too_short => Some(Wish::MinFresh),
            () => None,
        };
        if let Some(wish) = wish {
            return Reuse::Validate(Reason::Request(wish));
        }
    }
    if fresh {
        return Reuse::Fresh;
    }
    if expired {
        return Reuse::Validate(Reason::Expired);
    }
    let staleness = staleness(terms, now);
    if is_within(staleness, terms.stale.while_revalidate) {
        return Reuse::StaleWhileRevalidate;
    }
    let accepted = table.request_directives && !terms.stale.forbidden;
    if accepted && request.max_stale.given().is_some_and(|limit| staleness <= limit) {
        return Reuse::StaleAccepted;
    }
    Reuse::Validate(Reason::Stale)
}

/// Windows begin when the response becomes stale, so that one of zero length is never open.
fn is_within(staleness: Duration, window: Duration) -> bool {
    !window.is_zero() && staleness <= window
}

/// How the origin failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It answered with this status.
    Status(http::StatusCode),
    /// It did not answer.
    Silent,
}

/// Whether something stale may stand in for an origin that fails (RFC 5861 section 4, RFC 9111 section 4.2.4).
/// `request` may widen it with a `stale-if-error` of its own, unless the response forbids serving it stale.
pub fn stale_on_failure(
    terms: &Terms,
    failing: Failing,
    request: &RequestDirectives,
    table: &Table,
    now: Timestamp,
) -> bool {
    let StaleTerms { forbidden, on_error, on_disconnect, .. } = terms.stale;
    let window = match failing {
        Failing::Status(status) if !matches!(status.as_u16(), 500 | 502..=504) => return false,
        Failing::Status(_) => on_error,
        Failing::Silent => on_disconnect,
    };
    let staleness = staleness(terms, now);
    let widened = match request.stale_if_error.given() {
        Some(asked) if table.request_directives && !forbidden => window.max(asked),
        _ => window,
    };
    is_within(staleness, widened)
}

#[cfg(test)]
mod tests;
