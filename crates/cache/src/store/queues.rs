//! Which keys stay in memory: S3-FIFO (Yang and others, 2023), two queues in the order of arrival. What is new comes to a
//! small one and is kept, in the main one, if it was asked for again before its turn; or if it comes again soon after.
//! `docs/design/why-two-queues.md` has the measurements against an order of use and against TinyLFU.

use super::ghosts::Ghosts;
use super::shard::Variants;
use crate::key::{KeepHash, Key};
use crate::object::Stored;
use lru::LruCache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The small queue has this share of the bytes; more is evicted from it first.
const SMALL_SHARE: u64 = 10;
/// Uses that count: so many turns in the main queue are survived without a further one.
const MOST_USES: u8 = 3;
/// Keys that one eviction passes over; then it takes the next, used or not. About 20 µs.
const MOST_TURNS: usize = 128;

/// What is in memory under one key.
struct Kept {
    variants: Variants,
    /// Uses since it came to its place, at most [`MOST_USES`].
    uses: u8,
    bytes: u64,
}

/// Keys in the order in which they came: a hit moves nothing.
struct Queue {
    keys: LruCache<Arc<Key>, Kept, KeepHash>,
    bytes: u64,
}

/// What one shard has in memory.
pub(super) struct Queues {
    small: Queue,
    main: Queue,
    ghosts: Ghosts,
    /// Bytes in the queues of all shards.
    stored: Arc<AtomicU64>,
}

// === impl Queue ===

impl Queue {
    fn new() -> Self {
        Self { keys: LruCache::unbounded_with_hasher(KeepHash), bytes: 0 }
    }

    fn push(&mut self, key: Arc<Key>, kept: Kept) {
        self.bytes += kept.bytes;
        self.keys.put(key, kept);
    }

    fn pop(&mut self, key: &Key) -> Option<Kept> {
        let kept = self.keys.pop(key)?;
        self.bytes -= kept.bytes;
        Some(kept)
    }

    fn pop_first(&mut self) -> Option<(Arc<Key>, Kept)> {
        let (key, kept) = self.keys.pop_lru()?;
        self.bytes -= kept.bytes;
        Some((key, kept))
    }

    /// How often the first was used.
    fn uses_of_first(&self) -> Option<u8> {
        self.keys.peek_lru().map(|(_, kept)| kept.uses)
    }
}

// === impl Queues ===

impl Queues {
    /// For about `memory` bytes; what is in them is counted in `stored`, too.
    pub(super) fn new(memory: usize, stored: Arc<AtomicU64>) -> Self {
        Self { small: Queue::new(), main: Queue::new(), ghosts: Ghosts::new(memory), stored }
    }

    /// Bytes that it takes from the beginning to the end.
    pub(super) fn weight(&self) -> usize {
        self.ghosts.weight()
    }

    fn kept(&self, key: &Key) -> Option<&Kept> {
        self.main.keys.peek(key).or_else(|| self.small.keys.peek(key))
    }

    fn kept_mut(&mut self, key: &Key) -> Option<&mut Kept> {
        match self.main.keys.peek_mut(key) {
            Some(kept) => Some(kept),
            None => self.small.keys.peek_mut(key),
        }
    }

    /// What is under `key`; counts as a use.
    pub(super) fn find(&mut self, key: &Key) -> Option<&mut Variants> {
        let kept = self.kept_mut(key)?;
        kept.uses = (kept.uses + 1).min(MOST_USES);
        Some(&mut kept.variants)
    }

    pub(super) fn get(&self, key: &Key) -> &[Stored] {
        self.kept(key).map_or(&[], |kept| &kept.variants)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Variants> {
        self.kept_mut(key).map(|kept| &mut kept.variants)
    }

    /// Puts a key in that is not there. [`Queues::weigh`] follows.
    pub(super) fn insert(&mut self, key: Arc<Key>, variants: Variants) {
        let is_known = self.ghosts.contains(key.hash());
        let queue = if is_known { &mut self.main } else { &mut self.small };
        queue.push(key, Kept { variants, uses: 0, bytes: 0 });
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Variants> {
        let kept = self.main.pop(key).or_else(|| self.small.pop(key))?;
        Some(self.take_out(kept))
    }

    /// What is under `key` has so many bytes now.
    pub(super) fn weigh(&mut self, key: &Key, bytes: u64) {
        for queue in [&mut self.main, &mut self.small] {
            if let Some(kept) = queue.keys.peek_mut(key) {
                queue.bytes = queue.bytes - kept.bytes + bytes;
                self.stored.fetch_add(bytes, Ordering::AcqRel);
                self.stored.fetch_sub(kept.bytes, Ordering::AcqRel);
                kept.bytes = bytes;
                return;
            }
        }
    }

    /// The key that is worth least: to be evicted next.
    pub(super) fn next_out(&mut self) -> Option<Arc<Key>> {
        for _ in 0..MOST_TURNS {
            if self.is_small_next() {
                if self.small.uses_of_first() == Some(0) {
                    break;
                }
                let (key, kept) = self.small.pop_first()?;
                self.main.push(key, Kept { uses: 0, ..kept });
            } else {
                match self.main.uses_of_first() {
                    None | Some(0) => break,
                    Some(_) => {
                        let (key, kept) = self.main.pop_first()?;
                        self.main.push(key, Kept { uses: kept.uses - 1, ..kept });
                    }
                }
            }
        }
        let queue = if self.is_small_next() { &self.small } else { &self.main };
        queue.keys.peek_lru().map(|(key, _)| key.clone())
    }

    /// Takes out `key`, and remembers that it was there, when nobody asked for it again.
    pub(super) fn evict(&mut self, key: &Key) -> Option<Variants> {
        if let Some(kept) = self.small.pop(key) {
            self.ghosts.add(key.hash(), kept.bytes);
            return Some(self.take_out(kept));
        }
        let kept = self.main.pop(key)?;
        Some(self.take_out(kept))
    }

    fn take_out(&self, kept: Kept) -> Variants {
        self.stored.fetch_sub(kept.bytes, Ordering::AcqRel);
        kept.variants
    }

    fn is_small_next(&self) -> bool {
        self.main.keys.is_empty() || self.small.bytes > (self.small.bytes + self.main.bytes) / SMALL_SHARE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rimward_types::RequestHead;

    fn key(n: usize) -> Arc<Key> {
        Arc::new(Key::new("E1", &RequestHead::get(&format!("/{n}")), &Default::default()))
    }

    fn insert(queues: &mut Queues, n: usize, bytes: u64) {
        queues.insert(key(n), Variants::new());
        queues.weigh(&key(n), bytes);
    }

    fn next_out(queues: &mut Queues) -> Option<usize> {
        let key = queues.next_out()?;
        queues.evict(&key).unwrap();
        Some(key.url()[1..].parse().unwrap())
    }

    #[test]
    fn what_was_asked_for_once_goes_in_the_order_in_which_it_came() {
        let mut queues = Queues::new(1 << 20, Arc::default());
        (0..4).for_each(|n| insert(&mut queues, n, 100));
        queues.find(&key(1));
        let order: Vec<_> = std::iter::from_fn(|| next_out(&mut queues)).collect();
        assert_eq!(order, [0, 2, 3, 1]);
    }

    #[test]
    fn a_scan_passes_by_what_is_in_use() {
        let mut queues = Queues::new(1 << 20, Arc::default());
        for n in 0..10 {
            insert(&mut queues, n, 100);
            queues.find(&key(n));
        }
        for n in 100..10_000 {
            insert(&mut queues, n, 100);
            if n > 120 {
                assert!(next_out(&mut queues).unwrap() >= 100, "the scan pushes out itself alone");
            }
        }
        assert!((0..10).all(|n| queues.get_mut(&key(n)).is_some()));
    }

    #[test]
    fn what_comes_back_soon_stays() {
        let mut queues = Queues::new(1 << 20, Arc::default());
        insert(&mut queues, 1, 100);
        assert_eq!(next_out(&mut queues), Some(1));
        insert(&mut queues, 1, 100);
        (2..5).for_each(|n| insert(&mut queues, n, 100));
        let order: Vec<_> = std::iter::from_fn(|| next_out(&mut queues)).collect();
        assert_eq!(order, [2, 3, 4, 1]);
    }

    #[test]
    fn an_eviction_ends_where_all_is_in_use() {
        let mut queues = Queues::new(1 << 20, Arc::default());
        for n in 0..1000 {
            insert(&mut queues, n, 100);
            queues.find(&key(n));
        }
        assert!(next_out(&mut queues).is_some());
        let left = std::iter::from_fn(|| next_out(&mut queues)).count();
        assert_eq!(left, 999);
    }
}
