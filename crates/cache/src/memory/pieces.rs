//! A body in pieces, and whether somebody reads it.

use super::ledger::Ledger;
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A body in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    blocks: Box<[Bytes]>,
    length: u64,
    ledger: Arc<Ledger>,
    usage: Mutex<Use>,
}

/// Counted in the ledger as read while it is stored and has readers; what is evicted shows there by itself.
#[derive(Debug)]
struct Use {
    holders: u32,
    is_evicted: bool,
}

/// How a reader has its body: it stays in memory until the reader has it all, evicted or not. What readers hold so is no room for
/// others; the store evicts nothing in vain for it (`Ledger`).
#[derive(Debug, Clone)]
pub(crate) struct Grip(Arc<Hold>);

/// A body is held; let go when dropped.
#[derive(Debug)]
pub(crate) struct Hold(Arc<Pieces>);

impl Pieces {
    pub(crate) fn new(blocks: Vec<Bytes>, length: u64, ledger: Arc<Ledger>) -> Arc<Self> {
        let usage = Mutex::new(Use { holders: 0, is_evicted: false });
        Arc::new(Self { blocks: blocks.into(), length, ledger, usage })
    }

    pub(crate) fn blocks(&self) -> &[Bytes] {
        &self.blocks
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// For one who reads it.
    pub(crate) fn grip(self: &Arc<Self>) -> Grip {
        Grip(Arc::new(self.hold()))
    }

    /// For those who read it already.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        let mut usage = self.usage.lock();
        usage.holders += 1;
        if usage.holders == 1 && !usage.is_evicted {
            self.ledger.read.fetch_add(self.length, Ordering::AcqRel);
        }
        Hold(self.clone())
    }

    /// It is not stored any more.
    pub(crate) fn evicted(&self) {
        let mut usage = self.usage.lock();
        if !std::mem::replace(&mut usage.is_evicted, true) && usage.holders > 0 {
            self.ledger.read.fetch_sub(self.length, Ordering::AcqRel);
        }
    }
}

impl Grip {
    /// Of a body that belongs to no cache.
    #[cfg(test)]
    pub(crate) fn alone(blocks: Vec<Bytes>) -> Self {
        let ledger = Ledger::new(super::Budget::new(0), 0, Arc::default());
        let length = blocks.iter().map(|block| block.len() as u64).sum();
        Pieces::new(blocks, length, ledger).grip()
    }

    /// The block of a number, if there is one.
    pub(crate) fn block(&self, number: usize) -> Option<Bytes> {
        self.0.0.blocks.get(number).cloned()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut usage = self.0.usage.lock();
        usage.holders -= 1;
        if usage.holders == 0 && !usage.is_evicted {
            self.0.ledger.read.fetch_sub(self.0.length, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Budget, block};
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn what_is_read_is_held_once_and_stays_for_its_readers_when_it_is_evicted() {
        let budget = Budget::new(1000);
        let stored = Arc::<AtomicU64>::default();
        let ledger = Ledger::new(budget.clone(), 1000, stored.clone());
        let store = || {
            let bytes = block(&[Bytes::from_static(&[b'x'; 300])], budget.reserve(300).unwrap());
            stored.fetch_add(300, Ordering::AcqRel);
            Pieces::new(vec![bytes], 300, ledger.clone())
        };
        let evict = |pieces: Arc<Pieces>| {
            stored.fetch_sub(300, Ordering::AcqRel);
            pieces.evicted();
        };
        let [first, second, third] = [store(), store(), store()];
        assert_eq!(ledger.held(), 0);
        let (held, again) = (first.grip(), first.grip());
        assert_eq!(ledger.held(), 300, "a second reader holds no more");
        let other = second.grip();
        assert_eq!(ledger.held(), 600, "past the half too: a viewer that was promised a body gets it");
        evict(first);
        assert_eq!((ledger.held(), ledger.apart()), (600, 300), "it is still read, and counted once");
        evict(second);
        assert!(other.block(0).is_some() && held.block(0).is_some());
        drop((held, again));
        assert_eq!((ledger.held(), budget.held()), (300, 600));
        drop(other);
        assert_eq!((ledger.held(), budget.held()), (0, 300));
        drop(third.hold());
        assert_eq!(ledger.held(), 0);
    }
}
