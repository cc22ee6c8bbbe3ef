//! Whether a response is stored, and on which terms (RFC 9111 section 3).

use super::directives::{ControlField, Directives, RequestDirectives, Scope};
use super::freshness::{self, Lifetime, Source};
use super::profile::{StaleFor, Statuses};
use super::{age, fields, targeted, vary};
use crate::fill::Times;
use crate::rules::Rules;
use http::header::{AUTHORIZATION, CONTENT_LOCATION, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use rimward_types::{RequestHead, ResponseHead, Timestamp};
use std::time::Duration;

/// Why a response is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotStored {
    /// The method's answers are not stored (RFC 9111 section 3, first condition).
    Method,
    /// 206: parts are passed on, not kept.
    Partial,
    /// 304 without a stored response that it could update.
    NotModified,
    /// 412 or 416: it answers the conditions or the range of one viewer, not what others ask (RFC 9110 sections 13.1,
    /// 15.5.13 and 15.5.17).
    Condition,
    /// The status is not stored without explicit freshness, or not at all.
    Status,
    /// `must-understand`, and the status is not understood (RFC 9111 section 5.2.2.3).
    NotUnderstood,
    /// `no-store` (RFC 9111 section 5.2.2.5).
    NoStore,
    /// `no-cache` of an error (`cdn-behaviour.md` section 11).
    NoCache,
    /// `private` (RFC 9111 section 5.2.2.7).
    Private,
    /// `no-store` of the request (RFC 9111 section 5.2.1.5).
    RequestNoStore,
    /// The request had `Authorization`, and nothing lets the answer be shared (RFC 9111 section 3.5).
    Authorization,
    /// `Vary: *` (RFC 9111 section 4.1).
    VaryStar,
    /// Neither fresh nor possible to validate: keeping it would help nobody.
    NoUse,
    /// Larger than an object may be.
    TooLarge,
    /// No room, even after evicting.
    NoRoom,
    /// The body's length is not what `Content-Length` says.
    Length,
}

impl NotStored {
    /// Whether it is the request that forbids to store the answer, and not what the origin has said: what is stored
    /// already is as good as before.
    pub fn is_of_the_request(self) -> bool {
        matches!(
            self,
            NotStored::Method
                | NotStored::Partial
                | NotStored::NotModified
                | NotStored::Condition
                | NotStored::RequestNoStore
                | NotStored::Authorization
        )
    }

    /// A token for `Cache-Status` and the record.
    pub fn as_str(self) -> &'static str {
        match self {
            NotStored::Method => "method",
            NotStored::Partial => "partial",
            NotStored::NotModified => "not-modified",
            NotStored::Condition => "condition",
            NotStored::Status => "status",
            NotStored::NotUnderstood => "not-understood",
            NotStored::NoStore => "no-store",
            NotStored::NoCache => "no-cache",
            NotStored::Private => "private",
            NotStored::RequestNoStore => "request-no-store",
            NotStored::Authorization => "authorization",
            NotStored::VaryStar => "vary-star",
            NotStored::NoUse => "no-freshness",
            NotStored::TooLarge => "too-large",
            NotStored::NoRoom => "no-room",
            NotStored::Length => "length",
        }
    }

    /// The rule behind it.
    pub fn reference(self) -> &'static str {
        match self {
            NotStored::Method | NotStored::Status | NotStored::NotModified => "RFC 9111 section 3",
            NotStored::Partial | NotStored::Length => "RFC 9111 section 3.3",
            NotStored::Condition => "RFC 9110 section 13.1",
            NotStored::NotUnderstood => "RFC 9111 section 5.2.2.3",
            NotStored::NoStore => "RFC 9111 section 5.2.2.5",
            NotStored::NoCache => "RFC 9111 section 5.2.2.4",
            NotStored::Private => "RFC 9111 section 5.2.2.7",
            NotStored::RequestNoStore => "RFC 9111 section 5.2.1.5",
            NotStored::Authorization => "RFC 9111 section 3.5",
            NotStored::VaryStar => "RFC 9111 section 4.1",
            NotStored::NoUse => "RFC 9111 section 4.2",
            NotStored::TooLarge => "`max-object` of the node",
            NotStored::NoRoom => "`memory` of the node",
        }
    }
}

/// The terms on which a response is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Freshness lifetime.
    pub lifetime: Lifetime,
    /// `corrected_initial_age`, for `Age`.
    pub initial_age: Duration,
    /// The part of it that uses up freshness.
    pub counted_age: Duration,
    /// `response_time`.
    pub received: Timestamp,
    /// When and for how long it may be served stale.
    pub stale: StaleTerms,
    /// Fields that are not stored, besides those which never are.
    pub dropped: Vec<HeaderName>,
    /// How `lifetime` and `initial_age` came about: for explaining alone, nothing is decided by it.
    pub origin: TermsOrigin,
}

/// How terms came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct TermsOrigin {
    /// The field whose directives count.
    pub field: ControlField,
    /// What the age at receipt is made of.
    pub age: age::Initial,
}

/// For how long after becoming stale a response may be served, by occasion. All zero when forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct StaleTerms {
    /// `must-revalidate`, `proxy-revalidate`, `no-cache` or `s-maxage` forbid what no directive of RFC 5861 permits.
    pub forbidden: bool,
    /// While somebody revalidates (RFC 5861 section 3).
    pub while_revalidate: Duration,
    /// Instead of 500, 502, 503 and 504 (RFC 5861 section 4).
    pub on_error: Duration,
    /// When the origin does not answer (RFC 9111 section 4.2.4).
    pub on_disconnect: Duration,
}

/// What is decided of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Store it.
    Store(Terms),
    /// Pass it on.
    Refuse(NotStored),
}

/// Decides on `response` (after origin-response), which answers `request`.
pub fn admit(request: &RequestHead, response: &ResponseHead, rules: &Rules, times: Times) -> Admission {
    match terms(request, response, rules, times) {
        Ok(terms) => Admission::Store(terms),
        Err(reason) => Admission::Refuse(reason),
    }
}

fn terms(request: &RequestHead, response: &ResponseHead, rules: &Rules, times: Times) -> Result<Terms, NotStored> {
    let table = rules.profile.table();
    let headers = &response.headers;
    let method_is_stored = match request.method {
        Method::GET => true,
        Method::OPTIONS => rules.options,
        Method::POST => table.post,
        _ => false,
    };
    if !method_is_stored {
        return Err(NotStored::Method);
    }
    match response.status {
        StatusCode::PARTIAL_CONTENT => return Err(NotStored::Partial),
        StatusCode::NOT_MODIFIED => return Err(NotStored::NotModified),
        status if status.is_informational() => return Err(NotStored::Status),
        _ => {}
    }
    if table.request_directives && RequestDirectives::of_request(&request.headers).no_store {
        return Err(NotStored::RequestNoStore);
    }
    let from_cdn = if table.targeted { targeted::directives(headers) } else { None };
    let (field, directives) =
        from_cdn.unwrap_or_else(|| (ControlField::CacheControl, Directives::of_response(headers)));
    let is_targeted = field != ControlField::CacheControl;
    check_restrictions(request, response, &directives, rules)?;
    let lifetime = freshness::lifetime(response.status, &directives, headers, is_targeted, rules, times.received)
        .ok_or_else(|| match is_no_cache_error(response.status, &directives, rules) {
            true => NotStored::NoCache,
            false => NotStored::Status,
        })?;
    let is_explicit = || freshness::explicit(&directives, headers, is_targeted, times.received).is_some();
    if request.method == Method::POST && !(is_explicit() && names_itself(request, headers)) {
        return Err(NotStored::Method);
    }
    let date = freshness::date_of(headers, times.received);
    let age = age::initial(age::value(headers), date, times);
    let initial_age = age.corrected();
    let counted_age = if table.age_counts { initial_age } else { Duration::ZERO };
    let stale = stale_terms(response.status, &directives, lifetime, rules);
    let has_validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    if lifetime.time <= counted_age && !has_validator && stale.while_revalidate.is_zero() {
        return Err(NotStored::NoUse);
    }
    let dropped = fields_to_drop(directives, rules);
    let origin = TermsOrigin { field, age };
    Ok(Terms { lifetime, initial_age, counted_age, received: times.received, stale, dropped, origin })
}

fn check_restrictions(
    request: &RequestHead,
    response: &ResponseHead,
    directives: &Directives,
    rules: &Rules,
) -> Result<(), NotStored> {
    let table = rules.profile.table();
    let mut no_store = directives.no_store;
    if table.must_understand && directives.must_understand {
        if !is_understood(response.status) {
            return Err(NotStored::NotUnderstood);
        }
        no_store = false;
    }
    let is_beaten = rules.outrank_restrictions()
        && (!obeys_restrictions(response.status)
            || (rules.ttl.min > Duration::ZERO && !freshness::is_obedient_error(response.status)));
    if no_store && !is_beaten {
        return Err(NotStored::NoStore);
    }
    if directives.private.is_all() && !is_beaten {
        return Err(NotStored::Private);
    }
    let shareable = directives.public || directives.must_revalidate || directives.s_maxage.is_present();
    if rules.asks_leave_for_authorization() && request.headers.contains_key(AUTHORIZATION) && !shareable {
        return Err(NotStored::Authorization);
    }
    let star_counts = table.vary || rules.ttl.min.is_zero();
    if star_counts && vary::names(&response.headers) == vary::Names::Star {
        return Err(NotStored::VaryStar);
    }
    Ok(())
}

/// Whether it is `no-cache` that keeps an error from being stored.
fn is_no_cache_error(status: StatusCode, directives: &Directives, rules: &Rules) -> bool {
    let counts = freshness::is_obedient_error(status) || (rules.unkeyed && !obeys_restrictions(status));
    rules.profile.table().statuses == Statuses::CloudFront && directives.no_cache.is_all() && counts
}

/// Whether CloudFront lets `no-store` and `private` keep a response of this status from being stored
/// (`cdn-behaviour.md` section 11).
fn obeys_restrictions(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 500 | 502..=504 | 400 | 403 | 405 | 412 | 415)
}

/// Statuses whose caching rules are known (RFC 9110 section 15): for `must-understand`.
fn is_understood(status: StatusCode) -> bool {
    matches!(status.as_u16(),
        200..=205 | 300..=303 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 428 | 429 | 431 | 451 | 500..=505 | 511)
}

/// Whether `Content-Location` names the request's own URL (RFC 9110 section 9.3.3).
fn names_itself(request: &RequestHead, headers: &HeaderMap) -> bool {
    let Some(location) = headers.get(CONTENT_LOCATION).and_then(|value| value.to_str().ok()) else { return false };
    let own = request.path_and_query();
    match super::invalidation::same_host_path(location, request) {
        Some(path) => path == own,
        None => false,
    }
}

fn fields_to_drop(directives: Directives, rules: &Rules) -> Vec<HeaderName> {
    let mut dropped = Vec::new();
    for scope in [directives.no_cache, directives.private] {
        if let Scope::Fields(names) = scope {
            dropped.extend(names);
        }
    }
    if rules.strip_set_cookie {
        dropped.push(http::header::SET_COOKIE);
    }
    dropped.retain(|name| !fields::is_needed(name));
    dropped
}

fn stale_terms(status: StatusCode, directives: &Directives, lifetime: Lifetime, rules: &Rules) -> StaleTerms {
    let table = rules.profile.table();
    let is_no_cache = lifetime.source == Source::NoCache;
    let prohibited = directives.must_revalidate
        || directives.proxy_revalidate
        || (is_no_cache && (table.no_cache_forbids_stale || rules.unkeyed));
    // A stale error in place of a new one is no help; CloudFront asks again after the error TTL.
    if prohibited || (table.stale_ends_at_max_ttl && status.as_u16() >= 400) {
        return StaleTerms { forbidden: true, ..StaleTerms::default() };
    }
    let left = rules.ttl.max.saturating_sub(lifetime.time);
    let bounded = |time: Duration| if table.stale_ends_at_max_ttl { time.min(left) } else { time };
    // `s-maxage` implies `proxy-revalidate` (RFC 9111 section 5.2.2.10). Origins that add a directive of RFC 5861
    // beside it mean that directive: it is obeyed, all else stays forbidden.
    let implied = table.s_maxage_forbids_stale && directives.s_maxage.is_present();
    if is_no_cache {
        // The origin that is away alone is stood in for (`cdn-behaviour.md` section 10.1).
        let on_disconnect = match directives.stale_if_error.given() {
            Some(time) => bounded(time),
            None => left,
        };
        return StaleTerms { forbidden: true, on_disconnect, ..StaleTerms::default() };
    }
    let otherwise = |rule: StaleFor| match rule {
        _ if implied => Duration::ZERO,
        StaleFor::Never => Duration::ZERO,
        StaleFor::Within(time) => time,
        StaleFor::UntilMaxTtl => left,
    };
    let if_error = directives.stale_if_error.given().map(bounded);
    StaleTerms {
        forbidden: implied,
        while_revalidate: directives.stale_while_revalidate.given().map(bounded).unwrap_or_default(),
        on_error: if_error.unwrap_or_else(|| otherwise(table.stale_on_error)),
        on_disconnect: if_error.unwrap_or_else(|| otherwise(table.stale_on_disconnect)),
    }
}

#[cfg(test)]
mod tests;
