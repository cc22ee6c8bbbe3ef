//! What is known of a key that something is stored under, without looking at what is stored: a purge of very many keys
//! has the time for no more.

use crate::key::Key;
use crate::purge::Purged;
use parking_lot::Mutex;
use std::cmp::Ordering;
use std::hint::black_box;
use std::sync::Arc;

/// A key that something is stored under. All lists of a shard that purges go by share it.
///
/// In this order, so that [`Held::fetch`] reads at both ends of it.
#[repr(C)]
pub(crate) struct Held {
    /// Changes under the shard's lock alone.
    tally: Mutex<Tally>,
    pub(super) key: Arc<Key>,
}

/// How much is stored under a key: not many variants.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Bytes of all; what is in both tiers counts once.
    pub(super) bytes: u64,
    /// Objects; what is in both tiers counts once.
    pub(super) objects: u32,
    /// Objects in memory.
    pub(super) in_memory: u32,
    /// Objects on disk.
    pub(super) on_disk: u32,
    /// What a purge has decided and what is not carried out yet.
    pub(super) fate: Option<Fate>,
}

/// What a purge has decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// It is stale.
    Expired,
    /// It is removed: nobody is given it any more.
    Removed,
}

impl Tally {
    pub(super) fn total(&self) -> Purged {
        Purged { objects: u64::from(self.objects), bytes: self.bytes, fills: 0 }
    }
}

impl Held {
    pub(super) fn new(key: Arc<Key>) -> Arc<Self> {
        Arc::new(Self { tally: Mutex::default(), key })
    }

    /// Brings it into the processor's cache. These lie where the allocator has put them, and a purge comes by very many: one that
    /// counts a reference waits for the memory each time, since nothing goes on beside such an instruction. Plain reads, of some
    /// before any is counted, wait together.
    pub(super) fn fetch(&self) {
        black_box((self.tally.is_locked(), Arc::as_ptr(&self.key)));
    }

    pub(super) fn tally(&self) -> Tally {
        *self.tally.lock()
    }

    pub(super) fn count(&self, tally: Tally) {
        *self.tally.lock() = tally;
    }

    /// Decides on what is there now. Tells what it was; `None` when it was removed before.
    pub(super) fn condemn(&self, fate: Fate) -> Option<Tally> {
        let mut tally = self.tally.lock();
        let before = *tally;
        tally.fate = tally.fate.max(Some(fate));
        (before.fate != Some(Fate::Removed)).then_some(before)
    }

    /// What was decided is carried out.
    pub(super) fn settle(&self) {
        self.tally.lock().fate = None;
    }
}

/// A key in an order that needs no look at the key: where it lies in memory.
#[derive(Clone)]
pub(super) struct ByPlace(pub(super) Arc<Held>);

impl ByPlace {
    fn place(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl PartialEq for ByPlace {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for ByPlace {}

impl PartialOrd for ByPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}
