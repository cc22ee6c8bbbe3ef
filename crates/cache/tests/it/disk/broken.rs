//! A disk that fails: the node serves on, says so, and heals.

use super::stage::{DiskPlay, FRESH};
use crate::play::answers;
use rimward_cache::Purge;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn a_full_disk_is_said_and_tried_again() {
    let stage = DiskPlay::new();
    stage.faults.full.store(true, SeqCst);
    stage.keep("/a", FRESH, "a").await;
    let disk = stage.disk();
    assert_eq!((disk.objects, disk.bytes), (0, 0));
    assert!(disk.problem.unwrap().message.starts_with("writing an object: "));
    assert_eq!(stage.play.hit("/a").await.body, "a", "it is in memory");
    stage.settle().await;
    assert_eq!(stage.disk().failures, 1, "it is left in peace for a while");
    stage.faults.full.store(false, SeqCst);
    stage.play.after(1).hit("/a").await;
    stage.settle().await;
    let disk = stage.disk();
    assert_eq!((disk.objects, disk.problem), (1, None));
    assert_eq!(stage.reopen().await.body("/a").await.unwrap(), "a");
}

// Held over the waits on purpose: the threads that work on the disk wait for it, and nobody else does.
#[allow(clippy::await_holding_lock)]
#[tokio::test]
async fn a_slow_disk_keeps_nobody_waiting() {
    let stage = DiskPlay::new();
    let stuck = stage.faults.stuck.lock();
    for n in 0..300 {
        let url = format!("/{n}");
        stage.play.get(&url, answers(200, FRESH, "x")).await;
        stage.play.hit(&url).await;
    }
    assert!(stage.disk().skipped > 0 || stage.disk().written == 0);
    assert_eq!(stage.play.cache.purge(&Purge::All).objects, 300);
    drop(stuck);
    stage.settle().await;
    assert_eq!(stage.disk().objects, 0, "what was being written is purged too");
    assert!(stage.files().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_asked_of_the_origin() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let stage = stage.reopen().await;
    stage.faults.unreadable.store(true, SeqCst);
    let seen = stage.play.get("/", answers(200, FRESH, "y")).await;
    assert_eq!((&seen.body[..], seen.asked.is_some()), (&b"y"[..], true));
    assert!(stage.disk().failures > 0);
}

#[tokio::test]
async fn what_could_not_be_read_for_a_moment_is_not_lost() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let stage = stage.reopen().await;
    stage.faults.unreadable.store(true, SeqCst);
    assert!(stage.body("/").await.is_none());
    stage.faults.unreadable.store(false, SeqCst);
    stage.play.after(10);
    assert_eq!(stage.body("/").await.unwrap(), "x");
}

#[tokio::test]
async fn a_damaged_file_is_found_and_removed() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "a body that somebody changes").await;
    let stage = stage.reopen().await;
    let file = &stage.files()[0];
    let mut bytes = std::fs::read(file).unwrap();
    bytes[10] ^= 1;
    std::fs::write(file, bytes).unwrap();
    let seen = stage.play.get("/", answers(200, FRESH, "y")).await;
    assert_eq!(seen.body, "y");
    stage.settle().await;
    assert_eq!((stage.disk().damaged, stage.disk().objects, stage.files().len()), (1, 0, 0));
}

#[tokio::test]
async fn a_file_that_somebody_removed_is_a_miss() {
    let stage = DiskPlay::new();
    stage.keep("/", FRESH, "x").await;
    let stage = stage.reopen().await;
    std::fs::remove_file(&stage.files()[0]).unwrap();
    assert_eq!(stage.play.get("/", answers(200, FRESH, "y")).await.body, "y");
    assert_eq!(stage.disk().objects, 0);
}

#[tokio::test]
async fn lost_permission_heals_and_loses_no_purge() {
    let stage = DiskPlay::new();
    stage.keep("/a", FRESH, "a").await;
    stage.keep("/b", FRESH, "b").await;
    stage.faults.forbidden.store(true, SeqCst);
    stage.keep("/c", FRESH, "c").await;
    assert!(stage.disk().problem.is_some());
    let purge = Purge::Url { distribution: "E1".into(), url: "/a".into() };
    assert_eq!(stage.play.cache.purge(&purge).objects, 1);
    stage.settle().await;
    assert_eq!(stage.files().len(), 2, "it cannot be removed");
    assert!(stage.body("/a").await.is_none());
    stage.faults.forbidden.store(false, SeqCst);
    stage.play.after(60).hit("/c").await;
    stage.settle().await;
    assert_eq!((stage.disk().problem, stage.files().len()), (None, 2));
    let stage = stage.reopen().await;
    let found = [stage.body("/a").await, stage.body("/b").await, stage.body("/c").await];
    assert_eq!(found.map(|body| body.is_some()), [false, true, true]);
}

#[tokio::test]
async fn a_purge_that_cannot_be_written_down_costs_all_at_the_restart() {
    let stage = DiskPlay::new();
    stage.keep("/a", FRESH, "a").await;
    stage.keep("/b", FRESH, "b").await;
    let kept = stage.files();
    let copies: Vec<_> = kept.iter().map(|file| std::fs::read(file).unwrap()).collect();
    stage.faults.full.store(true, SeqCst);
    stage.play.cache.purge(&Purge::Url { distribution: "E1".into(), url: "/a".into() });
    stage.play.cache.confirm();
    assert!(stage.disk().problem.unwrap().message.starts_with("writing down a purge: "));
    assert!(!stage.folder.path().join("cache/marker").exists(), "a node that is killed now starts with nothing");
    let stage = stage.reopen_after(|| {
        kept.iter().zip(&copies).for_each(|(file, bytes)| std::fs::write(file, bytes).unwrap());
    });
    assert!(stage.await.body("/a").await.is_none());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said_at_the_start() {
    let options = rimward_cache::Options {
        disk: Some(rimward_cache::DiskOptions::new("/dev/null/cache", rimward_types::ByteSize::mb(1))),
        ..Default::default()
    };
    let error = rimward_cache::Cache::open(options, std::sync::Arc::new(rimward_types::SystemClock)).unwrap_err();
    assert!(error.to_string().starts_with("cache folder /dev/null/cache: "), "{error}");
}
