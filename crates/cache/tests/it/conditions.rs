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
async fn a_304_may_choose_among_the_stored_variants() {
    // RFC 9111 sections 4.3.1 and 4.3.4
    let play = Play::new();
    let fields = |tag| [("cache-control", "max-age=60"), ("vary", "accept-language"), ("etag", tag)];
    let asks = |language| get("/", &[("accept-language", language)]);
    play.ask(asks("en"), answers(200, &fields("\"en\""), "hello")).await;
    play.ask(asks("de"), answers(200, &fields("W/\"de\""), "hallo")).await;
    play.ask(asks("xx"), answers(200, &[("cache-control", "max-age=60"), ("vary", "accept-language")], "?")).await;

    let told = [("cache-control", "max-age=60"), ("vary", "accept-language"), ("etag", "\"en\""), ("x", "2")];
    let seen = play.ask(asks("fr"), answers(304, &told, "")).await;
    let asked = seen.asked.unwrap();
    assert_eq!(asked.headers["if-none-match"], "W/\"de\", \"en\"", "the newest first");
    assert!(!asked.headers.contains_key("if-modified-since"));
    assert_eq!(
        (seen.head.status.as_u16(), seen.body, &seen.head.headers["x"]),
        (200, "hello".into(), &"2".parse().unwrap())
    );
    assert_eq!(seen.status, "Rimward; fwd=vary-miss; fwd-status=304; stored; ttl=60");
    assert_eq!(seen.result, CacheResult::RefreshHit);
    for (language, body) in [("fr", "hello"), ("en", "hello"), ("de", "hallo")] {
        assert_eq!(play.ask(asks(language), Origin::MustNotBeAsked).await.body, body, "{language}");
    }

    // A stale one asks for itself first, and may be told of another.
    let seen = play.after(61).ask(asks("de"), answers(304, &fields("\"en\""), "")).await;
    assert_eq!(seen.asked.unwrap().headers["if-none-match"], "W/\"de\", \"en\"");
    assert_eq!(seen.body, "hello");
}

#[tokio::test]
async fn a_304_that_names_none_of_the_variants_is_asked_again() {
    // RFC 9111 section 4.3.4
    for tag in [Some("\"other\""), None] {
        let play = Play::new();
        let fields = [("cache-control", "max-age=60"), ("vary", "foo"), ("etag", "\"a\"")];
        play.ask(get("/", &[("foo", "1")]), answers(200, &fields, "one")).await;
        let Begin::Lead(lead) = play.begin(&get("/", &[("foo", "2")])) else { panic!("leads") };
        let told = head(304, &tag.map(|tag| ("etag", tag)).into_iter().collect::<Vec<_>>());
        let Completed::Again(lead) = lead.respond(told, rimward_types::Body::Empty, play.times()) else {
            panic!("nobody is meant")
        };
        let mut asked = get("/", &[("foo", "2")]);
        lead.add_conditions(&mut asked);
        assert!(!asked.headers.contains_key("if-none-match"));
        done(None, lead.respond(head(200, &fields), "two".into(), play.times())).await;
        assert_eq!(play.ask(get("/", &[("foo", "1")]), Origin::MustNotBeAsked).await.body, "one", "it is still there");
    }
}

#[tokio::test]
async fn a_variant_in_a_coding_that_the_viewer_does_not_take_is_not_offered() {
    // Some origins give one tag to all codings of a page.
    let play = Play::new();
    let fields =
        [("cache-control", "max-age=60"), ("vary", "accept-encoding"), ("etag", "\"a\""), ("content-encoding", "gzip")];
    play.ask(get("/", &[("accept-encoding", "gzip")]), answers(200, &fields, "coded")).await;
    for (codings, offered) in [("br", false), ("gzip;q=0, br", false), ("br, GZIP;q=0.5", true)] {
        let Begin::Lead(lead) = play.begin(&get("/", &[("accept-encoding", codings)])) else { panic!("leads") };
        let mut asked = get("/", &[]);
        lead.add_conditions(&mut asked);
        assert_eq!(asked.headers.contains_key("if-none-match"), offered, "{codings}");
    }
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
    for range in ["lines=1-2", "bytes=x", "bytes=0-1,x"] {
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
        (("if-match", "\"a\""), 206),
        (("if-match", "\"b\""), 412),
        (("if-unmodified-since", "@-3000"), 206),
        (("if-unmodified-since", "@-3001"), 412),
    ] {
        let seen = play.ask(get("/", &[("range", "bytes=0-1"), condition]), Origin::MustNotBeAsked).await;
        assert_eq!(seen.head.status, status, "{condition:?}");
    }
}

/// Takes a `multipart/byteranges` body apart: header lines and bytes of each part.
fn parts(seen: &Seen) -> Vec<(String, Vec<u8>)> {
    let kind = seen.head.headers["content-type"].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("several parts");
    assert_eq!(seen.head.headers["content-length"], seen.body.len().to_string());
    let text = String::from_utf8(seen.body.to_vec()).unwrap();
    let inner = text.strip_suffix(&format!("\r\n--{boundary}--\r\n")).expect("the end");
    let delimiter = format!("\r\n--{boundary}\r\n");
    let parts = inner.split(&delimiter).skip(1);
    parts.map(|part| part.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.into())).unwrap()).collect()
}

fn letters(count: usize) -> Vec<u8> {
    (0..count).map(|n| b'a' + (n % 26) as u8).collect()
}

#[tokio::test]
async fn several_ranges_come_in_one_answer_of_parts() {
    // RFC 9110 sections 14.6 and 15.3.7.2
    let whole = letters(5000);
    let fields = [("cache-control", "max-age=60"), ("etag", "\"a\""), ("content-type", "text/plain"), ("test", "1")];
    let play = Play::new();
    play.get("/", Origin::Answers(head(200, &fields), bytes::Bytes::from(whole.clone()).into())).await;
    let asked = get("/", &[("range", "bytes=0-3, 1000-1009, -5"), ("if-range", "\"a\"")]);
    let seen = play.ask(asked, Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.result), (206, CacheResult::Hit));
    assert!(!seen.head.headers.contains_key("content-range"), "it stands in the parts");
    assert_eq!(seen.head.headers["test"], "1");
    let line = |range: &str| format!("Content-Type: text/plain\r\nContent-Range: bytes {range}/5000");
    assert_eq!(
        parts(&seen),
        [
            (line("0-3"), whole[0..4].to_vec()),
            (line("1000-1009"), whole[1000..1010].to_vec()),
            (line("4995-4999"), whole[4995..].to_vec()),
        ]
    );
}

#[tokio::test]
async fn ranges_that_would_cost_more_than_the_whole_are_answered_with_less() {
    // RFC 9110 section 14.2 (CVE-2011-3192): never more bytes than the whole has.
    let play = Play::new();
    let whole = letters(2000);
    let fields = [("cache-control", "max-age=60"), ("etag", "\"a\"")];
    play.get("/", Origin::Answers(head(200, &fields), bytes::Bytes::from(whole.clone()).into())).await;
    let many: Vec<String> = (0..40).map(|i| format!("{0}-{0}", i * 50)).collect();
    let many = format!("bytes={}", many.join(","));
    for (range, status, length) in [
        ("bytes=0-,0-,0-,0-,0-", 206, 2000),
        ("bytes=0-99,50-149,100-199", 206, 200),
        ("bytes=0-900, 1000-1999", 200, 2000),
        (&many, 200, 2000),
        ("bytes=5000-,6000-", 416, 0),
    ] {
        let seen = play.ask(get("/", &[("range", range)]), Origin::MustNotBeAsked).await;
        assert_eq!((seen.head.status.as_u16(), seen.body.len()), (status, length), "{range}");
    }
}

#[tokio::test]
async fn parts_of_a_coded_body_are_not_sent_together() {
    let play = Play::new();
    let fields = [("cache-control", "max-age=60"), ("content-encoding", "gzip")];
    play.get("/", Origin::Answers(head(200, &fields), bytes::Bytes::from(letters(5000)).into())).await;
    let seen = play.ask(get("/", &[("range", "bytes=0-1,1000-1001")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.body.len()), (200, 5000));
    let seen = play.ask(get("/", &[("range", "bytes=0-1")]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.head.status.as_u16(), seen.body.len()), (206, 2));
}

#[tokio::test]
async fn several_ranges_are_read_from_blocks_and_from_a_body_that_arrives() {
    let options = rimward_cache::Options { memory: rimward_types::ByteSize::mb(8), ..Default::default() };
    let play = Play::with(rimward_cache::Rules::default(), options);
    let whole = letters(1_000_000);
    let asked = || get("/", &[("range", "bytes=10-19,262100-262200,-10")]);
    let Begin::Lead(lead) = play.begin(&asked()) else { panic!("leads") };
    let (feed, body) = Feed::new();
    let fields = [("cache-control", "max-age=9"), ("content-length", "1000000")];
    let Completed::Stored(first) = lead.respond(head(200, &fields), body, play.times()) else { panic!("stores") };
    let arriving = tokio::spawn(seen(None, first));
    for part in whole.chunks(7001) {
        feed.send(part.to_vec());
        settle().await;
    }
    drop(feed);
    let expected = [whole[10..20].to_vec(), whole[262_100..262_201].to_vec(), whole[999_990..].to_vec()];
    let arriving = arriving.await.unwrap();
    settle().await;
    let stored = play.ask(asked(), Origin::MustNotBeAsked).await;
    for seen in [arriving, stored] {
        let bodies: Vec<_> = parts(&seen).into_iter().map(|(_, body)| body).collect();
        assert_eq!(bodies, expected);
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

/// RFC 9111 section 3.2 adds and replaces fields; nothing takes one away.
#[tokio::test]
async fn an_origin_that_sends_new_fields_with_each_304_makes_no_head_without_end() {
    let play = Play::new();
    let known = [("cache-control", "max-age=1"), ("etag", "\"a\"")];
    play.get("/", answers(200, &known, "a")).await;
    let mut longest = 0;
    for round in 0..20 {
        let names: Vec<String> = (0..100).map(|n| format!("x-{round}-{n}")).collect();
        let new = names.iter().map(|name| (name.as_str(), "1"));
        let fields: Vec<_> = known.into_iter().chain(new).collect();
        play.after(3);
        let Begin::Lead(lead) = play.begin(&get("/", &[])) else { panic!("it is stale") };
        // What has grown too large is gone, and is fetched anew.
        let status = if lead.validators().is_some() { 304 } else { 200 };
        let seen = done(None, lead.respond(head(status, &fields), "a".into(), play.times())).await;
        assert_eq!(seen.body, "a");
        longest = longest.max(seen.head.headers.len());
    }
    assert!((1000..1200).contains(&longest), "{longest}");
}
