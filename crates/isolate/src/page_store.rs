//! Pages of snapshots; functions that have an equal page share it.

use crate::mapping::PAGE;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};

/// A page of a snapshot. The bytes lie apart from the counters, so that the store's weak references keep no page alive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page(Box<[u8; PAGE]>);

impl Page {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; PAGE] {
        &self.0
    }
}

/// What the published functions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageUse {
    /// Pages in memory; pages that functions share count once.
    pub pages: usize,
    /// Their size in bytes.
    pub bytes: usize,
}

/// All pages of all snapshots.
#[derive(Debug, Default)]
pub(crate) struct PageStore {
    hasher: RandomState,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    pages: HashMap<u64, Vec<Weak<Page>>>,
    /// Entries at which the next search for dead ones is due; doubling keeps its cost per page constant.
    sweep_at: usize,
    entries: usize,
}

impl PageStore {
    /// Gives the page with these bytes, a new one when there is none yet.
    pub(crate) fn intern(&self, bytes: &[u8; PAGE]) -> Arc<Page> {
        let hash = self.hasher.hash_one(bytes);
        let mut table = self.table.lock();
        let same_hash = table.pages.entry(hash).or_default();
        // Equal hashes prove nothing: the bytes decide.
        if let Some(page) = same_hash.iter().filter_map(Weak::upgrade).find(|page| page.bytes() == bytes) {
            return page;
        }
        let page = Arc::new(Page(Box::new(*bytes)));
        same_hash.push(Arc::downgrade(&page));
        table.entries += 1;
        if table.entries > table.sweep_at {
            table.sweep();
        }
        page
    }

    /// Counts the pages in use.
    pub(crate) fn page_use(&self) -> PageUse {
        let mut table = self.table.lock();
        table.sweep();
        PageUse { pages: table.entries, bytes: table.entries * PAGE }
    }
}

impl Table {
    /// Forgets pages that no snapshot holds.
    fn sweep(&mut self) {
        self.pages.retain(|_, same_hash| {
            same_hash.retain(|page| page.strong_count() > 0);
            !same_hash.is_empty()
        });
        self.entries = self.pages.values().map(Vec::len).sum();
        self.sweep_at = (2 * self.entries).max(1024);
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, PageStore};
    use std::sync::Arc;

    #[test]
    fn equal_pages_are_shared_and_freed_with_their_last_snapshot() {
        let store = PageStore::default();
        let one = store.intern(&[1; PAGE]);
        let same = store.intern(&[1; PAGE]);
        let two = store.intern(&[2; PAGE]);
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &two));
        assert_eq!(store.page_use().pages, 2);
        drop((one, same));
        assert_eq!(store.page_use().pages, 1);
    }

    #[test]
    fn dead_pages_do_not_pile_up() {
        let store = PageStore::default();
        for n in 0..10_000u32 {
            let mut bytes = [0; PAGE];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            store.intern(&bytes);
        }
        assert!(store.table.lock().entries <= 1025);
    }
}
