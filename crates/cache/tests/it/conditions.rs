//! Conditions and ranges of viewers, answered from what is stored or arrives.

use crate::play::*;
use rimward_cache::{Begin, CacheResult, Completed};

const STORED: &[(&str, &str)] = &[
    ("cache-control", "max-age=3600"),
    ("etag", "\"a\""),
    ("last-modified", "@-3000"),
    ("date", "@0"),
    ("content-length", "10"),
    ("content-type", "text/plain"),
    ("vary", "foo"),
    ("test", "1"),
];

async fn stored() -> Play {
    let play = Play::new();
    play.get("/", answers(200, STORED, "0123456789")).await;
    play
}

#[tokio::test]
async fn a_viewer_who_has_it_gets_304_with_the_fields_that_matter() {
    // RFC 9110 section 15.4.5, conditional-304-etag
    let play = stored().await;
    for condition in [("if-none-match", "\"x\", W/\"a\""), ("if-modified-since", "@-2000")] {
        let seen = play.ask(get("/", &[condition]), Origin::MustNotBeAsked).await;
        let headers = &seen.head.headers;
        assert_eq!((seen.head.status.as_u16(), seen.body.len(), seen.result), (304, 0, CacheResult::Hit));
        for name in ["etag", "date", "cache-control", "vary", "age", "test", "last-modified"] {
            assert!(headers.contains_key(name), "{name}");
        }
        assert!(!headers.contains_key("content-length") && !headers.contains_key("content-type"));
    }
    let seen = play.ask(method("HEAD", "/", &[("if-none-match", "\"a\"")]), Origin::MustNotBeAsked).await;
    assert_eq!(seen.head.status, 304);
}

#[tokio::test]
async fn a_viewers_condition_on_something_stale_is_answered_after_validation() {
    // conditional-lm-stale
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "a")).await;
    let asked = || get("/", &[("if-none-match", "\"a\"")]);
    let seen = play.after(3).ask(asked(), answers(304, &[("etag", "\"a\"")], "")).await;
    assert_eq!(seen.head.status, 304);
    let seen =
        play.after(3).ask(asked(), answers(200, &[("cache-control", "max-age=9"), ("etag", "\"b\"")], "b")).await;
    assert_eq!((seen.head.status.as_u16(), seen.body), (200, "b".into()));
}

#[tokio::test]
async fn a_viewers_condition_on_a_miss_is_answered_from_the_new_response() {
    let play = Play::new();
    let asked = get("/", &[("if-none-match", "\"a\""), ("range", "bytes=0-1")]);
    let seen = play.ask(asked, answers(200, STORED, "0123456789")).await;
    assert!(seen.asked.unwrap().headers.is_empty(), "the whole is fetched");
    assert_eq!(seen.head.status, 304);
    assert_eq!(play.hit("/").await.body, "0123456789");
}

#[tokio::test]
async fn a_range_of_a_stored_response_is_206() {
    // partial-store-complete-*, partial-use-stored-headers
    let play = stored().await;
    for (range, text, part) in [
        ("bytes=0-1", "bytes 0-1/10", "01"),
        ("bytes=1-", "bytes 1-9/10", "123456789"),
        ("bytes=-1", "bytes 9-9/10", "9"),
        ("bytes=5-100", "bytes 5-9/10", "56789"),
    ] {
        let seen = play.ask(get("/", &[("range", range)]), Origin::MustNotBeAsked).await;
        let headers = &seen.head.headers;
        assert_eq!((seen.head.status.as_u16(), seen.body), (206, part.into()), "{range}");
        assert_eq!(headers["content-range"], text);
        assert_eq!(headers["content-length"], part.len().to_string());
        assert_eq!(headers["test"], "1");
    }
}

#[tokio::test]
async fn ranges_that_cannot_be_had_are_416_and_odd_ones_the_whole() {
    // RFC 9110 sections 14.2 and 15.5.17
    let play = stored().await;
    let seen = play.ask(get("/", &[("range", "bytes=10-")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.body.len()), (416, 0));
    assert_eq!(seen.head.headers["content-range"], "bytes */10");
    for range in ["bytes=0-1, 4-5", "lines=1-2", "bytes=x"] {
        let seen = play.ask(get("/", &[("range", range)]), Origin::MustNotBeAsked).await;
        assert_eq!((seen.head.status.as_u16(), seen.body.len()), (200, 10), "{range}");
    }
    let seen = play.ask(method("HEAD", "/", &[("range", "bytes=0-1")]), Origin::MustNotBeAsked).await;
    assert_eq!(seen.head.status, 200);
}

#[tokio::test]
async fn if_range_and_if_none_match_come_before_the_range() {
    // RFC 9110 section 13.2.2
    let play = stored().await;
    for (condition, status) in [
        (("if-range", "\"a\""), 206),
        (("if-range", "\"b\""), 200),
        (("if-range", "W/\"a\""), 200),
        (("if-range", "@-3000"), 206),
        (("if-range", "@-2999"), 200),
        (("if-none-match", "\"a\""), 304),
        (("if-none-match", "\"b\""), 206),
    ] {
        let seen = play.ask(get("/", &[("range", "bytes=0-1"), condition]), Origin::MustNotBeAsked).await;
        assert_eq!(seen.head.status, status, "{condition:?}");
    }
}

#[tokio::test]
async fn ranges_are_for_200_alone() {
    let play = Play::new();
    play.get("/", answers(404, &[("cache-control", "max-age=9")], "0123456789")).await;
    let seen = play.ask(get("/", &[("range", "bytes=0-1")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.body.len()), (404, 10));
}

#[tokio::test]
async fn a_range_is_read_from_a_body_that_arrives() {
    let play = Play::new();
    let Begin::Lead(lead) = play.begin(&get("/", &[("range", "bytes=4-7")])) else { panic!("leads") };
    let (feed, body) = Feed::new();
    let fields = [("cache-control", "max-age=9"), ("content-length", "10")];
    let Completed::Stored(first) = lead.respond(head(200, &fields), body, play.times()) else { panic!("stores") };
    let Begin::Hit(second) = play.begin(&get("/", &[("range", "bytes=-2")])) else { panic!("joins") };
    assert_eq!((first.head.status.as_u16(), second.head.status.as_u16()), (206, 206));
    let first = tokio::spawn(seen(None, first));
    let second = tokio::spawn(seen(None, second));
    for part in ["012", "345", "678", "9"] {
        feed.send(part);
        settle().await;
    }
    drop(feed);
    assert_eq!(first.await.unwrap().body, "4567");
    assert_eq!(second.await.unwrap().body, "89");
    assert_eq!(play.hit("/").await.body, "0123456789");
}

#[tokio::test]
async fn a_large_body_is_kept_in_blocks_and_cut_anywhere() {
    let play = Play::with(
        rimward_cache::Rules::default(),
        rimward_cache::Options { memory: rimward_types::ByteSize::mb(8), ..rimward_cache::Options::default() },
    );
    let whole: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
    let (feed, body) = Feed::new();
    for part in whole.chunks(7001) {
        feed.send(part.to_vec());
    }
    drop(feed);
    let first = play.get("/", Origin::Answers(head(200, &[("cache-control", "max-age=9")]), body)).await;
    assert_eq!(first.body, whole);
    settle().await;
    assert_eq!(play.hit("/").await.body, whole);
    for (start, end) in [(0, 1), (262_143, 262_146), (100_000, 900_000), (999_999, 1_000_000)] {
        let range = format!("bytes={start}-{}", end - 1);
        let seen = play.ask(get("/", &[("range", &range)]), Origin::MustNotBeAsked).await;
        assert_eq!(seen.body, whole[start..end], "{range}");
    }
}
