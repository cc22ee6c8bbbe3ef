//! Cases with request fields, conditions and updates: what a second viewer gets, told by the suite's ids.

use super::Fields;
use crate::play::*;

/// Id, `Vary`, `Content-Language`, fields of the first and of the second request, whether the first response is reused.
const VARIED: &[(&str, &str, &str, Fields, Fields, bool)] = &[
    ("vary-match", "Foo", "", &[("foo", "1")], &[("foo", "1")], true),
    ("vary-no-match", "Foo", "", &[("foo", "1")], &[("foo", "2")], false),
    ("vary-omit-stored", "Foo", "", &[], &[("foo", "1")], false),
    ("vary-omit", "Foo", "", &[("foo", "1")], &[], false),
    ("vary-cache-key", "Foo", "", &[("foo", "1"), ("other", "2")], &[("foo", "1"), ("other", "3")], true),
    ("vary-2-match", "Foo, Bar", "", &[("foo", "1"), ("bar", "a")], &[("foo", "1"), ("bar", "a")], true),
    ("vary-2-no-match", "Foo, Bar", "", &[("foo", "1"), ("bar", "a")], &[("foo", "2"), ("bar", "a")], false),
    ("vary-2-match-omit", "Foo, Bar", "", &[("foo", "1"), ("bar", "a")], &[("foo", "1")], false),
    (
        "vary-3-match",
        "Foo, Bar, Baz",
        "",
        &[("foo", "1"), ("bar", "a"), ("baz", "7")],
        &[("foo", "1"), ("bar", "a"), ("baz", "7")],
        true,
    ),
    (
        "vary-3-no-match",
        "Foo, Bar, Baz",
        "",
        &[("foo", "1"), ("bar", "a"), ("baz", "7")],
        &[("foo", "2"), ("bar", "a"), ("baz", "7")],
        false,
    ),
    (
        "vary-3-order",
        "Foo, Bar, Baz",
        "",
        &[("foo", "1"), ("bar", "a"), ("baz", "7")],
        &[("foo", "1"), ("baz", "7"), ("bar", "b")],
        false,
    ),
    ("vary-3-omit", "Foo, Bar, Baz", "", &[("foo", "1"), ("baz", "7")], &[("foo", "1"), ("baz", "7")], true),
    ("vary-star", "*", "", &[("foo", "1")], &[("foo", "1")], false),
    ("vary-syntax-star", "*", "", &[("foo", "1"), ("baz", "2")], &[("foo", "1")], false),
    ("vary-syntax-star-star", "*, *", "", &[], &[], false),
    ("vary-syntax-empty-star", ", *", "", &[], &[], false),
    ("vary-syntax-star-foo", "*, Foo", "", &[("foo", "1")], &[("foo", "1")], false),
    ("vary-syntax-foo-star", "Foo, *", "", &[("foo", "1")], &[("foo", "1")], false),
    ("vary-normalise-combine", "Foo", "", &[("foo", "1, 2")], &[("foo", "1"), ("foo", "2")], true),
    (
        "vary-normalise-lang-order",
        "Accept-Language",
        "",
        &[("accept-language", "en, de")],
        &[("accept-language", "de, en")],
        true,
    ),
    (
        "vary-normalise-lang-case",
        "Accept-Language",
        "",
        &[("accept-language", "en, de")],
        &[("accept-language", "eN, De")],
        true,
    ),
    (
        "vary-normalise-lang-space",
        "Accept-Language",
        "",
        &[("accept-language", "en, de")],
        &[("accept-language", " en ,   de")],
        true,
    ),
    (
        "vary-normalise-lang-select",
        "Accept-Language",
        "de",
        &[("accept-language", "en, de")],
        &[("accept-language", "fr;q=0.5, de;q=1.0")],
        true,
    ),
    ("vary-normalise-space", "Foo", "", &[("foo", "1,2")], &[("foo", " 1, 2 ")], true),
];

#[tokio::test]
async fn selecting_fields_decide_which_response_is_reused() {
    for &(id, vary, language, first, second, reused) in VARIED {
        let play = Play::new();
        let mut fields = vec![("cache-control", "max-age=5000"), ("vary", vary)];
        fields.extend((!language.is_empty()).then_some(("content-language", language)));
        play.ask(get("/", first), answers(200, &fields, "first")).await;
        let seen = play.after(3).ask(get("/", second), answers(200, &[], "second")).await;
        assert_eq!(seen.asked.is_none(), reused, "{id}");
        assert_eq!(seen.body, if reused { "first" } else { "second" }, "{id}");
    }
    for (id, lines) in [("vary-syntax-star-star-lines", ["*", "*"]), ("vary-syntax-empty-star-lines", ["", "*"])] {
        let play = Play::new();
        let fields = [("cache-control", "max-age=5000"), ("vary", lines[0]), ("vary", lines[1])];
        play.get("/", answers(200, &fields, "")).await;
        assert!(play.get("/", answers(200, &[], "")).await.asked.is_some(), "{id}");
    }
}

/// `headers-store-*`: fields that are stored and replayed as they came.
const STORED: [&str; 20] = [
    "test-header",
    "x-test-header",
    "content-foo",
    "x-content-foo",
    "content-encoding",
    "content-location",
    "content-md5",
    "content-range",
    "content-security-policy",
    "content-type",
    "clear-site-data",
    "etag",
    "public-key-pins",
    "set-cookie",
    "set-cookie2",
    "x-frame-options",
    "x-xss-protection",
    "last-modified",
    "link",
    "server",
];

#[tokio::test]
async fn end_to_end_fields_are_replayed_and_those_of_the_connection_are_not() {
    let control = ("cache-control", "max-age=3600");
    for name in STORED {
        let play = Play::new();
        play.get("/", answers(200, &[control, (name, "a value")], "")).await;
        assert_eq!(play.after(3).hit("/").await.head.header(name), Some("a value"), "headers-store-{name}");
    }
    let play = Play::new();
    let fields = [control, ("expires", "@9000"), ("date", "@0"), ("content-length", "4")];
    play.get("/", answers(200, &fields, "body")).await;
    let seen = play.after(3).hit("/").await;
    for (name, _) in fields {
        assert!(seen.head.headers.contains_key(name), "headers-store-{name}");
    }
    // The suite cannot see these fail.
    for name in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    ] {
        let play = Play::new();
        play.get("/", answers(200, &[control, (name, "foo")], "")).await;
        assert_eq!(play.after(3).hit("/").await.head.header(name), None, "headers-store-{name}");
    }
    let play = Play::new();
    play.get("/", answers(200, &[control, ("connection", "a, B"), ("a", "1"), ("b", "2"), ("c", "3")], "")).await;
    let seen = play.hit("/").await;
    let named = ["a", "b", "c"].map(|name| seen.head.header(name));
    assert_eq!(named, [None, None, Some("3")], "headers-omit-headers-listed-in-Connection");
}

#[tokio::test]
async fn a_304_keeps_replaces_or_leaves_fields() {
    let first = |name| [("cache-control", "max-age=2"), ("etag", "\"abc\""), (name, "old")];
    for (id, name, told, expected) in [
        ("304-lm-use-stored-Test-Header", "test-header", None, "old"),
        ("304-etag-update-response-Test-Header", "test-header", Some("new"), "new"),
        ("304-etag-update-response-X-Test-Header", "x-test-header", Some("new"), "new"),
        ("304-etag-update-response-Content-Foo", "content-foo", Some("new"), "new"),
        ("304-etag-update-response-X-Content-Foo", "x-content-foo", Some("new"), "new"),
        ("304-etag-update-response-Content-Type", "content-type", Some("new"), "old"),
        ("304-etag-update-response-Content-Encoding", "content-encoding", Some("new"), "old"),
    ] {
        let play = Play::new();
        play.get("/", answers(200, &first(name), "body")).await;
        let mut fields = vec![("cache-control", "max-age=60"), ("etag", "\"abc\"")];
        fields.extend(told.map(|told| (name, told)));
        let second = play.after(3).get("/", answers(304, &fields, "")).await;
        for seen in [second, play.after(3).hit("/").await] {
            assert_eq!((seen.body.as_ref(), seen.head.header(name)), (&b"body"[..], Some(expected)), "{id}");
            let control = seen.head.header("cache-control");
            assert_eq!(control, Some("max-age=60"), "304-etag-update-response-Cache-Control");
        }
    }
    let play = Play::new();
    let fields = [("cache-control", "max-age=2"), ("etag", "\"abc\""), ("content-length", "4")];
    play.get("/", answers(200, &fields, "body")).await;
    let told = [("cache-control", "max-age=60"), ("etag", "\"abc\""), ("content-length", "36")];
    let seen = play.after(3).get("/", answers(304, &told, "")).await;
    assert_eq!(seen.head.header("content-length"), Some("4"), "304-etag-update-response-Content-Length");
}

#[tokio::test]
async fn viewers_conditions_are_answered_from_what_is_stored() {
    let stored: Fields =
        &[("cache-control", "max-age=9000"), ("last-modified", "@-3000"), ("date", "@0"), ("etag", "\"b\"")];
    for (id, asked, status) in [
        ("conditional-lm-fresh", ("if-modified-since", "@-3000"), 304),
        ("conditional-lm-fresh-earlier", ("if-modified-since", "@-2000"), 304),
        ("conditional-etag-strong-respond", ("if-none-match", "\"b\""), 304),
        ("conditional-etag-weak-respond", ("if-none-match", "W/\"b\""), 304),
        ("conditional-etag-strong-respond-multiple-first", ("if-none-match", "\"b\", \"x\", \"y\""), 304),
        ("conditional-etag-strong-respond-multiple-second", ("if-none-match", "\"x\", \"b\", \"y\""), 304),
        ("conditional-etag-strong-respond-multiple-last", ("if-none-match", "\"x\", \"y\", \"b\""), 304),
        ("another tag", ("if-none-match", "\"x\""), 200),
        ("an older date", ("if-modified-since", "@-4000"), 200),
    ] {
        let play = Play::new();
        play.get("/", answers(200, stored, "body")).await;
        let seen = play.after(3).ask(get("/", &[asked]), Origin::MustNotBeAsked).await;
        assert_eq!(seen.head.status, status, "{id}");
        assert_eq!(seen.head.header("etag"), Some("\"b\""), "conditional-304-etag: {id}");
    }
    let play = Play::new();
    play.get("/", answers(200, stored, "body")).await;
    let both = get("/", &[("if-none-match", "\"x\""), ("if-modified-since", "@0")]);
    assert_eq!(play.ask(both, Origin::MustNotBeAsked).await.head.status, 200, "conditional-etag-precedence");
}

#[tokio::test]
async fn a_validation_carries_the_selecting_fields_of_its_request() {
    // conditional-etag-vary-headers
    let play = Play::new();
    let fields = [("cache-control", "max-age=2"), ("vary", "Foo"), ("etag", "\"a\"")];
    play.ask(get("/", &[("foo", "1")]), answers(200, &fields, "")).await;
    let seen = play.after(3).ask(get("/", &[("foo", "1")]), answers(304, &fields, "")).await;
    let asked = seen.asked.unwrap();
    assert_eq!(
        (&asked.headers["foo"], &asked.headers["if-none-match"]),
        (&"1".parse().unwrap(), &"\"a\"".parse().unwrap())
    );
}

#[tokio::test]
async fn what_is_fresh_stays_in_use_whatever_the_origin_would_say_now() {
    // cc-resp-no-store-old-new, cc-resp-no-store-old-max-age, other-cookie
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=10000")], "old")).await;
    for fields in [&[][..], &[("cookie", "a=1")]] {
        assert_eq!(play.after(3).ask(get("/", fields), Origin::MustNotBeAsked).await.body, "old");
    }
}
