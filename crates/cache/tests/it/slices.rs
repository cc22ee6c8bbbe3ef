//! Slices below the proxy: what is stored of them, and what is said of them. Whole answers are tried in
//! `tests/scenarios/slices.rs`.

use crate::disk::stage::DiskPlay;
use crate::play::*;
use bytes::Bytes;
use rimward_cache::{Begin, Completed, Lead, Options, Purge, Refusal, Rules, Slices};
use rimward_types::{ByteSize, RequestHead};
use std::sync::Arc;

const SLICE: u64 = 64 << 10;

fn rules() -> Rules {
    Rules { slice: Some(ByteSize::bytes(SLICE)), ..Rules::default() }
}

fn range(range: &str, more: &[(&str, &str)]) -> RequestHead {
    get("/film", &[&[("range", range)], more].concat())
}

fn slices(play: &Play, request: &RequestHead) -> Slices {
    match play.begin(request) {
        Begin::Slices(slices) => slices,
        other => panic!("not in slices: {other:?}"),
    }
}

fn lead(slices: &Slices, index: u64) -> Lead {
    match slices.begin(index) {
        Begin::Lead(lead) => lead,
        other => panic!("slice {index} need not be fetched: {other:?}"),
    }
}

/// Answers for slice `index` of an object of three.
fn respond(play: &Play, lead: Lead, index: u64, etag: &str) -> Completed {
    let first = index * SLICE;
    let content_range = format!("bytes {first}-{}/{}", first + SLICE - 1, 3 * SLICE);
    let fields = [("cache-control", "max-age=60"), ("etag", etag), ("content-range", &content_range)];
    lead.respond(head(206, &fields), Bytes::from(vec![index as u8; SLICE as usize]).into(), play.times())
}

#[tokio::test]
async fn slices_outlive_a_restart() {
    let mut stage = DiskPlay::new();
    stage.play.rules = Arc::new(rules());
    let asked = range("bytes=70000-70009", &[]);
    let found = slices(&stage.play, &asked);
    assert_eq!(found.scout(), 1);
    let lead = lead(&found, 1);
    let mut sent = found.request().clone();
    lead.add_conditions(&mut sent);
    assert_eq!(sent.header("range"), Some("bytes=65536-131071"));
    assert!(matches!(respond(&stage.play, lead, 1, "\"a\""), Completed::Stored(_)));
    assert!(matches!(found.begin(1), Begin::Hit(_)), "the second request is worth a write");
    stage.settle().await;
    // It holds the cache.
    drop(found);
    let stage = stage.reopen().await;
    let found = slices(&stage.play, &asked);
    let Begin::Follow(follow) = found.begin(1) else { panic!("it is on disk") };
    follow.wait().await;
    let Begin::Hit(hit) = found.begin(1) else { panic!("it was read") };
    assert_eq!((hit.head.status.as_u16(), hit.head.header("content-range")), (206, Some("bytes 65536-131071/196608")));
    assert_eq!(hit.body.collect(u64::MAX).await.unwrap(), vec![1; SLICE as usize]);
    let url = Purge::Url { distribution: "E1".into(), url: "/film".into() };
    assert_eq!(stage.play.cache.count(&url, 5).1, ["/film"], "examples are URLs");
    assert_eq!(stage.play.cache.purge(&url).objects, 1);
    assert!(matches!(found.begin(1), Begin::Lead(_)));
}

#[tokio::test]
async fn slices_are_for_requests_that_leave_the_choice() {
    let play = Play::with(rules(), Options::default());
    for request in [
        get("/film", &[]),
        method("HEAD", "/film", &[("range", "bytes=0-9")]),
        range("lines=0-9", &[]),
        range("bytes=9-0", &[]),
        range("bytes=0-9", &[("cache-control", "no-store")]),
        range("bytes=0-9", &[("authorization", "Basic YTpi")]),
    ] {
        assert!(matches!(play.begin(&request), Begin::Lead(_)), "{request:?}");
    }
    let only = range("bytes=0-9", &[("cache-control", "only-if-cached")]);
    assert!(matches!(slices(&play, &only).begin(0), Begin::Refuse(Refusal::OnlyIfCached)));
    let whole = play.begin(&get("/film", &[]));
    assert!(matches!(whole, Begin::Lead(_)));
    assert!(matches!(play.begin(&range("bytes=0-9", &[])), Begin::Follow(_)), "the whole is on its way");
}

#[tokio::test]
async fn an_explanation_says_that_slices_answer() {
    let play = Play::with(rules(), Options::default());
    let asked = range("bytes=0-9", &[]);
    let told = play.cache.explain(&play.key(&asked), &asked, &play.rules);
    assert_eq!((told.decision.as_str(), told.because.rule), ("slices", "slice"));
    let found = slices(&play, &asked);
    let lead = lead(&found, 0);
    let Completed::Unsliced { whole: None } = respond(&play, lead, 0, "W/\"a\"") else { panic!("it is kept") };
    let told = play.cache.explain(&play.key(&asked), &asked, &play.rules);
    assert_eq!((told.decision.as_str(), told.remembered), ("fetch", Some("unsliced")));
    play.after(31);
    let told = play.cache.explain(&play.key(&asked), &asked, &play.rules);
    assert_eq!((told.decision.as_str(), told.remembered), ("slices", None), "it is tried again");
}

#[tokio::test]
async fn a_request_cannot_make_the_origin_send_more_than_the_slices_that_it_names() {
    // Many small ranges far apart cost as many slices; more than 32 are no ranges at all.
    let play = Play::with(rules(), Options::default());
    let of = |count: u64| (0..count).map(|n| format!("{0}-{0}", n * SLICE * 2)).collect::<Vec<_>>().join(",");
    assert_eq!(slices(&play, &range(&format!("bytes={}", of(32)), &[])).scout(), 0);
    assert!(matches!(play.begin(&range(&format!("bytes={}", of(33)), &[])), Begin::Lead(_)));
}
