//! What is kept of a response, what replaces it, and what is never kept.

use crate::play::*;
use http::HeaderMap;
use rimward_cache::{Begin, CacheResult, Completed, Options, Purge, Rules};
use rimward_types::{Body, ByteSize};

const FRESH: (&str, &str) = ("cache-control", "max-age=60");

#[tokio::test]
async fn fields_of_the_connection_are_neither_passed_on_nor_kept() {
    // RFC 9111 section 3.1
    let play = Play::new();
    let fields = [
        FRESH,
        ("connection", "A, Keep-Alive"),
        ("a", "1"),
        ("keep-alive", "1"),
        ("proxy-authenticate", "1"),
        ("proxy-authentication-info", "1"),
        ("proxy-connection", "1"),
        ("te", "1"),
        ("upgrade", "1"),
        ("b", "2"),
    ];
    let first = play.get("/", answers(200, &fields, "x")).await;
    let second = play.hit("/").await;
    for headers in [&first.head.headers, &second.head.headers] {
        assert_eq!(headers["b"], "2");
        for (name, _) in &fields[1..9] {
            assert!(!headers.contains_key(*name), "{name}");
        }
    }
}

#[tokio::test]
async fn fields_named_by_no_cache_and_private_reach_the_first_viewer_alone() {
    // RFC 9111 sections 5.2.2.4 and 5.2.2.7
    let play = Play::new();
    let fields =
        [("cache-control", "max-age=60, no-cache=\"set-cookie\", private=\"X\""), ("set-cookie", "a=1"), ("x", "1")];
    let first = play.get("/", answers(200, &fields, "b")).await;
    assert!(first.head.headers.contains_key("set-cookie") && first.head.headers.contains_key("x"));
    let second = play.hit("/").await;
    assert!(!second.head.headers.contains_key("set-cookie") && !second.head.headers.contains_key("x"));
}

#[tokio::test]
async fn set_cookie_is_replayed_unless_the_rules_strip_it() {
    // cdn-behaviour.md section 10.1
    let fields = [FRESH, ("set-cookie", "a=1"), ("set-cookie", "b=2")];
    let play = Play::new();
    play.get("/", answers(200, &fields, "")).await;
    assert_eq!(play.hit("/").await.head.headers.get_all("set-cookie").iter().count(), 2);
    let play = Play::with(Rules { strip_set_cookie: true, ..Rules::default() }, Options::default());
    play.get("/", answers(200, &fields, "")).await;
    assert!(!play.hit("/").await.head.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_response_without_date_is_given_one() {
    // RFC 9110 section 6.6.1
    let play = Play::new();
    play.get("/", answers(200, &[FRESH], "")).await;
    assert_eq!(play.after(5).hit("/").await.head.headers["date"], date(START));
}

#[tokio::test]
async fn a_304_updates_the_stored_head_and_keeps_the_body() {
    // update304: RFC 9111 section 3.2
    let play = Play::new();
    let first = [("cache-control", "max-age=2"), ("etag", "\"a\""), ("x", "1"), ("y", "1"), ("content-length", "4")];
    play.get("/", answers(200, &first, "body")).await;
    let told = [("cache-control", "max-age=60"), ("etag", "\"a\""), ("x", "2"), ("content-length", "10")];
    let second = play.after(3).get("/", answers(304, &told, "")).await;
    assert_eq!(second.result, CacheResult::RefreshHit);
    assert_eq!(second.status, "Rimward; fwd=stale; fwd-status=304; stored; ttl=60");
    for seen in [second, play.after(30).hit("/").await] {
        let headers = &seen.head.headers;
        assert_eq!(seen.body, "body");
        assert_eq!((&headers["x"], &headers["y"]), (&"2".parse().unwrap(), &"1".parse().unwrap()));
        assert_eq!(headers["content-length"], "4");
        assert_eq!(headers["cache-control"], "max-age=60");
    }
}

#[tokio::test]
async fn a_304_that_may_not_be_kept_answers_once() {
    // RFC 9111 section 3
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "body")).await;
    let told = [("cache-control", "no-store"), ("etag", "\"a\""), ("x", "2")];
    let seen = play.after(3).get("/", answers(304, &told, "")).await;
    assert_eq!((seen.body, &seen.head.headers["x"]), ("body".into(), &"2".parse().unwrap()));
    assert_eq!(seen.head.headers["age"], "0");
    let seen = play.get("/", answers(200, &[], "new")).await;
    assert!(!seen.asked.unwrap().headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn a_304_for_something_else_is_asked_again_without_conditions() {
    // RFC 9111 section 4.3.4
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "old")).await;
    let Begin::Lead(lead) = play.after(3).begin(&get("/", &[])) else { panic!("leads") };
    let Completed::Again(lead) = lead.respond(head(304, &[("etag", "\"b\"")]), Body::Empty, play.times()) else {
        panic!("again")
    };
    let mut asked = get("/", &[]);
    lead.add_conditions(&mut asked);
    assert_eq!(asked.headers, HeaderMap::new());
    let seen = done(None, lead.respond(head(200, &[FRESH]), "new".into(), play.times())).await;
    assert_eq!(seen.body, "new");
    assert_eq!(play.hit("/").await.body, "new");
}

#[tokio::test]
async fn a_full_answer_to_a_validation_replaces_what_is_stored() {
    // RFC 9111 section 4.3.3
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "old")).await;
    play.after(3).get("/", answers(200, &[FRESH, ("etag", "\"b\"")], "new")).await;
    let seen = play.hit("/").await;
    assert_eq!((seen.body, &seen.head.headers["etag"]), ("new".into(), &"\"b\"".parse().unwrap()));
}

#[tokio::test]
async fn an_answer_that_is_not_kept_still_takes_the_place_of_the_old_one() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "old")).await;
    play.after(3).get("/", answers(200, &[("cache-control", "private")], "mine")).await;
    assert_eq!(play.cache.usage().objects, 0);
}

#[tokio::test]
async fn head_is_answered_from_a_stored_get() {
    // RFC 9110 section 9.3.2
    let play = Play::new();
    play.get("/", answers(200, &[FRESH, ("content-length", "4")], "body")).await;
    let seen = play.ask(method("HEAD", "/", &[]), Origin::MustNotBeAsked).await;
    assert_eq!((seen.body.len(), &seen.head.headers["content-length"]), (0, &"4".parse().unwrap()));
}

#[tokio::test]
async fn head_freshens_what_is_stored_or_shows_that_it_is_old() {
    // RFC 9111 section 4.3.5
    let first = [("cache-control", "max-age=2"), ("etag", "\"a\""), ("x", "1"), ("y", "1"), ("content-length", "4")];
    let same = [("cache-control", "max-age=1000"), ("etag", "\"a\""), ("x", "2"), ("content-length", "4")];
    let play = Play::new();
    play.get("/", answers(200, &first, "body")).await;
    let seen = play.after(3).ask(method("HEAD", "/", &[]), answers(200, &same, "")).await;
    assert_eq!(seen.asked.unwrap().method, "HEAD");
    let seen = play.hit("/").await;
    assert_eq!(
        (seen.body, &seen.head.headers["x"], &seen.head.headers["y"]),
        ("body".into(), &"2".parse().unwrap(), &"1".parse().unwrap())
    );

    for other in [("etag", "\"b\""), ("content-length", "5")] {
        let play = Play::new();
        play.get("/", answers(200, &first, "body")).await;
        play.after(3).ask(method("HEAD", "/", &[]), answers(200, &[FRESH, other], "")).await;
        assert!(play.get("/", answers(200, &[], "")).await.asked.is_some());
    }
}

#[tokio::test]
async fn a_head_that_matches_by_its_length_alone_changes_nothing() {
    // RFC 9111 section 4.3.5 would let it freshen: two pages of one length are nothing rare.
    let first = [("cache-control", "max-age=2"), ("content-length", "4")];
    for told in [&[("etag", "\"b\"")][..], &[]] {
        let play = Play::new();
        play.get("/", answers(200, &first, "body")).await;
        let fields = [&[FRESH, ("content-length", "4")], told].concat();
        play.after(3).ask(method("HEAD", "/", &[]), answers(200, &fields, "")).await;
        let seen = play.get("/", answers(200, &[FRESH], "new!")).await;
        assert!(seen.asked.is_some() && seen.body == "new!", "{told:?}");
    }
}

#[tokio::test]
async fn a_head_that_finds_nothing_has_what_is_stored_validated() {
    // RFC 9111 section 4.3.5 speaks of 200; what is gone is not served as if nothing had been heard.
    for status in [404, 410] {
        let play = Play::new();
        play.get("/", answers(200, &[("cache-control", "max-age=60"), ("etag", "\"a\"")], "body")).await;
        let asked = method("HEAD", "/", &[("cache-control", "no-cache")]);
        play.ask(asked, answers(status, &[], "")).await;
        let seen = play.get("/", answers(304, &[("cache-control", "max-age=60"), ("etag", "\"a\"")], "")).await;
        assert!(seen.asked.is_some(), "{status}");
        assert_eq!(seen.body, "body", "it was back");
    }
}

#[tokio::test]
async fn a_miss_by_head_stores_nothing() {
    let play = Play::new();
    play.ask(method("HEAD", "/", &[]), answers(200, &[FRESH, ("content-length", "4")], "")).await;
    assert_eq!(play.cache.usage().objects, 0);
}

#[tokio::test]
async fn incomplete_bodies_are_never_kept() {
    // RFC 9111 section 3.3
    let play = Play::new();
    for told in [Some("10"), None] {
        let (feed, body) = Feed::new();
        feed.send("abc");
        match told {
            Some(_) => drop(feed),
            None => feed.break_off(),
        }
        let mut fields = vec![FRESH];
        fields.extend(told.map(|length| ("content-length", length)));
        let Begin::Lead(lead) = play.begin(&get("/", &[])) else { panic!("leads") };
        let Completed::Stored(hit) = lead.respond(head(200, &fields), body, play.times()) else { panic!("begins") };
        assert!(hit.body.collect(100).await.is_err());
        settle().await;
        assert_eq!(play.cache.usage().objects, 0);
        assert_eq!(play.cache.usage().bytes, 0);
    }
    let seen = play.get("/", answers(200, &[FRESH, ("content-length", "10")], "abc")).await;
    assert!(seen.status.contains("detail=length"), "{}", seen.status);
}

#[tokio::test]
async fn partial_content_is_passed_on() {
    let play = Play::new();
    let fields = [FRESH, ("content-range", "bytes 0-1/10")];
    assert_eq!(play.get("/", answers(206, &fields, "ab")).await.head.status, 206);
    assert_eq!(play.cache.usage().objects, 0);
}

#[tokio::test]
async fn objects_above_the_limit_are_passed_on_and_remembered() {
    let options = Options { memory: ByteSize::kb(256), max_object: ByteSize::kb(1), ..Options::default() };
    let play = Play::with(Rules::default(), options);
    let large = || Origin::Answers(head(200, &[FRESH]), vec![b'x'; 2000].into_body());
    let seen = play.get("/", large()).await;
    assert!(seen.status.contains("detail=too-large"), "{}", seen.status);
    // Its ranges go to the origin from now on.
    let seen =
        play.ask(get("/", &[("range", "bytes=0-1")]), answers(206, &[("content-range", "bytes 0-1/2000")], "xx")).await;
    assert_eq!(seen.asked.unwrap().headers["range"], "bytes=0-1");
    assert_eq!(seen.head.status, 206);
}

trait IntoBody {
    fn into_body(self) -> Body;
}

impl IntoBody for Vec<u8> {
    fn into_body(self) -> Body {
        bytes::Bytes::from(self).into()
    }
}

#[tokio::test]
async fn cloudfront_ttls_and_errors() {
    // cdn-behaviour.md sections 10.1 and 11
    let play = Play::cloudfront();
    play.get("/", answers(200, &[], "a")).await;
    play.after(86_399).hit("/").await;
    play.after(2).get("/", answers(404, &[], "gone")).await;
    let seen = play.after(9).hit("/").await;
    assert_eq!((seen.head.status.as_u16(), seen.result), (404, CacheResult::Error));
    assert!(play.after(2).get("/", answers(200, &[], "b")).await.asked.is_some());
    // Requests are not heard.
    play.ask(get("/", &[("cache-control", "no-cache, max-age=0")]), Origin::MustNotBeAsked).await;
}

#[tokio::test]
async fn a_purge_removes_and_an_expiry_asks_again() {
    // cdn-behaviour.md section 17
    let play = Play::new();
    let fields = [FRESH, ("etag", "\"a\"")];
    let url = || Purge::Url { distribution: "E1".into(), url: "/".into() };
    play.get("/", answers(200, &fields, "a")).await;
    assert_eq!(play.cache.purge(&url()).objects, 1);
    play.get("/", answers(200, &fields, "b")).await;
    assert_eq!(play.cache.expire(&url()).objects, 1);
    let seen = play.get("/", Origin::IsAway).await;
    assert_eq!(seen.body, "b", "it is served while the origin is away");
    let seen = play.get("/", answers(304, &fields, "")).await;
    assert_eq!((seen.body, seen.asked.unwrap().headers["if-none-match"].to_str().unwrap()), ("b".into(), "\"a\""));
    play.hit("/").await;
}

/// Answers large enough that five of them are more than memory, each to a viewer that reads nothing. Tells how many were
/// passed on at once, with the reason.
async fn ask_without_reading(play: &Play, fields: &[(&str, &str)], parts: usize) -> (Vec<Body>, usize) {
    let mut bodies = Vec::new();
    let mut refused = 0;
    for n in 0..6 {
        let request = get(&format!("/large/{n}"), &[]);
        let Begin::Lead(lead) = play.begin(&request) else { panic!("a miss") };
        let (feed, body) = Feed::new();
        match lead.respond(head(200, fields), body, play.times()) {
            Completed::Stored(hit) => bodies.push(hit.body),
            Completed::NotStored { body, reason, .. } => {
                assert_eq!(reason.as_str(), "no-room");
                refused += 1;
                bodies.push(body);
            }
            other => panic!("{other:?}"),
        }
        for _ in 0..parts {
            feed.send(vec![b'x'; 64 << 10]);
        }
        drop(feed);
        for _ in 0..20 {
            settle().await;
        }
    }
    (bodies, refused)
}

#[tokio::test]
async fn viewers_that_read_nothing_leave_in_memory_what_is_asked_for_often() {
    for fields in [vec![FRESH, ("content-length", "3932160")], vec![FRESH]] {
        let play = Play::with(Rules::default(), Options { memory: ByteSize::mb(16), ..Options::default() });
        let hot = |n: usize| format!("/hot/{n}");
        for n in 0..60 {
            play.get(&hot(n), Origin::Answers(head(200, &[FRESH]), "h".repeat(4 << 10).into())).await;
            play.hit(&hot(n)).await;
        }
        let (bodies, _) = ask_without_reading(&play, &fields, 60).await;
        for round in 0..3 {
            for n in 0..60 {
                assert!(matches!(play.begin(&get(&hot(n), &[])), Begin::Hit(_)), "{} in round {round}", hot(n));
            }
            // What comes for the first time has room, too.
            let new = format!("/new/{round}");
            play.get(&new, Origin::Answers(head(200, &[FRESH]), "n".repeat(4 << 10).into())).await;
            play.hit(&new).await;
        }
        let usage = play.cache.usage();
        // Half of memory, and of each body the part up to which it is not large.
        assert!(usage.held <= (8 << 20) + 6 * (64 << 10), "{usage:?}");
        assert!(usage.no_room > 0, "{usage:?}");
        // Whoever reads gets all of it.
        for body in bodies {
            assert_eq!(body.collect(u64::MAX).await.unwrap().len(), 60 * (64 << 10));
        }
        // What heads share belongs to none of them.
        assert!(play.cache.usage().held < 4 << 10);
    }
}
