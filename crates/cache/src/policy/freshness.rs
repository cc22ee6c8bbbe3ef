//! How long a response is fresh (RFC 9111 section 4.2, `cdn-behaviour.md` section 10.1).

use super::date;
use super::directives::{Directives, Seconds};
use super::profile::Statuses;
use crate::rules::Rules;
use http::header::{DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};
use rimward_types::Timestamp;
use std::time::Duration;

/// A tenth of the time since the last change is the RFC's example (RFC 9111 section 4.2.2).
const HEURISTIC_SHARE: u32 = 10;
/// Heuristic freshness ends here: a guess should not outlive a day.
const HEURISTIC_MAX: Duration = Duration::from_secs(86_400);
/// CloudFront's default TTL (`cdn-behaviour.md` section 6).
const CLOUDFRONT_DEFAULT: Duration = Duration::from_secs(86_400);

/// What a lifetime comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Source {
    /// `s-maxage` (RFC 9111 section 5.2.2.10).
    SMaxAge,
    /// `max-age` (RFC 9111 section 5.2.2.1).
    MaxAge,
    /// `Expires` less `Date` (RFC 9111 section 5.3).
    Expires,
    /// The policy's default TTL.
    DefaultTtl,
    /// The policy's minimum TTL, against the origin's word.
    MinTtl,
    /// The policy's maximum TTL, which is less than what the origin or a heuristic says.
    MaxTtl,
    /// The time for which errors are kept at least.
    ErrorTtl,
    /// A tenth of the time since `Last-Modified` (RFC 9111 section 4.2.2).
    Heuristic,
    /// `no-cache`: it is used after validation alone.
    NoCache,
    /// Nothing tells.
    Nothing,
}

impl Source {
    /// The word for it: the directive's or the setting's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::SMaxAge => "s-maxage",
            Source::MaxAge => "max-age",
            Source::Expires => "expires",
            Source::DefaultTtl => "default-ttl",
            Source::MinTtl => "min-ttl",
            Source::MaxTtl => "max-ttl",
            Source::ErrorTtl => "error-ttl",
            Source::Heuristic => "heuristic",
            Source::NoCache => "no-cache",
            Source::Nothing => "no-freshness",
        }
    }

    /// The rule behind it.
    pub fn reference(self) -> &'static str {
        match self {
            Source::SMaxAge => "RFC 9111 section 5.2.2.10",
            Source::MaxAge => "RFC 9111 section 5.2.2.1",
            Source::Expires => "RFC 9111 section 5.3",
            Source::DefaultTtl | Source::MinTtl | Source::MaxTtl => "the behavior's cache policy",
            Source::ErrorTtl => "error caching of the profile",
            Source::Heuristic => "RFC 9111 section 4.2.2",
            Source::NoCache => "RFC 9111 section 5.2.2.4",
            Source::Nothing => "RFC 9111 section 4.2.1",
        }
    }
}

/// A lifetime and what it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lifetime {
    /// Freshness lifetime, within the policy's bounds.
    pub time: Duration,
    /// What it comes from.
    pub source: Source,
}

/// The response's `Date`; the time of its receipt when there is none, or none that can be read (RFC 9110 section 6.6.1).
pub fn date_of(headers: &HeaderMap, received: Timestamp) -> Timestamp {
    headers.get(DATE).and_then(|value| date::parse(value.as_bytes(), received)).unwrap_or(received)
}

/// The response's `Last-Modified`.
pub fn last_modified_of(headers: &HeaderMap, received: Timestamp) -> Option<Timestamp> {
    headers.get(LAST_MODIFIED).and_then(|value| date::parse(value.as_bytes(), received))
}

/// What the origin says, before any bound. Bad or contradictory words mean stale (RFC 9111 section 4.2.1).
pub fn explicit(directives: &Directives, headers: &HeaderMap, targeted: bool, received: Timestamp) -> Option<Lifetime> {
    let of = |seconds: Seconds, source| Lifetime { time: seconds.given().unwrap_or_default(), source };
    if directives.s_maxage.is_present() {
        return Some(of(directives.s_maxage, Source::SMaxAge));
    }
    if directives.max_age.is_present() {
        return Some(of(directives.max_age, Source::MaxAge));
    }
    if targeted {
        return None;
    }
    let mut expires = headers.get_all(EXPIRES).iter();
    let first = expires.next()?;
    let time = match (expires.next(), date::parse(first.as_bytes(), received)) {
        (None, Some(at)) => at.since(date_of(headers, received)),
        _ => Duration::ZERO,
    };
    Some(Lifetime { time, source: Source::Expires })
}

/// Statuses that may be given a lifetime by heuristics (RFC 9110 section 15.1; 206 is not stored here).
pub fn is_heuristic(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// The lifetime of a response that is otherwise fit to be stored. `None`: its status needs a word that it has not.
pub fn lifetime(
    status: StatusCode,
    directives: &Directives,
    headers: &HeaderMap,
    targeted: bool,
    rules: &Rules,
    received: Timestamp,
) -> Option<Lifetime> {
    let given = explicit(directives, headers, targeted, received);
    match rules.profile.table().statuses {
        Statuses::Rfc => rfc(status, directives, headers, given, rules, received),
        Statuses::CloudFront => cloudfront(status, directives, given, rules),
    }
}

fn rfc(
    status: StatusCode,
    directives: &Directives,
    headers: &HeaderMap,
    given: Option<Lifetime>,
    rules: &Rules,
    received: Timestamp,
) -> Option<Lifetime> {
    let ttl = &rules.ttl;
    if given.is_none() && !is_heuristic(status) && !directives.public {
        return None;
    }
    if directives.no_cache.is_all() {
        return Some(Lifetime { time: Duration::ZERO, source: Source::NoCache });
    }
    let lifetime = given.unwrap_or_else(|| match (ttl.default, last_modified_of(headers, received)) {
        (Some(default), _) => Lifetime { time: default, source: Source::DefaultTtl },
        (None, Some(changed)) => {
            let unchanged = date_of(headers, received).since(changed);
            Lifetime { time: (unchanged / HEURISTIC_SHARE).min(HEURISTIC_MAX), source: Source::Heuristic }
        }
        (None, None) => Lifetime { time: Duration::ZERO, source: Source::Nothing },
    });
    Some(bounded(lifetime, rules))
}

/// How CloudFront treats a status (`cdn-behaviour.md` sections 10.1 and 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stored whatever the origin says of time.
    Plain,
    /// Stored when `max-age` or `s-maxage` says for how long.
    Explicit,
    /// Stored at least for the error TTL; `no-store`, `no-cache` and `private` count for some alone.
    Error { obeys: bool },
    /// Stored at least for the error TTL, when `max-age` or `s-maxage` is there.
    ExplicitError,
    /// Never stored.
    Never,
}

/// An error that `no-store`, `no-cache` and `private` keep from being stored whatever the minimum TTL is
/// (`cdn-behaviour.md` section 11).
pub fn is_obedient_error(status: StatusCode) -> bool {
    class(status) == Class::Error { obeys: true }
}

fn class(status: StatusCode) -> Class {
    match status.as_u16() {
        200 | 203 | 300 | 301 | 302 => Class::Plain,
        404 | 410 | 414 | 501 => Class::Error { obeys: true },
        500 | 502..=504 => Class::Error { obeys: false },
        400 | 403 | 405 | 412 | 415 => Class::ExplicitError,
        307 | 308 => Class::Explicit,
        _ => Class::Never,
    }
}

fn cloudfront(status: StatusCode, directives: &Directives, given: Option<Lifetime>, rules: &Rules) -> Option<Lifetime> {
    let ttl = &rules.ttl;
    let blocked = directives.no_store || directives.no_cache.is_all() || directives.private.is_all();
    let spoken = directives.max_age.is_present() || directives.s_maxage.is_present();
    let outranked = rules.outrank_restrictions();
    match class(status) {
        Class::Never => None,
        Class::Explicit | Class::ExplicitError if !spoken => None,
        Class::Plain | Class::Explicit if blocked && outranked && ttl.min > Duration::ZERO => {
            Some(Lifetime { time: ttl.min, source: Source::MinTtl })
        }
        // `no-store` and `private` were refused before; what remains is used after validation.
        Class::Plain | Class::Explicit if blocked => Some(Lifetime { time: Duration::ZERO, source: Source::NoCache }),
        Class::Plain | Class::Explicit => {
            let default = Lifetime { time: ttl.default.unwrap_or(CLOUDFRONT_DEFAULT), source: Source::DefaultTtl };
            Some(bounded(given.unwrap_or(default), rules))
        }
        Class::Error { obeys: true } if blocked => None,
        Class::Error { .. } | Class::ExplicitError if blocked && !outranked => None,
        Class::Error { .. } | Class::ExplicitError => {
            let least = Lifetime { time: rules.error_ttl_of(status), source: Source::ErrorTtl };
            let given = given.map(|given| Lifetime { time: given.time.min(ttl.max), ..given });
            let longest = given.filter(|given| given.time > least.time).unwrap_or(least);
            (longest.time > Duration::ZERO).then_some(longest)
        }
    }
}

fn bounded(lifetime: Lifetime, rules: &Rules) -> Lifetime {
    let ttl = &rules.ttl;
    if lifetime.time < ttl.min {
        return Lifetime { time: ttl.min, source: Source::MinTtl };
    }
    let max = ttl.max.max(ttl.min);
    if lifetime.time > max { Lifetime { time: max, source: Source::MaxTtl } } else { lifetime }
}

#[cfg(test)]
mod tests;
