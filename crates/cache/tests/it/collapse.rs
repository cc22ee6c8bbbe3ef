//! One fetch per key: leaders, followers, and what holds them up or lets them go.

use crate::play::*;
use bytes::Bytes;
use http_body_util::BodyExt;
use rimward_cache::{Begin, CacheResult, Completed, Follow, Followed, Hit, Lead, Options, OriginFailure, Purge, Rules};
use rimward_types::{Body, ByteSize, RequestHead};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

fn lead(play: &Play, request: &RequestHead) -> Lead {
    match play.begin(request) {
        Begin::Lead(lead) => lead,
        other => panic!("does not lead: {other:?}"),
    }
}

fn follow(play: &Play, request: &RequestHead) -> Follow {
    match play.begin(request) {
        Begin::Follow(follow) => follow,
        other => panic!("does not follow: {other:?}"),
    }
}

fn stored(completed: Completed) -> Hit {
    match completed {
        Completed::Stored(hit) => hit,
        other => panic!("is not stored: {other:?}"),
    }
}

async fn next(body: &mut Body) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn followers_stream_from_one_fetch_each_at_its_own_pace() {
    let play = Play::new();
    let asked = get("/", &[]);
    let leader = lead(&play, &asked);
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(follow(&play, &asked).wait())).collect();
    settle().await;
    let (feed, body) = Feed::new();
    let mut first = stored(leader.respond(head(200, FRESH), body, play.times()));
    assert_eq!(first.result, CacheResult::Miss);
    assert_eq!(first.status.to_string(), "Rimward; fwd=uri-miss; fwd-status=200; stored; ttl=60");
    feed.send("one ");
    assert_eq!(next(&mut first.body).await, "one ");
    let mut followers = Vec::new();
    for task in waiting {
        let Followed::Hit(hit) = task.await.unwrap() else { panic!("served") };
        assert_eq!(hit.status.to_string(), "Rimward; fwd=uri-miss; fwd-status=200; stored; collapsed; ttl=60");
        assert_eq!(hit.result, CacheResult::Hit);
        assert!(hit.head.headers.contains_key("age"));
        followers.push(hit);
    }
    assert_eq!(next(&mut followers[0].body).await, "one ");
    feed.send("two");
    assert_eq!(next(&mut followers[0].body).await, "two");
    // Who comes late joins too, without waiting.
    let Begin::Hit(late) = play.begin(&asked) else { panic!("joins") };
    drop(feed);
    for hit in followers.drain(1..).chain([late]) {
        assert_eq!(seen(None, hit).await.body, "one two");
    }
    assert_eq!(play.hit("/").await.status, "Rimward; hit; ttl=60");
    assert_eq!(play.cache.usage().fills, 0);
}

#[tokio::test]
async fn a_leader_that_leaves_hands_over() {
    let play = Play::new();
    let asked = get("/", &[]);
    let leader = lead(&play, &asked);
    let waiting = [follow(&play, &asked), follow(&play, &asked)].map(|follow| tokio::spawn(follow.wait()));
    settle().await;
    drop(leader);
    for task in waiting {
        assert!(matches!(task.await.unwrap(), Followed::Retry));
    }
    let _second = lead(&play, &asked);
    follow(&play, &asked);
}

#[tokio::test]
async fn followers_share_an_origins_failure() {
    let play = Play::new();
    let asked = get("/", &[]);
    let leader = lead(&play, &asked);
    let task = tokio::spawn(follow(&play, &asked).wait());
    settle().await;
    let failure = OriginFailure { status: http::StatusCode::GATEWAY_TIMEOUT };
    assert!(leader.fail(failure).is_none());
    assert!(matches!(task.await.unwrap(), Followed::Failed(told) if told == failure));
    lead(&play, &asked);
}

#[tokio::test]
async fn an_uncacheable_answer_lets_followers_go_alone_and_is_remembered() {
    let play = Play::new();
    let asked = get("/", &[("range", "bytes=0-1")]);
    let leader = lead(&play, &asked);
    let tasks = [0, 1].map(|_| tokio::spawn(follow(&play, &asked).wait()));
    settle().await;
    let told = head(200, &[("cache-control", "private, max-age=60")]);
    assert!(matches!(leader.respond(told, "mine".into(), play.times()), Completed::NotStored { .. }));
    let mut alone = Vec::new();
    for task in tasks {
        let Followed::Alone(lead) = task.await.unwrap() else { panic!("alone") };
        alone.push(lead);
    }
    // Nobody waits for anybody now, and the viewer's own conditions go through.
    let third = lead(&play, &asked);
    let mut sent = asked.clone();
    third.add_conditions(&mut sent);
    assert_eq!(sent.headers, asked.headers);
    // One that may be shared is stored, and ends it.
    let plain = lead(&play, &get("/", &[]));
    stored(plain.respond(head(200, FRESH), "ours".into(), play.times()));
    assert_eq!(play.hit("/").await.body, "ours");
}

#[tokio::test]
async fn the_memory_of_uncacheable_answers_fades() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "no-store")], "")).await;
    let _first = lead(&play, &get("/", &[]));
    let _second = lead(&play, &get("/", &[]));
    play.after(31);
    let _third = lead(&play, &get("/", &[]));
    follow(&play, &get("/", &[]));
}

#[tokio::test]
async fn what_must_be_validated_each_time_is_not_collapsed() {
    // cdn-behaviour.md section 12
    let play = Play::new();
    let asked = get("/", &[]);
    let leader = lead(&play, &asked);
    let task = tokio::spawn(follow(&play, &asked).wait());
    settle().await;
    let told = head(200, &[("cache-control", "no-cache"), ("etag", "\"a\"")]);
    stored(leader.respond(told, "body".into(), play.times()));
    let Followed::Alone(alone) = task.await.unwrap() else { panic!("alone") };
    let mut sent = asked.clone();
    alone.add_conditions(&mut sent);
    assert_eq!(sent.headers["if-none-match"], "\"a\"", "it has something to validate");
    let _other = lead(&play, &asked);
}

#[tokio::test]
async fn followers_of_another_variant_begin_again() {
    // RFC 9111 section 4.1
    let play = Play::new();
    let (german, french) = (get("/", &[("accept-language", "de")]), get("/", &[("accept-language", "fr")]));
    let leader = lead(&play, &german);
    let same = tokio::spawn(follow(&play, &german).wait());
    let other = tokio::spawn(follow(&play, &french).wait());
    settle().await;
    let fields = [("cache-control", "max-age=60"), ("vary", "accept-language")];
    let (feed, body) = Feed::new();
    let _first = stored(leader.respond(head(200, &fields), body, play.times()));
    assert!(matches!(same.await.unwrap(), Followed::Hit(_)));
    assert!(matches!(other.await.unwrap(), Followed::Retry));
    // While the one arrives, the other is fetched, and its likes wait for it.
    let second = lead(&play, &french);
    follow(&play, &french);
    assert!(matches!(play.begin(&german), Begin::Hit(_)));
    stored(second.respond(head(200, &fields), "fr".into(), play.times()));
    feed.send("de");
    drop(feed);
    settle().await;
    for (asked, body) in [(german, "de"), (french, "fr")] {
        assert_eq!(play.ask(asked, Origin::MustNotBeAsked).await.body, body);
    }
    // What the key varies by is known from now on: other variants are fetched side by side.
    play.after(61);
    let _german = lead(&play, &get("/", &[("accept-language", "de")]));
    let _french = lead(&play, &get("/", &[("accept-language", "fr")]));
    follow(&play, &get("/", &[("accept-language", "fr")]));
}

#[tokio::test]
async fn a_fill_survives_its_viewer_up_to_a_limit() {
    let play = Play::new();
    let (feed, body) = Feed::new();
    let hit = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    feed.send("one ");
    drop(hit);
    settle().await;
    play.after(29);
    feed.send("two");
    drop(feed);
    settle().await;
    assert_eq!(play.hit("/").await.body, "one two");

    let (feed, body) = Feed::new();
    let hit = stored(lead(&play, &get("/slow", &[])).respond(head(200, FRESH), body, play.times()));
    feed.send("one ");
    drop(hit);
    settle().await;
    feed.send("two");
    settle().await;
    play.after(31);
    feed.send("three");
    settle().await;
    assert!(!feed.is_read(), "the origin is let go");
    lead(&play, &get("/slow", &[]));
}

#[tokio::test]
async fn a_body_that_breaks_off_breaks_off_for_all() {
    let play = Play::new();
    let (feed, body) = Feed::new();
    let first = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let Begin::Hit(second) = play.begin(&get("/", &[])) else { panic!("joins") };
    feed.send("half");
    feed.break_off();
    assert!(first.body.collect(100).await.is_err());
    assert!(second.body.collect(100).await.is_err());
    assert_eq!(play.cache.usage().objects, 0);
    lead(&play, &get("/", &[]));
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_goes_on_with_back_pressure() {
    let options = Options { memory: ByteSize::kb(64), max_object: ByteSize::kb(8), ..Options::default() };
    let play = Play::with(Rules::default(), options);
    let (feed, body) = Feed::new();
    let mut fast = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let Begin::Hit(mut slow) = play.begin(&get("/", &[])) else { panic!("joins") };
    for n in 0u8..32 {
        feed.send(vec![n; 1024]);
    }
    drop(feed);
    for n in 0u8..8 {
        assert_eq!(next(&mut fast.body).await[0], n);
    }
    settle().await;
    assert!(play.cache.usage().bytes < 12 << 10, "the slow reader holds the rest back: {:?}", play.cache.usage());
    let fast = tokio::spawn(fast.body.collect(u64::MAX));
    settle().await;
    assert!(!fast.is_finished());
    for n in 0u8..32 {
        let bytes = next(&mut slow.body).await;
        assert_eq!((bytes[0], bytes.len()), (n, 1024));
        settle().await;
        assert!(play.cache.usage().bytes < 12 << 10);
    }
    assert!(slow.body.frame().await.is_none());
    assert_eq!(fast.await.unwrap().unwrap().len(), 24 << 10);
    assert_eq!(play.cache.usage().objects, 0);
    // It is remembered as too large: the next ones do not wait for each other.
    let _one = lead(&play, &get("/", &[]));
    let _two = lead(&play, &get("/", &[]));
}

#[tokio::test]
async fn a_reader_that_leaves_lets_the_others_go_on() {
    let options = Options { memory: ByteSize::kb(64), max_object: ByteSize::kb(4), ..Options::default() };
    let play = Play::with(Rules::default(), options);
    let (feed, body) = Feed::new();
    let fast = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let Begin::Hit(stuck) = play.begin(&get("/", &[])) else { panic!("joins") };
    for n in 0u8..16 {
        feed.send(vec![n; 1024]);
    }
    drop(feed);
    let fast = tokio::spawn(fast.body.collect(u64::MAX));
    settle().await;
    assert!(!fast.is_finished());
    drop(stuck);
    assert_eq!(fast.await.unwrap().unwrap().len(), 16 << 10);
    assert_eq!(play.cache.usage().bytes, 0);
}

#[tokio::test]
async fn a_reader_who_does_not_read_holds_up_those_who_wait_for_ten_seconds_at_most() {
    let options = Options { memory: ByteSize::kb(64), max_object: ByteSize::kb(4), ..Options::default() };
    let play = Play::with(Rules::default(), options);
    let (feed, body) = Feed::new();
    let fast = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let Begin::Hit(mut stuck) = play.begin(&get("/", &[])) else { panic!("joins") };
    for n in 0u8..16 {
        feed.send(vec![n; 1024]);
    }
    drop(feed);
    let fast = tokio::spawn(fast.body.collect(u64::MAX));
    settle().await;
    play.after(9);
    settle().await;
    assert!(!fast.is_finished());
    play.after(1);
    assert_eq!(fast.await.unwrap().unwrap().len(), 16 << 10);
    let broken = stuck.body.frame().await.unwrap().unwrap_err();
    assert!(broken.to_string().contains("others could not wait"), "{broken}");
}

#[tokio::test]
async fn a_reader_for_whom_nobody_waits_has_all_the_time_it_wants() {
    let options = Options { memory: ByteSize::kb(64), max_object: ByteSize::kb(4), ..Options::default() };
    let play = Play::with(Rules::default(), options);
    let (feed, body) = Feed::new();
    let slow = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let Begin::Hit(slower) = play.begin(&get("/", &[])) else { panic!("joins") };
    for n in 0u8..16 {
        feed.send(vec![n; 1024]);
    }
    drop(feed);
    settle().await;
    play.after(60);
    // The pump looks at it a few times.
    let (slow, slower) = tokio::join!(slow.body.collect(u64::MAX), async {
        settle().await;
        slower.body.collect(u64::MAX).await
    });
    assert_eq!((slow.unwrap().len(), slower.unwrap().len()), (16 << 10, 16 << 10));
}

#[tokio::test]
async fn a_fill_that_began_before_a_purge_is_passed_on_and_not_stored() {
    // cdn-behaviour.md section 17
    let play = Play::new();
    let (feed, body) = Feed::new();
    let old = stored(lead(&play, &get("/", &[])).respond(head(200, FRESH), body, play.times()));
    let all = Purge::Prefix { distribution: "E1".into(), prefix: "/".into() };
    assert_eq!(play.cache.purge(&all).fills, 1);
    // Those who come after the purge do not join it.
    let new = lead(&play, &get("/", &[]));
    feed.send("old");
    drop(feed);
    assert_eq!(seen(None, old).await.body, "old");
    assert_eq!(play.cache.usage().objects, 0);
    stored(new.respond(head(200, FRESH), "new".into(), play.times()));
    assert_eq!(play.hit("/").await.body, "new");
}

#[tokio::test]
async fn requests_with_authorization_wait_for_nobody() {
    // RFC 9111 section 3.5
    let play = Play::new();
    let _leader = lead(&play, &get("/", &[]));
    let _personal = lead(&play, &get("/", &[("authorization", "x")]));
    follow(&play, &get("/", &[]));
}

#[tokio::test]
async fn a_head_request_goes_by_itself_but_may_wait_for_a_get() {
    let play = Play::new();
    let head_request = method("HEAD", "/", &[]);
    let _alone = lead(&play, &head_request);
    let leader = lead(&play, &get("/", &[]));
    let task = tokio::spawn(follow(&play, &head_request).wait());
    settle().await;
    stored(leader.respond(head(200, FRESH), "body".into(), play.times()));
    let Followed::Hit(hit) = task.await.unwrap() else { panic!("served") };
    assert!(seen(None, hit).await.body.is_empty());
}

#[tokio::test]
async fn refreshed_answers_reach_followers() {
    let play = Play::new();
    play.get("/", answers(200, &[("cache-control", "max-age=2"), ("etag", "\"a\"")], "body")).await;
    play.after(3);
    let leader = lead(&play, &get("/", &[]));
    assert!(leader.validators().is_some());
    let task = tokio::spawn(follow(&play, &get("/", &[])).wait());
    settle().await;
    let told = head(304, &[("cache-control", "max-age=60"), ("etag", "\"a\"")]);
    assert!(matches!(leader.respond(told, Body::Empty, play.times()), Completed::Refreshed(_)));
    let Followed::Hit(hit) = task.await.unwrap() else { panic!("served") };
    assert_eq!(hit.status.to_string(), "Rimward; fwd=stale; fwd-status=304; collapsed; ttl=60");
    assert_eq!(seen(None, hit).await.body, "body");
}

#[tokio::test]
async fn a_follower_that_leaves_is_forgotten() {
    let play = Play::new();
    let leader = lead(&play, &get("/", &[]));
    let task = tokio::spawn(follow(&play, &get("/", &[])).wait());
    settle().await;
    task.abort();
    settle().await;
    stored(leader.respond(head(200, FRESH), "body".into(), play.times()));
    assert_eq!(play.hit("/").await.body, "body");
}

#[tokio::test]
async fn many_viewers_make_one_origin_request() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let play = std::sync::Arc::new(Play::new());
    let fetches = std::sync::Arc::new(AtomicUsize::new(0));
    let viewers: Vec<_> = (0..200)
        .map(|_| {
            let (play, fetches) = (play.clone(), fetches.clone());
            tokio::spawn(async move {
                match play.begin(&get("/", &[])) {
                    Begin::Lead(lead) => {
                        fetches.fetch_add(1, Ordering::SeqCst);
                        settle().await;
                        done(None, lead.respond(head(200, FRESH), "body".into(), play.times())).await.body
                    }
                    Begin::Follow(follow) => match follow.wait().await {
                        Followed::Hit(hit) => seen(None, hit).await.body,
                        other => panic!("in vain: {other:?}"),
                    },
                    Begin::Hit(hit) => seen(None, hit).await.body,
                    other => panic!("unexpected: {other:?}"),
                }
            })
        })
        .collect();
    for viewer in viewers {
        assert_eq!(viewer.await.unwrap(), "body");
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_before_its_head_as_long_as_somebody_waits() {
    let play = Play::new();
    let asked = get("/", &[]);
    let leader = lead(&play, &asked);
    let (viewer, awaited) = leader.attend();
    let silent = async move {
        let _leader = leader;
        std::future::pending::<()>().await;
    };
    let fetch = tokio::spawn(awaited.run(silent));
    let followers = [0, 1].map(|_| tokio::spawn(follow(&play, &asked).wait()));
    settle().await;
    drop(viewer);
    settle().await;
    followers[0].abort();
    settle().await;
    assert_eq!((fetch.is_finished(), play.cache.usage().fills), (false, 1));
    followers[1].abort();
    assert_eq!(fetch.await.unwrap(), None);
    assert_eq!((play.cache.usage().fills, play.cache.usage().given_up), (0, 1));
    lead(&play, &asked);
}

#[tokio::test]
async fn a_viewer_leaves_few_bodies_behind_that_nobody_reads() {
    let play = Play::with(Rules::default(), Options { memory: ByteSize::mb(16), ..Options::default() });
    let mut feeds = Vec::new();
    for n in 0..100 {
        let asked = get(&format!("/{n}"), &[]);
        let (feed, body) = Feed::new();
        let hit = stored(lead(&play, &asked).respond(head(200, FRESH), body, play.times()));
        feed.send("begun");
        drop(hit);
        feeds.push(feed);
    }
    settle().await;
    assert_eq!(feeds.iter().filter(|feed| feed.is_read()).count(), 64);
    assert_eq!(play.cache.usage().fills, 64);
    // Those that go on are stored.
    let (going, ended): (Vec<_>, Vec<_>) = feeds.into_iter().partition(Feed::is_read);
    drop((going, ended));
    settle().await;
    assert_eq!((play.cache.usage().fills, play.cache.usage().objects), (0, 64));
}
