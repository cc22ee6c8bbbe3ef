//! Clocks that jump or differ, and ages that do not fit (RFC 9111 sections 1.2.2, 4.2.3 and 5.1).

use crate::play::*;
use rimward_cache::{Options, Rules, TtlRules};
use rimward_types::{Clock, Timestamp};
use std::time::Duration;

fn at(play: &Play, offset: i64) {
    play.clock.set(Timestamp::from_secs((START.as_secs() as i64 + offset) as u64));
}

#[tokio::test]
async fn a_clock_that_goes_back_makes_nothing_older_and_breaks_nothing() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=60"), ("age", "5"), ("date", "@0")], "a")).await;
    at(&play, -3600);
    let seen = play.hit("/").await;
    assert_eq!((seen.head.header("age"), seen.status.as_str()), (Some("5"), "Rimward; hit; ttl=55"));
    at(&play, 54);
    assert_eq!(play.hit("/").await.head.header("age"), Some("59"));
    at(&play, 55);
    assert!(play.get("/", answers(200, &[], "b")).await.asked.is_some(), "it is stale at its time");
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_make_a_key_uncacheable_for_longer() {
    let play = Play::new();
    at(&play, 3600);
    play.get("/", answers(200, &[("cache-control", "no-store")], "a")).await;
    let alone = || {
        let leads = [play.begin(&get("/", &[])), play.begin(&get("/", &[]))];
        leads.iter().all(|begun| matches!(begun, rimward_cache::Begin::Lead(_)))
    };
    assert!(alone(), "requests for it do not wait for each other");
    at(&play, 0);
    assert!(!alone());
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_makes_what_is_stored_stale_and_no_more() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=60"), ("etag", "\"a\"")], "a")).await;
    play.clock.advance(Duration::from_secs(1 << 32));
    let seen = play.get("/", answers(304, &[("cache-control", "max-age=60"), ("etag", "\"a\"")], "")).await;
    assert_eq!((seen.body, seen.head.header("age")), ("a".into(), Some("0")));
    play.hit("/").await;
}

#[tokio::test]
async fn a_date_ahead_of_our_clock_adds_no_age_and_no_life() {
    for (fields, left) in [
        (&[("cache-control", "max-age=60"), ("date", "@7200")][..], 60),
        // The life is Expires less Date, both of the origin's clock.
        (&[("expires", "@7260"), ("date", "@7200")], 60),
    ] {
        let play = Play::new();
        play.get("/", answers(200, fields, "a")).await;
        let seen = play.after(left - 1).hit("/").await;
        assert_eq!(seen.head.header("age"), Some("59"));
        assert_eq!(seen.head.header("date"), Some(&*date(START.plus(Duration::from_secs(7200)))), "it is left alone");
        assert!(play.after(1).get("/", answers(200, &[], "b")).await.asked.is_some());
    }
}

#[tokio::test]
async fn an_age_past_two_to_the_31_is_told_as_that() {
    // RFC 9111 section 1.2.2
    let ttl = TtlRules { max: Duration::from_secs(1 << 40), ..TtlRules::default() };
    let play = Play::with(Rules { ttl, ..Rules::default() }, Options::default());
    let fields = [("cache-control", "max-age=2147483648"), ("age", "2147483640")];
    play.get("/", answers(200, &fields, "a")).await;
    assert_eq!(play.after(7).hit("/").await.head.header("age"), Some("2147483647"));
    let seen = play.after(20).get("/", Origin::IsAway).await;
    assert_eq!((seen.body, seen.head.header("age")), ("a".into(), Some("2147483648")));
}

#[tokio::test]
async fn the_time_that_the_origin_took_counts_into_the_age() {
    // response_delay of RFC 9111 section 4.2.3
    let play = Play::new();
    let rimward_cache::Begin::Lead(lead) = play.begin(&get("/", &[])) else { panic!("leads") };
    let requested = play.clock.now();
    play.after(7);
    let times = rimward_cache::Times { requested, received: play.clock.now() };
    let told = head(200, &[("cache-control", "max-age=60"), ("age", "3")]);
    done(None, lead.respond(told, "a".into(), times)).await;
    assert_eq!(play.hit("/").await.head.header("age"), Some("10"));
}
