//! What one shard has on disk: the index, in the order of use.

use crate::disk::ObjectFile;
use crate::key::{KeepHash, Key};
use crate::memory::Room;
use crate::policy::vary::Selecting;
use crate::store::tags;
use crate::tag::Tag;
use http::HeaderMap;
use lru::LruCache;
use rimward_types::Timestamp;
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What an object in the index takes in memory besides its key's text, tags and selecting fields.
/// `tests/disk_memory.rs` holds it against the allocator.
const FIXED_WEIGHT: usize = 560;

/// An object on disk, as the index knows it.
pub(crate) struct Filed {
    pub(crate) object: Arc<ObjectFile>,
    /// `None`: every request selects it.
    selecting: Option<Box<Selecting>>,
    pub(crate) tags: Box<[Tag]>,
    /// Purged softly.
    expired: AtomicBool,
    /// It could not be read a moment ago (milliseconds since the epoch).
    rested: AtomicU64,
    _rooms: [Room; 2],
}

impl Filed {
    pub(crate) fn new(
        object: Arc<ObjectFile>,
        selecting: &Selecting,
        tags: Box<[Tag]>,
        expired: bool,
        rooms: [Room; 2],
    ) -> Arc<Self> {
        Arc::new(Self {
            object,
            selecting: (!selecting.is_empty()).then(|| Box::new(selecting.clone())),
            tags,
            expired: AtomicBool::new(expired),
            rested: AtomicU64::new(0),
            _rooms: rooms,
        })
    }

    /// Bytes of memory that an entry takes.
    pub(crate) fn weight(key: &Key, selecting: &Selecting, tags: &[Tag]) -> usize {
        let prefix = key.distribution_prefix().len();
        FIXED_WEIGHT + 2 * key.as_bytes().len() + 2 * selecting.weight() + tags::weight(tags, prefix)
    }

    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        self.selecting.as_ref().is_none_or(|selecting| selecting.matches(request))
    }

    pub(crate) fn selects_as(&self, other: &Filed) -> bool {
        self.selecting == other.selecting
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }

    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_resting(&self, now: Timestamp) -> bool {
        now.as_millis() < self.rested.load(Ordering::Relaxed)
    }

    pub(crate) fn rest_until(&self, then: Timestamp) {
        self.rested.store(then.as_millis(), Ordering::Relaxed);
    }
}

/// The objects of one key, the newest first.
type Variants = SmallVec<[Arc<Filed>; 1]>;

pub(crate) struct Shelf {
    keys: LruCache<Arc<Key>, Variants, KeepHash>,
    objects: u64,
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self { keys: LruCache::unbounded_with_hasher(KeepHash), objects: 0 }
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects
    }

    pub(super) fn get(&self, key: &Key) -> &[Arc<Filed>] {
        self.keys.peek(key).map_or(&[], |variants| variants)
    }

    /// The object that a request selects; counts as a use.
    pub(super) fn find(&mut self, key: &Key, request: &HeaderMap) -> Option<&Arc<Filed>> {
        self.keys.get(key)?.iter().find(|filed| filed.matches(request))
    }

    /// Counts as a use.
    pub(super) fn touch(&mut self, key: &Key) {
        self.keys.promote(key);
    }

    pub(super) fn insert(&mut self, filed: Arc<Filed>) {
        self.objects += 1;
        let key = filed.object.key.clone();
        match self.keys.get_mut(&*key) {
            Some(variants) => variants.insert(0, filed),
            None => {
                self.keys.put(key, SmallVec::from_iter([filed]));
            }
        }
    }

    /// As [`Shelf::insert`] for what an earlier run has left: used least recently, and older than what is there.
    pub(super) fn insert_old(&mut self, filed: Arc<Filed>) {
        self.objects += 1;
        let key = filed.object.key.clone();
        if let Some(variants) = self.keys.peek_mut(&*key) {
            let at = variants.iter().position(|other| other.object.id() < filed.object.id());
            variants.insert(at.unwrap_or(variants.len()), filed);
            return;
        }
        self.keys.put(key.clone(), SmallVec::from_iter([filed]));
        self.keys.demote(&*key);
    }

    /// Takes out those that `is_meant`.
    pub(super) fn remove(&mut self, key: &Key, mut is_meant: impl FnMut(&Filed) -> bool) -> Variants {
        let mut removed = Variants::new();
        let Some(variants) = self.keys.peek_mut(key) else { return removed };
        variants.retain(|filed| {
            let meant = is_meant(filed);
            if meant {
                removed.push(filed.clone());
            }
            !meant
        });
        if variants.is_empty() {
            self.keys.pop(key);
        }
        self.objects -= removed.len() as u64;
        removed
    }

    /// The key that was used least recently: to be evicted next.
    pub(super) fn next_out(&self) -> Option<Arc<Key>> {
        self.keys.peek_lru().map(|(key, _)| key.clone())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Filed>> {
        self.keys.iter().flat_map(|(_, variants)| variants)
    }
}
