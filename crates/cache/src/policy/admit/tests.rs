use super::*;
use crate::rules::{Profile, TtlRules};
use http::HeaderValue;

const NOW: Timestamp = Timestamp::from_secs(1_750_000_000);
const AT_ONCE: Times = Times { requested: NOW, received: NOW };

fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for &(name, value) in fields {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

struct Exchange {
    request: RequestHead,
    rules: Rules,
}

impl Exchange {
    fn rfc() -> Self {
        Self { request: RequestHead::get("/a?b"), rules: Rules::default() }
    }

    fn cloudfront(min: u64) -> Self {
        let ttl = TtlRules { min: Duration::from_secs(min), ..TtlRules::default() };
        let rules = Rules { profile: Profile::CloudFront, ttl, ..Rules::default() };
        Self { request: RequestHead::get("/a?b"), rules }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.request.headers.append(name, HeaderValue::from_static(value));
        self
    }

    fn admit(&self, status: u16, fields: &[(&'static str, &'static str)]) -> Result<Terms, NotStored> {
        let mut response = ResponseHead::new(StatusCode::from_u16(status).expect("a status"));
        response.headers = map(fields);
        match admit(&self.request, &response, &self.rules, AT_ONCE) {
            Admission::Store(terms) => Ok(terms),
            Admission::Refuse(reason) => Err(reason),
        }
    }

    fn refusal(&self, status: u16, fields: &[(&'static str, &'static str)]) -> Option<NotStored> {
        self.admit(status, fields).err()
    }
}

#[test]
fn restrictions_of_the_response_are_obeyed() {
    // RFC 9111 section 3
    let rfc = Exchange::rfc();
    for (status, fields, expected) in [
        (200, &[("cache-control", "max-age=9")][..], None),
        (
            200,
            &[("cache-control", "no-store, max-age=9"), ("expires", "Thu, 18 Aug 2050 02:01:18 GMT")],
            Some(NotStored::NoStore),
        ),
        (200, &[("cache-control", "private, max-age=9")], Some(NotStored::Private)),
        (200, &[("cache-control", "private=\"x\", max-age=9")], None),
        (200, &[("cache-control", "max-age=9"), ("set-cookie", "a=b")], None),
        (206, &[("cache-control", "max-age=9")], Some(NotStored::Partial)),
        (304, &[("cache-control", "max-age=9")], Some(NotStored::NotModified)),
        (103, &[("cache-control", "max-age=9")], Some(NotStored::Status)),
        (201, &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(NotStored::Status)),
        (200, &[("cache-control", "max-age=9"), ("vary", "a, *")], Some(NotStored::VaryStar)),
        (200, &[], Some(NotStored::NoUse)),
        (200, &[("cache-control", "no-cache, max-age=9")], Some(NotStored::NoUse)),
        (200, &[("cache-control", "no-cache, max-age=9"), ("etag", "\"a\"")], None),
        (200, &[("cache-control", "max-age=9"), ("age", "9")], Some(NotStored::NoUse)),
        (200, &[("cache-control", "max-age=9"), ("age", "8")], None),
        (200, &[("cache-control", "max-age=0, stale-while-revalidate=5")], None),
    ] {
        assert_eq!(rfc.refusal(status, fields), expected, "{status} {fields:?}");
    }
}

#[test]
fn must_understand_beats_no_store_for_known_statuses() {
    // RFC 9111 section 5.2.2.3
    let fields = [("cache-control", "no-store, must-understand, max-age=9")];
    assert_eq!(Exchange::rfc().refusal(200, &fields), None);
    assert_eq!(Exchange::rfc().refusal(599, &fields), Some(NotStored::NotUnderstood));
}

#[test]
fn authorization_needs_leave_to_be_shared() {
    // RFC 9111 section 3.5
    let asked = || Exchange::rfc().with("authorization", "Basic x");
    assert_eq!(asked().refusal(200, &[("cache-control", "max-age=9")]), Some(NotStored::Authorization));
    for leave in ["max-age=9, public", "max-age=9, must-revalidate", "s-maxage=9"] {
        assert_eq!(asked().refusal(200, &[("cache-control", leave)]), None, "{leave}");
    }
    let cloudfront = Exchange::cloudfront(0).with("authorization", "Basic x");
    assert_eq!(cloudfront.refusal(200, &[("cache-control", "max-age=9")]), None);
}

#[test]
fn no_store_of_the_request_is_obeyed_by_the_rfc_profile_alone() {
    // RFC 9111 section 5.2.1.5, cdn-behaviour.md section 7.3
    let fields = [("cache-control", "max-age=9")];
    let of = |exchange: Exchange| exchange.with("cache-control", "no-store").refusal(200, &fields);
    assert_eq!(of(Exchange::rfc()), Some(NotStored::RequestNoStore));
    assert_eq!(of(Exchange::cloudfront(0)), None);
}

#[test]
fn methods_other_than_get_are_not_stored() {
    for (method, expected) in [("HEAD", true), ("OPTIONS", true), ("PUT", true), ("PATCH", true), ("POST", true)] {
        let mut exchange = Exchange::rfc();
        exchange.request.method = method.parse().expect("a method");
        let refused = exchange.refusal(200, &[("cache-control", "max-age=9")]) == Some(NotStored::Method);
        assert_eq!(refused, expected, "{method}");
    }
}

#[test]
fn a_post_is_stored_when_it_names_itself() {
    // RFC 9110 section 9.3.3
    let mut exchange = Exchange::rfc().with("host", "example.com");
    exchange.request.method = Method::POST;
    for (location, expected) in [
        ("/a?b", None),
        ("http://example.com/a?b", None),
        ("", None),
        ("/a", Some(NotStored::Method)),
        ("http://other.com/a?b", Some(NotStored::Method)),
    ] {
        let fields = [("cache-control", "max-age=9"), ("content-location", location)];
        assert_eq!(exchange.refusal(200, &fields), expected, "{location}");
    }
    let heuristic = [("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"), ("content-location", "/a?b")];
    assert_eq!(exchange.refusal(200, &heuristic), Some(NotStored::Method));
}

#[test]
fn cdn_cache_control_takes_the_place_of_cache_control() {
    // RFC 9213 section 2.2
    let rfc = Exchange::rfc();
    let time =
        |fields: &[(&'static str, &'static str)]| rfc.admit(200, fields).map(|terms| terms.lifetime.time.as_secs());
    assert_eq!(time(&[("cdn-cache-control", "max-age=9")]), Ok(9));
    assert_eq!(time(&[("cdn-cache-control", "max-age=9"), ("cache-control", "no-store")]), Ok(9));
    assert_eq!(time(&[("cdn-cache-control", "max-age=9"), ("cache-control", "max-age=1"), ("expires", "0")]), Ok(9));
    assert_eq!(time(&[("cdn-cache-control", "max-age=1"), ("cache-control", "max-age=9")]), Ok(1));
    assert_eq!(time(&[("cdn-cache-control", "no-store"), ("cache-control", "max-age=9")]), Err(NotStored::NoStore));
    assert_eq!(time(&[("cdn-cache-control", "private"), ("cache-control", "max-age=9")]), Err(NotStored::Private));
    assert_eq!(time(&[("cdn-cache-control", "no-cache"), ("cache-control", "max-age=9")]), Err(NotStored::NoUse));
    assert_eq!(time(&[("cdn-cache-control", "max-age=\"9\""), ("cache-control", "no-store")]), Err(NotStored::NoStore));
    assert_eq!(time(&[("cdn-cache-control", "max-age=9, &&"), ("cache-control", "no-store")]), Err(NotStored::NoStore));
    let cloudfront =
        Exchange::cloudfront(0).admit(200, &[("cdn-cache-control", "no-store"), ("cache-control", "max-age=9")]);
    assert_eq!(cloudfront.map(|terms| terms.lifetime.time.as_secs()), Ok(9));
}

#[test]
fn targeted_fields_forbid_and_permit_stale_use_by_themselves() {
    // RFC 9213 section 2.2, RFC 5861: what Cache-Control says of it does not count.
    for name in ["cdn-cache-control", "rimward-cache-control"] {
        for value in [
            "max-age=9",
            "max-age=9, stale-while-revalidate=5, stale-if-error=7",
            "max-age=9, stale-if-error=7, must-revalidate",
            "max-age=9, proxy-revalidate",
            "s-maxage=9, stale-if-error=7",
            "no-cache",
        ] {
            let rfc = Exchange::rfc();
            let tag = ("etag", "\"a\"");
            let plain = rfc.admit(200, &[("cache-control", value), tag]).expect("stored");
            let beside = ("cache-control", "max-age=1, must-revalidate, stale-while-revalidate=99");
            let targeted = rfc.admit(200, &[(name, value), beside, tag]).expect("stored");
            assert_eq!((targeted.stale, targeted.lifetime), (plain.stale, plain.lifetime), "{name}: {value}");
        }
    }
}

#[test]
fn stale_terms_follow_the_directives() {
    // RFC 5861, RFC 9111 sections 4.2.4 and 5.2.2.10
    let s = Duration::from_secs;
    let day = s(86_400);
    let terms = |value: &'static str| {
        Exchange::rfc().admit(200, &[("cache-control", value), ("etag", "\"a\"")]).expect("stored").stale
    };
    let allowed = |while_revalidate, on_error, on_disconnect| StaleTerms {
        forbidden: false,
        while_revalidate,
        on_error,
        on_disconnect,
    };
    let forbidden = StaleTerms { forbidden: true, ..StaleTerms::default() };
    assert_eq!(terms("max-age=9"), allowed(s(0), s(0), day));
    assert_eq!(terms("max-age=9, stale-while-revalidate=5"), allowed(s(5), s(0), day));
    assert_eq!(terms("max-age=9, stale-if-error=7"), allowed(s(0), s(7), s(7)));
    assert_eq!(terms("max-age=9, stale-if-error=0"), allowed(s(0), s(0), s(0)));
    for word in ["must-revalidate", "proxy-revalidate", "no-cache"] {
        let value: &'static str = Box::leak(format!("max-age=9, stale-if-error=7, {word}").into_boxed_str());
        assert_eq!(terms(value), forbidden, "{word}");
    }
    assert_eq!(terms("s-maxage=9"), forbidden);
    let beside = StaleTerms { forbidden: true, while_revalidate: s(5), ..StaleTerms::default() };
    assert_eq!(terms("s-maxage=9, stale-while-revalidate=5"), beside);
}

#[test]
fn cloudfront_serves_stale_until_the_maximum_ttl() {
    // cdn-behaviour.md section 10.3
    let s = Duration::from_secs;
    let mut exchange = Exchange::cloudfront(0);
    exchange.rules.ttl.max = s(100);
    let terms = |status, value: &'static str| {
        exchange.admit(status, &[("cache-control", value), ("etag", "\"a\"")]).expect("stored").stale
    };
    let stale = terms(200, "max-age=40");
    assert_eq!((stale.while_revalidate, stale.on_error, stale.on_disconnect), (s(0), s(60), s(60)));
    let stale = terms(200, "max-age=40, stale-while-revalidate=5, stale-if-error=500");
    assert_eq!((stale.while_revalidate, stale.on_error, stale.on_disconnect), (s(5), s(60), s(60)));
    let stale = terms(200, "max-age=40, stale-if-error=0");
    assert_eq!((stale.on_error, stale.on_disconnect), (s(0), s(0)));
    assert!(terms(200, "max-age=40, must-revalidate").forbidden);
    assert!(terms(404, "max-age=40").forbidden);
}

#[test]
fn a_minimum_ttl_beats_restrictions_in_the_cloudfront_profile() {
    // cdn-behaviour.md section 10.1
    for word in ["no-store", "private", "no-cache"] {
        let terms = Exchange::cloudfront(60).admit(200, &[("cache-control", word)]).expect("stored");
        assert_eq!(terms.lifetime, Lifetime { time: Duration::from_secs(60), source: Source::MinTtl }, "{word}");
    }
    assert_eq!(Exchange::cloudfront(0).refusal(200, &[("cache-control", "no-store")]), Some(NotStored::NoStore));
    assert_eq!(Exchange::cloudfront(0).refusal(200, &[("cache-control", "private")]), Some(NotStored::Private));
    assert_eq!(Exchange::cloudfront(0).refusal(503, &[("cache-control", "no-store")]), None);
    assert_eq!(Exchange::cloudfront(0).refusal(404, &[("cache-control", "no-store")]), Some(NotStored::NoStore));
}

#[test]
fn fields_that_may_not_be_kept_are_named() {
    let mut exchange = Exchange::rfc();
    exchange.rules.strip_set_cookie = true;
    let value = "max-age=9, no-cache=\"A, content-length\", private=\"b\"";
    let terms = exchange.admit(200, &[("cache-control", value)]).expect("stored");
    let names: Vec<&str> = terms.dropped.iter().map(HeaderName::as_str).collect();
    assert_eq!(names, ["a", "b", "set-cookie"]);
}

#[test]
fn restrictions_hold_in_the_cloudfront_profile_where_the_origin_sees_more_than_the_key() {
    // Against cdn-behaviour.md sections 10.1 and 11, see `CLOUDFRONT`.
    let mut seen = Exchange::cloudfront(60);
    seen.rules.unkeyed = true;
    for status in [200, 404, 500, 503] {
        assert_eq!(seen.refusal(status, &[("cache-control", "no-store")]), Some(NotStored::NoStore), "{status}");
        assert_eq!(
            seen.refusal(status, &[("cache-control", "private, max-age=9")]),
            Some(NotStored::Private),
            "{status}"
        );
    }
    assert_eq!(seen.refusal(403, &[("cache-control", "no-cache, max-age=9")]), Some(NotStored::NoCache));
    let validated = seen.admit(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")]).expect("stored");
    assert_eq!(validated.lifetime, Lifetime { time: Duration::ZERO, source: Source::NoCache });
    assert_eq!(validated.stale, StaleTerms { forbidden: true, ..StaleTerms::default() });
    assert_eq!(seen.admit(200, &[]).expect("stored").lifetime.source, Source::DefaultTtl);
    // RFC 9111 section 3.5.
    let mut seen = seen.with("authorization", "Bearer a");
    assert_eq!(seen.refusal(200, &[("cache-control", "max-age=9")]), Some(NotStored::Authorization));
    assert_eq!(seen.refusal(200, &[("cache-control", "public, max-age=9")]), None);
    seen.rules.key.headers = vec![AUTHORIZATION];
    assert_eq!(seen.refusal(200, &[("cache-control", "max-age=9")]), None);
}
