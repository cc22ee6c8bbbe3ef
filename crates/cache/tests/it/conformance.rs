//! Cases of the public suite (`cache-conformance.md` section 7), by their ids. A first response is told to the cache,
//! some seconds pass (3 where the suite pauses), and a second request is served from it, validates it, or goes forward.

mod exchanges;
mod responses;

use crate::play::*;
use http::StatusCode;
use rimward_cache::Begin;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Cached,
    Validated,
    Forwarded,
}
use Expect::{Cached, Forwarded, Validated};

type Fields = &'static [(&'static str, &'static str)];

#[tokio::test]
async fn responses_are_reused_validated_or_fetched_again_as_the_suite_wants() {
    let mut wrong = Vec::new();
    for &(id, status, fields, seconds, expected) in responses::ALL {
        let play = Play::new();
        play.get("/", answers(status, fields, "first")).await;
        let second = play.after(seconds).get("/", answers(200, &[("cache-control", "no-store")], "second")).await;
        let got = match &second.asked {
            None => Cached,
            Some(asked) if asked.headers.contains_key("if-none-match") => Validated,
            Some(asked) if asked.headers.contains_key("if-modified-since") => Validated,
            Some(_) => Forwarded,
        };
        let body: &[u8] = if got == Cached { b"first" } else { b"second" };
        if got != expected || second.body != body {
            wrong.push((id, got, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_final_status_with_explicit_freshness_is_reused_until_it_is_stale() {
    // status-*-fresh, status-*-stale
    for status in [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599] {
        let play = Play::new();
        play.get("/", answers(status, &[("cache-control", "max-age=3600")], "")).await;
        let seen = play.after(3).hit("/").await;
        assert_eq!(seen.head.status, status);
        let play = Play::new();
        play.get("/", answers(status, &[("cache-control", "max-age=2")], "")).await;
        let seen = play.after(3).get("/", answers(204, &[], "")).await;
        assert_eq!(seen.head.status, 204, "{status}");
    }
}

#[tokio::test]
async fn heuristics_are_for_the_statuses_of_the_list() {
    // heuristic-*
    for (status, cached) in [
        (200, true),
        (201, false),
        (202, false),
        (203, true),
        (204, true),
        (403, false),
        (404, true),
        (405, true),
        (410, true),
        (414, true),
        (501, true),
        (502, false),
        (503, false),
        (504, false),
        (599, false),
    ] {
        let play = Play::new();
        play.get("/", answers(status, &[("last-modified", "@-86400"), ("date", "@0")], "")).await;
        let seen = play.get("/", answers(status, &[], "")).await;
        assert_eq!(seen.asked.is_none(), cached, "{status}");
    }
}

#[tokio::test]
async fn requests_may_ask_for_validation() {
    // ccreq-*
    let fresh: Fields = &[("cache-control", "max-age=3600"), ("etag", "\"a\""), ("age", "1800")];
    for (id, wish, cached) in [
        ("ccreq-ma0", "max-age=0", false),
        ("ccreq-magreaterage", "max-age=600", false),
        ("ccreq-min-fresh", "min-fresh=2000", false),
        ("ccreq-no-cache", "no-cache", false),
        ("ccreq-no-store", "no-store", true),
        ("ccreq-oic", "only-if-cached", true),
    ] {
        let play = Play::new();
        play.get("/", answers(200, fresh, "a")).await;
        let seen = play.ask(get("/", &[("cache-control", wish)]), answers(304, &[("etag", "\"a\"")], "")).await;
        assert_eq!(seen.asked.is_none(), cached, "{id}");
        assert_eq!(seen.head.status, 200, "{id}");
        assert_eq!(seen.body, "a", "{id}");
        if let Some(asked) = seen.asked {
            assert_eq!(asked.headers["if-none-match"], "\"a\"", "{id}");
            assert!(seen.status.contains("fwd=request"), "{}", seen.status);
        }
    }
    let play = Play::new();
    let seen = play.ask(get("/", &[("cache-control", "only-if-cached")]), Origin::MustNotBeAsked).await;
    assert_eq!(seen.head.status, StatusCode::GATEWAY_TIMEOUT);
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=1")], "a")).await;
    play.after(5).ask(get("/", &[("cache-control", "max-stale=1000")]), Origin::MustNotBeAsked).await;
}

#[tokio::test]
async fn pragma_of_requests_is_not_heard() {
    // pragma-request-no-cache (RFC 9111 section 5.4)
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=9")], "a")).await;
    play.ask(get("/", &[("pragma", "no-cache")]), Origin::MustNotBeAsked).await;
}

#[tokio::test]
async fn variants_live_side_by_side() {
    // vary-invalidate
    let play = Play::new();
    let fields: Fields = &[("cache-control", "max-age=5000"), ("vary", "Foo")];
    play.ask(get("/", &[("foo", "1")]), answers(200, fields, "one")).await;
    let seen = play.ask(get("/", &[("foo", "2")]), answers(200, fields, "two")).await;
    assert!(seen.status.contains("fwd=vary-miss"), "{}", seen.status);
    for (foo, body) in [("1", "one"), ("2", "two"), ("1", "one")] {
        assert_eq!(play.ask(get("/", &[("foo", foo)]), Origin::MustNotBeAsked).await.body, body);
    }
}

#[tokio::test]
async fn of_several_that_match_the_newest_is_used() {
    // RFC 9111 section 4
    let play = Play::new();
    let asks = |value| get("/", &[("foo", value)]);
    play.ask(asks("1"), answers(200, &[("cache-control", "max-age=60"), ("vary", "foo")], "for foo")).await;
    play.ask(asks("2"), answers(200, &[("cache-control", "max-age=60")], "for all")).await;
    for value in ["1", "2", "3"] {
        assert_eq!(play.ask(asks(value), Origin::MustNotBeAsked).await.body, "for all", "{value}");
    }
}

#[tokio::test]
async fn vary_star_is_never_reused() {
    // vary-star, vary-syntax-*
    for vary in ["*", "*, *", ", *", "*, Foo", "Foo, *"] {
        let play = Play::new();
        play.get("/", answers(200, &[("cache-control", "max-age=5000"), ("vary", vary)], "a")).await;
        assert!(play.get("/", answers(200, &[], "")).await.asked.is_some(), "{vary}");
    }
}

#[tokio::test]
async fn in_the_cloudfront_profile_the_key_alone_selects() {
    // cdn-behaviour.md section 10.2
    let play = Play::cloudfront();
    play.ask(get("/", &[("foo", "1")]), answers(200, &[("vary", "Foo")], "one")).await;
    assert_eq!(play.ask(get("/", &[("foo", "2")]), Origin::MustNotBeAsked).await.body, "one");
}

#[tokio::test]
async fn authorization_keeps_answers_from_being_shared() {
    // other-authorization*
    for (control, cached) in [
        ("max-age=3600", false),
        ("max-age=3600, public", true),
        ("max-age=3600, must-revalidate", true),
        ("s-maxage=3600", true),
    ] {
        let play = Play::new();
        let asked = || get("/", &[("authorization", "FOO")]);
        play.ask(asked(), answers(200, &[("cache-control", control)], "a")).await;
        assert_eq!(play.ask(asked(), answers(200, &[], "b")).await.asked.is_none(), cached, "{control}");
    }
}

#[tokio::test]
async fn age_counts_from_the_origin_on_and_date_stays() {
    // other-age-gen, other-age-update-*, other-date-update*
    let play = Play::new();
    let first =
        play.get("/", answers(200, &[("cache-control", "max-age=3600"), ("age", "30"), ("date", "@-5")], "a")).await;
    assert_eq!(first.head.headers["age"], "30");
    let second = play.after(3).hit("/").await;
    assert_eq!(second.head.headers["age"], "33");
    assert_eq!(second.head.headers["date"], first.head.headers["date"]);
    assert_eq!(second.head.headers.get_all("age").iter().count(), 1);
    assert_eq!(second.status, "Rimward; hit; ttl=3567");
}

#[tokio::test]
async fn different_queries_are_different_resources() {
    // query-args-different, query-args-same
    let play = Play::new();
    let fresh: Fields = &[("cache-control", "max-age=3600")];
    play.get("/?a=1", answers(200, fresh, "1")).await;
    play.get("/?a=2", answers(200, fresh, "2")).await;
    assert_eq!(play.hit("/?a=1").await.body, "1");
}

#[tokio::test]
async fn unsafe_methods_invalidate_when_they_succeed() {
    // invalidate-*
    for name in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"] {
        for (status, gone) in [(200, true), (302, true), (500, false), (404, false)] {
            let play = Play::new();
            let fresh: Fields = &[("cache-control", "max-age=3600"), ("vary", "foo")];
            play.get("/a", answers(200, fresh, "a")).await;
            play.ask(get("/a", &[("foo", "1")]), answers(200, fresh, "b")).await;
            let asked = method(name, "/a", &[("host", "h")]);
            play.ask(asked.clone(), answers(status, &[], "")).await;
            let purged = play.cache.invalidate("E1", &asked, &head(status, &[]), &play.rules).purged;
            assert_eq!(purged.objects, if gone { 2 } else { 0 }, "{name} {status}");
        }
    }
}

#[tokio::test]
async fn unsafe_methods_invalidate_what_they_name_on_the_same_host() {
    // invalidate-*-location, invalidate-*-cl; RFC 9111 section 4.4
    let play = Play::new();
    let fresh: Fields = &[("cache-control", "max-age=3600")];
    for url in ["/b", "/c", "/d"] {
        play.get(url, answers(200, fresh, "a")).await;
    }
    let asked = method("POST", "/a", &[("host", "h")]);
    let told = head(201, &[("location", "http://h/b"), ("content-location", "c")]);
    assert_eq!(play.cache.invalidate("E1", &asked, &told, &play.rules).purged.objects, 2);
    let told = head(201, &[("location", "http://other/d")]);
    assert_eq!(play.cache.invalidate("E1", &asked, &told, &play.rules).purged.objects, 0);
    play.hit("/d").await;
}

#[tokio::test]
async fn a_fetch_that_began_before_an_unsafe_method_is_not_stored() {
    // RFC 9111 section 4.4: what it brings may be older than the change.
    let play = Play::new();
    let Begin::Lead(lead) = play.begin(&get("/a", &[])) else { panic!("leads") };
    let asked = method("PUT", "/a", &[("host", "h")]);
    let purged = play.cache.invalidate("E1", &asked, &head(204, &[]), &play.rules).purged;
    assert_eq!((purged.objects, purged.fills), (0, 1));
    let told = head(200, &[("cache-control", "max-age=60")]);
    let seen = done(None, lead.respond(told, "old".into(), play.times())).await;
    assert_eq!(seen.body, "old", "its own viewer is answered");
    assert!(play.get("/a", answers(200, &[], "new")).await.asked.is_some());
}

#[tokio::test]
async fn a_post_answers_later_gets_when_it_names_itself() {
    // method-POST
    let play = Play::new();
    let asked = method("POST", "/a", &[("host", "h")]);
    let lead = play.cache.lead_post("E1", &asked, &play.rules).unwrap();
    let told = head(200, &[("cache-control", "max-age=3600"), ("content-location", "http://h/a")]);
    play.cache.invalidate("E1", &asked, &told, &play.rules);
    let seen = done(None, lead.respond(told, "posted".into(), play.times())).await;
    assert_eq!(seen.body, "posted");
    assert_eq!(play.after(3).hit("/a").await.body, "posted");
}
