//! One shard: what is stored, what is being fetched, what is known to be uncacheable.

use super::Mark;
use crate::fill::state::{Fill, Phase};
use crate::key::{KeepHash, Key};
use crate::object::{Face, Stored};
use crate::policy::vary::Selecting;
use crate::purge::Purged;
use http::{HeaderMap, HeaderName};
use lru::LruCache;
use rimward_types::Timestamp;
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// Keys that one shard remembers as uncacheable; about 100 bytes each.
const MARKS: usize = 1024;

/// The stored responses of one key, the newest first.
type Variants = SmallVec<[Stored; 1]>;

/// Which keys are meant.
pub(crate) enum Extent {
    /// Those that begin so.
    From(SmallVec<[u8; 128]>),
    /// All.
    All,
}

impl Extent {
    fn holds(&self, key: &Key) -> bool {
        match self {
            Extent::From(prefix) => key.as_bytes().starts_with(prefix),
            Extent::All => true,
        }
    }
}

/// What a lookup finds.
pub(crate) enum Found {
    /// A response that the request selects.
    Stored(Stored),
    /// Responses, but none that the request selects.
    OtherVariants,
    /// Nothing.
    Nothing,
}

/// A fetch that a request may join.
pub(crate) enum Joined {
    /// Its head is not known.
    Asking(Arc<Fill>),
    /// Its body arrives.
    Arriving(Arc<Fill>, Arc<Face>),
}

pub(crate) struct Shard {
    resources: LruCache<Arc<Key>, Variants, KeepHash>,
    /// The same keys in order, for purges.
    keys: BTreeSet<Arc<Key>>,
    fills: HashMap<Arc<Key>, SmallVec<[Arc<Fill>; 1]>, KeepHash>,
    /// By the hash of the key: should two share it, one is not collapsed for a while.
    marks: LruCache<u64, (Mark, Timestamp), KeepHash>,
    objects: u64,
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            resources: LruCache::unbounded_with_hasher(KeepHash),
            keys: BTreeSet::new(),
            fills: HashMap::with_hasher(KeepHash),
            marks: LruCache::unbounded_with_hasher(KeepHash),
            objects: 0,
        }
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects
    }

    pub(super) fn fills(&self) -> u64 {
        self.fills.values().map(|fills| fills.len() as u64).sum()
    }

    /// Looks up, and counts as a use.
    pub(crate) fn find(&mut self, key: &Key, request: &HeaderMap) -> Found {
        let Some(variants) = self.resources.get(key) else { return Found::Nothing };
        match variants.iter().find(|stored| stored.face.selecting.matches(request)) {
            Some(stored) => Found::Stored(stored.clone()),
            None => Found::OtherVariants,
        }
    }

    /// Puts a fetch on the list.
    pub(crate) fn register(&mut self, key: &Arc<Key>, fill: &Arc<Fill>) {
        self.fills.entry(key.clone()).or_default().push(fill.clone());
    }

    /// Strikes a fetch from the list; false when it was not there.
    pub(super) fn release(&mut self, key: &Key, fill: &Arc<Fill>) -> bool {
        let Some(fills) = self.fills.get_mut(key) else { return false };
        let before = fills.len();
        fills.retain(|other| !Arc::ptr_eq(other, fill));
        let was_there = fills.len() < before;
        if fills.is_empty() {
            self.fills.remove(key);
        }
        was_there
    }

    /// A fetch whose answer a request with these headers can expect to share.
    pub(crate) fn join(&self, key: &Key, request: &HeaderMap) -> Option<Joined> {
        let fills = self.fills.get(key)?;
        let mut varies_by: Option<SmallVec<[HeaderName; 2]>> = None;
        let mut asking = None;
        for fill in fills.iter().filter(|fill| fill.joinable) {
            match fill.phase() {
                Phase::Asking => asking = asking.or(Some(fill)),
                Phase::Arriving { face, shared } => {
                    if shared && face.selecting.matches(request) {
                        return Some(Joined::Arriving(fill.clone(), face));
                    }
                    varies_by = Some(face.selecting.names().cloned().collect());
                }
                Phase::Ended(_) => {}
            }
        }
        asking?;
        // What the key's responses vary by tells which of those that are asked for will fit.
        let names = varies_by.or_else(|| {
            let newest = self.resources.peek(key)?.first()?;
            Some(newest.face.selecting.names().cloned().collect())
        });
        let names = names.unwrap_or_default();
        let fits = |fill: &&Arc<Fill>| Selecting::of(&names, &fill.request.headers, &HeaderMap::new()).matches(request);
        fills
            .iter()
            .filter(|fill| fill.joinable && matches!(fill.phase(), Phase::Asking))
            .find(fits)
            .cloned()
            .map(Joined::Asking)
    }

    /// Stores the answer of a fetch that is still on the list. Gives what it replaces, to be dropped outside the lock.
    pub(super) fn complete(&mut self, key: &Arc<Key>, fill: &Arc<Fill>, stored: Stored, most: usize) -> Vec<Stored> {
        if !self.release(key, fill) {
            return vec![stored];
        }
        let request = &fill.request.headers;
        let mut replaced = Vec::new();
        match self.resources.get_mut(&**key) {
            None => {
                self.keys.insert(key.clone());
                self.resources.put(key.clone(), SmallVec::from_iter([stored]));
                self.objects += 1;
            }
            Some(variants) => {
                let before = variants.len();
                // Older responses that this request would select are superseded (RFC 9111 section 4.1: the newest counts).
                for old in std::mem::take(variants) {
                    if old.face.selecting.matches(request) || variants.len() + 1 >= most {
                        replaced.push(old);
                    } else {
                        variants.push(old);
                    }
                }
                variants.insert(0, stored);
                self.objects = self.objects + variants.len() as u64 - before as u64;
            }
        }
        replaced
    }

    pub(super) fn remove(&mut self, key: &Key, stored: &Stored) -> Option<Stored> {
        let variants = self.resources.peek_mut(key)?;
        let index = variants.iter().position(|other| other.is(stored))?;
        let removed = variants.remove(index);
        self.objects -= 1;
        if variants.is_empty() {
            self.resources.pop(key);
            self.keys.remove(key);
        }
        Some(removed)
    }

    /// Evicts the key that was used least recently.
    pub(super) fn evict(&mut self) -> Option<Variants> {
        let (key, variants) = self.resources.pop_lru()?;
        self.keys.remove(&key);
        self.objects -= variants.len() as u64;
        Some(variants)
    }

    /// Why requests for `key` do not wait for each other, if they do not.
    pub(crate) fn marked(&mut self, key: &Key, now: Timestamp) -> Option<Mark> {
        let (mark, until) = *self.marks.peek(&key.hash())?;
        if now < until {
            return Some(mark);
        }
        self.marks.pop(&key.hash());
        None
    }

    pub(super) fn mark(&mut self, key: &Key, mark: Mark, until: Timestamp) {
        self.marks.put(key.hash(), (mark, until));
        if self.marks.len() > MARKS {
            self.marks.pop_lru();
        }
    }

    pub(super) fn unmark(&mut self, key: &Key) {
        self.marks.pop(&key.hash());
    }

    fn keys_in(&self, extent: &Extent) -> Vec<Arc<Key>> {
        match extent {
            Extent::All => self.keys.iter().cloned().collect(),
            Extent::From(prefix) => {
                let first = Key::probe(prefix);
                self.keys
                    .range::<Key, _>((Bound::Included(&first), Bound::Unbounded))
                    .take_while(|key| extent.holds(key))
                    .cloned()
                    .collect()
            }
        }
    }

    /// Strikes fetches from the list, those of unsafe methods only if `unsafe_too`.
    fn strike(&mut self, extent: &Extent, unsafe_too: bool) -> u64 {
        let mut struck = 0;
        self.fills.retain(|key, fills| {
            if extent.holds(key) {
                let before = fills.len();
                fills.retain(|fill| !unsafe_too && !fill.request.method.is_safe());
                struck += (before - fills.len()) as u64;
            }
            !fills.is_empty()
        });
        struck
    }

    pub(super) fn purge(&mut self, extent: &Extent, unsafe_too: bool) -> (Purged, Vec<Stored>) {
        let mut removed = Vec::new();
        for key in self.keys_in(extent) {
            self.keys.remove(&key);
            removed.extend(self.resources.pop(&*key).into_iter().flatten());
        }
        self.objects -= removed.len() as u64;
        let purged = Purged {
            objects: removed.len() as u64,
            bytes: removed.iter().map(Stored::weight).sum(),
            fills: self.strike(extent, unsafe_too),
        };
        (purged, removed)
    }

    /// Counts what a purge would remove, and names URLs until `examples` has `most` of them.
    pub(super) fn count(&self, extent: &Extent, examples: &mut Vec<String>, most: usize) -> Purged {
        let fills = self.fills.iter().filter(|(key, _)| extent.holds(key)).map(|(_, fills)| fills.len() as u64).sum();
        let mut counted = Purged { fills, ..Purged::default() };
        for key in self.keys_in(extent) {
            if examples.len() < most {
                examples.push(key.url());
            }
            for stored in self.resources.peek(&*key).into_iter().flatten() {
                counted.objects += 1;
                counted.bytes += stored.weight();
            }
        }
        counted
    }

    pub(super) fn expire(&mut self, extent: &Extent) -> Purged {
        let mut purged = Purged { fills: self.strike(extent, true), ..Purged::default() };
        for key in self.keys_in(extent) {
            for stored in self.resources.peek(&*key).into_iter().flatten() {
                stored.face.expire();
                purged.objects += 1;
                purged.bytes += stored.weight();
            }
        }
        purged
    }
}
