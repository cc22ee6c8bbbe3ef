//! Slices below the proxy: what is stored of them, and what is said of them. Whole answers are tried in
//! `tests/scenarios/slices.rs`.

use crate::disk::stage::DiskPlay;
use crate::play::*;
use bytes::Bytes;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use rimward_cache::{
    Begin, Completed, Followed, GetSlice, GettingSlice, Hit, Lead, Missing, Options, Purge, Refusal, Rules, Slices,
    Tag, Turn, Whole,
};
use rimward_types::{Body, BodyError, ByteSize, RequestHead};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    respond_with(play, lead, index, &[("cache-control", "max-age=60"), ("etag", etag)], bytes(index, SLICE))
}

fn respond_with(play: &Play, lead: Lead, index: u64, fields: &[(&str, &str)], body: Body) -> Completed {
    let first = index * SLICE;
    let content_range = format!("bytes {first}-{}/{}", first + SLICE - 1, 3 * SLICE);
    lead.respond(head(206, &[fields, &[("content-range", content_range.as_str())]].concat()), body, play.times())
}

fn bytes(index: u64, count: u64) -> Body {
    Bytes::from(vec![index as u8; count as usize]).into()
}

/// Answers with the whole to the request for a slice.
fn respond_whole(play: &Play, lead: Lead) -> Box<Whole> {
    let fields = [("cache-control", "max-age=60"), ("etag", "\"b\""), ("cache-tag", "films, new")];
    match lead.respond(head(200, &fields), bytes(9, 3 * SLICE), play.times()) {
        Completed::Unsliced { whole: Some(whole) } => whole,
        other => panic!("it is the whole: {other:?}"),
    }
}

/// Gives slices as a proxy does, and notes which were asked for.
struct Gives {
    play: Arc<Play>,
    slices: Slices,
    etag: &'static str,
    /// Those that were not asked for before.
    asked: Mutex<Vec<u64>>,
    /// Those that the origin was asked for.
    fetched: Mutex<Vec<u64>>,
    /// None comes.
    hold: AtomicBool,
    /// So many come to nothing.
    fail: AtomicUsize,
    /// What the origin sends of a slice; else all of it.
    bodies: Mutex<HashMap<u64, Body>>,
}

impl Gives {
    fn new(play: &Arc<Play>, slices: &Slices, etag: &'static str) -> Self {
        Self {
            play: play.clone(),
            slices: slices.clone(),
            etag,
            asked: Mutex::default(),
            fetched: Mutex::default(),
            hold: AtomicBool::default(),
            fail: AtomicUsize::default(),
            bodies: Mutex::default(),
        }
    }
}

impl GetSlice for Gives {
    fn get(&self, index: u64, turn: Turn) -> GettingSlice {
        if turn != Turn::Again {
            self.asked.lock().push(index);
        }
        if self.hold.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        if self.fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Box::pin(async { Err(Missing::Failed(BodyError::Origin("it is away".to_owned()))) });
        }
        let hit = match self.slices.begin(index) {
            Begin::Hit(hit) => hit,
            Begin::Lead(lead) => {
                self.fetched.lock().push(index);
                let body = self.bodies.lock().remove(&index).unwrap_or_else(|| bytes(index, SLICE));
                let fields = [("cache-control", "max-age=60"), ("etag", self.etag)];
                stored(respond_with(&self.play, lead, index, &fields, body))
            }
            other => panic!("slice {index}: {other:?}"),
        };
        Box::pin(async move { Ok(turn.take(hit)) })
    }
}

/// The answer to a range from a slice 0 that a test feeds.
fn answered(range_: &str) -> (Body, Feed, Arc<Gives>) {
    answered_with(range_, Options::default())
}

fn answered_with(range_: &str, options: Options) -> (Body, Feed, Arc<Gives>) {
    let play = Arc::new(Play::with(rules(), options));
    let asked = range(range_, &[]);
    let slices = slices(&play, &asked);
    let (feed, body) = Feed::new();
    let fields = [("cache-control", "max-age=60"), ("etag", "\"a\"")];
    let scout = stored(respond_with(&play, lead(&slices, 0), 0, &fields, body));
    let gives = Arc::new(Gives::new(&play, &slices, "\"a\""));
    let hit = slices.answer(&asked, scout, gives.clone()).expect("it is a slice");
    (hit.body, feed, gives)
}

/// The answer to `bytes=0-` from a slice 0 that is stored; the origin has the object with `etag` now.
fn download(play: &Arc<Play>, etag: &'static str) -> (Body, Arc<Gives>) {
    let asked = range("bytes=0-", &[]);
    let slices = slices(play, &asked);
    let gives = Arc::new(Gives::new(play, &slices, etag));
    let Begin::Hit(scout) = slices.begin(0) else { panic!("slice 0 is stored") };
    (slices.answer(&asked, scout, gives.clone()).expect("it is a slice").body, gives)
}

/// Which of the three slices are stored.
fn kept(play: &Play) -> Vec<u64> {
    let slices = slices(play, &range("bytes=0-", &[]));
    (0..3).filter(|index| matches!(slices.begin(*index), Begin::Hit(_))).collect()
}

fn keep(play: &Play, index: u64, etag: &str) {
    let slices = slices(play, &range("bytes=0-", &[]));
    stored(respond(play, lead(&slices, index), index, etag));
}

async fn read(body: &mut Body) -> u64 {
    body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64
}

#[tokio::test]
async fn many_old_downloads_throw_the_slices_of_the_object_as_it_was_away_and_no_others() {
    // RFC 9110 section 15.3.7.3
    let play = Arc::new(Play::with(rules(), Options::default()));
    keep(&play, 0, "\"a\"");
    keep(&play, 2, "\"a\"");
    let downloads: Vec<_> = (0..5).map(|_| download(&play, "\"b\"")).collect();
    play.after(1);
    let mut fetched = 0;
    for (n, (body, gives)) in downloads.into_iter().enumerate() {
        assert!(body.collect(u64::MAX).await.is_err(), "two objects are never put together");
        if n == 0 {
            assert_eq!(kept(&play), [1], "no slice is left of what is gone");
            keep(&play, 0, "\"b\"");
            keep(&play, 2, "\"b\"");
        }
        assert_eq!(kept(&play), [0, 1, 2], "download {n} must not throw away what is new");
        fetched += gives.fetched.lock().len();
    }
    assert_eq!(fetched, 1, "the first of them asked for slice 1");
}

#[tokio::test]
async fn an_old_slice_that_is_stored_still_does_not_end_a_download_of_the_new_object() {
    let play = Arc::new(Play::with(rules(), Options::default()));
    (1..3).for_each(|index| keep(&play, index, "\"a\""));
    for later in [1, 0] {
        play.after(later);
        keep(&play, 0, "\"b\"");
        let (body, gives) = download(&play, "\"b\"");
        assert_eq!(body.collect(u64::MAX).await.unwrap().len() as u64, 3 * SLICE);
        assert_eq!(*gives.fetched.lock(), [1, 2], "and is asked for once");
        play.cache.purge(&Purge::All);
        (1..3).for_each(|index| keep(&play, index, "\"a\""));
    }
}

#[tokio::test]
async fn an_error_that_says_how_short_the_object_was_does_not_end_a_download_of_the_new_one() {
    // RFC 9110 section 15.5.17
    let play = Arc::new(Play::with(rules(), Options::default()));
    let found = slices(&play, &range("bytes=0-", &[]));
    let shorter = head(416, &[("cache-control", "max-age=60"), ("content-range", "bytes */70000")]);
    stored(lead(&found, 2).respond(shorter, Body::Empty, play.times()));
    play.after(1);
    keep(&play, 0, "\"b\"");
    let (body, gives) = download(&play, "\"b\"");
    assert_eq!(body.collect(u64::MAX).await.unwrap().len() as u64, 3 * SLICE);
    assert_eq!(*gives.fetched.lock(), [1, 2]);
}

#[tokio::test]
async fn a_slice_that_was_purged_by_generation_does_not_come_back_after_a_restart() {
    let mut stage = DiskPlay::new();
    stage.play.rules = Arc::new(rules());
    keep(&stage.play, 0, "\"a\"");
    keep(&stage.play, 1, "\"a\"");
    // The second request for each is worth a write.
    assert_eq!(kept(&stage.play), [0, 1]);
    stage.settle().await;
    assert_eq!(stage.disk().objects, 2);
    stage.play.after(1);
    let play = Arc::new(stage.play);
    let (body, gives) = download(&play, "\"b\"");
    let url = Purge::Url { distribution: "E1".into(), url: "/film".into() };
    assert!(body.collect(u64::MAX).await.is_err());
    assert_eq!(kept(&play), [2], "slice 2 is what was asked for first that was not stored");
    drop(gives);
    stage.play = Arc::into_inner(play).expect("nobody else has it");
    stage.settle().await;
    let stage = stage.reopen().await;
    assert_eq!((stage.disk().objects, stage.play.cache.count(&url, 1).0.objects), (1, 1));
}

#[tokio::test]
async fn a_slice_that_came_before_its_turn_holds_no_memory_for_a_viewer_who_does_not_read() {
    let (mut body, feed, gives) = answered("bytes=0-");
    feed.send(vec![0; 100]);
    read(&mut body).await;
    settle().await;
    assert_eq!(*gives.fetched.lock(), [1], "it was asked for ahead, and has come");
    let before = gives.play.cache.usage().bytes;
    gives.play.cache.purge(&Purge::All);
    assert!(gives.play.cache.usage().bytes + SLICE <= before, "nobody holds it any more");
    feed.send(vec![0; SLICE as usize - 100]);
    drop(feed);
    assert_eq!(body.collect(u64::MAX).await.unwrap().len() as u64, 3 * SLICE - 100, "it is had again");
}

#[tokio::test]
async fn a_slice_that_was_asked_for_ahead_goes_on_arriving_for_a_viewer_who_comes_to_it_late() {
    let (mut body, feed, gives) = answered("bytes=0-");
    let (ahead, coming) = Feed::new();
    gives.bodies.lock().insert(1, coming);
    feed.send(vec![0; 100]);
    read(&mut body).await;
    for _ in 0..4 {
        gives.play.after(60);
        ahead.send(vec![1; 1024]);
        settle().await;
        assert!(ahead.is_read(), "nobody reads it yet, and it is wanted");
    }
    drop(body);
    gives.play.after(60);
    ahead.send(vec![1; 1024]);
    settle().await;
    gives.play.after(60);
    ahead.send(vec![1; 1024]);
    settle().await;
    assert!(!ahead.is_read(), "now it is not");
}

/// Takes all memory that is free.
fn fill_up(play: &Play) -> Vec<Hit> {
    let mut held = Vec::new();
    for size in [128 << 10, 16 << 10, 1 << 10, 100] {
        loop {
            let Begin::Lead(lead) = play.begin(&get(&format!("/other/{}", held.len()), &[])) else { panic!("a miss") };
            let head = head(200, &[("cache-control", "max-age=60")]);
            match lead.respond(head, bytes(0, size), play.times()) {
                Completed::Stored(hit) => held.push(hit),
                _ => break,
            }
        }
    }
    held
}

#[tokio::test]
async fn a_viewer_who_has_a_slice_ahead_of_its_turn_does_not_hold_up_those_who_read_it() {
    let (mut slow, feed, gives) = answered_with("bytes=0-", Options { memory: ByteSize::mb(1), ..Options::default() });
    let (ahead, body) = Feed::new();
    gives.bodies.lock().insert(1, body);
    feed.send(vec![0; 100]);
    read(&mut slow).await;
    let Begin::Hit(fast) = gives.slices.begin(1) else { panic!("it arrives") };
    let mut fast = fast.body;
    // There is no memory for it: those who read it get it piece by piece, as fast as the slowest of them.
    let held = fill_up(&gives.play);
    let mut came = 0;
    for _ in 0..64 {
        ahead.send(vec![1; 1024]);
        came += tokio::time::timeout(std::time::Duration::from_secs(10), read(&mut fast)).await.expect("it comes");
    }
    assert_eq!(came, SLICE);
    drop((held, ahead, feed));
}

#[tokio::test]
async fn a_slice_whose_fetch_breaks_off_while_it_is_read_is_had_from_another() {
    let (mut body, feed, gives) = answered("bytes=0-");
    feed.send(vec![0; SLICE as usize - 1]);
    let mut read_ = read(&mut body).await;
    feed.break_off();
    while read_ < 3 * SLICE {
        read_ += read(&mut body).await;
    }
    assert!(body.frame().await.is_none());
    assert_eq!(*gives.fetched.lock(), [1, 0, 2]);
    let (body, feed, gives) = answered("bytes=0-65535");
    let (second, body_) = Feed::new();
    gives.bodies.lock().insert(0, body_);
    second.break_off();
    feed.break_off();
    assert!(body.collect(u64::MAX).await.is_err(), "once");
    assert_eq!(*gives.fetched.lock(), [0]);
}

#[tokio::test]
async fn the_next_slice_is_asked_for_while_one_is_sent_and_no_more() {
    let (mut body, feed, gives) = answered("bytes=0-");
    feed.send(vec![0; 100]);
    let mut read_ = read(&mut body).await;
    assert_eq!(*gives.asked.lock(), [1], "slice 0 has not even come");
    feed.send(vec![0; SLICE as usize - 100]);
    drop(feed);
    while read_ <= SLICE {
        read_ += read(&mut body).await;
    }
    assert_eq!(*gives.asked.lock(), [1, 2]);
    assert_eq!(body.collect(u64::MAX).await.unwrap().len() as u64, 3 * SLICE - read_);
    assert_eq!((&*gives.asked.lock(), &*gives.fetched.lock()), (&vec![1, 2], &vec![1, 2]), "once each");
}

#[tokio::test]
async fn while_one_is_waited_for_the_one_behind_it_is_asked_for_too() {
    let (mut body, feed, gives) = answered("bytes=0-");
    gives.hold.store(true, Ordering::SeqCst);
    feed.send(vec![0; SLICE as usize]);
    drop(feed);
    let mut read_ = 0;
    while read_ < SLICE {
        read_ += read(&mut body).await;
    }
    assert_eq!(*gives.asked.lock(), [1]);
    let waits = body.frame();
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), waits).await.is_err());
    assert_eq!(*gives.asked.lock(), [1, 2]);
}

/// A viewer may come to it minutes later.
#[tokio::test]
async fn what_failed_ahead_is_asked_for_again_at_its_turn_and_then_counts() {
    for (failures, whole) in [(1, true), (2, false)] {
        let (body, feed, gives) = answered("bytes=0-");
        gives.fail.store(failures, Ordering::SeqCst);
        feed.send(vec![0; SLICE as usize]);
        drop(feed);
        assert_eq!(body.collect(u64::MAX).await.is_ok(), whole);
        assert_eq!(gives.asked.lock()[..2], [1, 1]);
    }
}

#[tokio::test]
async fn nothing_is_asked_for_beyond_the_range() {
    let (body, feed, gives) = answered("bytes=0-65535");
    feed.send(vec![0; SLICE as usize]);
    drop(feed);
    assert_eq!(body.collect(u64::MAX).await.unwrap().len() as u64, SLICE);
    assert!(gives.asked.lock().is_empty());
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
async fn an_explanation_of_slices_says_what_the_first_one_comes_to() {
    let play = Play::with(rules(), Options::default());
    let asked = range("bytes=65536-65545", &[]);
    let explain = |asked: &RequestHead| play.cache.explain(&play.key(asked), asked, &play.rules);
    let first = explain(&asked).first_slice.unwrap();
    assert_eq!((first.index, first.decision.as_str()), (1, "fetch"));
    let only = range("bytes=65536-65545", &[("cache-control", "only-if-cached")]);
    assert_eq!(explain(&only).decision.as_str(), "refuse");
    let found = slices(&play, &asked);
    let Completed::Stored(_) = respond(&play, lead(&found, 1), 1, "\"a\"") else { panic!("it is kept") };
    for asked in [&asked, &only] {
        let told = explain(asked);
        assert_eq!((told.decision.as_str(), told.first_slice.unwrap().decision.as_str()), ("slices", "fresh"));
        assert_eq!(told.cache_status, "Rimward; hit; ttl=60; key=\"/film\"");
        assert_eq!(told.stored.as_ref().map(|stored| (stored.status, stored.length)), Some((206, SLICE)));
        assert!(told.to_string().contains("first slice: 1, fresh: max-age"), "{told}");
    }
}

#[tokio::test]
async fn a_request_cannot_make_the_origin_send_more_than_the_slices_that_it_names() {
    // Many small ranges far apart cost as many slices; more than 32 are no ranges at all.
    let play = Play::with(rules(), Options::default());
    let of = |count: u64| (0..count).map(|n| format!("{0}-{0}", n * SLICE * 2)).collect::<Vec<_>>().join(",");
    assert_eq!(slices(&play, &range(&format!("bytes={}", of(32)), &[])).scout(), 0);
    assert!(matches!(play.begin(&range(&format!("bytes={}", of(33)), &[])), Begin::Lead(_)));
}

#[tokio::test]
async fn the_whole_that_comes_in_place_of_a_slice_is_stored_and_found_by_all_who_wait() {
    let play = Play::with(rules(), Options::default());
    let asked = range("bytes=0-9", &[]);
    let found = slices(&play, &asked);
    let leader = lead(&found, 0);
    let Begin::Follow(waiting) = found.begin(0) else { panic!("it is being fetched") };
    let whole = respond_whole(&play, leader);
    assert!(matches!(waiting.wait().await, Followed::Retry));
    assert!(found.are_given_up());
    let Begin::Follow(waiting) = play.begin(&asked) else { panic!("the whole has come") };
    let answer = seen(None, stored(whole.respond(Some(&asked)))).await;
    assert_eq!((answer.head.status.as_u16(), answer.body.len()), (206, 10));
    let Followed::Hit(hit) = waiting.wait().await else { panic!("it is for all") };
    assert_eq!(seen(None, hit).await.body.len(), 10);
    assert_eq!(play.hit("/film").await.body.len() as u64, 3 * SLICE);
}

fn stored(completed: Completed) -> Hit {
    match completed {
        Completed::Stored(hit) => hit,
        other => panic!("is not stored: {other:?}"),
    }
}

#[tokio::test]
async fn a_purge_strikes_the_whole_that_comes_in_place_of_a_slice() {
    // A fetch that began before a purge is not stored, whatever it turns out to bring.
    let tag = |tag: &str| Purge::Tag { distribution: "E1".into(), tag: Tag::try_new(tag).unwrap() };
    let url = || Purge::Url { distribution: "E1".into(), url: "/film".into() };
    for (purge, is_soft, is_struck) in [
        (url(), false, true),
        (url(), true, true),
        (Purge::All, false, true),
        (tag("films"), false, true),
        (tag("films"), true, true),
        (tag("books"), false, false),
    ] {
        for purged_before_it_comes in [true, false] {
            let play = Play::with(rules(), Options::default());
            let asked = range("bytes=0-9", &[]);
            let leader = lead(&slices(&play, &asked), 0);
            let strike = || if is_soft { play.cache.expire(&purge) } else { play.cache.purge(&purge) };
            let whole = if purged_before_it_comes {
                strike();
                respond_whole(&play, leader)
            } else {
                let whole = respond_whole(&play, leader);
                strike();
                whole
            };
            assert!(!matches!(play.begin(&asked), Begin::Follow(_) | Begin::Hit(_)), "its answer may be an old one");
            let answer = seen(None, stored(whole.respond(Some(&asked)))).await;
            assert_eq!(answer.body.len(), 10, "who asked before has it");
            let is_stored = matches!(play.begin(&get("/film", &[])), Begin::Hit(_));
            assert_eq!(is_stored, !is_struck, "{purge:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_slicing_removes_the_slices() {
    for what in ["the whole", "no-store", "a weak tag"] {
        let play = Play::with(rules(), Options::default());
        let found = slices(&play, &range("bytes=0-9", &[]));
        for index in [0, 1] {
            stored(respond(&play, lead(&found, index), index, "\"a\""));
        }
        let later = lead(&found, 2);
        match what {
            "the whole" => drop(respond_whole(&play, later)),
            "no-store" => {
                let fields = [("cache-control", "no-store"), ("etag", "\"b\"")];
                respond_with(&play, later, 2, &fields, bytes(2, SLICE));
            }
            _ => drop(respond(&play, later, 2, "W/\"b\"")),
        }
        for index in [0, 1] {
            assert!(matches!(found.begin(index), Begin::Lead(_)), "slice {index} is from before {what}");
        }
    }
}

#[tokio::test]
async fn a_refresh_that_brings_the_whole_stores_it() {
    // RFC 5861 section 3
    let play = Play::with(rules(), Options::default());
    let asked = range("bytes=0-9", &[]);
    let found = slices(&play, &asked);
    let fields = [("cache-control", "max-age=60, stale-while-revalidate=60"), ("etag", "\"a\"")];
    stored(respond_with(&play, lead(&found, 0), 0, &fields, bytes(0, SLICE)));
    play.after(61);
    let Begin::Stale(_, refresh) = found.begin(0) else { panic!("it may be served stale") };
    stored(respond_whole(&play, refresh).respond(None));
    assert!(matches!(found.begin(0), Begin::Lead(_)), "the old slice is gone");
    let Begin::Hit(hit) = play.begin(&asked) else { panic!("the whole is stored") };
    assert_eq!(hit.head.header("etag"), Some("\"b\""));
}

#[tokio::test]
async fn a_slice_has_as_many_bytes_as_its_content_range_says() {
    // RFC 9110 section 14.4
    let fields = [("cache-control", "max-age=60"), ("etag", "\"a\"")];
    for count in [SLICE - 1, SLICE + 1] {
        let play = Play::with(rules(), Options::default());
        let asked = range("bytes=0-9", &[]);
        let found = slices(&play, &asked);
        let known = respond_with(&play, lead(&found, 0), 0, &fields, bytes(0, count));
        assert!(matches!(known, Completed::Unsliced { whole: None }));
        assert!(matches!(play.begin(&asked), Begin::Lead(_)), "the whole is asked for");

        let play = Play::with(rules(), Options::default());
        let found = slices(&play, &asked);
        let (feed, body) = Feed::new();
        let hit = stored(respond_with(&play, lead(&found, 0), 0, &fields, body));
        feed.send(vec![0; count as usize]);
        drop(feed);
        match hit.body.collect(u64::MAX).await {
            Ok(body) => assert!(count > SLICE && body.len() as u64 == SLICE, "no more than the slice"),
            Err(_) => assert!(count < SLICE, "it has come whole"),
        }
        settle().await;
        assert!(matches!(found.begin(0), Begin::Lead(_)), "it is not kept");
        assert!(matches!(play.begin(&asked), Begin::Lead(_)), "the whole is asked for");
    }
    let play = Play::with(rules(), Options::default());
    let found = slices(&play, &range("bytes=0-9", &[]));
    let told = [&fields[..], &[("content-length", "65535")]].concat();
    let (_feed, body) = Feed::new();
    assert!(matches!(respond_with(&play, lead(&found, 0), 0, &told, body), Completed::Unsliced { whole: None }));
}
