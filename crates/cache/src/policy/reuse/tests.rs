use super::*;
use crate::policy::admit::TermsOrigin;
use crate::policy::freshness::{Lifetime, Source};
use crate::policy::profile::{CLOUDFRONT, RFC};
use http::StatusCode;
use proptest::prelude::*;

const RECEIVED: Timestamp = Timestamp::from_secs(1_750_000_000);

fn terms(lifetime: u64, age: u64) -> Terms {
    let s = Duration::from_secs;
    Terms {
        lifetime: Lifetime { time: s(lifetime), source: Source::MaxAge },
        initial_age: s(age),
        counted_age: s(age),
        received: RECEIVED,
        stale: StaleTerms { on_disconnect: s(100), ..StaleTerms::default() },
        dropped: Vec::new(),
        origin: TermsOrigin::default(),
    }
}

fn after(seconds: u64) -> Timestamp {
    RECEIVED.plus(Duration::from_secs(seconds))
}

fn asks(value: &'static str) -> RequestDirectives {
    let mut headers = http::HeaderMap::new();
    headers.insert("cache-control", http::HeaderValue::from_static(value));
    RequestDirectives::of_request(&headers)
}

#[test]
fn a_response_is_fresh_while_its_lifetime_is_above_its_age() {
    // RFC 9111 section 4.2
    let nothing = RequestDirectives::default();
    for (lifetime, age, later, expected) in [
        (10, 0, 9, Reuse::Fresh),
        (10, 0, 10, Reuse::Validate(Reason::Stale)),
        (10, 4, 5, Reuse::Fresh),
        (10, 4, 6, Reuse::Validate(Reason::Stale)),
        (0, 0, 0, Reuse::Validate(Reason::Stale)),
    ] {
        assert_eq!(reuse(&terms(lifetime, age), false, &nothing, &RFC, after(later)), expected);
    }
    assert_eq!(reuse(&terms(10, 0), true, &nothing, &RFC, RECEIVED), Reuse::Validate(Reason::Expired));
}

#[test]
fn stale_while_revalidate_has_a_window() {
    // RFC 5861 section 3
    let nothing = RequestDirectives::default();
    let mut terms = terms(10, 0);
    terms.stale.while_revalidate = Duration::from_secs(5);
    for (later, expected) in [
        (9, Reuse::Fresh),
        (10, Reuse::StaleWhileRevalidate),
        (15, Reuse::StaleWhileRevalidate),
        (16, Reuse::Validate(Reason::Stale)),
    ] {
        assert_eq!(reuse(&terms, false, &nothing, &RFC, after(later)), expected, "{later}");
        assert_eq!(reuse(&terms, false, &nothing, &CLOUDFRONT, after(later)), expected, "{later}");
    }
}

#[test]
fn requests_may_ask_for_more_or_for_less() {
    // RFC 9111 section 5.2.1; the CloudFront profile does not listen.
    let by_request = |wish| Reuse::Validate(Reason::Request(wish));
    for (value, later, expected) in [
        ("no-cache", 1, by_request(Wish::NoCache)),
        ("max-age=0", 0, by_request(Wish::MaxAge)),
        ("max-age=3", 3, Reuse::Fresh),
        ("max-age=3", 4, by_request(Wish::MaxAge)),
        ("max-age=x", 1, by_request(Wish::MaxAge)),
        ("min-fresh=5", 5, Reuse::Fresh),
        ("min-fresh=5", 6, by_request(Wish::MinFresh)),
        ("max-stale", 99, Reuse::StaleAccepted),
        ("max-stale=5", 15, Reuse::StaleAccepted),
        ("max-stale=5", 16, Reuse::Validate(Reason::Stale)),
        ("max-stale=x", 11, Reuse::Validate(Reason::Stale)),
    ] {
        assert_eq!(reuse(&terms(10, 0), false, &asks(value), &RFC, after(later)), expected, "{value} after {later}");
    }
    let mut strict = terms(10, 0);
    strict.stale.forbidden = true;
    assert_eq!(reuse(&strict, false, &asks("max-stale"), &RFC, after(11)), Reuse::Validate(Reason::Stale));
    assert_eq!(reuse(&terms(10, 0), false, &asks("no-cache"), &CLOUDFRONT, after(1)), Reuse::Fresh);
}

#[test]
fn stale_stands_in_for_certain_errors_and_for_silence() {
    // RFC 5861 section 4, RFC 9111 section 4.2.4
    let nothing = RequestDirectives::default();
    let mut terms = terms(10, 0);
    let may = |terms: &Terms, failing, wishes: &RequestDirectives, later| {
        stale_on_failure(terms, failing, wishes, &RFC, after(later))
    };
    let status = |n| Failing::Status(StatusCode::from_u16(n).expect("a status"));
    assert!(may(&terms, Failing::Silent, &nothing, 110));
    assert!(!may(&terms, Failing::Silent, &nothing, 111));
    assert!(!may(&terms, status(503), &nothing, 11));
    assert!(may(&terms, status(503), &asks("stale-if-error=5"), 15));
    assert!(!may(&terms, status(503), &asks("stale-if-error=5"), 16));
    terms.stale.on_error = Duration::from_secs(5);
    for n in [500, 502, 503, 504] {
        assert!(may(&terms, status(n), &nothing, 15), "{n}");
        assert!(!may(&terms, status(n), &nothing, 16), "{n}");
    }
    for n in [404, 501, 505, 200] {
        assert!(!may(&terms, status(n), &nothing, 11), "{n}");
    }
    let strict = Terms { stale: StaleTerms { forbidden: true, ..StaleTerms::default() }, ..terms };
    assert!(!may(&strict, Failing::Silent, &asks("stale-if-error=60"), 11));
}

#[test]
fn ttl_counts_down_and_below_zero() {
    // RFC 9211 section 2.5
    assert_eq!(ttl(&terms(10, 4), after(0)), 6);
    assert_eq!(ttl(&terms(10, 4), after(6)), 0);
    assert_eq!(ttl(&terms(10, 4), after(9)), -3);
}

proptest! {
    #[test]
    fn what_is_stale_never_becomes_fresh_again(
        lifetime in 0u64..1 << 32, age in 0u64..1 << 32, swr in 0u64..100, first in 0u64..1 << 33, more in 0u64..1 << 33,
    ) {
        let mut terms = terms(lifetime, age);
        terms.stale.while_revalidate = Duration::from_secs(swr);
        let rank = |later| match reuse(&terms, false, &RequestDirectives::default(), &RFC, after(later)) {
            Reuse::Fresh => 0,
            Reuse::StaleWhileRevalidate => 1,
            _ => 2,
        };
        prop_assert!(rank(first) <= rank(first + more));
        prop_assert!(ttl(&terms, after(first)) >= ttl(&terms, after(first + more)));
        prop_assert_eq!(is_fresh(&terms, after(first)), rank(first) == 0);
    }
}
