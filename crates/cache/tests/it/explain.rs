//! Explanations say what the cache then does, in the words of the record.

use crate::play::*;
use rimward_cache::explain::{Because, Decision};
use rimward_cache::{Begin, Cache, Explanation, KeyRules, Options, Rules};
use rimward_types::{Clock, RequestHead};

fn explain(play: &Play, request: &RequestHead) -> Explanation {
    play.cache.explain(&play.key(request), request, &play.rules)
}

fn because(play: &Play, request: &RequestHead) -> (&'static str, &'static str, &'static str) {
    let told = explain(play, request);
    (told.decision.as_str(), told.because.rule, told.because.reference)
}

#[tokio::test]
async fn a_lifetime_names_the_field_that_it_was_read_from_and_no_other() {
    type Case = (&'static [(&'static str, &'static str)], Option<&'static str>, &'static str);
    let cases: [Case; 3] = [
        (&[("expires", "@60"), ("date", "@0")], Some("Expires"), "by expires (Expires, RFC 9111 section 5.3)"),
        (&[("last-modified", "@-600")], None, "by default-ttl (the behavior's cache policy)"),
        (&[("cache-control", "max-age=60")], Some("Cache-Control"), "by max-age (Cache-Control, RFC 9111"),
    ];
    let ttl = rimward_cache::TtlRules { default: Some(std::time::Duration::from_secs(30)), ..Default::default() };
    for (fields, field, text) in cases {
        let play = Play::with(Rules { ttl, ..Rules::default() }, Options::default());
        play.get("/", answers(200, fields, "body")).await;
        let told = explain(&play, &get("/", &[]));
        assert!(told.to_string().contains(text), "{told}");
        assert_eq!(told.stored.and_then(|stored| stored.freshness.field), field);
    }
}

#[tokio::test]
async fn each_decision_names_the_directive_and_the_section() {
    let play = Play::new();
    let asked = get("/", &[]);
    assert_eq!(because(&play, &asked), ("fetch", "uri-miss", "RFC 9111 section 4"));
    let only = get("/", &[("cache-control", "only-if-cached")]);
    assert_eq!(because(&play, &only), ("refuse", "only-if-cached", "RFC 9111 section 5.2.1.7"));
    let post = method("POST", "/", &[]);
    assert_eq!(because(&play, &post), ("pass", "method", "RFC 9111 section 4"));

    let fields = [("cache-control", "max-age=60, stale-while-revalidate=5"), ("etag", "\"a\""), ("vary", "foo")];
    play.get("/", answers(200, &fields, "body")).await;
    assert_eq!(because(&play, &asked), ("fresh", "max-age", "RFC 9111 section 5.2.2.1"));
    let other = get("/", &[("foo", "1")]);
    assert_eq!(because(&play, &other), ("fetch", "vary-miss", "RFC 9111 section 4.1"));
    for (wish, word, section) in [
        ("no-cache", "request-no-cache", "RFC 9111 section 5.2.1.4"),
        ("max-age=0", "request-max-age", "RFC 9111 section 5.2.1.1"),
        ("min-fresh=99", "request-min-fresh", "RFC 9111 section 5.2.1.3"),
    ] {
        assert_eq!(because(&play, &get("/", &[("cache-control", wish)])), ("validate", word, section));
    }
    play.after(62);
    assert_eq!(because(&play, &asked), ("stale-and-refresh", "stale-while-revalidate", "RFC 5861 section 3"));
    play.after(10);
    assert_eq!(because(&play, &asked), ("validate", "max-age", "RFC 9111 section 5.2.2.1"));
    let lenient = get("/", &[("cache-control", "max-stale")]);
    assert_eq!(because(&play, &lenient), ("stale", "max-stale", "RFC 9111 section 5.2.1.2"));
}

#[tokio::test]
async fn other_sources_of_freshness_are_named_too() {
    for (fields, source, section) in [
        (&[("cache-control", "s-maxage=9")][..], "s-maxage", "RFC 9111 section 5.2.2.10"),
        (&[("expires", "@9"), ("date", "@0")], "expires", "RFC 9111 section 5.3"),
        (&[("last-modified", "@-9000")], "heuristic", "RFC 9111 section 4.2.2"),
        (&[("cdn-cache-control", "max-age=9")], "max-age", "RFC 9213 section 2.2"),
        (&[("rimward-cache-control", "max-age=9")], "max-age", "RFC 9213 section 2.2"),
        (&[("cache-control", "max-age=99999999999")], "max-ttl", "the behavior's cache policy"),
    ] {
        let play = Play::new();
        play.get("/", answers(200, fields, "")).await;
        assert_eq!(because(&play, &get("/", &[])), ("fresh", source, section), "{fields:?}");
    }
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")], "")).await;
    assert_eq!(because(&play, &get("/", &[])), ("validate", "no-cache", "RFC 9111 section 5.2.2.4"));
}

#[tokio::test]
async fn the_arithmetic_of_age_is_shown_in_json() {
    // RFC 9111 section 4.2.3
    let play = Play::new();
    let fields = [
        ("cache-control", "max-age=60"),
        ("cdn-cache-control", "max-age=100"),
        ("age", "30"),
        ("date", "@-5"),
        ("vary", "foo, bar"),
        ("etag", "\"a\""),
    ];
    let asked = get("/p?q=1", &[("foo", "1")]);
    play.ask(asked.clone(), answers(200, &fields, "body")).await;
    play.ask(get("/p?q=1", &[("foo", "2")]), answers(200, &fields, "other")).await;
    play.after(7);
    let told = serde_json::to_value(explain(&play, &asked)).unwrap();
    assert_eq!(told["decision"], "fresh");
    assert_eq!(told["cache_status"], "Rimward; hit; ttl=63; key=\"/p?q=1\"");
    assert_eq!(told["key"]["url"], "/p?q=1");
    assert_eq!(
        told["stored"]["age"],
        serde_json::json!({
            "age_value": 30.0, "apparent_age": 5.0, "response_delay": 0.0,
            "corrected_initial_age": 30.0, "resident_time": 7.0, "current_age": 37.0,
        })
    );
    assert_eq!(
        told["stored"]["freshness"],
        serde_json::json!({
            "lifetime": 100.0, "source": "max-age", "field": "CDN-Cache-Control", "reference": "RFC 9213 section 2.2",
            "used": 37.0, "left": 63,
        })
    );
    assert_eq!(
        told["stored"]["selected_by"],
        serde_json::json!([{ "name": "foo", "value": "1" }, { "name": "bar", "value": null }])
    );
    assert_eq!(told["other_variants"][0][0]["value"], "2");
}

#[tokio::test]
async fn the_text_says_the_same_in_lines() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=60"), ("age", "3")], "body")).await;
    let text = explain(play.after(2), &get("/", &[])).to_string();
    let now = date(play.clock.now());
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "fresh: max-age (RFC 9111 section 5.2.2.1)",
            "cache-status: Rimward; hit; ttl=55; key=\"/\"",
            &format!("at: {now}, profile rfc"),
            "key: E1 GET /",
            "stored: status 200, 4 bytes",
            "  age 5 s = max(0 s since Date, 3 s of Age + 0 s of delay) + 2 s resident",
            "  fresh for 60 s by max-age (Cache-Control, RFC 9111 section 5.2.2.1), 5 s used, 55 s left",
            "  stale for 0 s while it is refreshed, 0 s instead of errors, 86400 s without an origin",
        ]
    );
}

#[tokio::test]
async fn the_member_of_cache_status_is_a_structured_field_whatever_the_url() {
    // RFC 9211 section 2.7
    let play = Play::new();
    for url in ["/a", "/a?b=\"c\"\\", "/\u{e9}"] {
        let told = explain(&play, &get(url, &[]));
        let list: sfv::List = sfv::Parser::new(&told.cache_status).parse().unwrap();
        let sfv::ListEntry::Item(item) = &list[0] else { panic!("an item") };
        let key = item.params.get("key").and_then(|key| key.as_string()).map(sfv::StringRef::as_str);
        assert_eq!(key, url.is_ascii().then_some(url));
        assert!(item.params.contains_key("fwd"));
    }
}

#[tokio::test]
async fn an_explanation_changes_nothing_and_says_what_is_then_done() {
    let rules = Rules { key: KeyRules::default(), ..Rules::default() };
    let play = Play::with(rules, Options::default());
    play.get("/a", answers(200, &[("cache-control", "max-age=5"), ("etag", "\"a\"")], "a")).await;
    play.get("/b", answers(200, &[("cache-control", "private")], "b")).await;
    let usage = |cache: &Cache| cache.usage();
    for seconds in [0, 10] {
        play.after(seconds);
        for request in [get("/a", &[]), get("/b", &[]), get("/a", &[("cache-control", "no-cache")])] {
            let before = usage(&play.cache);
            let told = explain(&play, &request);
            assert_eq!(explain(&play, &request), told);
            assert_eq!(usage(&play.cache), before);
            let done = match play.begin(&request) {
                Begin::Hit(_) => Decision::Fresh,
                Begin::Lead(lead) if lead.validators().is_some() => Decision::Validate,
                Begin::Lead(_) => Decision::Fetch,
                other => panic!("{other:?}"),
            };
            assert_eq!(told.decision, done, "{told}");
        }
    }
    assert_eq!(explain(&play, &get("/b", &[])).remembered, Some("uncacheable"));
}

#[tokio::test]
async fn what_is_not_stored_leaves_its_reason_for_a_while() {
    for (status, fields, rule, reference) in [
        (200, &[("cache-control", "private")][..], "private", "RFC 9111 section 5.2.2.7"),
        (200, &[("cache-control", "no-store")], "no-store", "RFC 9111 section 5.2.2.5"),
        (200, &[("vary", "*"), ("cache-control", "max-age=9")], "vary-star", "RFC 9111 section 4.1"),
        (200, &[], "no-freshness", "RFC 9111 section 4.2"),
        (403, &[], "status", "RFC 9111 section 3"),
    ] {
        let play = Play::new();
        play.get("/", answers(status, fields, "")).await;
        let told = explain(&play, &get("/", &[]));
        assert_eq!(told.not_stored, Some(Because { rule, reference }));
        assert!(told.to_string().contains(&format!("the last answer was not stored: {rule} ({reference})")), "{told}");
        assert_eq!(explain(play.after(60), &get("/", &[])).not_stored, None);
    }
}
