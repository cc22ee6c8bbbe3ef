//! The memory tier: shards of least recently used keys, bounded by bytes, with the fetches in flight beside them, so
//! that looking up, electing a leader, storing and purging are each one step under one short lock.

pub(crate) mod extent;
pub(crate) mod shard;
pub(crate) mod tags;

use crate::cache::{Options, Usage};
use crate::fill::state::Fill;
use crate::key::Key;
use crate::memory::{Budget, Room};
use crate::object::Stored;
use crate::policy::NotStored;
use crate::purge::{Purge, Purged};
use extent::Extent;
use parking_lot::{Mutex, MutexGuard};
use rimward_types::{Clock, Timestamp};
use shard::Shard;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Shards of a large cache; a power of two. Small caches have fewer, so that one order of use decides.
const SHARDS: usize = 16;
/// Memory that is worth a shard.
const SHARD_MEMORY: usize = 4 << 20;
/// When this many times the wanted bytes were evicted and there is still no room, readers hold the rest.
const EVICT_AT_MOST: u64 = 8;

/// Keys that a purge acts on under one lock, about 100 µs.
const BATCH: usize = 128;

/// Why requests for a key do not wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its answers are for one request each: the last was not stored for this reason, or must be validated each time.
    Uncacheable(Option<NotStored>),
    /// Its answers are too large to be kept.
    TooLarge,
}

/// The memory tier.
pub(crate) struct Store {
    options: Options,
    max_object: u64,
    clock: Arc<dyn Clock>,
    budget: Arc<Budget>,
    shards: Box<[Mutex<Shard>]>,
    /// The shard that is evicted from next.
    cursor: AtomicUsize,
    evicted: AtomicU64,
}

impl Mark {
    /// A token for explanations.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Mark::Uncacheable(_) => "uncacheable",
            Mark::TooLarge => "too-large",
        }
    }

    /// Why the last answer was not stored, if it was not.
    pub(crate) fn not_stored(self) -> Option<NotStored> {
        match self {
            Mark::Uncacheable(why) => why,
            Mark::TooLarge => Some(NotStored::TooLarge),
        }
    }
}

impl Store {
    pub(crate) fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let memory = options.memory.as_usize();
        let count = (memory / SHARD_MEMORY).clamp(1, SHARDS);
        let count = if count.is_power_of_two() { count } else { count.next_power_of_two() / 2 };
        Self {
            max_object: options.max_object.as_u64().min(options.memory.as_u64() / 4),
            budget: Budget::new(memory),
            shards: (0..count).map(|_| Mutex::new(Shard::new())).collect(),
            cursor: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
            options,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn max_object(&self) -> u64 {
        self.max_object
    }

    pub(crate) fn abandoned(&self) -> Duration {
        self.options.abandoned
    }

    /// The shard of `key`, locked. Nothing else may be locked while it is held but a fill.
    pub(crate) fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        // The table inside the shard takes the low bits.
        let index = (key.hash() >> 48) as usize & (self.shards.len() - 1);
        self.shards[index].lock()
    }

    /// Room for `bytes`, evicting what was used least recently. No shard may be locked by the caller.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Room> {
        let enough = (bytes as u64).saturating_mul(EVICT_AT_MOST).saturating_add(1 << 20);
        let mut evicted = 0;
        loop {
            if let Some(room) = self.budget.reserve(bytes) {
                return Some(room);
            }
            if bytes > self.options.memory.as_usize() || evicted > enough {
                return None;
            }
            evicted += self.evict()?;
        }
    }

    /// Room for nothing, for what is never kept.
    pub(crate) fn no_room(&self) -> Room {
        self.budget.nothing()
    }

    /// Evicts the least recently used key of the next shard that has one; tells its bytes.
    fn evict(&self) -> Option<u64> {
        let count = self.shards.len();
        let first = self.cursor.fetch_add(1, Ordering::Relaxed);
        (0..count).find_map(|i| {
            // The guard is gone before the objects are dropped.
            let evicted = self.shards[first.wrapping_add(i) & (count - 1)].lock().evict();
            evicted.map(|variants| {
                self.evicted.fetch_add(variants.len() as u64, Ordering::Relaxed);
                variants.iter().map(Stored::weight).sum()
            })
        })
    }

    /// A fetch has ended well: stores its answer, unless a purge has struck it from the list meanwhile.
    pub(crate) fn complete(&self, key: &Arc<Key>, fill: &Arc<Fill>, stored: Stored) {
        let mut shard = self.shard(key);
        let replaced = shard.complete(key, fill, stored, self.options.variants.max(1));
        drop(shard);
        drop(replaced);
    }

    /// A fetch has ended without anything to store.
    pub(crate) fn release(&self, key: &Key, fill: &Arc<Fill>) {
        self.shard(key).release(key, fill);
    }

    /// Removes one stored response, if it is still there.
    pub(crate) fn remove(&self, key: &Key, stored: &Stored) {
        let removed = self.shard(key).remove(key, stored);
        drop(removed);
    }

    /// Every stored response of `key`, the newest first. Does not count as a use.
    pub(crate) fn variants(&self, key: &Key) -> Vec<Stored> {
        self.shard(key).variants(key)
    }

    /// Fetches for `key` in flight.
    pub(crate) fn fetching(&self, key: &Key) -> usize {
        self.shard(key).fetching(key)
    }

    /// Why requests for `key` do not wait for each other now.
    pub(crate) fn marked(&self, key: &Key) -> Option<Mark> {
        let now = self.now();
        self.shard(key).marked(key, now)
    }

    pub(crate) fn mark(&self, key: &Key, mark: Mark) {
        let until = self.now().plus(self.options.uncacheable);
        self.shard(key).mark(key, mark, until);
    }

    pub(crate) fn unmark(&self, key: &Key) {
        self.shard(key).unmark(key);
    }

    /// Removes what `what` names. Every fetch that began before is struck from the list.
    pub(crate) fn purge(&self, what: &Purge) -> Purged {
        self.remove_extent(Extent::of(what), true)
    }

    /// Removes one URL after an unsafe method. The fetch of an answer to such a method goes on.
    pub(crate) fn invalidate(&self, distribution: &str, url: &str) -> Purged {
        self.remove_extent(Extent::url(distribution, url), false)
    }

    fn remove_extent(&self, extent: Extent, unsafe_too: bool) -> Purged {
        self.each(extent, unsafe_too, |shard, keys| {
            let (purged, removed) = shard.purge(keys);
            Batch { purged, removed }
        })
    }

    /// Makes stale what `what` names. Every fetch that began before is struck from the list.
    pub(crate) fn expire(&self, what: &Purge) -> Purged {
        self.each(Extent::of(what), true, |shard, keys| Batch { purged: shard.expire(keys), removed: Vec::new() })
    }

    /// Counts what [`Store::purge`] would remove now, with up to `most` URLs.
    pub(crate) fn count(&self, what: &Purge, most: usize) -> (Purged, Vec<String>) {
        let extent = Extent::of(what);
        let mut examples = Vec::new();
        let mut total = Purged::default();
        for shard in &self.shards {
            let (keys, fills) = {
                let shard = shard.lock();
                (shard.keys_in(&extent), shard.fills_in(&extent))
            };
            total.fills += fills;
            for keys in keys.chunks(BATCH) {
                total += shard.lock().count(keys);
            }
            examples.extend(keys.iter().take(most - examples.len()).map(|key| key.url()));
        }
        (total, examples)
    }

    /// Strikes the fetches of `extent`, then acts on its keys as they are now, some at a time: nobody waits for long.
    /// What is stored under them in the meantime came after the purge, and may go with the rest.
    fn each(&self, extent: Extent, unsafe_too: bool, act: impl Fn(&mut Shard, &[Arc<Key>]) -> Batch) -> Purged {
        let extent = Arc::new(extent);
        let mut total = Purged::default();
        for shard in &self.shards {
            let keys = {
                let mut shard = shard.lock();
                total.fills += shard.strike(&extent, unsafe_too);
                shard.keys_in(&extent)
            };
            for keys in keys.chunks(BATCH) {
                // The guard is gone before the objects are dropped.
                let Batch { purged, removed } = act(&mut shard.lock(), keys);
                drop(removed);
                total += purged;
            }
        }
        total
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage {
            bytes: self.budget.held() as u64,
            evicted: self.evicted.load(Ordering::Relaxed),
            ..Usage::default()
        };
        for shard in &self.shards {
            let shard = shard.lock();
            usage.objects += shard.objects();
            usage.fills += shard.fills();
        }
        usage
    }
}

/// What was done under one lock.
struct Batch {
    purged: Purged,
    removed: Vec<Stored>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
