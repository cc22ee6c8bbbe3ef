//! Serving what is stale (RFC 5861, RFC 9111 section 4.2.4, `cdn-behaviour.md` section 10.3).

use crate::play::*;
use rimward_cache::{Begin, CacheResult, Completed, OriginFailure, Purge};
use rimward_types::Body;

#[tokio::test]
async fn a_stale_entry_is_served_while_one_request_revalidates() {
    // RFC 5861 section 3
    let play = Play::new();
    let fields = [("cache-control", "max-age=1, stale-while-revalidate=60"), ("etag", "\"a\"")];
    play.get("/", answers(200, &fields, "old")).await;
    let Begin::Stale(first, lead) = play.after(3).begin(&get("/", &[])) else { panic!("stale") };
    assert_eq!(seen(None, first).await.status, "Rimward; hit; ttl=-2; detail=stale-while-revalidate");
    for _ in 0..3 {
        let Begin::Hit(hit) = play.begin(&get("/", &[])) else { panic!("one fetch is enough") };
        assert_eq!(seen(None, hit).await.body, "old");
    }
    let mut asked = get("/", &[]);
    lead.add_conditions(&mut asked);
    assert_eq!(asked.headers["if-none-match"], "\"a\"");
    let told = head(200, &[("cache-control", "max-age=9")]);
    assert!(matches!(lead.respond(told, "new".into(), play.times()), Completed::Stored(_)));
    assert_eq!(play.hit("/").await.body, "new");
}

#[tokio::test]
async fn what_was_purged_softly_has_no_time_left_when_it_stands_in() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=60, stale-if-error=60"), ("etag", "\"a\"")], "old")).await;
    play.cache.expire(&Purge::All);
    let told = play.cache.explain(&play.key(&get("/", &[])), &get("/", &[]), &play.rules);
    assert_eq!(told.stored.map(|stored| (stored.expired, stored.freshness.left)), Some((true, 0)));
    let seen = play.get("/", Origin::IsAway).await;
    assert_eq!(seen.status, "Rimward; fwd=stale; ttl=0; detail=stale-if-error");
}

#[tokio::test]
async fn a_refresh_that_fails_or_is_dropped_is_tried_again_by_the_next_request() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=1, stale-while-revalidate=60")], "old")).await;
    play.after(3);
    for drops in [true, false] {
        let Begin::Stale(_, lead) = play.begin(&get("/", &[])) else { panic!("stale") };
        if drops {
            drop(lead);
        } else {
            lead.fail(OriginFailure { status: http::StatusCode::BAD_GATEWAY });
        }
    }
    assert!(matches!(play.begin(&get("/", &[])), Begin::Stale(..)));
    assert_eq!(play.cache.usage().fills, 0);
}

#[tokio::test]
async fn past_the_window_nothing_stale_is_served() {
    // stale-while-revalidate-window
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=1, stale-while-revalidate=4"), ("etag", "\"abc\"")], "a"))
        .await;
    let told = [("cache-control", "no-cache"), ("etag", "\"def\"")];
    let seen = play.after(3).get("/", answers(200, &told, "b")).await;
    assert_eq!(seen.body, "a");
    let seen = play.after(3).get("/", answers(200, &told, "c")).await;
    assert_eq!((seen.body, seen.asked.unwrap().headers["if-none-match"].to_str().unwrap()), ("c".into(), "\"def\""));
}

#[tokio::test]
async fn an_origin_that_is_away_is_stood_in_for_unless_that_is_forbidden() {
    // stale-close, stale-close-*
    for (control, served) in [
        ("max-age=2", true),
        ("max-age=2, must-revalidate", false),
        ("max-age=2, proxy-revalidate", false),
        ("max-age=2, no-cache", false),
        ("max-age=2, s-maxage=2", false),
        ("max-age=2, stale-if-error=60", true),
        ("max-age=2, stale-if-error=0", false),
        ("s-maxage=2, stale-if-error=60", true),
    ] {
        let play = Play::new();
        play.get("/", answers(200, &[("cache-control", control), ("etag", "\"a\"")], "old")).await;
        let seen = play.after(3).get("/", Origin::IsAway).await;
        assert_eq!(seen.head.status == 200, served, "{control}");
        if served {
            assert_eq!((seen.body, seen.result), ("old".into(), CacheResult::Hit), "{control}");
            assert!(seen.status.contains("fwd=stale; ttl=-1; detail=stale-if-error"), "{}", seen.status);
        }
    }
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2")], "old")).await;
    assert_eq!(play.after(86_500).get("/", Origin::IsAway).await.head.status, 502, "not for ever");
}

#[tokio::test]
async fn errors_are_stood_in_for_when_a_directive_says_so() {
    // RFC 5861 section 4, stale-sie-503
    for (status, control, served) in [
        (503, "max-age=2", false),
        (500, "max-age=2, stale-if-error=60", true),
        (502, "max-age=2, stale-if-error=60", true),
        (503, "max-age=2, stale-if-error=60", true),
        (504, "max-age=2, stale-if-error=60", true),
        (404, "max-age=2, stale-if-error=60", false),
        (503, "max-age=2, stale-if-error=60, must-revalidate", false),
    ] {
        let play = Play::new();
        play.get("/", answers(200, &[("cache-control", control)], "old")).await;
        let seen = play.after(3).get("/", answers(status, &[], "error")).await;
        assert_eq!(seen.head.status == 200, served, "{status} {control}");
        let seen = play.after(60).get("/", answers(status, &[], "error")).await;
        assert_eq!(seen.head.status, status, "the window is over");
    }
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2")], "old")).await;
    let seen = play.after(3).ask(get("/", &[("cache-control", "stale-if-error=9")]), answers(503, &[], "")).await;
    assert_eq!(seen.body, "old", "the request may ask for it");
    for control in ["max-age=2, must-revalidate", "max-age=2, proxy-revalidate", "s-maxage=2"] {
        let play = Play::new();
        play.get("/", answers(200, &[("cache-control", control)], "old")).await;
        let asked = get("/", &[("cache-control", "stale-if-error=9, max-stale")]);
        let seen = play.after(3).ask(asked, answers(503, &[], "error")).await;
        assert_eq!(seen.head.status, 503, "not against {control}");
    }
}

#[tokio::test]
async fn followers_share_the_stale_answer() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2")], "old")).await;
    play.after(3);
    let Begin::Lead(lead) = play.begin(&get("/", &[])) else { panic!("leads") };
    let Begin::Follow(follow) = play.begin(&get("/", &[])) else { panic!("follows") };
    let follower = tokio::spawn(follow.wait());
    settle().await;
    assert!(lead.fail(OriginFailure { status: http::StatusCode::BAD_GATEWAY }).is_some());
    let rimward_cache::Followed::Hit(hit) = follower.await.unwrap() else { panic!("served") };
    let seen = seen(None, hit).await;
    assert_eq!(seen.body, "old");
    assert_eq!(seen.status, "Rimward; fwd=stale; collapsed; ttl=-1; detail=stale-if-error");
}

#[tokio::test]
async fn cloudfront_serves_stale_on_errors_and_leaves_the_origin_in_peace() {
    // cdn-behaviour.md section 10.3
    let play = Play::cloudfront();
    play.get("/", answers(200, &[("cache-control", "max-age=2")], "old")).await;
    let seen = play.after(3).get("/", answers(500, &[], "error")).await;
    assert_eq!((seen.body, seen.asked.is_some()), ("old".into(), true));
    assert_eq!(play.after(9).hit("/").await.body, "old");
    let seen = play.after(2).get("/", Origin::IsAway).await;
    assert_eq!((seen.body, seen.asked.is_some()), ("old".into(), true));
    let seen = play.after(11).get("/", answers(404, &[], "gone")).await;
    assert_eq!(seen.head.status, 404, "a 4xx is passed to the viewer");
}

#[tokio::test]
async fn a_background_refresh_that_may_not_be_kept_ends_the_stale_one() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=1, stale-while-revalidate=60")], "old")).await;
    let Begin::Stale(_, lead) = play.after(3).begin(&get("/", &[])) else { panic!("stale") };
    let told = head(200, &[("cache-control", "private")]);
    assert!(matches!(lead.respond(told, Body::Empty, play.times()), Completed::NotStored { .. }));
    assert_eq!(play.cache.usage().objects, 0);
}
