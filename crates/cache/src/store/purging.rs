//! Removal by URL, prefix, tag, host: complete when the call returns, whatever is on its way; only the memory is given
//! back later.

use super::Store;
use super::extent::Extent;
use super::held::{Fate, Held};
use crate::key::Key;
use crate::purge::{Purge, Purged};
use crate::tag::Tag;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Keys that a purge acts on under one lock, about 30 µs.
const BATCH: usize = 128;
/// Keys that are swept under one lock, about 100 µs.
const SWEEP: usize = 32;
/// The thread that sweeps rests as long after each lock: it takes no more than half of a core, and is hardly ever put
/// aside by the system while it holds a lock that a request needs.
const REST: Duration = Duration::from_micros(100);
/// Groups that one invalidation takes along: each is a purge.
const MOST_GROUPS: usize = 128;
/// When no more keys are condemned, the caller sweeps them itself, in about a millisecond.
const FEW: usize = 256;

/// Which of the fetches that it means a purge strikes from the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strikes {
    /// All of them.
    All,
    /// Those with a safe method.
    Safe,
    /// Those whose head has come and shows that they are meant.
    Known,
}

impl Store {
    /// Removes what `what` names. Every fetch that began before is struck from the list.
    pub(crate) fn purge(self: &Arc<Self>, what: &Purge) -> Purged {
        self.remove_extent(Extent::of(what), Strikes::All)
    }

    /// Removes a group after an unsafe method. The fetch of an answer to such a method goes on.
    pub(crate) fn invalidate_group(self: &Arc<Self>, group: &Purge) -> Purged {
        self.remove_extent(Extent::of(group), Strikes::Safe)
    }

    /// Removes one URL after an unsafe method. The fetch of an answer to such a method goes on.
    pub(crate) fn invalidate(self: &Arc<Self>, distribution: &str, url: &str) -> Purged {
        self.remove_extent(Extent::url(distribution, url), Strikes::Safe)
    }

    /// Adds to `groups` those that what is stored under a URL belongs to, up to [`MOST_GROUPS`].
    pub(crate) fn add_groups(&self, distribution: &str, url: &str, groups: &mut Vec<Tag>) {
        let extent = Extent::url(distribution, url);
        for shard in &self.shards {
            some_at_a_time(|last| {
                let mut shard = shard.lock();
                let keys = shard.some_of(&extent, last, BATCH);
                keys.iter().for_each(|held| shard.add_groups(&held.key, groups, MOST_GROUPS));
                keys
            });
        }
    }

    /// Removes all slices of `key`.
    pub(crate) fn purge_slices(self: &Arc<Self>, key: &Key) {
        self.remove_extent(Extent::From(key.slice_prefix()), Strikes::All);
    }

    /// Removes the slices of `key` that were cut from one representation. What is asked for now brings another, most likely:
    /// many who find out at once that an object has changed must not throw away what the first of them has fetched since.
    pub(crate) fn purge_generation(self: &Arc<Self>, key: &Key, generation: &Tag) {
        self.remove_extent(Extent::slices(key, generation), Strikes::Known);
    }

    /// Removes what is stored under one key.
    pub(crate) fn purge_key(self: &Arc<Self>, key: &Key) {
        self.remove_extent(Extent::From(key.as_bytes().into()), Strikes::Known);
    }

    fn remove_extent(self: &Arc<Self>, extent: Extent, strikes: Strikes) -> Purged {
        let purged = self.condemn(extent, strikes, Fate::Removed);
        self.sweep_soon();
        purged
    }

    /// Makes stale what `what` names. Every fetch that began before is struck from the list.
    pub(crate) fn expire(self: &Arc<Self>, what: &Purge) -> Purged {
        let purged = self.condemn(Extent::of(what), Strikes::All, Fate::Expired);
        self.sweep_soon();
        purged
    }

    /// Counts what [`Store::purge`] would remove now, with up to `most` URLs.
    pub(crate) fn count(&self, what: &Purge, most: usize) -> (Purged, Vec<String>) {
        let extent = Extent::of(what);
        let mut examples = Vec::new();
        let mut total = Purged::default();
        for shard in &self.shards {
            total.fills += shard.lock().fills_in(&extent);
            some_at_a_time(|last| {
                let keys = shard.lock().some_of(&extent, last, BATCH);
                for held in keys.iter().filter(|held| extent.admits_found(&held.key)) {
                    let tally = held.tally();
                    if tally.fate != Some(Fate::Removed) {
                        total += tally.total();
                        // Variants and slices have the URL of the whole.
                        if examples.len() < most {
                            let url = held.key.url();
                            if !examples.contains(&url) {
                                examples.push(url);
                            }
                        }
                    }
                }
                keys
            });
        }
        (total, examples)
    }

    /// Strikes the fetches of `extent`, then condemns its keys as they are now, some at a time: nobody waits for long.
    /// What is stored under them in the meantime came after the purge, and may go with the rest.
    pub(super) fn condemn(&self, extent: Extent, strikes: Strikes, fate: Fate) -> Purged {
        let soft = fate == Fate::Expired;
        let extent = Arc::new(extent);
        let mut is_filed = self.disk.as_ref().is_some_and(|disk| disk.is_recovering());
        if is_filed {
            self.meanwhile.lock().note_purge(self.next_number(), &extent, soft);
        }
        let mut total = Purged::default();
        for shard in &self.shards {
            let (struck, is_written) = shard.lock().strike(&extent, strikes);
            total.fills += struck;
            is_filed |= is_written;
            some_at_a_time(|last| {
                let mut shard = shard.lock();
                let keys = shard.some_of(&extent, last, BATCH);
                let meant = keys.iter().filter(|held| extent.admits_found(&held.key)).cloned().collect();
                let (purged, any_filed) = shard.condemn(meant, fate);
                total += purged;
                is_filed |= any_filed;
                keys
            });
        }
        // Only what is on disk can come back.
        if let Some(disk) = self.disk.as_ref().filter(|_| is_filed) {
            disk.record_purge(Extent::clone(&extent), soft);
        }
        total
    }

    /// Sweeps what is condemned: at once when it is little, on a thread of its own when it is much.
    fn sweep_soon(self: &Arc<Self>) {
        let condemned: usize = self.shards.iter().map(|shard| shard.lock().condemned()).sum();
        if condemned <= FEW {
            return self.sweep();
        }
        if self.is_sweeping.swap(true, Ordering::SeqCst) {
            return;
        }
        let store = Arc::downgrade(self);
        let sweeper = thread::Builder::new().name("cache-sweep".to_owned()).spawn(move || {
            while let Some(store) = store.upgrade() {
                if store.sweep_some(|| thread::sleep(REST)) {
                    continue;
                }
                store.is_sweeping.store(false, Ordering::SeqCst);
                // A purge that came just before has relied on this thread.
                if !store.is_condemned() || store.is_sweeping.swap(true, Ordering::SeqCst) {
                    break;
                }
            }
        });
        if sweeper.is_err() {
            self.is_sweeping.store(false, Ordering::SeqCst);
            self.sweep();
        }
    }

    /// Sweeps all that is condemned.
    pub(super) fn sweep(&self) {
        while self.sweep_some(|| ()) {}
    }

    /// Sweeps a bit of each shard, with a rest after each; false when there was nothing.
    fn sweep_some(&self, rest: impl Fn()) -> bool {
        let mut any = false;
        for shard in &self.shards {
            // The guard is gone before the objects are dropped.
            let batch = {
                let mut shard = shard.lock();
                if shard.condemned() == 0 {
                    continue;
                }
                shard.sweep(SWEEP)
            };
            drop(batch);
            rest();
            any = true;
        }
        any
    }

    fn is_condemned(&self) -> bool {
        self.shards.iter().any(|shard| shard.lock().condemned() > 0)
    }

    /// The numbers of the files of what is removed and still in the lists.
    pub(crate) fn condemned_files(&self) -> Vec<u64> {
        let mut files = Vec::new();
        for shard in &self.shards {
            shard.lock().condemned_files(Fate::Removed, &mut files);
        }
        files
    }
}

/// Calls `act` with the last key that it acted on, until it has found no more.
fn some_at_a_time(mut act: impl FnMut(Option<&Arc<Held>>) -> Vec<Arc<Held>>) {
    let mut last = None;
    loop {
        let mut keys = act(last.as_ref());
        let is_end = keys.len() < BATCH;
        last = keys.pop();
        if is_end {
            return;
        }
    }
}
