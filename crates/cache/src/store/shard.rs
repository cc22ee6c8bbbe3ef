//! One shard: what is stored, what is being fetched, what is known to be uncacheable.

use super::Mark;
use super::extent::{Extent, Meant};
use super::tags::TagIndex;
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
    tags: TagIndex,
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
            tags: TagIndex::default(),
            fills: HashMap::with_hasher(KeepHash),
            marks: LruCache::unbounded_with_hasher(KeepHash),
            objects: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn has_no_tags(&self) -> bool {
        self.tags.is_empty()
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

    /// Every stored response of `key`, the newest first.
    pub(crate) fn variants(&self, key: &Key) -> Vec<Stored> {
        self.resources.peek(key).map(|variants| variants.to_vec()).unwrap_or_default()
    }

    pub(super) fn fetching(&self, key: &Key) -> usize {
        self.fills.get(key).map_or(0, SmallVec::len)
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
        for fill in fills.iter().filter(|fill| fill.is_joinable()) {
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
            .filter(|fill| fill.is_joinable() && matches!(fill.phase(), Phase::Asking))
            .find(fits)
            .cloned()
            .map(Joined::Asking)
    }

    /// Stores the answer of a fetch that is still on the list and that no purge means. Gives what it replaces, to be
    /// dropped outside the lock.
    pub(super) fn complete(&mut self, key: &Arc<Key>, fill: &Arc<Fill>, stored: Stored, most: usize) -> Vec<Stored> {
        if !self.release(key, fill) || fill.is_purged(key, &stored.face) {
            return vec![stored];
        }
        let request = &fill.request.headers;
        let mut replaced = Vec::new();
        let tags = stored.face.clone();
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
                untag(&mut self.tags, key, &replaced, variants);
            }
        }
        self.tags.insert(key, &tags.tags);
        replaced
    }

    pub(super) fn remove(&mut self, key: &Key, stored: &Stored) -> Option<Stored> {
        let variants = self.resources.peek_mut(key)?;
        let index = variants.iter().position(|other| other.is(stored))?;
        let removed = variants.remove(index);
        self.objects -= 1;
        untag(&mut self.tags, key, std::slice::from_ref(&removed), variants);
        if variants.is_empty() {
            self.resources.pop(key);
            self.keys.remove(key);
        }
        Some(removed)
    }

    /// Evicts the key that was used least recently.
    pub(super) fn evict(&mut self) -> Option<Variants> {
        let (key, variants) = self.resources.pop_lru()?;
        self.forget(&key, &variants);
        Some(variants)
    }

    /// `key` has had `variants`, and has nothing any more.
    fn forget(&mut self, key: &Key, variants: &[Stored]) {
        self.keys.remove(key);
        self.objects -= variants.len() as u64;
        untag(&mut self.tags, key, variants, &[]);
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

    /// The keys that `extent` means.
    pub(super) fn keys_in(&self, extent: &Extent) -> Vec<Arc<Key>> {
        match extent {
            Extent::All => self.keys.iter().cloned().collect(),
            Extent::Tag(_, name) => self.tags.keys(name),
            Extent::From(prefix) | Extent::Host(prefix, _) => {
                let first = Key::probe(prefix);
                self.keys
                    .range::<Key, _>((Bound::Included(&first), Bound::Unbounded))
                    .take_while(|key| key.as_bytes().starts_with(prefix))
                    .filter(|key| extent.admits(key))
                    .cloned()
                    .collect()
            }
        }
    }

    /// How many fetches `extent` means, as far as is known.
    pub(super) fn fills_in(&self, extent: &Extent) -> u64 {
        let meant = |key: &Key, fill: &Arc<Fill>| extent.means(key, fill.face().as_deref()) == Meant::Yes;
        self.fills.iter().map(|(key, fills)| fills.iter().filter(|fill| meant(key, fill)).count() as u64).sum()
    }

    /// Strikes fetches from the list, those of unsafe methods only if `unsafe_too`. A fetch whose head will tell goes
    /// on, and nobody new waits for it.
    pub(super) fn strike(&mut self, extent: &Arc<Extent>, unsafe_too: bool) -> u64 {
        let mut struck = 0;
        self.fills.retain(|key, fills| {
            let before = fills.len();
            fills.retain(|fill| {
                let is_spared = !unsafe_too && !fill.request.method.is_safe();
                is_spared
                    || match extent.means(key, fill.face().as_deref()) {
                        Meant::Yes => false,
                        Meant::No => true,
                        Meant::Perhaps => fill.doubt(extent),
                    }
            });
            struck += (before - fills.len()) as u64;
            !fills.is_empty()
        });
        struck
    }

    /// Removes what is stored under `keys`.
    pub(super) fn purge(&mut self, keys: &[Arc<Key>]) -> (Purged, Vec<Stored>) {
        let mut removed = Vec::new();
        for key in keys {
            if let Some(variants) = self.resources.pop(&**key) {
                self.forget(key, &variants);
                removed.extend(variants);
            }
        }
        (counted(&removed), removed)
    }

    /// Counts what is stored under `keys`.
    pub(super) fn count(&self, keys: &[Arc<Key>]) -> Purged {
        counted(self.stored(keys))
    }

    /// Makes stale what is stored under `keys`.
    pub(super) fn expire(&mut self, keys: &[Arc<Key>]) -> Purged {
        self.stored(keys).for_each(|stored| stored.face.expire());
        counted(self.stored(keys))
    }

    fn stored<'a>(&'a self, keys: &'a [Arc<Key>]) -> impl Iterator<Item = &'a Stored> {
        keys.iter().filter_map(|key| self.resources.peek(&**key)).flatten()
    }
}

fn counted<'a>(stored: impl IntoIterator<Item = &'a Stored>) -> Purged {
    let mut counted = Purged::default();
    for stored in stored {
        counted.objects += 1;
        counted.bytes += stored.weight();
    }
    counted
}

/// Takes the tags of `gone` from `key`, save for those that `left` have too.
fn untag(tags: &mut TagIndex, key: &Key, gone: &[Stored], left: &[Stored]) {
    let lost = gone.iter().flat_map(|stored| &stored.face.tags);
    tags.remove(key, lost.filter(|tag| !left.iter().any(|stored| stored.face.tags.contains(tag))));
}
