use super::*;
use crate::rules::{Profile, TtlRules};
use http::{HeaderName, HeaderValue};

const NOW: Timestamp = Timestamp::from_secs(1_750_000_000);

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        // `@-60` is the date a minute ago.
        let value = match value.strip_prefix('@').map(str::parse::<i64>) {
            Some(Ok(offset)) => date::format(Timestamp::from_secs((NOW.as_secs() as i64 + offset) as u64)),
            _ => (*value).to_owned(),
        };
        map.append(HeaderName::from_static(name), HeaderValue::try_from(value).expect("a header value"));
    }
    map
}

fn seconds(rules: &Rules, status: u16, fields: &[(&'static str, &str)]) -> Option<(u64, Source)> {
    let headers = headers(fields);
    let directives = Directives::of_response(&headers);
    let status = StatusCode::from_u16(status).expect("a status");
    lifetime(status, &directives, &headers, false, rules, NOW).map(|l| (l.time.as_secs(), l.source))
}

#[test]
fn the_first_of_s_maxage_max_age_and_expires_counts() {
    // RFC 9111 section 4.2.1
    let rfc = Rules::default();
    for (fields, expected) in [
        (&[("cache-control", "max-age=60, s-maxage=5"), ("expires", "@1000")][..], (5, Source::SMaxAge)),
        (&[("cache-control", "s-maxage=500, max-age=0"), ("expires", "@-9")], (500, Source::SMaxAge)),
        (&[("cache-control", "max-age=60"), ("expires", "@-1000")], (60, Source::MaxAge)),
        (&[("cache-control", "max-age=60"), ("expires", "0")], (60, Source::MaxAge)),
        (&[("cache-control", "max-age=0"), ("expires", "@1000")], (0, Source::MaxAge)),
        (&[("cache-control", "max-age=x"), ("expires", "@1000")], (0, Source::MaxAge)),
        (&[("expires", "@1000"), ("date", "@0")], (1000, Source::Expires)),
        (&[("expires", "@1000"), ("date", "@2000")], (0, Source::Expires)),
        (&[("expires", "@1000"), ("date", "@-500")], (1500, Source::Expires)),
        (&[("expires", "@1000"), ("date", "rubbish")], (1000, Source::Expires)),
        (&[("expires", "@0"), ("date", "@0")], (0, Source::Expires)),
        (&[("expires", "0")], (0, Source::Expires)),
        (&[("expires", "@1000"), ("expires", "@1000")], (0, Source::Expires)),
    ] {
        assert_eq!(seconds(&rfc, 200, fields), Some(expected), "{fields:?}");
    }
}

#[test]
fn heuristics_are_a_tenth_of_the_time_unchanged() {
    // RFC 9111 section 4.2.2
    let rfc = Rules::default();
    let changed = [("last-modified", "@-36000"), ("date", "@0")];
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        assert_eq!(seconds(&rfc, status, &changed), Some((3600, Source::Heuristic)), "{status}");
    }
    for status in [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599] {
        assert_eq!(seconds(&rfc, status, &changed), None, "{status}");
    }
    let public = [("last-modified", "@-36000"), ("cache-control", "public")];
    assert_eq!(seconds(&rfc, 599, &public), Some((3600, Source::Heuristic)));
    assert_eq!(seconds(&rfc, 200, &[("last-modified", "@-99999999")]), Some((86_400, Source::Heuristic)));
    assert_eq!(seconds(&rfc, 200, &[("last-modified", "@50")]), Some((0, Source::Heuristic)));
    assert_eq!(seconds(&rfc, 200, &[]), Some((0, Source::Nothing)));
}

#[test]
fn any_final_status_with_explicit_freshness_has_a_lifetime() {
    // RFC 9111 section 3
    for status in [200, 299, 302, 303, 400, 403, 499, 500, 503, 599] {
        let given = seconds(&Rules::default(), status, &[("cache-control", "max-age=60")]);
        assert_eq!(given, Some((60, Source::MaxAge)), "{status}");
    }
}

#[test]
fn no_cache_leaves_no_freshness() {
    // RFC 9111 section 5.2.2.4; with fields the rest of the response is free.
    let rfc = Rules::default();
    assert_eq!(seconds(&rfc, 200, &[("cache-control", "no-cache, max-age=60")]), Some((0, Source::NoCache)));
    assert_eq!(seconds(&rfc, 200, &[("cache-control", "no-cache=\"a\", max-age=60")]), Some((60, Source::MaxAge)));
}

fn cloudfront(min: u64, default: Option<u64>, max: u64) -> Rules {
    let s = Duration::from_secs;
    let ttl = TtlRules { min: s(min), default: default.map(s), max: s(max) };
    Rules { profile: Profile::CloudFront, ttl, ..Rules::default() }
}

#[test]
fn cloudfront_clamps_what_the_origin_says() {
    // cdn-behaviour.md section 10.1
    let rules = cloudfront(10, Some(100), 1000);
    for (fields, expected) in [
        (&[("cache-control", "max-age=5")][..], (10, Source::MinTtl)),
        (&[("cache-control", "max-age=500")], (500, Source::MaxAge)),
        (&[("cache-control", "max-age=5000")], (1000, Source::MaxTtl)),
        (&[("cache-control", "max-age=50, s-maxage=60")], (60, Source::SMaxAge)),
        (&[("expires", "@70"), ("date", "@0")], (70, Source::Expires)),
        (&[("expires", "@70"), ("cache-control", "max-age=20")], (20, Source::MaxAge)),
        (&[], (100, Source::DefaultTtl)),
        (&[("last-modified", "@-36000")], (100, Source::DefaultTtl)),
        (&[("cache-control", "no-store")], (10, Source::MinTtl)),
        (&[("cache-control", "private, max-age=500")], (10, Source::MinTtl)),
        (&[("cache-control", "no-cache")], (10, Source::MinTtl)),
    ] {
        assert_eq!(seconds(&rules, 200, fields), Some(expected), "{fields:?}");
    }
    assert_eq!(seconds(&cloudfront(0, None, 1 << 30), 200, &[]), Some((86_400, Source::DefaultTtl)));
    assert_eq!(
        seconds(&cloudfront(0, None, 1 << 30), 200, &[("cache-control", "no-cache")]),
        Some((0, Source::NoCache))
    );
}

#[test]
fn cloudfront_keeps_errors_for_the_error_ttl_at_least() {
    // cdn-behaviour.md section 11
    let rules = cloudfront(0, Some(100), 1000);
    for status in [404, 410, 414, 500, 501, 502, 503, 504] {
        assert_eq!(seconds(&rules, status, &[]), Some((10, Source::ErrorTtl)), "{status}");
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=3")]), Some((10, Source::ErrorTtl)));
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=30")]), Some((30, Source::MaxAge)));
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=3000")]), Some((1000, Source::MaxAge)));
        let obeys = [404, 410, 414, 501].contains(&status);
        let blocked = seconds(&rules, status, &[("cache-control", "no-store")]);
        assert_eq!(blocked, (!obeys).then_some((10, Source::ErrorTtl)), "{status}");
    }
    for status in [400, 403, 405, 412, 415] {
        assert_eq!(seconds(&rules, status, &[]), None, "{status}");
        assert_eq!(seconds(&rules, status, &[("expires", "@60")]), None, "{status}");
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=30")]), Some((30, Source::MaxAge)));
    }
    assert_eq!(seconds(&rules, 416, &[("cache-control", "max-age=30")]), None);
    assert_eq!(seconds(&Rules { error_ttl: Duration::ZERO, ..rules.clone() }, 404, &[]), None);
    // Per code.
    let rules = Rules { error_ttls: [(404, Duration::from_secs(60)), (503, Duration::ZERO)].into(), ..rules };
    assert_eq!(seconds(&rules, 404, &[]), Some((60, Source::ErrorTtl)));
    assert_eq!(seconds(&rules, 404, &[("cache-control", "max-age=30")]), Some((60, Source::ErrorTtl)));
    assert_eq!(seconds(&rules, 503, &[]), None);
    assert_eq!(seconds(&rules, 503, &[("cache-control", "max-age=3")]), Some((3, Source::MaxAge)));
    assert_eq!(seconds(&rules, 500, &[]), Some((10, Source::ErrorTtl)));
}

#[test]
fn cloudfront_stores_some_statuses_with_a_word_of_the_origin_alone() {
    // cdn-behaviour.md section 10.1
    let rules = cloudfront(0, Some(100), 1000);
    for status in [200, 203, 300, 301, 302] {
        assert_eq!(seconds(&rules, status, &[]), Some((100, Source::DefaultTtl)), "{status}");
    }
    for status in [307, 308] {
        assert_eq!(seconds(&rules, status, &[]), None, "{status}");
        assert_eq!(seconds(&rules, status, &[("expires", "@60"), ("date", "@0")]), None, "{status}");
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=30")]), Some((30, Source::MaxAge)));
    }
    for status in [201, 204, 303, 401, 429, 505] {
        assert_eq!(seconds(&rules, status, &[("cache-control", "max-age=30")]), None, "{status}");
    }
}
