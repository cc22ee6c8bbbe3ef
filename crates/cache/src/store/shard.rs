//! One shard: what is stored, what is being fetched, what is known to be uncacheable.

use super::held::{Held, Tally};
use super::queues::Queues;
use super::shelf::{Filed, Shelf};
use super::tags::TagIndex;
use super::{Batch, Mark};
use crate::fill::state::{Fill, Phase};
use crate::key::{KeepHash, Key};
use crate::object::{Face, Stored};
use crate::policy::vary::Selecting;
use crate::tag::Tag;
use http::{HeaderMap, HeaderName};
use lru::LruCache;
use rimward_types::Timestamp;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Keys that one shard remembers as uncacheable; about 100 bytes each.
const MARKS: usize = 1024;
/// Fetches for one key that a request looks at to find one that it may share: each may be of another variant, and viewers
/// choose how many there are.
const MOST_JOINED: usize = 64;

/// The stored responses of one key, the newest first.
pub(super) type Variants = SmallVec<[Stored; 1]>;

/// What a lookup finds.
pub(crate) enum Found {
    /// A response that the request selects.
    Stored(Stored),
    /// One that is on disk alone.
    Filed(Arc<Filed>),
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

/// An object that is being written.
struct Filing {
    key: Arc<Key>,
    face: Arc<Face>,
    cancelled: bool,
}

/// What is known of a key for some time.
#[derive(Clone, Copy)]
struct Marked {
    mark: Mark,
    from: Timestamp,
    until: Timestamp,
}

/// What came of a fetch that ended.
#[derive(Default)]
pub(super) struct Outcome {
    /// Whether it is stored.
    pub(super) stored: bool,
    /// To be dropped outside the lock.
    pub(super) replaced: Vec<Stored>,
    pub(super) taken_out: Vec<Arc<Filed>>,
}

/// Objects that nobody finds any more, and that are in the lists still.
#[derive(Default)]
struct Hidden {
    in_memory: u64,
    on_disk: u64,
}

/// Objects that were evicted.
pub(super) struct Evicted(pub(super) u64);

pub(crate) struct Shard {
    /// What is in memory.
    resources: Queues,
    /// What is on disk.
    shelf: Shelf,
    /// What is being written.
    filings: Vec<Filing>,
    /// What is being read, by the file's number: those who ask for it wait.
    recalls: HashMap<u64, Arc<Fill>>,
    /// The keys of memory and disk in order, for purges.
    keys: BTreeMap<Arc<Key>, Arc<Held>>,
    tags: TagIndex,
    /// What a purge has removed and what is still in the lists above.
    removed: Vec<Arc<Held>>,
    /// How much that is.
    hidden: Hidden,
    /// What a purge has made stale and what does not say so yet.
    expired: Vec<Arc<Held>>,
    /// What was taken out of the lists since somebody came for it, to be dropped by the sweeper.
    swept: Batch,
    fills: HashMap<Arc<Key>, SmallVec<[Arc<Fill>; 1]>, KeepHash>,
    /// By the hash of the key: should two share it, one is not collapsed for a while.
    marks: LruCache<u64, Marked, KeepHash>,
    objects: u64,
}

impl Shard {
    /// For about `memory` bytes; those of what is in memory are counted in `stored`, too.
    pub(super) fn new(memory: usize, stored: Arc<AtomicU64>) -> Self {
        Self {
            resources: Queues::new(memory, stored),
            shelf: Shelf::new(),
            filings: Vec::new(),
            recalls: HashMap::new(),
            keys: BTreeMap::new(),
            tags: TagIndex::default(),
            removed: Vec::new(),
            hidden: Hidden::default(),
            expired: Vec::new(),
            swept: Batch::default(),
            fills: HashMap::with_hasher(KeepHash),
            marks: LruCache::unbounded_with_hasher(KeepHash),
            objects: 0,
        }
    }

    /// Bytes that it takes from the beginning to the end.
    pub(super) fn weight(&self) -> usize {
        self.resources.weight()
    }

    #[cfg(test)]
    pub(super) fn has_no_tags(&self) -> bool {
        self.tags.is_empty()
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects - self.hidden.in_memory
    }

    pub(super) fn filed(&self) -> u64 {
        self.shelf.objects() - self.hidden.on_disk
    }

    pub(super) fn fills(&self) -> u64 {
        self.fills.values().map(|fills| fills.len() as u64).sum()
    }

    /// Looks up, and counts as a use.
    pub(crate) fn find(&mut self, key: &Key, request: &HeaderMap) -> Found {
        self.settle(key);
        let Some(variants) = self.resources.find(key) else { return Found::Nothing };
        match variants.iter().find(|stored| stored.face.selecting.matches(request)) {
            Some(stored) => Found::Stored(stored.clone()),
            None => Found::OtherVariants,
        }
    }

    /// Every stored response of `key`, the newest first.
    pub(crate) fn variants(&mut self, key: &Key) -> Vec<Stored> {
        self.settle(key);
        self.resources.get(key).to_vec()
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

    pub(super) fn is_listed(&self, key: &Key, fill: &Arc<Fill>) -> bool {
        self.fills.get(key).is_some_and(|fills| fills.iter().any(|other| Arc::ptr_eq(other, fill)))
    }

    /// A fetch whose answer a request with these headers can expect to share.
    pub(crate) fn join(&self, key: &Key, request: &HeaderMap) -> Option<Joined> {
        let fills = self.fills.get(key)?;
        let mut varies_by: Option<SmallVec<[HeaderName; 2]>> = None;
        let mut asking = None;
        for fill in fills.iter().filter(|fill| fill.is_joinable()).take(MOST_JOINED) {
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
            let newest = self.resources.get(key).first()?;
            Some(newest.face.selecting.names().cloned().collect())
        });
        let names = names.unwrap_or_default();
        let fits = |fill: &&Arc<Fill>| Selecting::of(&names, &fill.request.headers, &HeaderMap::new()).matches(request);
        fills
            .iter()
            .filter(|fill| fill.is_joinable() && matches!(fill.phase(), Phase::Asking))
            .take(MOST_JOINED)
            .find(fits)
            .cloned()
            .map(Joined::Asking)
    }

    /// Stores the answer of a fetch that is still on the list and that no purge means. `filed` is its entry on disk,
    /// when it has a file already. `most` variants are kept.
    pub(super) fn complete(
        &mut self,
        key: &Arc<Key>,
        fill: &Arc<Fill>,
        stored: Stored,
        filed: Option<Arc<Filed>>,
        most: usize,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        if !self.release(key, fill) || fill.is_purged(key, &stored.face) {
            outcome.replaced.push(stored);
            outcome.taken_out.extend(filed);
            return outcome;
        }
        outcome.stored = true;
        self.settle(key);
        let request = &fill.request.headers;
        self.cancel(|filing| *filing.key == **key && filing.face.selecting.matches(request));
        let own = filed.as_ref().map(|filed| filed.object.id());
        let superseded = self.shelf.remove(key, |other| other.matches(request) || Some(other.object.id()) == own);
        // The object whose head is new keeps its file.
        let (_, gone): (Vec<_>, Vec<_>) = superseded.into_iter().partition(|other| Some(other.object.id()) == own);
        outcome.taken_out.extend(gone);
        stored.face.set_file(own.unwrap_or(0));
        let held = self.held(key);
        self.tags.insert(&held, &stored.face.tags);
        if let Some(filed) = filed {
            self.shelve(filed, most, &mut outcome.taken_out);
        }
        match self.resources.get_mut(key) {
            None => {
                self.resources.insert(key.clone(), SmallVec::from_iter([stored]));
                self.objects += 1;
            }
            Some(variants) => {
                let before = variants.len();
                // Older responses that this request would select are superseded (RFC 9111 section 4.1: the newest counts).
                for old in std::mem::take(variants) {
                    if old.face.selecting.matches(request) || variants.len() + 1 >= most {
                        outcome.replaced.push(old);
                    } else {
                        variants.push(old);
                    }
                }
                variants.insert(0, stored);
                self.objects = self.objects + variants.len() as u64 - before as u64;
            }
        }
        self.untag(key, &outcome.replaced, &outcome.taken_out);
        self.recount(key);
        outcome
    }

    /// Removes a response from memory and disk.
    pub(super) fn remove(&mut self, key: &Key, stored: &Stored) -> (Option<Stored>, Vec<Arc<Filed>>) {
        self.settle(key);
        self.cancel(|filing| Arc::ptr_eq(&filing.face, &stored.face));
        let id = stored.face.file();
        let filed = self.shelf.remove(key, |filed| filed.object.id() == id).to_vec();
        let removed = self.take_out(key, |other| other.is(stored));
        self.untag(key, removed.as_slice(), &filed);
        self.recount(key);
        (removed, filed)
    }

    /// Takes one response out of memory alone.
    fn take_out(&mut self, key: &Key, is_meant: impl Fn(&Stored) -> bool) -> Option<Stored> {
        let variants = self.resources.get_mut(key)?;
        let index = variants.iter().position(is_meant)?;
        let removed = variants.remove(index);
        self.objects -= 1;
        if variants.is_empty() {
            self.resources.remove(key);
        }
        Some(removed)
    }

    /// Evicts the key that is worth least from memory; what a purge has removed goes first, and does not count
    /// as evicted. What is only stale is evicted as anything else. `None`: there is nothing.
    pub(super) fn evict(&mut self) -> Option<(Batch, Evicted)> {
        if !self.removed.is_empty() {
            let swept = self.sweep_removed(1);
            // Somebody may have come before.
            if !swept.is_empty() {
                return Some((swept, Evicted(0)));
            }
        }
        let key = self.resources.next_out()?;
        // What is on disk stays, and must know what was decided on it.
        self.settle(&key);
        let mut batch = std::mem::take(&mut self.swept);
        let variants = self.resources.evict(&key).unwrap_or_default();
        self.objects -= variants.len() as u64;
        // On disk it was used as recently as in memory.
        self.shelf.touch(&key);
        self.untag(&key, &variants, &[]);
        self.recount(&key);
        let evicted = Evicted(variants.len() as u64);
        batch.removed.extend(variants);
        Some((batch, evicted))
    }

    /// Takes the tags of what is gone from `key`, save for those that what is left has too.
    fn untag(&mut self, key: &Key, gone: &[Stored], filed: &[Arc<Filed>]) {
        let lost = gone.iter().flat_map(|stored| &stored.face.tags).chain(filed.iter().flat_map(|filed| &filed.tags));
        let mut lost = lost.peekable();
        if lost.peek().is_none() {
            return;
        }
        let Some(held) = self.keys.get(key) else { return };
        let variants = self.resources.get(key);
        let shelved = self.shelf.get(key);
        let is_left = |tag: &&Tag| {
            variants.iter().any(|stored| stored.face.tags.contains(tag))
                || shelved.iter().any(|filed| filed.tags.contains(tag))
        };
        self.tags.remove(held, lost.filter(|tag| !is_left(tag)));
    }

    /// Why requests for `key` do not wait for each other, if they do not.
    pub(crate) fn marked(&mut self, key: &Key, now: Timestamp) -> Option<Mark> {
        let Marked { mark, from, until } = *self.marks.peek(&key.hash())?;
        // A clock that went back must not make it last longer.
        if (from..until).contains(&now) {
            return Some(mark);
        }
        self.marks.pop(&key.hash());
        None
    }

    pub(super) fn mark(&mut self, key: &Key, mark: Mark, from: Timestamp, until: Timestamp) {
        self.marks.put(key.hash(), Marked { mark, from, until });
        if self.marks.len() > MARKS {
            self.marks.pop_lru();
        }
    }

    pub(super) fn unmark(&mut self, key: &Key) {
        self.marks.pop(&key.hash());
    }
}

/// What is in both tiers counts once.
fn counted(stored: &[Stored], filed: &[Arc<Filed>]) -> Tally {
    let mut tally = Tally { in_memory: stored.len() as u32, on_disk: filed.len() as u32, ..Tally::default() };
    for stored in stored {
        tally.objects += 1;
        tally.bytes += stored.weight();
    }
    for filed in filed.iter().filter(|filed| stored.iter().all(|other| other.face.file() != filed.object.id())) {
        tally.objects += 1;
        tally.bytes += filed.object.length();
    }
    tally
}

mod disk;
mod purge;
