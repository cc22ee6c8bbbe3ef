//! Where the RFC's rules and CloudFront's differ. Nothing else in the policy asks which profile it is.

use crate::rules::Profile;
use std::time::Duration;

/// One profile's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// `Cache-Control` of requests is obeyed.
    pub request_directives: bool,
    /// `Vary` selects among stored responses; else the cache key alone does.
    pub vary: bool,
    /// `Rimward-Cache-Control` and `CDN-Cache-Control` are obeyed (RFC 9213).
    pub targeted: bool,
    /// When answers to requests with `Authorization` need leave to be shared (RFC 9111 section 3.5).
    pub authorization: LeaveToShare,
    /// `must-understand` is obeyed (RFC 9111 section 5.2.2.3).
    pub must_understand: bool,
    /// `Age` and `Date` of the origin use up freshness; else it counts from storing.
    pub age_counts: bool,
    /// Which statuses are stored, and for how long without a word from the origin.
    pub statuses: Statuses,
    /// What a minimum TTL above zero beats.
    pub min_ttl_beats: MinTtlBeats,
    /// `no-cache` keeps what is stored from standing in for an origin that does not answer (RFC 9111 section 5.2.2.4).
    pub no_cache_forbids_stale: bool,
    /// `s-maxage` forbids to serve stale, as `proxy-revalidate` does (RFC 9111 section 5.2.2.10).
    pub s_maxage_forbids_stale: bool,
    /// How long stale responses stand in for 5xx when no directive says so.
    pub stale_on_error: StaleFor,
    /// How long stale responses stand in for an origin that does not answer, when no directive says so.
    pub stale_on_disconnect: StaleFor,
    /// Stale responses are never served past the maximum TTL.
    pub stale_ends_at_max_ttl: bool,
    /// An origin that failed is not asked again for the error TTL while something stale can be served.
    pub rests_after_failure: bool,
    /// Successful unsafe methods remove what is stored under their URL (RFC 9111 section 4.4).
    pub unsafe_invalidates: bool,
    /// `Cache-Groups` and `Cache-Group-Invalidation` are obeyed (RFC 9875).
    pub groups: bool,
    /// POST may be stored for later GETs (RFC 9110 section 9.3.3).
    pub post: bool,
    /// Requests with cookies that reach the origin wait for each other; else each asks for itself.
    pub collapses_cookies: bool,
    /// Which names of `Vary` viewers see.
    pub vary_shown: VaryShown,
}

/// When answers to requests with `Authorization` need leave to be shared: `public`, `must-revalidate` or `s-maxage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveToShare {
    /// Always.
    Always,
    /// Where it reaches the origin without being in the key.
    WhereUnkeyed,
}

/// What a minimum TTL above zero beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinTtlBeats {
    /// Nothing but shorter times.
    Nothing,
    /// `no-store`, `no-cache` and `private` too, where the origin sees no more of a viewer's request than the key has: then its
    /// answer is the same for all who ask under that key.
    RestrictionsWhereKeyed,
}

/// Which names of `Vary` viewers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaryShown {
    /// All.
    All,
    /// `Accept-Encoding`, `Cookie` and what is forwarded: the origin saw no other (`cdn-behaviour.md` section 10.2).
    Forwarded,
}

/// Which statuses are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statuses {
    /// Any final status with explicit freshness; the RFC's list with heuristics (RFC 9110 section 15.1).
    Rfc,
    /// CloudFront's lists (`cdn-behaviour.md` sections 10.1 and 11).
    CloudFront,
}

/// How long something stale may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleFor {
    /// Not at all.
    Never,
    /// This long after it became stale.
    Within(Duration),
    /// Until the maximum TTL, counted from storing.
    UntilMaxTtl,
}

/// RFC 9111 as a shared cache.
pub const RFC: Table = Table {
    request_directives: true,
    vary: true,
    targeted: true,
    authorization: LeaveToShare::Always,
    must_understand: true,
    age_counts: true,
    statuses: Statuses::Rfc,
    min_ttl_beats: MinTtlBeats::Nothing,
    no_cache_forbids_stale: true,
    s_maxage_forbids_stale: true,
    stale_on_error: StaleFor::Never,
    // RFC 9111 section 4.2.4 permits it and names no bound; a day outlasts most outages.
    stale_on_disconnect: StaleFor::Within(Duration::from_secs(86_400)),
    stale_ends_at_max_ttl: false,
    rests_after_failure: false,
    unsafe_invalidates: true,
    groups: true,
    post: true,
    collapses_cookies: true,
    vary_shown: VaryShown::All,
};

/// CloudFront (`cdn-behaviour.md` sections 7.3, 10, 11 and 12).
///
/// Some things are stricter than the vendor's:
///
/// - `no-store` and `private` are never kept with a minimum TTL of zero, not even to stand in for an origin that is away
///   (section 10.1 lets CloudFront do so).
/// - `must-revalidate` forbids to serve stale, of which section 10.3 says nothing.
/// - Where `forward` lets the origin see more than the key has, `no-store`, `no-cache` and `private` count whatever the minimum
///   TTL is and whatever the status, nothing that is `no-cache` stands in for an origin that is away, and answers to
///   `Authorization` need leave to be shared. CloudFront stores them under an origin request policy (sections 7.1 and 10.1), and
///   gives one viewer's page to the next.
pub const CLOUDFRONT: Table = Table {
    request_directives: false,
    vary: false,
    targeted: false,
    authorization: LeaveToShare::WhereUnkeyed,
    must_understand: false,
    age_counts: false,
    statuses: Statuses::CloudFront,
    min_ttl_beats: MinTtlBeats::RestrictionsWhereKeyed,
    no_cache_forbids_stale: false,
    s_maxage_forbids_stale: false,
    stale_on_error: StaleFor::UntilMaxTtl,
    stale_on_disconnect: StaleFor::UntilMaxTtl,
    stale_ends_at_max_ttl: true,
    rests_after_failure: true,
    unsafe_invalidates: false,
    groups: false,
    post: false,
    collapses_cookies: false,
    vary_shown: VaryShown::Forwarded,
};

impl Profile {
    /// The profile's answers.
    pub const fn table(self) -> &'static Table {
        match self {
            Profile::Rfc => &RFC,
            Profile::CloudFront => &CLOUDFRONT,
        }
    }
}
