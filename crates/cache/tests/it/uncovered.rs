//! What the public suite does not cover and no other file here has for its subject.

use crate::play::*;
use rimward_cache::{Begin, PassReason, Purged};

#[tokio::test]
async fn trace_is_neither_looked_up_nor_stored_and_makes_nothing_doubtful() {
    // RFC 9110 section 9.3.8; RFC 9111 sections 3 and 4.4
    let play = Play::new();
    play.get("/a", answers(200, &[("cache-control", "max-age=60")], "stored")).await;
    let trace = method("TRACE", "/a", &[]);
    assert!(matches!(play.begin(&trace), Begin::Pass(PassReason::Method)));
    let told = head(200, &[("cache-control", "max-age=60")]);
    assert_eq!(play.cache.invalidate("E1", &trace, &told, &play.rules).purged, Purged::default());
    assert_eq!(play.hit("/a").await.body, "stored");
}

#[tokio::test]
async fn cookies_select_where_the_answer_varies_by_them() {
    // RFC 9111 section 4.1
    let play = Play::new();
    let fields = [("cache-control", "max-age=60"), ("vary", "Cookie")];
    let with = |cookie: &'static str| get("/a", &[("cookie", cookie)]);
    for (cookie, body) in [("user=1", "one"), ("user=2", "two")] {
        assert_eq!(play.ask(with(cookie), answers(200, &fields, body)).await.body, body);
    }
    assert_eq!(play.ask(with("user=1"), Origin::MustNotBeAsked).await.body, "one");
    assert_eq!(play.ask(with("user=2"), Origin::MustNotBeAsked).await.body, "two");
    let without = play.ask(get("/a", &[]), answers(200, &fields, "nobody")).await;
    assert_eq!(without.body, "nobody", "no cookie is not any cookie");
}

#[tokio::test]
async fn viewers_see_the_age_whoever_the_longer_lifetime_was_for() {
    // RFC 9213 section 2.1: the targeted lifetime is for caches like this one, `Cache-Control` for those behind it.
    let play = Play::new();
    let fields = [("cdn-cache-control", "max-age=600"), ("cache-control", "max-age=10")];
    play.get("/a", answers(200, &fields, "a")).await;
    let seen = play.after(60).hit("/a").await;
    assert_eq!((seen.head.header("age"), seen.head.header("cache-control")), (Some("60"), Some("max-age=10")));
    assert!(seen.status.contains("ttl=540"), "{}", seen.status);
}

#[tokio::test]
async fn the_last_bytes_of_what_has_none_are_the_whole() {
    // RFC 9110 section 14.1.2: a suffix can be had of anything, but no `Content-Range` can tell of it.
    let play = Play::new();
    play.get("/a", answers(200, &[("cache-control", "max-age=60")], "")).await;
    let seen = play.ask(get("/a", &[("range", "bytes=-5")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.head.header("content-range")), (200, None));
    let seen = play.ask(get("/a", &[("range", "bytes=0-")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.head.header("content-range")), (416, Some("bytes */0")));
}
