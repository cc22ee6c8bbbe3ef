//! The memory tier: shards of keys, bounded by bytes, with the fetches in flight beside them, so that looking up,
//! electing a leader, storing and purging are each one step under one short lock.

pub(crate) mod extent;
mod filing;
pub(crate) mod frequency;
mod ghosts;
mod held;
mod meanwhile;
pub(crate) mod purge_list;
mod purging;
mod queues;
pub(crate) mod shard;
pub(crate) mod shelf;
pub(crate) mod tags;
pub(crate) mod unattended;
mod under_way;

use crate::cache::{Options, Usage};
use crate::disk::{Disk, DiskError};
use crate::fill::state::Fill;
use crate::key::Key;
use crate::memory::{Budget, Ledger, Pieces, Room};
use crate::object::{Content, Shapes, Stored};
use crate::policy::NotStored;
use bytes::Bytes;
use frequency::Frequency;
use meanwhile::Meanwhile;
use parking_lot::{Mutex, MutexGuard};
use rimward_types::{Clock, Timestamp};
use shard::{Evicted, Outcome, Shard};
use shelf::Filed;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use under_way::{Purging, UnderWay};

/// Shards of a large cache; a power of two. Small caches have fewer, so that one order of use decides.
const SHARDS: usize = 16;
/// Memory that is worth a shard.
const SHARD_MEMORY: usize = 4 << 20;
/// Evicting stops when so many times the wanted bytes, and [`IN_VAIN`], went to readers who hold them, not to the one who
/// wants them.
const IN_VAIN_AT_MOST: u64 = 8;
const IN_VAIN: u64 = 1 << 20;

/// Nothing is evicted for anything while what cannot be evicted takes more than three parts in four.
const APART_SHARE: (u64, u64) = (3, 4);

/// The share of memory for counts of requests.
const FREQUENCY_SHARE: usize = 256;
/// The share of memory that the index of the disk may take.
const INDEX_SHARE: usize = 4;

/// Why requests for a key do not wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its answers are for one request each: the last was not stored for this reason, or must be validated each time.
    Uncacheable(Option<NotStored>),
    /// Its answers are too large to be kept.
    TooLarge,
    /// It cannot be had in slices.
    Unsliced,
    /// Neither as a whole nor in slices.
    TooLargeUnsliced,
}

/// The memory tier.
pub(crate) struct Store {
    options: Options,
    max_in_memory: u64,
    clock: Arc<dyn Clock>,
    budget: Arc<Budget>,
    ledger: Arc<Ledger>,
    frequency: Frequency,
    shapes: Shapes,
    disk: Option<Arc<Disk>>,
    meanwhile: Mutex<Meanwhile>,
    shards: Box<[Mutex<Shard>]>,
    /// The shard that is evicted from next.
    cursor: AtomicUsize,
    evicted: AtomicU64,
    no_room: AtomicU64,
    unattended: unattended::Tally,
    purges: UnderWay,
    /// A thread takes out what purges have condemned.
    is_sweeping: AtomicBool,
}

impl Mark {
    /// A token for explanations.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Mark::Uncacheable(_) => "uncacheable",
            Mark::TooLarge | Mark::TooLargeUnsliced => "too-large",
            Mark::Unsliced => "unsliced",
        }
    }

    /// Whether ranges may be answered from slices.
    pub(crate) fn may_slice(self) -> bool {
        self == Mark::TooLarge
    }

    pub(crate) fn is_too_large(self) -> bool {
        matches!(self, Mark::TooLarge | Mark::TooLargeUnsliced)
    }

    /// This and what was known before.
    fn and(self, before: Option<Mark>) -> Mark {
        match (self, before) {
            (Mark::TooLarge, Some(Mark::Unsliced | Mark::TooLargeUnsliced))
            | (Mark::Unsliced, Some(Mark::TooLarge | Mark::TooLargeUnsliced)) => Mark::TooLargeUnsliced,
            // Neither is it had in slices.
            (Mark::Unsliced, Some(before @ Mark::Uncacheable(_))) => before,
            (mark, _) => mark,
        }
    }

    /// Why the last answer was not stored, if it was not.
    pub(crate) fn not_stored(self) -> Option<NotStored> {
        match self {
            Mark::Uncacheable(why) => why,
            Mark::TooLarge | Mark::TooLargeUnsliced => Some(NotStored::TooLarge),
            Mark::Unsliced => None,
        }
    }
}

impl Store {
    /// In memory alone.
    pub(crate) fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let memory = options.memory.as_usize();
        let count = (memory / SHARD_MEMORY).clamp(1, SHARDS);
        let count = if count.is_power_of_two() { count } else { count.next_power_of_two() / 2 };
        let frequency = Frequency::new(memory / FREQUENCY_SHARE);
        let shapes = Shapes::new(memory);
        let stored = Arc::<AtomicU64>::default();
        let shards: Box<[Mutex<Shard>]> =
            (0..count).map(|_| Mutex::new(Shard::new(memory / count, stored.clone()))).collect();
        let fixed =
            frequency.weight() + shapes.weight() + shards.iter().map(|shard| shard.lock().weight()).sum::<usize>();
        // These are there from the beginning to the end.
        let budget = Budget::new(memory.saturating_sub(fixed));
        let ledger = Ledger::new(budget.clone(), memory as u64, stored);
        Self {
            max_in_memory: options.max_object.as_u64().min(options.memory.as_u64() / 4),
            frequency,
            shapes,
            budget,
            ledger,
            disk: None,
            meanwhile: Mutex::default(),
            shards,
            cursor: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
            no_room: AtomicU64::new(0),
            unattended: unattended::Tally::default(),
            purges: UnderWay::default(),
            is_sweeping: AtomicBool::new(false),
            options,
            clock,
        }
    }

    /// With the disk tier that `options` name, if any. Blocks until its folder is taken; what is in it comes later.
    pub(crate) fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Arc<Self>, DiskError> {
        let Some(disk_options) = options.disk.clone() else { return Ok(Arc::new(Self::new(options, clock))) };
        let index = options.memory.as_usize() / INDEX_SHARE;
        let (disk, past) = Disk::open(&disk_options, &clock, index)?;
        let store = Arc::new(Self { disk: Some(disk.clone()), ..Self::new(options, clock) });
        store.ledger.set_index(disk.index().clone());
        disk.attach(Arc::downgrade(&store));
        disk.recover(past).map_err(|source| DiskError::Io { path: disk_options.path, source })?;
        Ok(store)
    }

    /// A number for a fetch that begins: purges with a higher one mean what it brings.
    pub(crate) fn next_number(&self) -> u64 {
        self.disk.as_ref().map_or(0, |disk| disk.next_number())
    }

    /// What stored heads share.
    pub(crate) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Counts a request that found nothing.
    pub(crate) fn count_miss(&self, key: &Key) {
        self.frequency.add(key.hash());
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Bytes of the largest body that is stored anywhere.
    pub(crate) fn max_object(&self) -> u64 {
        let on_disk = self.disk.as_ref().map_or(0, |disk| self.options.max_object.as_u64().min(disk.limit() / 4));
        self.max_in_memory.max(on_disk)
    }

    /// Bytes of the largest body that is kept in memory.
    pub(crate) fn max_in_memory(&self) -> u64 {
        self.max_in_memory
    }

    /// What is known of fetches that nobody waits for.
    pub(crate) fn unattended(&self) -> &unattended::Tally {
        &self.unattended
    }

    pub(crate) fn abandoned(&self) -> Duration {
        self.options.abandoned
    }

    /// The shard of `key`, locked. While it is held nothing may be locked but a fill, a queue of the disk, and what
    /// happens meanwhile.
    pub(crate) fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        // The table inside the shard takes the low bits.
        let index = (key.hash() >> 48) as usize & (self.shards.len() - 1);
        self.shards[index].lock()
    }

    /// Room for `bytes`, evicting what is worth least. No shard may be locked by the caller.
    ///
    /// What readers hold is not given back by evicting it, and to throw out what is asked for often would then be in vain:
    /// without hope there is no room.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Room> {
        let wanted = bytes as u64;
        let enough = wanted.saturating_mul(IN_VAIN_AT_MOST).saturating_add(IN_VAIN);
        let (parts, of) = APART_SHARE;
        let most = self.options.memory.as_u64() / of * parts;
        let mut in_vain = 0;
        loop {
            if let Some(room) = self.budget.reserve(bytes) {
                return Some(room);
            }
            let apart = self.ledger.apart();
            let hope = (self.budget.limit() as u64).saturating_sub(apart);
            if wanted > hope || apart > most || in_vain > enough {
                return None;
            }
            self.evict()?;
            in_vain += self.ledger.apart().saturating_sub(apart);
        }
    }

    /// Room for `bytes` of a body of which `arrived` have come already.
    pub(crate) fn reserve_for_body(&self, bytes: usize, arrived: u64) -> Option<Room> {
        let more = bytes as u64;
        let may_grow = !self.ledger.is_large(arrived.saturating_add(more)) || self.ledger.may_hold(more);
        if may_grow { self.reserve(bytes) } else { None }
    }

    /// Whether a body of `length` bytes may begin to grow in memory.
    pub(crate) fn may_hold(&self, length: u64) -> bool {
        !self.ledger.is_large(length) || self.ledger.may_hold(length)
    }

    /// Bytes that evicting does not give back.
    pub(crate) fn held(&self) -> u64 {
        self.ledger.held()
    }

    /// A body in pieces.
    pub(crate) fn pieces(&self, blocks: Vec<Bytes>, length: u64) -> Arc<Pieces> {
        Pieces::new(blocks, length, self.ledger.clone())
    }

    /// Counts a body that is passed on because there is no room for it.
    pub(crate) fn count_no_room(&self) {
        self.no_room.fetch_add(1, Ordering::Relaxed);
    }

    /// Room for nothing, for what is never kept.
    pub(crate) fn no_room(&self) -> Room {
        self.budget.nothing()
    }

    /// Evicts a key of the next shard that has one.
    fn evict(&self) -> Option<()> {
        let count = self.shards.len();
        let first = self.cursor.fetch_add(1, Ordering::Relaxed);
        (0..count).find_map(|i| {
            // The guard is gone before the objects are dropped.
            let evicted = self.shards[first.wrapping_add(i) & (count - 1)].lock().evict();
            evicted.map(|(batch, Evicted(objects))| {
                self.evicted.fetch_add(objects, Ordering::Relaxed);
                for stored in &batch.removed {
                    if let Content::Blocks(pieces) = &stored.content {
                        pieces.evicted();
                    }
                }
                drop(batch);
            })
        })
    }

    /// A fetch has ended well: stores its answer, unless a purge has struck it from the list meanwhile.
    pub(crate) fn complete(&self, key: &Arc<Key>, fill: &Arc<Fill>, stored: Stored) {
        let face = stored.face.clone();
        let (filed, renewed) = match &self.disk {
            Some(disk) => self.entry_for(disk, key, &stored),
            None => (None, None),
        };
        if filed.is_none() && matches!(stored.content, Content::Filed(_)) {
            return self.release(key, fill);
        }
        let mut shard = self.shard(key);
        if self.disk.as_ref().is_some_and(|disk| disk.is_recovering()) {
            self.meanwhile.lock().note_stored(key);
        }
        let most = self.options.variants.max(1);
        let Outcome { stored, replaced, taken_out } = shard.complete(key, fill, stored, filed, most);
        if let Some((disk, object)) = self.disk.as_ref().zip(renewed).filter(|_| stored) {
            self.renew(disk, key, &face, object);
        }
        drop(shard);
        filing::doom(&taken_out);
        drop(replaced);
    }

    /// Whether a fetch is still on the list: no purge has struck it.
    pub(crate) fn is_listed(&self, key: &Key, fill: &Arc<Fill>) -> bool {
        self.shard(key).is_listed(key, fill)
    }

    /// A purge begins: it is under way until what this gives is dropped.
    pub(crate) fn begin_purge(&self) -> Purging<'_> {
        self.purges.begin()
    }

    /// Whether a purge is under way: it may have been at some shards, and not at others.
    pub(crate) fn is_purging(&self) -> bool {
        self.purges.any()
    }

    /// A fetch has ended without anything to store.
    pub(crate) fn release(&self, key: &Key, fill: &Arc<Fill>) {
        self.shard(key).release(key, fill);
    }

    /// Removes one stored response, if it is still there.
    pub(crate) fn remove(&self, key: &Key, stored: &Stored) {
        let (removed, filed) = self.shard(key).remove(key, stored);
        filing::doom(&filed);
        drop(removed);
    }

    /// Makes one stored response stale in both tiers, for good.
    pub(crate) fn make_stale(&self, key: &Arc<Key>, stored: &Stored) {
        let mut shard = self.shard(key);
        let object = shard.make_stale(key, &stored.face);
        // Its number is drawn under the lock: a purge that comes after means it.
        if let Some((disk, object)) = self.disk.as_ref().zip(object) {
            self.renew(disk, key, &stored.face, object);
        }
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
        let now = self.now();
        let mut shard = self.shard(key);
        let mark = mark.and(shard.marked(key, now));
        shard.mark(key, mark, now, now.plus(self.options.uncacheable));
    }

    pub(crate) fn unmark(&self, key: &Key) {
        self.shard(key).unmark(key);
    }

    /// Waits until every purge is written down. Blocks.
    pub(crate) fn confirm(&self) {
        if let Some(disk) = &self.disk {
            disk.confirm();
        }
    }

    /// Waits until what was purged is gone and what was begun is on the disk, as far as the disk allows. Blocks.
    pub(crate) fn settle(&self) {
        self.sweep();
        if let Some(disk) = &self.disk {
            disk.settle();
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage {
            bytes: self.budget.held() as u64,
            evicted: self.evicted.load(Ordering::Relaxed),
            held: self.ledger.held(),
            no_room: self.no_room.load(Ordering::Relaxed),
            given_up: self.unattended.given_up(),
            ..Usage::default()
        };
        let mut filed = 0;
        for shard in &self.shards {
            let shard = shard.lock();
            usage.objects += shard.objects();
            usage.fills += shard.fills();
            filed += shard.filed();
        }
        usage.disk = self.disk.as_ref().map(|disk| disk.usage(filed));
        usage
    }
}

/// What was taken out under one lock.
#[derive(Default)]
struct Batch {
    removed: Vec<Stored>,
    taken_out: Vec<Arc<Filed>>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.taken_out.is_empty()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
