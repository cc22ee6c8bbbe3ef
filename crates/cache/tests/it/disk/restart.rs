//! What a restart finds.

use super::stage::{DiskPlay, FRESH};
use crate::play::{Origin, answers, get, method};
use rimward_cache::{Purge, Tag};
use rimward_types::ByteSize;

fn url(url: &str) -> Purge {
    Purge::Url { distribution: "E1".into(), url: url.into() }
}

#[tokio::test]
async fn what_was_asked_for_twice_survives_a_restart() {
    let stage = DiskPlay::new();
    stage.keep("/kept", FRESH, "kept").await;
    stage.play.get("/once", answers(200, FRESH, "once")).await;
    stage.settle().await;
    assert_eq!(stage.disk().objects, 1);
    let stage = stage.reopen().await;
    assert_eq!(stage.body("/kept").await.unwrap(), "kept");
    assert!(stage.body("/once").await.is_none(), "one request does not make a write");
    let seen = stage.play.hit("/kept").await;
    assert_eq!(seen.status, "Rimward; hit; ttl=600");
    assert_eq!(seen.head.header("etag"), Some("\"1\""));
}

#[tokio::test]
async fn an_object_keeps_its_age_and_its_freshness() {
    // RFC 9111 section 4.2.3: time on the disk counts.
    let stage = DiskPlay::new();
    stage.keep("/", &[("cache-control", "max-age=600, stale-while-revalidate=60"), ("age", "5")], "a").await;
    let stage = stage.reopen().await;
    stage.play.after(100);
    let seen = stage.play.hit("/").await;
    assert_eq!((seen.head.header("age"), &*seen.status), (Some("105"), "Rimward; hit; ttl=495"));
    stage.play.after(500);
    let seen = stage.play.get("/", answers(200, FRESH, "b")).await;
    assert_eq!((&seen.body[..], seen.asked.is_some()), (&b"a"[..], true), "stale-while-revalidate holds too");
}

#[tokio::test]
async fn what_a_head_request_has_shown_to_be_another_is_stale_on_disk_too() {
    // RFC 9111 section 4.3.5
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "a").await;
    let head = method("HEAD", "/", &[("cache-control", "no-cache")]);
    stage.play.ask(head, answers(200, &[("cache-control", "max-age=600"), ("etag", "\"2\"")], "")).await;
    stage.settle().await;
    let stage = stage.reopen().await;
    assert_eq!(stage.disk().objects, 1);
    let seen = stage.play.get("/", answers(200, FRESH, "b")).await;
    assert_eq!((&seen.body[..], seen.asked.is_some()), (&b"b"[..], true));
}

#[tokio::test]
async fn variants_are_told_apart_after_a_restart() {
    // RFC 9111 section 4.1
    let stage = DiskPlay::new();
    let fields = [FRESH, &[("vary", "accept-language, x-a")]].concat();
    for language in ["en", "de"] {
        let request = || get("/", &[("accept-language", language), ("x-a", "b")]);
        stage.play.ask(request(), answers(200, &fields, language)).await;
        stage.play.ask(request(), Origin::MustNotBeAsked).await;
    }
    stage.settle().await;
    let stage = stage.reopen().await;
    for (language, body) in [("en", Some("en")), ("DE", Some("de")), ("fr", None)] {
        let seen = stage.play.ask(get("/", &[("accept-language", language), ("x-a", "b")]), Origin::IsAway).await;
        assert_eq!((seen.head.status == 200).then_some(&seen.body[..]), body.map(str::as_bytes), "{language}");
    }
    assert_eq!(stage.play.cache.purge(&url("/")).objects, 2);
}

#[tokio::test]
async fn what_was_purged_does_not_come_back() {
    // cdn-behaviour.md section 17
    let stage = DiskPlay::new();
    let tagged = [FRESH, &[("cache-tag", "a, b")]].concat();
    for name in ["/url", "/dir/1", "/dir/2", "/left"] {
        stage.keep(name, FRESH, "x").await;
    }
    stage.keep("/tagged", &tagged, "x").await;
    let stage = stage.reopen().await;
    let prefix = Purge::Prefix { distribution: "E1".into(), prefix: "/dir/".into() };
    let tag = Purge::Tag { distribution: "E1".into(), tag: Tag::try_new("B").unwrap() };
    assert_eq!(stage.play.cache.count(&prefix, 9).1, ["/dir/1", "/dir/2"]);
    for (what, objects) in [(&url("/url"), 1), (&prefix, 2), (&tag, 1)] {
        let purged = stage.play.cache.purge(what);
        assert_eq!((purged.objects, purged.bytes > 0), (objects, true), "{what:?}");
    }
    let stage = stage.reopen().await;
    for name in ["/url", "/dir/1", "/dir/2", "/tagged"] {
        assert!(stage.body(name).await.is_none(), "{name}");
    }
    assert_eq!(stage.body("/left").await.unwrap(), "x");
    assert_eq!((stage.disk().objects, stage.files().len()), (1, 1));
    assert_eq!(stage.play.cache.purge(&Purge::All).objects, 1);
    let stage = stage.reopen().await;
    assert_eq!((stage.disk().objects, stage.files().len()), (0, 0));
}

#[tokio::test]
async fn a_purge_counts_though_its_files_could_not_be_removed() {
    // As a node that is killed after it has written the purge down: the file is there still.
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let file = stage.files()[0].clone();
    let bytes = std::fs::read(&file).unwrap();
    stage.play.cache.purge(&url("/"));
    stage.settle().await;
    assert!(!file.exists());
    let stage = stage.reopen_after(|| std::fs::write(&file, bytes).unwrap()).await;
    assert!(stage.body("/").await.is_none() && stage.files().is_empty());
}

#[tokio::test]
async fn what_was_made_stale_stays_stale() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let stage = stage.reopen().await;
    assert_eq!(stage.play.cache.expire(&url("/")).objects, 1);
    let stage = stage.reopen().await.reopen().await;
    let seen = stage.play.get("/", answers(304, &[("etag", "\"1\"")], "")).await;
    assert_eq!(seen.asked.unwrap().header("if-none-match"), Some("\"1\""));
    assert_eq!(seen.body, "x");
    stage.settle().await;
    let stage = stage.reopen().await;
    assert!(stage.body("/").await.is_some(), "the validation has made it fresh, on the disk too");
    stage.play.hit("/").await;
}

#[tokio::test]
async fn a_validation_updates_the_head_on_the_disk() {
    // RFC 9111 section 4.3.4
    let stage = DiskPlay::new();
    stage.keep("/", &[("cache-control", "max-age=10"), ("etag", "\"1\""), ("cache-tag", "old")], "body").await;
    stage.play.after(20);
    let update = [("cache-control", "max-age=100"), ("etag", "\"1\""), ("cache-tag", "new"), ("x-new", "1")];
    stage.play.get("/", answers(304, &update, "")).await;
    stage.settle().await;
    let stage = stage.reopen().await;
    stage.play.after(50);
    let seen = stage.play.hit("/").await;
    assert_eq!((&seen.body[..], seen.head.header("x-new")), (&b"body"[..], Some("1")));
    let tag = |tag: &str| Purge::Tag { distribution: "E1".into(), tag: Tag::try_new(tag).unwrap() };
    assert_eq!(stage.play.cache.purge(&tag("old")).objects, 0);
    assert_eq!(stage.play.cache.purge(&tag("new")).objects, 1);
}

#[tokio::test]
async fn a_newer_answer_takes_the_place_of_what_is_on_the_disk() {
    let stage = DiskPlay::new();
    stage.keep("/", &[("cache-control", "max-age=10")], "old").await;
    stage.play.after(20);
    stage.play.get("/", answers(200, FRESH, "new")).await;
    stage.settle().await;
    let stage = stage.reopen().await;
    assert!(stage.body("/").await.is_none(), "the old one is gone though the new one was not written");
}

#[tokio::test]
async fn a_folder_has_one_node_and_the_size_that_it_has_now() {
    let stage = DiskPlay::with(ByteSize::mb(4), ByteSize::kb(64));
    for n in 0..40 {
        stage.keep(&format!("/{n}"), FRESH, "x").await;
        let disk = stage.disk();
        assert!(disk.bytes <= 64 << 10 && stage.files().len() as u64 * 4096 <= disk.limit);
    }
    assert!(stage.disk().evicted > 0);
    assert_eq!(stage.body("/39").await.unwrap(), "x");
    let second = rimward_cache::Cache::open(
        rimward_cache::Options {
            disk: Some(rimward_cache::DiskOptions::new(stage.folder.path().join("cache"), ByteSize::mb(1))),
            ..Default::default()
        },
        std::sync::Arc::new(stage.play.clock.clone()),
    );
    assert!(second.unwrap_err().to_string().ends_with("another node uses it"));
}

#[tokio::test]
async fn files_of_others_are_left_alone() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let foreign = stage.folder.path().join("cache/objects/00/notes.txt");
    std::fs::write(&foreign, "mine").unwrap();
    let unfinished = stage.folder.path().join("cache/objects/07/0000000000000007");
    std::fs::write(&unfinished, "half").unwrap();
    let stage = stage.reopen().await;
    assert!(foreign.exists() && !unfinished.exists());
    assert_eq!(stage.body("/").await.unwrap(), "x");
}

#[tokio::test]
async fn without_the_marker_nothing_counts() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    std::fs::remove_file(stage.folder.path().join("cache/marker")).unwrap();
    let stage = stage.reopen().await;
    assert!(stage.body("/").await.is_none());
    assert!(stage.files().is_empty());
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_costs_all_rather_than_bring_back_what_was_purged() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let journal = stage.folder.path().join("cache/purges");
    std::fs::write(&journal, b"half an ent").unwrap();
    let stage = stage.reopen().await;
    assert!(stage.body("/").await.is_none());
    stage.keep("/", FRESH, "y").await;
    let stage = stage.reopen().await;
    assert_eq!(stage.body("/").await.unwrap(), "y");
}

#[tokio::test]
async fn a_purge_of_very_many_is_final_although_its_files_are_removed_later() {
    // cdn-behaviour.md section 17
    let stage = DiskPlay::with(ByteSize::mb(16), ByteSize::mb(64));
    let fields = [FRESH, &[("cache-tag", "news")]].concat();
    for n in 0..600 {
        let url = format!("/{n}");
        stage.play.get(&url, answers(200, &fields, "old")).await;
        stage.play.hit(&url).await;
        if n % 100 == 99 {
            stage.settle().await;
        }
    }
    stage.keep("/kept", FRESH, "kept").await;
    assert_eq!(stage.disk().objects, 601);
    let tag = Purge::Tag { distribution: "E1".into(), tag: Tag::try_new("news").unwrap() };
    assert_eq!(stage.play.cache.purge(&tag).objects, 600);
    assert_eq!((stage.disk().objects, stage.play.cache.usage().objects), (1, 1));
    assert!(stage.body("/599").await.is_none());
    stage.play.get("/7", answers(200, FRESH, "new")).await;
    stage.play.hit("/7").await;
    stage.play.cache.confirm();
    let stage = stage.reopen().await;
    for n in (0..600).filter(|n| *n != 7) {
        assert!(stage.body(&format!("/{n}")).await.is_none(), "/{n} is back");
    }
    assert_eq!(stage.body("/kept").await.unwrap(), "kept");
    assert_ne!(stage.body("/7").await.as_deref(), Some(&b"old"[..]));
}

#[tokio::test]
async fn what_is_on_disk_alone_is_explained_without_being_read_into_memory() {
    let stage = DiskPlay::new();
    stage.keep("/", &[("cache-control", "max-age=600"), ("etag", "\"1\""), ("age", "5")], "a body").await;
    let stage = stage.reopen().await;
    stage.play.after(100);
    let asked = get("/", &[]);
    let key = stage.play.key(&asked);
    let told = stage.play.cache.explain_from_disk(&key, &asked, &stage.play.rules).await;
    let stored = told.stored.unwrap();
    assert_eq!((told.decision.as_str(), told.because.rule), ("fresh", "max-age"));
    assert_eq!((stored.on_disk, stored.length, stored.freshness.left), (true, 6, 495));
    assert_eq!(stage.play.cache.usage().objects, 0);
    stage.play.cache.expire(&url("/"));
    let told = stage.play.cache.explain_from_disk(&key, &asked, &stage.play.rules).await;
    assert_eq!((told.decision.as_str(), told.because.rule), ("validate", "purged-softly"));
    stage.play.get("/", answers(304, &[("cache-control", "max-age=600"), ("etag", "\"1\"")], "")).await;
    let told = stage.play.cache.explain_from_disk(&key, &asked, &stage.play.rules).await;
    assert!(!told.stored.unwrap().on_disk, "now it is in memory");
}
