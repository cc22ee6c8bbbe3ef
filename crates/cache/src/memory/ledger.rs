//! What memory is used for: what is stored and can be evicted, and what readers hold, which evicting does not give back.

use super::Budget;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Large bodies are held for readers up to one part of memory in so many: the largest that is stored takes a quarter, so
/// that two of them can arrive at a time. The rest of memory stays for what is asked for often.
const HELD_SHARE: u64 = 2;
/// A body above one part of memory in so many is large.
const LARGE_SHARE: u64 = 256;

/// Who has the bytes of a budget.
#[derive(Debug)]
pub(crate) struct Ledger {
    budget: Arc<Budget>,
    /// The cache's memory, with what is there from the beginning to the end.
    memory: u64,
    /// Bytes that are stored.
    stored: Arc<AtomicU64>,
    /// Bytes of large bodies that are stored and read.
    pub(super) read: AtomicU64,
    /// The index of the disk, within the budget: it is evicted by itself.
    index: OnceLock<Arc<Budget>>,
}

impl Ledger {
    pub(crate) fn new(budget: Arc<Budget>, memory: u64, stored: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { budget, memory, stored, read: AtomicU64::new(0), index: OnceLock::new() })
    }

    /// There is a disk, with this index.
    pub(crate) fn set_index(&self, index: Arc<Budget>) {
        // There is one disk.
        let _ = self.index.set(index);
    }

    /// Bytes that are not stored, or not any more: bodies that arrive, and what readers hold though it was evicted.
    pub(crate) fn apart(&self) -> u64 {
        let index = self.index.get().map_or(0, |index| index.held() as u64);
        (self.budget.held() as u64).saturating_sub(self.stored.load(Ordering::Acquire)).saturating_sub(index)
    }

    /// Bytes that evicting would not give back.
    pub(crate) fn held(&self) -> u64 {
        self.apart().saturating_add(self.read.load(Ordering::Acquire))
    }

    /// Whether `more` bytes of a large body may be held.
    pub(crate) fn may_hold(&self, more: u64) -> bool {
        self.held().saturating_add(more) <= self.memory / HELD_SHARE
    }

    /// Whether a body of `length` bytes is large.
    pub(crate) fn is_large(&self, length: u64) -> bool {
        length > self.memory / LARGE_SHARE
    }
}
