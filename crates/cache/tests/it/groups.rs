//! Cache groups (RFC 9875): what changes together is invalidated together.

use crate::disk::stage::DiskPlay;
use crate::play::*;
use http::header::HOST;
use rimward_cache::{Begin, KeyRules, Options, Profile, Purge, Rules, Tag};

async fn keep(play: &Play, host: &str, url: &str, groups: &str) {
    let origin = answers(200, &[("cache-control", "max-age=60"), ("cache-groups", groups)], "old");
    play.ask(get(url, &[("host", host)]), origin).await;
}

/// Which of these are stored.
fn kept<'a>(play: &Play, host: &str, urls: &[&'a str]) -> Vec<&'a str> {
    let is_kept = |url: &&&str| matches!(play.begin(&get(url, &[("host", host)])), Begin::Hit(_));
    urls.iter().filter(is_kept).copied().collect()
}

/// The origin has answered so to `method`, and the groups that have changed are purged.
fn answered(play: &Play, method_: &str, url: &str, status: u16, fields: &[(&str, &str)]) {
    let request = method(method_, url, &[("host", "a.example")]);
    let invalidated = play.cache.invalidate("E1", &request, &head(status, fields), &play.rules);
    play.cache.invalidate_groups(&invalidated.groups);
}

#[tokio::test]
async fn an_answer_to_an_unsafe_method_invalidates_the_groups_that_it_names() {
    // RFC 9875 sections 2.1 and 3
    for (method, fields, expected) in [
        ("POST", &[("cache-group-invalidation", "\"news\", \"none\"")][..], &["/2", "/3", "/4"][..]),
        (
            "POST",
            &[("cache-group-invalidation", "\"news\"; x=1"), ("cache-group-invalidation", "\"sport\"")],
            &["/3", "/4"],
        ),
        ("POST", &[("cache-group-invalidation", "\"NEWS\"")], &["/1", "/2", "/3", "/4"]),
        ("POST", &[("cache-group-invalidation", "news")], &["/1", "/2", "/3", "/4"]),
        ("GET", &[("cache-group-invalidation", "\"news\"")], &["/1", "/2", "/3", "/4"]),
    ] {
        for status in [200, 303, 500] {
            let play = Play::new();
            for (url, groups) in [("/1", "\"news\""), ("/2", "\"sport\", \"all\""), ("/3", "news"), ("/4", "\"New\"")] {
                keep(&play, "a.example", url, groups).await;
            }
            answered(&play, method, "/form", status, fields);
            assert_eq!(kept(&play, "a.example", &["/1", "/2", "/3", "/4"]), expected, "{method} {fields:?} {status}");
        }
    }
}

#[tokio::test]
async fn what_is_invalidated_takes_its_groups_along_and_they_no_others() {
    // RFC 9875 section 2.2.1
    let play = Play::new();
    for (url, groups) in [("/1", "\"a\""), ("/2", "\"a\", \"b\""), ("/3", "\"b\"")] {
        keep(&play, "a.example", url, groups).await;
    }
    answered(&play, "PUT", "/1", 404, &[]);
    assert_eq!(kept(&play, "a.example", &["/1", "/2", "/3"]), ["/1", "/2", "/3"], "an error has changed nothing");
    answered(&play, "PUT", "/1", 204, &[]);
    assert_eq!(kept(&play, "a.example", &["/1", "/2", "/3"]), ["/3"]);
}

#[tokio::test]
async fn groups_are_of_one_origin() {
    // RFC 9875 section 2.1
    let by_host = Rules { key: KeyRules { headers: vec![HOST], ..KeyRules::default() }, ..Rules::default() };
    for (rules, others) in [(by_host, &["/1"][..]), (Rules::default(), &[])] {
        let play = Play::with(rules, Options::default());
        for host in ["a.example", "b.example"] {
            keep(&play, host, "/1", "\"x\"").await;
        }
        answered(&play, "POST", "/form", 200, &[("cache-group-invalidation", "\"x\"")]);
        assert!(kept(&play, "a.example", &["/1"]).is_empty());
        assert_eq!(kept(&play, "b.example", &["/1"]), others, "what is kept without regard to the host is one for all");
    }
}

#[tokio::test]
async fn a_fetch_that_began_before_a_group_changed_is_not_stored_in_it() {
    // RFC 9875 section 3
    let play = Play::new();
    let Begin::Lead(lead) = play.begin(&get("/1", &[("host", "a.example")])) else { panic!("a miss") };
    answered(&play, "POST", "/form", 200, &[("cache-group-invalidation", "\"x\"")]);
    lead.respond(head(200, &[("cache-control", "max-age=60"), ("cache-groups", "\"x\"")]), "old".into(), play.times());
    assert!(kept(&play, "a.example", &["/1"]).is_empty());
}

#[tokio::test]
async fn no_tag_is_a_group_and_no_group_is_a_tag() {
    let play = Play::new();
    let fields = [("cache-control", "max-age=60"), ("cache-tag", "x")];
    play.ask(get("/tagged", &[]), answers(200, &fields, "old")).await;
    keep(&play, "a.example", "/grouped", "\"x\"").await;
    let urls = ["/tagged", "/grouped"];
    answered(&play, "POST", "/form", 200, &[("cache-group-invalidation", "\"x\"")]);
    assert_eq!(kept(&play, "a.example", &urls), ["/tagged"]);
    keep(&play, "a.example", "/grouped", "\"x\"").await;
    play.cache.purge(&Purge::Tag { distribution: "E1".into(), tag: Tag::try_new("x").unwrap() });
    assert_eq!(kept(&play, "a.example", &urls), ["/grouped"]);
}

#[tokio::test]
async fn cloudfront_knows_no_groups() {
    let rules = Rules { profile: Profile::CloudFront, ..Rules::default() };
    let play = Play::with(rules, Options::default());
    keep(&play, "a.example", "/1", "\"x\"").await;
    answered(&play, "POST", "/1", 200, &[("cache-group-invalidation", "\"x\"")]);
    assert_eq!(kept(&play, "a.example", &["/1"]), ["/1"]);
}

#[tokio::test]
async fn groups_outlive_a_restart() {
    let stage = DiskPlay::new();
    let fields = [("cache-control", "max-age=600"), ("cache-groups", "\"x\"")];
    stage.keep("/1", &fields, "old").await;
    let stage = stage.reopen().await;
    answered(&stage.play, "POST", "/form", 200, &[("cache-group-invalidation", "\"x\"")]);
    assert_eq!(stage.body("/1").await, None);
}
