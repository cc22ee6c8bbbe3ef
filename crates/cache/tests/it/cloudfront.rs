//! The CloudFront profile, rule by rule (`cdn-behaviour.md` sections 10 to 12). Keys (section 5) are in `src/key/tests.rs`.

use crate::play::*;
use http::HeaderName;
use rimward_cache::{Begin, CacheResult, ForwardedHeaders, Options, Profile, Rules, TtlRules};
use rimward_types::ByteSize;
use std::time::Duration;

fn ttl(min: u64, default: u64, max: u64) -> TtlRules {
    let s = Duration::from_secs;
    TtlRules { min: s(min), default: Some(s(default)), max: s(max) }
}

fn play(rules: Rules) -> Play {
    let options = Options { memory: ByteSize::mb(1), ..Options::default() };
    Play::with(Rules { profile: Profile::CloudFront, ..rules }, options)
}

fn with_ttl(min: u64, default: u64, max: u64) -> Play {
    play(Rules { ttl: ttl(min, default, max), ..Rules::default() })
}

/// For how many seconds a response is a hit without the origin; counted up to 200.
async fn lifetime(play: &Play, status: u16, fields: &[(&str, &str)]) -> u64 {
    play.get("/", answers(status, fields, "first")).await;
    for second in 0..200 {
        match play.begin(&get("/", &[])) {
            Begin::Hit(_) => {}
            _ => return second,
        }
        play.after(1);
    }
    200
}

#[tokio::test]
async fn times_are_clamped_between_minimum_and_maximum() {
    // section 10.1
    for (fields, seconds) in [
        (&[("cache-control", "max-age=5")][..], 10),
        (&[("cache-control", "max-age=50")], 50),
        (&[("cache-control", "max-age=500")], 100),
        (&[("cache-control", "max-age=50, s-maxage=60")], 60),
        (&[("expires", "@70"), ("date", "@0")], 70),
        (&[("expires", "@70"), ("date", "@0"), ("cache-control", "max-age=20")], 20),
        (&[], 30),
        (&[("last-modified", "@-100000")], 30),
        // It counts from storing: the origin's age does not use it up.
        (&[("cache-control", "max-age=50"), ("age", "40"), ("date", "@-40")], 50),
        // Of a targeted field nothing is said.
        (&[("cache-control", "max-age=50"), ("cdn-cache-control", "max-age=60")], 50),
    ] {
        assert_eq!(lifetime(&with_ttl(10, 30, 100), 200, fields).await, seconds, "{fields:?}");
    }
}

#[tokio::test]
async fn a_minimum_above_zero_beats_what_forbids_storing() {
    // section 10.1
    for control in ["no-cache", "no-store", "private", "private, no-store, max-age=0"] {
        let fields = [("cache-control", control)];
        assert_eq!(lifetime(&with_ttl(10, 30, 100), 200, &fields).await, 10, "{control}");
        assert_eq!(lifetime(&with_ttl(0, 30, 100), 200, &fields).await, 0, "{control}");
    }
}

#[tokio::test]
async fn with_a_minimum_of_zero_no_cache_stands_in_for_an_origin_that_is_away_alone() {
    // section 10.1
    for (control, served) in [
        ("no-cache", true),
        ("no-cache, stale-if-error=60", true),
        ("no-cache, stale-if-error=0", false),
        ("no-cache, must-revalidate", false),
        // Never kept, which is stricter than the vendor.
        ("no-store", false),
        ("private", false),
    ] {
        let play = with_ttl(0, 30, 100);
        play.get("/", answers(200, &[("cache-control", control), ("etag", "\"a\"")], "old")).await;
        let seen = play.after(3).get("/", Origin::IsAway).await;
        assert_eq!(seen.head.status == 200, served, "{control}");
    }
    let play = with_ttl(0, 30, 100);
    play.get("/", answers(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "old")).await;
    let seen = play.after(3).get("/", answers(304, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "")).await;
    assert_eq!((seen.body, seen.result), ("old".into(), CacheResult::RefreshHit), "it is validated each time");
}

#[tokio::test]
async fn some_statuses_are_stored_and_no_others() {
    // section 10.1
    for (status, silent, told) in [
        (200, 30, 50),
        (203, 30, 50),
        (300, 30, 50),
        (301, 30, 50),
        (302, 30, 50),
        (307, 0, 50),
        (308, 0, 50),
        (204, 0, 0),
        (303, 0, 0),
        (401, 0, 0),
        (429, 0, 0),
    ] {
        assert_eq!(lifetime(&with_ttl(0, 30, 100), status, &[]).await, silent, "{status}");
        let fields = [("cache-control", "max-age=50")];
        assert_eq!(lifetime(&with_ttl(0, 30, 100), status, &fields).await, told, "{status}");
    }
}

#[tokio::test]
async fn errors_are_kept_for_the_error_time_at_least() {
    // section 11
    let rules =
        |error_ttl| Rules { ttl: ttl(0, 30, 100), error_ttl: Duration::from_secs(error_ttl), ..Rules::default() };
    for status in [404, 410, 414, 500, 501, 502, 503, 504] {
        for (control, seconds) in [("", 10), ("max-age=5", 10), ("max-age=50", 50), ("s-maxage=500", 100)] {
            let fields: &[_] = if control.is_empty() { &[] } else { &[("cache-control", control)] };
            assert_eq!(lifetime(&play(rules(10)), status, fields).await, seconds, "{status} {control}");
        }
        let obeys = [404, 410, 414, 501].contains(&status);
        for control in ["no-store", "no-cache", "private"] {
            let kept = lifetime(&play(rules(10)), status, &[("cache-control", control)]).await;
            assert_eq!(kept, if obeys { 0 } else { 10 }, "{status} {control}");
        }
        assert_eq!(lifetime(&play(rules(3)), status, &[]).await, 3, "{status}");
        assert_eq!(lifetime(&play(rules(0)), status, &[]).await, 0, "{status}");
    }
    for status in [400, 403, 405, 412, 415] {
        assert_eq!(lifetime(&play(rules(10)), status, &[]).await, 0, "{status}");
        assert_eq!(lifetime(&play(rules(10)), status, &[("expires", "@50"), ("date", "@0")]).await, 0, "{status}");
        assert_eq!(lifetime(&play(rules(10)), status, &[("cache-control", "max-age=50")]).await, 50, "{status}");
    }
    assert_eq!(lifetime(&play(rules(10)), 416, &[("cache-control", "max-age=50")]).await, 0);
    // A minimum TTL does not beat them there, and the reason is told.
    for control in ["no-store", "no-cache", "private"] {
        let play = play(Rules { ttl: ttl(5, 30, 100), ..rules(10) });
        let seen = play.get("/", answers(404, &[("cache-control", control)], "")).await;
        assert_eq!(seen.status, format!("Rimward; fwd=uri-miss; fwd-status=404; detail={control}"));
    }
    let disabled = play(Rules { enabled: false, ..rules(10) });
    assert_eq!(lifetime(&disabled, 503, &[]).await, 0, "CachingDisabled");
}

#[tokio::test]
async fn nothing_stale_is_served_past_the_maximum() {
    // section 10.3
    for (control, origin) in [
        ("max-age=90, stale-while-revalidate=60", None),
        ("max-age=90, stale-if-error=60", Some(503)),
        ("max-age=90", Some(503)),
        ("max-age=90", None),
    ] {
        for (seconds, served) in [(95, true), (101, false)] {
            let play = with_ttl(0, 30, 100);
            play.get("/", answers(200, &[("cache-control", control)], "old")).await;
            let origin = origin.map_or(Origin::IsAway, |status| answers(status, &[], "error"));
            let seen = play.after(seconds).get("/", origin).await;
            assert_eq!(seen.body == "old", served, "{control} after {seconds}");
        }
    }
}

#[tokio::test]
async fn a_word_of_the_origin_narrows_how_long_stale_stands_in() {
    // section 10.3
    for (control, seconds, served) in [
        ("max-age=2, stale-if-error=5", 6, true),
        ("max-age=2, stale-if-error=5", 8, false),
        ("max-age=2, stale-if-error=0", 3, false),
    ] {
        for away in [true, false] {
            let play = with_ttl(0, 30, 1000);
            play.get("/", answers(200, &[("cache-control", control)], "old")).await;
            let origin = if away { Origin::IsAway } else { answers(500, &[], "error") };
            let seen = play.after(seconds).get("/", origin).await;
            assert_eq!(seen.body == "old", served, "{control} after {seconds}");
        }
    }
}

#[tokio::test]
async fn a_star_in_vary_is_fetched_each_time_unless_there_is_a_minimum() {
    // section 10.2
    let fields = [("vary", "*"), ("cache-control", "max-age=50")];
    assert_eq!(lifetime(&with_ttl(0, 30, 100), 200, &fields).await, 0);
    assert_eq!(lifetime(&with_ttl(1, 30, 100), 200, &fields).await, 50);
}

#[tokio::test]
async fn viewers_see_of_vary_what_the_origin_was_told() {
    // section 10.2
    let only = |names: &[&'static str]| {
        ForwardedHeaders::Only(names.iter().map(|name| HeaderName::from_static(name)).collect())
    };
    for (forwarded, shown) in [
        (ForwardedHeaders::All, Some("Accept-Encoding, Cookie, User-Agent, Foo")),
        (only(&[]), Some("accept-encoding, cookie")),
        (only(&["foo"]), Some("accept-encoding, cookie, foo")),
        (only(&["cloudfront-is-mobile-viewer"]), Some("accept-encoding, cookie, user-agent")),
        (ForwardedHeaders::Except(vec![HeaderName::from_static("foo")]), Some("accept-encoding, cookie, user-agent")),
    ] {
        let play = play(Rules { forwarded, ..Rules::default() });
        let fields = [("vary", "Accept-Encoding, Cookie, User-Agent, Foo")];
        let first = play.get("/", answers(200, &fields, "")).await;
        for seen in [first, play.hit("/").await] {
            assert_eq!(seen.head.header("vary"), shown);
        }
    }
    let play = play(Rules { forwarded: only(&[]), ..Rules::default() });
    assert_eq!(play.get("/", answers(200, &[("vary", "foo")], "")).await.head.header("vary"), None);
}

#[tokio::test]
async fn requests_with_cookies_that_the_origin_sees_are_not_collapsed() {
    // section 12
    let asked = || get("/", &[("cookie", "a=1")]);
    for (forwards_cookies, collapsed) in [(true, false), (false, true)] {
        let play = play(Rules { forwards_cookies, ..Rules::default() });
        let Begin::Lead(_lead) = play.begin(&asked()) else { panic!("leads") };
        assert_eq!(matches!(play.begin(&asked()), Begin::Follow(_)), collapsed);
    }
    let play = play(Rules::default());
    let Begin::Lead(_lead) = play.begin(&get("/", &[])) else { panic!("leads") };
    assert!(matches!(play.begin(&get("/", &[])), Begin::Follow(_)), "those without are");
}

#[tokio::test]
async fn requests_are_not_heard() {
    // section 7.3
    let play = with_ttl(0, 30, 100);
    play.get("/", answers(200, &[], "a")).await;
    for wish in ["no-cache", "max-age=0", "no-store", "only-if-cached", "min-fresh=1000"] {
        play.ask(get("/", &[("cache-control", wish), ("pragma", "no-cache")]), Origin::MustNotBeAsked).await;
    }
}
