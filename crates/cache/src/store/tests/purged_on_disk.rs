//! Purges that are not swept yet, with a disk below the memory.

use super::*;
use crate::disk::DiskOptions;
use std::path::Path;
use std::thread;
use tempfile::TempDir;

fn open(folder: &Path, memory: ByteSize) -> Arc<Store> {
    let disk = Some(DiskOptions::new(folder, ByteSize::mb(64)));
    let options = Options { memory, max_object: memory, disk, ..Options::default() };
    let store = Store::open(options, Arc::new(TestClock::at(Timestamp::from_secs(1_750_000_000)))).unwrap();
    store.settle();
    store
}

/// The second request for an object makes a write.
fn ask_again(store: &Arc<Store>, request: &RequestHead) -> Stored {
    let key = key(request);
    match store.find(&mut store.shard(&key), &key, &request.headers) {
        Found::Stored(stored) => stored,
        _ => panic!("it is in memory"),
    }
}

/// Waits for the disk, and sweeps nothing.
fn wait_for_disk(store: &Store) {
    store.disk.as_ref().unwrap().settle();
}

fn on_disk(store: &Store) -> u64 {
    store.usage().disk.unwrap().objects
}

#[test]
fn a_large_soft_purge_costs_those_who_need_memory_nothing_and_what_they_evict_stays_stale() {
    // cdn-behaviour.md section 17
    const KEYS: usize = 100;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path(), ByteSize::mb(2));
    let requests: Vec<_> = (0..KEYS).map(|n| request(&format!("/{n}"), "en")).collect();
    for request in &requests {
        assert!(end_tagged(&store, request, &begin(&store, request), 1000, 1, "news"));
        ask_again(&store, request);
    }
    wait_for_disk(&store);
    assert_eq!(on_disk(&store), KEYS as u64);
    store.condemn(Extent::of(&tag("news")), Strikes::All, Fate::Expired);
    let free = store.budget.limit() - store.budget.held();
    let new = request("/new", "en");
    assert!(end(&store, &new, &begin(&store, &new), free, 2), "its head takes room, so that its body has too little");
    let evicted = store.usage().evicted as usize;
    assert!((1..=3).contains(&evicted), "{evicted} keys made room");
    assert!(store.evict_file());
    assert_eq!(condemned(&store), KEYS, "nobody has swept for it");
    let mut left = (0, 0);
    for request in &requests {
        let key = key(request);
        let (memory, disk) = (store.variants(&key), store.shard(&key).peek_filed(&key, &request.headers));
        assert!(memory.iter().all(|stored| stored.face.is_expired()) && disk.iter().all(|filed| filed.is_expired()));
        left = (left.0 + memory.len(), left.1 + disk.iter().count());
    }
    assert_eq!(left, (KEYS - evicted, KEYS - 1), "what left one of the two is stale in the other");
}

/// A request whose key is in shard `n`.
fn in_shard(store: &Store, n: usize, names: &str) -> RequestHead {
    let mut requests = (0..).map(|i| request(&format!("/{names}/{i}"), "en"));
    requests.find(|request| std::ptr::eq(MutexGuard::mutex(&store.shard(&key(request))), &store.shards[n])).unwrap()
}

#[test]
fn room_on_the_disk_comes_from_what_was_purged_before_anything_else_goes() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path(), ByteSize::mb(20));
    assert_eq!(store.shards.len(), 4);
    let live: Vec<_> = (0..4).map(|n| in_shard(&store, n, "live")).collect();
    // What is purged is in one shard, and not all of it is on the disk.
    let purged: Vec<_> = (0..40).map(|n| in_shard(&store, 2, &format!("purged-{n}"))).collect();
    for request in live.iter().chain(&purged) {
        let tag = if request.path.starts_with("/live") { "kept" } else { "news" };
        assert!(end_tagged(&store, request, &begin(&store, request), 10, 1, tag));
    }
    live.iter().chain(&purged[..2]).for_each(|request| drop(ask_again(&store, request)));
    wait_for_disk(&store);
    store.condemn(Extent::of(&tag("news")), Strikes::All, Fate::Removed);
    assert_eq!(on_disk(&store), 4);
    let left = |requests: &[RequestHead]| {
        let is_filed =
            |request: &&RequestHead| store.shard(&key(request)).peek_filed(&key(request), &request.headers).is_some();
        requests.iter().filter(is_filed).count()
    };
    while store.shards[2].lock().condemned() > 0 {
        assert!(store.evict_file());
        assert_eq!(left(&live), 4);
    }
    assert_eq!(left(&purged), 0);
    assert_eq!(store.usage().disk.unwrap().evicted, 0);
    assert!(store.evict_file() && left(&live) == 3, "now there is nothing else");
}

#[test]
fn the_file_of_what_was_purged_goes_before_others_though_somebody_has_asked_for_it_since() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path(), ByteSize::mb(20));
    let (live, purged) = (in_shard(&store, 2, "live"), in_shard(&store, 2, "purged"));
    for (request, tag) in [(&live, "kept"), (&purged, "news")] {
        assert!(end_tagged(&store, request, &begin(&store, request), 10, 1, tag));
        ask_again(&store, request);
    }
    wait_for_disk(&store);
    store.condemn(Extent::of(&tag("news")), Strikes::All, Fate::Removed);
    let is_filed =
        |request: &RequestHead| store.shard(&key(request)).peek_filed(&key(request), &request.headers).is_some();
    assert!(!is_filed(&purged), "it is taken out of the lists, and its file waits for the sweeper");
    assert!(store.evict_file());
    assert!(is_filed(&live));
    wait_for_disk(&store);
    let files = store.usage().disk.unwrap();
    assert_eq!((files.evicted, files.objects, files.bytes), (0, 1, 4096), "there is room for one file more");
}

#[test]
fn what_is_filed_or_renewed_while_a_purge_runs_does_not_come_back_after_a_reopening_without_a_sweep() {
    // cdn-behaviour.md section 17
    let folder = TempDir::new().unwrap();
    let store = open(folder.path(), ByteSize::mb(20));
    let (struck, filed, renewed) =
        (in_shard(&store, 0, "struck"), in_shard(&store, 2, "filed"), in_shard(&store, 2, "renewed"));
    assert!(end(&store, &renewed, &begin(&store, &renewed), 10, 1));
    ask_again(&store, &renewed);
    assert!(end(&store, &filed, &begin(&store, &filed), 10, 1));
    wait_for_disk(&store);
    assert_eq!(on_disk(&store), 1);
    let fill = begin(&store, &struck);
    thread::scope(|scope| {
        let in_its_way = store.shards[1].lock();
        let purge = scope.spawn(|| store.condemn(Extent::of(&Purge::All), Strikes::All, Fate::Removed));
        while store.is_listed(&key(&struck), &fill) {
            thread::yield_now();
        }
        ask_again(&store, &filed);
        let Stored { content, .. } = ask_again(&store, &renewed);
        let (key, fill) = (key(&renewed), begin(&store, &renewed));
        store.complete(&key, &fill, Stored { face: face(&store, &renewed, &key, "").unwrap(), content });
        wait_for_disk(&store);
        drop(in_its_way);
        assert_eq!(purge.join().unwrap().objects, 2);
    });
    let after = request("/after", "en");
    assert!(end(&store, &after, &begin(&store, &after), 10, 1));
    ask_again(&store, &after);
    wait_for_disk(&store);
    assert_eq!(condemned(&store), 2, "their files are there");
    drop((store, fill));
    let store = open(folder.path(), ByteSize::mb(20));
    assert_eq!(on_disk(&store), 1);
    assert!(store.shard(&key(&after)).peek_filed(&key(&after), &after.headers).is_some());
}

#[test]
fn a_purge_is_later_than_what_it_removes_however_many_fetches_there_were() {
    // Each fetch draws a number, and a busy node has 2^32 of them in a few days.
    let folder = TempDir::new().unwrap();
    let store = open(folder.path(), ByteSize::mb(20));
    let (purged, after) = (request("/purged", "en"), request("/after", "en"));
    assert!(end(&store, &purged, &begin(&store, &purged), 10, 1));
    ask_again(&store, &purged);
    wait_for_disk(&store);
    store.disk.as_ref().unwrap().skip_numbers((1 << 32) - 2);
    store.condemn(Extent::of(&Purge::All), Strikes::All, Fate::Removed);
    assert!(end(&store, &after, &begin(&store, &after), 10, 1));
    ask_again(&store, &after);
    wait_for_disk(&store);
    drop(store);
    let store = open(folder.path(), ByteSize::mb(20));
    let is_filed =
        |request: &RequestHead| store.shard(&key(request)).peek_filed(&key(request), &request.headers).is_some();
    assert_eq!((is_filed(&purged), is_filed(&after)), (false, true));
}
