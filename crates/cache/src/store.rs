//! The memory tier: shards of least recently used keys, bounded by bytes, with the fetches in flight beside them, so
//! that looking up, electing a leader, storing and purging are each one step under one short lock.

pub(crate) mod shard;

use crate::cache::{Options, Usage};
use crate::fill::state::Fill;
use crate::key::{self, Key};
use crate::memory::{Budget, Room};
use crate::object::Stored;
use crate::purge::{Purge, Purged};
use parking_lot::{Mutex, MutexGuard};
use rimward_types::{Clock, Timestamp};
use shard::{Extent, Shard};
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

/// Why requests for a key do not wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its answers are for one request each.
    Uncacheable,
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

    pub(crate) fn mark(&self, key: &Key, mark: Mark) {
        let until = self.now().plus(self.options.uncacheable);
        self.shard(key).mark(key, mark, until);
    }

    pub(crate) fn unmark(&self, key: &Key) {
        self.shard(key).unmark(key);
    }

    /// Removes what `what` names. Every fetch that began before is struck from the list.
    pub(crate) fn purge(&self, what: &Purge) -> Purged {
        self.each(&extent(what), |shard, extent| shard.purge(extent, true))
    }

    /// Removes one URL after an unsafe method. The fetch of an answer to such a method goes on.
    pub(crate) fn invalidate(&self, distribution: &str, url: &str) -> Purged {
        let extent = Extent::From(key::exact_url_prefix(distribution, url));
        self.each(&extent, |shard, extent| shard.purge(extent, false))
    }

    /// Makes stale what `what` names.
    pub(crate) fn expire(&self, what: &Purge) -> Purged {
        self.each(&extent(what), |shard, extent| (shard.expire(extent), Vec::new()))
    }

    /// Counts what [`Store::purge`] would remove now, with up to `most` URLs.
    pub(crate) fn count(&self, what: &Purge, most: usize) -> (Purged, Vec<String>) {
        let extent = extent(what);
        let mut examples = Vec::new();
        let mut total = Purged::default();
        for shard in &self.shards {
            let counted = shard.lock().count(&extent, &mut examples, most);
            total.objects += counted.objects;
            total.bytes += counted.bytes;
            total.fills += counted.fills;
        }
        (total, examples)
    }

    fn each(&self, extent: &Extent, act: impl Fn(&mut Shard, &Extent) -> (Purged, Vec<Stored>)) -> Purged {
        let mut total = Purged::default();
        for shard in &self.shards {
            let (purged, removed) = act(&mut shard.lock(), extent);
            drop(removed);
            total.objects += purged.objects;
            total.bytes += purged.bytes;
            total.fills += purged.fills;
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

fn extent(what: &Purge) -> Extent {
    match what {
        Purge::Url { distribution, url } => Extent::From(key::exact_url_prefix(distribution, url)),
        Purge::Prefix { distribution, prefix } => Extent::From(key::url_prefix(distribution, prefix)),
        Purge::Distribution(distribution) => Extent::From(key::distribution_prefix(distribution)),
        Purge::All => Extent::All,
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
