//! The bound on memory. What the cache holds is counted by the owner of the bytes, and uncounted when the last holder
//! lets go: a viewer that still reads an evicted object keeps its bytes counted.

mod ledger;
mod pieces;

pub(crate) use ledger::Ledger;
pub(crate) use pieces::{Grip, Hold, Pieces};

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be held, and those that are.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes held now; never above the limit.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Room for `bytes` more, if there is any.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        let grown = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.held.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown).ok()?;
        Some(Room { budget: self.clone(), bytes })
    }

    /// Room for nothing.
    pub(crate) fn nothing(self: &Arc<Self>) -> Room {
        Room { budget: self.clone(), bytes: 0 }
    }
}

/// Room that is held; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Room {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `other` in.
    pub(crate) fn join(&mut self, mut other: Room) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Bytes that carry their room with them.
struct Block {
    data: Box<[u8]>,
    _room: Room,
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

/// Copies `parts` into one piece of memory of exactly their size. What comes from a connection is a slice of its read
/// buffer and would keep the whole buffer alive.
pub(crate) fn block(parts: &[Bytes], room: Room) -> Bytes {
    let mut data = Vec::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in parts {
        data.extend_from_slice(part);
    }
    owned(data, room)
}

/// Makes `data` bytes that carry their room.
pub(crate) fn owned(data: Vec<u8>, room: Room) -> Bytes {
    Bytes::from_owner(Block { data: data.into_boxed_slice(), _room: room })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn room_is_held_until_the_last_reader_lets_go() {
        let budget = Budget::new(10);
        let bytes = block(&[Bytes::from_static(b"abc"), Bytes::from_static(b"def")], budget.reserve(6).unwrap());
        let slice = bytes.slice(1..2);
        drop(bytes);
        assert_eq!(budget.held(), 6);
        assert!(budget.reserve(5).is_none());
        drop(slice);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn rooms_can_be_joined() {
        let budget = Budget::new(10);
        let mut room = budget.reserve(5).unwrap();
        room.join(budget.reserve(5).unwrap());
        assert_eq!((room.bytes(), budget.held()), (10, 10));
        drop(room);
        assert_eq!(budget.held(), 0);
    }
}
