//! Bodies that are larger than memory allows.

use super::stage::DiskPlay;
use crate::play::{Feed, Origin, get, head, settle};
use bytes::Bytes;
use http_body_util::BodyExt;
use rimward_cache::{Begin, Completed, Hit};
use rimward_types::{Body, ByteSize};

const SIZE: usize = 8 << 20;

fn part(n: usize) -> Bytes {
    (0..64 << 10).map(|i| (n * 7 + i) as u8).collect::<Vec<u8>>().into()
}

fn whole() -> Vec<u8> {
    (0..SIZE >> 16).flat_map(|n| part(n).to_vec()).collect()
}

fn stage() -> DiskPlay {
    DiskPlay::with(ByteSize::mb(2), ByteSize::mb(64))
}

/// Reads a body and keeps a copy: its own memory is the cache's.
async fn drain(mut body: Body) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        read.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    read
}

async fn lead(stage: &DiskPlay, body: Body, fields: &[(&str, &str)]) -> Hit {
    let Begin::Lead(lead) = stage.play.begin(&get("/large", &[])) else { panic!("nothing is stored") };
    match lead.respond(head(200, fields), body, stage.play.times()) {
        Completed::Stored(hit) => hit,
        other => panic!("{other:?}"),
    }
}

async fn hit(stage: &DiskPlay, fields: &[(&str, &str)]) -> Hit {
    for _ in 0..3 {
        match stage.play.begin(&get("/large", fields)) {
            Begin::Hit(hit) => return hit,
            Begin::Follow(follow) => match follow.wait().await {
                rimward_cache::Followed::Hit(hit) => return hit,
                rimward_cache::Followed::Retry => {}
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    panic!("no hit")
}

#[tokio::test]
async fn a_body_larger_than_memory_streams_to_all_and_is_stored() {
    let stage = stage();
    let (feed, body) = Feed::new();
    let length = SIZE.to_string();
    let first = lead(&stage, body, &[("cache-control", "max-age=600"), ("content-length", &length)]).await;
    let reading = tokio::spawn(async move { drain(first.body).await });
    let mut slow = None;
    let memory = || stage.play.cache.usage().bytes;
    for n in 0..SIZE >> 16 {
        feed.send(part(n));
        settle().await;
        if n == 8 {
            slow = Some(hit(&stage, &[]).await);
        }
        if n % 16 == 0 {
            stage.settle().await;
            assert!(memory() <= 2 << 20, "{} bytes", memory());
        }
    }
    // A reader that has read nothing so far, and one that comes when most has gone by.
    let late = hit(&stage, &[]).await;
    drop(feed);
    assert_eq!(reading.await.unwrap(), whole());
    assert_eq!(drain(late.body).await, whole());
    assert_eq!(drain(slow.unwrap().body).await, whole());
    stage.settle().await;
    let stored = hit(&stage, &[]).await;
    assert!(stored.status.to_string().starts_with("Rimward; hit"));
    assert_eq!(drain(stored.body).await, whole());
    let stage = stage.reopen().await;
    let part = hit(&stage, &[("range", "bytes=1000000-1999999")]).await;
    assert_eq!(
        (part.head.status.as_u16(), part.head.header("content-range")),
        (206, Some("bytes 1000000-1999999/8388608"))
    );
    assert_eq!(drain(part.body).await, &whole()[1_000_000..2_000_000]);
    assert_eq!(drain(hit(&stage, &[]).await.body).await, whole());
    assert!(stage.play.cache.usage().bytes <= 2 << 20);
}

#[tokio::test]
async fn a_body_whose_length_nobody_told_goes_to_disk_when_it_outgrows_memory() {
    let stage = stage();
    let (feed, body) = Feed::new();
    let first = lead(&stage, body, &[("cache-control", "max-age=600")]).await;
    for n in 0..SIZE >> 16 {
        feed.send(part(n));
        settle().await;
    }
    drop(feed);
    assert_eq!(drain(first.body).await, whole());
    stage.settle().await;
    let stage = stage.reopen().await;
    assert_eq!(drain(hit(&stage, &[]).await.body).await, whole());
}

#[tokio::test]
async fn readers_go_on_when_the_disk_fails_under_them() {
    use std::sync::atomic::Ordering;
    let stage = stage();
    let (feed, body) = Feed::new();
    let first = lead(&stage, body, &[("cache-control", "max-age=600")]).await;
    let reading = tokio::spawn(async move { drain(first.body).await });
    for n in 0..SIZE >> 16 {
        feed.send(part(n));
        settle().await;
        if n == 40 {
            stage.settle().await;
            stage.faults.full.store(true, Ordering::SeqCst);
        }
    }
    drop(feed);
    assert_eq!(reading.await.unwrap(), whole());
    stage.settle().await;
    assert!(stage.disk().problem.is_some());
    assert_eq!((stage.disk().objects, stage.files().len()), (0, 0));
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let stage = stage();
    let (feed, body) = Feed::new();
    let first = lead(&stage, body, &[("cache-control", "max-age=600")]).await;
    for n in 0..40 {
        feed.send(part(n));
        settle().await;
    }
    feed.break_off();
    assert!(first.body.collect(u64::MAX).await.is_err());
    stage.settle().await;
    let _ = stage.play.get("/large", Origin::IsAway).await;
    assert_eq!((stage.disk().objects, stage.files().len(), stage.disk().bytes), (0, 0, 0));
}

#[tokio::test]
async fn a_purge_while_it_arrives_keeps_it_from_being_stored() {
    let stage = stage();
    let (feed, body) = Feed::new();
    let first = lead(&stage, body, &[("cache-control", "max-age=600"), ("cache-tag", "a")]).await;
    let reading = tokio::spawn(async move { drain(first.body).await });
    for n in 0..SIZE >> 16 {
        feed.send(part(n));
        settle().await;
        if n == 60 {
            let tag = rimward_cache::Tag::try_new("a").unwrap();
            let purged = stage.play.cache.purge(&rimward_cache::Purge::Tag { distribution: "E1".into(), tag });
            assert_eq!(purged.fills, 1);
        }
    }
    drop(feed);
    assert_eq!(reading.await.unwrap(), whole());
    let stage = stage.reopen().await;
    assert_eq!((stage.disk().objects, stage.files().len()), (0, 0));
}

#[tokio::test]
async fn what_a_purge_by_tag_means_before_its_head_has_come_is_in_no_file_that_a_restart_finds() {
    // The purge is in no journal, since nothing was on its way to the disk; then the node is killed, so that the file stays.
    let stage = stage();
    let Begin::Lead(lead) = stage.play.begin(&get("/large", &[])) else { panic!("nothing is stored") };
    let tag = rimward_cache::Tag::try_new("a").unwrap();
    stage.play.cache.purge(&rimward_cache::Purge::Tag { distribution: "E1".into(), tag });
    let (feed, body) = Feed::new();
    let answer = head(200, &[("cache-control", "max-age=600"), ("cache-tag", "a")]);
    let Completed::Stored(first) = lead.respond(answer, body, stage.play.times()) else { panic!("it is passed on") };
    let reading = tokio::spawn(async move { drain(first.body).await });
    for n in 0..SIZE >> 16 {
        feed.send(part(n));
        settle().await;
    }
    stage.settle().await;
    stage.faults.forbidden.store(true, std::sync::atomic::Ordering::SeqCst);
    drop(feed);
    assert_eq!(reading.await.unwrap(), whole());
    tokio::task::yield_now().await;
    assert_eq!(stage.files().len(), 1, "nobody could remove it");
    let faults = stage.faults.clone();
    let stage = stage.reopen_after(|| faults.forbidden.store(false, std::sync::atomic::Ordering::SeqCst)).await;
    assert_eq!((stage.disk().objects, stage.files().len()), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_miss_before_a_head_is_sent() {
    use std::sync::atomic::Ordering::SeqCst;
    for fields in [&[][..], &[("range", "bytes=5-9")], &[("range", "bytes=5-9,100-199")]] {
        for is_gone in [true, false] {
            let stage = stage();
            let (feed, body) = Feed::new();
            let first = lead(&stage, body, &[("cache-control", "max-age=600"), ("etag", "\"a\"")]).await;
            let reading = tokio::spawn(async move { drain(first.body).await });
            for n in 0..SIZE >> 16 {
                feed.send(part(n));
                settle().await;
            }
            drop(feed);
            reading.await.unwrap();
            stage.settle().await;
            let good = hit(&stage, fields).await.checked().await.unwrap();
            let length = good.body.len().unwrap();
            assert_eq!(drain(good.body).await.len() as u64, length);
            let found = hit(&stage, fields).await;
            let Begin::Lead(lead) = stage.play.begin(&get("/large", &[("cache-control", "no-cache")])) else {
                panic!("it is to be validated")
            };
            assert!(lead.validators().is_some());
            if is_gone {
                std::fs::remove_file(&stage.files()[0]).unwrap();
            } else {
                stage.faults.unreadable.store(true, SeqCst);
            }
            assert!(found.checked().await.is_err(), "{fields:?}");
            // Nor is the origin asked whether what cannot be read is still good.
            assert_eq!(lead.checked().await.validators(), None);
            let request = get("/large", fields);
            let (cache, key) = (&stage.play.cache, stage.play.key(&request));
            assert!(matches!(cache.begin_past_disk(&key, &request, &stage.play.rules), Begin::Lead(_)));
            if is_gone {
                assert!(matches!(stage.play.begin(&request), Begin::Lead(_)), "it is removed");
            }
        }
    }
}

#[tokio::test]
async fn a_hot_object_of_the_disk_goes_to_memory() {
    let stage = DiskPlay::with(ByteSize::mb(16), ByteSize::mb(64));
    let body: &'static str = String::from_utf8(vec![b'x'; 1 << 20]).unwrap().leak();
    stage.keep("/large", &[("cache-control", "max-age=600")], body).await;
    let stage = stage.reopen().await;
    assert_eq!(drain(hit(&stage, &[]).await.body).await, body.as_bytes());
    assert!(stage.play.cache.usage().bytes < 1 << 20);
    for _ in 0..4 {
        hit(&stage, &[]).await;
        stage.settle().await;
    }
    assert!(stage.play.cache.usage().bytes > 1 << 20);
    let mut whole = hit(&stage, &[]).await.body;
    let first = whole.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first.len(), 256 << 10, "it comes from memory, in memory's blocks");
}
