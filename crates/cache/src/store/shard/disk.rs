//! A shard's dealings with the disk.

use super::{Filing, Shard};
use crate::disk::ObjectFile;
use crate::fill::state::Fill;
use crate::key::Key;
use crate::object::{Content, Face, Stored};
use crate::store::Batch;
use crate::store::held::Fate;
use crate::store::shelf::Filed;
use http::HeaderMap;
use smallvec::SmallVec;
use std::sync::Arc;

/// Keys that are swept at once where room on the disk is needed, about 50 µs.
const SOME: usize = 16;

impl Shard {
    /// What is on disk for a request.
    pub(in crate::store) fn find_filed(&mut self, key: &Key, request: &HeaderMap) -> Option<Arc<Filed>> {
        self.settle(key);
        self.shelf.find(key, request).cloned()
    }

    /// As [`Shard::find_filed`], without counting as a use.
    pub(in crate::store) fn peek_filed(&mut self, key: &Key, request: &HeaderMap) -> Option<Arc<Filed>> {
        self.settle(key);
        self.shelf.get(key).iter().find(|filed| filed.matches(request)).cloned()
    }

    /// An object is going to be written.
    pub(in crate::store) fn begin_filing(&mut self, key: Arc<Key>, face: Arc<Face>) {
        self.filings.push(Filing { key, face, cancelled: false });
    }

    /// Marks what is being written and is not wanted any more. Tells whether there was any.
    pub(super) fn cancel(&mut self, is_meant: impl Fn(&Filing) -> bool) -> bool {
        let mut any = false;
        for filing in self.filings.iter_mut().filter(|filing| is_meant(filing)) {
            filing.cancelled = true;
            any = true;
        }
        any
    }

    /// An object was written, or could not be. Gives what is to be doomed: what was written, when it is not wanted any
    /// more, or what had to make room.
    pub(in crate::store) fn end_filing(
        &mut self,
        face: &Arc<Face>,
        filed: Option<Arc<Filed>>,
        most: usize,
    ) -> Vec<Arc<Filed>> {
        let mut unwanted = Vec::new();
        let Some(at) = self.filings.iter().position(|filing| Arc::ptr_eq(&filing.face, face)) else {
            return filed.into_iter().collect();
        };
        let Filing { key, cancelled, .. } = self.filings.swap_remove(at);
        self.settle(&key);
        face.set_file(0);
        match filed {
            Some(filed) if cancelled => unwanted.push(filed),
            Some(filed) => {
                face.set_file(filed.object.id());
                if face.is_expired() {
                    filed.expire();
                }
                let superseded = self.shelf.remove(&key, |other| other.selects_as(&filed));
                unwanted.extend(superseded);
                self.shelve(filed, most, &mut unwanted);
                self.untag(&key, &[], &unwanted);
                self.recount(&key);
            }
            None => {}
        }
        unwanted
    }

    /// Puts an entry on the shelf; what is too many goes to `taken_out`.
    pub(super) fn shelve(&mut self, filed: Arc<Filed>, most: usize, taken_out: &mut Vec<Arc<Filed>>) {
        let key = filed.object.key.clone();
        let held = self.held(&key);
        self.tags.insert(&held, &filed.tags);
        self.shelf.insert(filed);
        let oldest = self.shelf.get(&key).get(most).map(|filed| filed.object.id());
        if let Some(oldest) = oldest {
            taken_out.extend(self.shelf.remove(&key, |filed| filed.object.id() == oldest));
        }
    }

    /// Takes in what an earlier run has left, unless there is something newer. Gives what is not wanted.
    pub(in crate::store) fn recover(&mut self, filed: Arc<Filed>) -> Option<Arc<Filed>> {
        let key = filed.object.key.clone();
        self.settle(&key);
        let mut is_old = false;
        let older = self.shelf.remove(&key, |other| {
            let is_same = other.selects_as(&filed);
            is_old |= is_same && other.object.id() > filed.object.id();
            is_same && other.object.id() < filed.object.id()
        });
        if is_old {
            return Some(filed);
        }
        let held = self.held(&key);
        self.tags.insert(&held, &filed.tags);
        self.shelf.insert_old(filed);
        self.untag(&key, &[], &older);
        self.recount(&key);
        older.into_iter().next()
    }

    /// A read of `id` that others may wait for.
    pub(in crate::store) fn recall(&self, id: u64) -> Option<&Arc<Fill>> {
        self.recalls.get(&id)
    }

    pub(in crate::store) fn begin_recall(&mut self, id: u64, fill: Arc<Fill>) {
        self.recalls.insert(id, fill);
    }

    /// A read has ended; what was read is in memory now, unless it is gone from the disk meanwhile.
    pub(in crate::store) fn end_recall(&mut self, filed: &Arc<Filed>, stored: Option<Stored>) -> Option<Stored> {
        self.recalls.remove(&filed.object.id());
        let stored = stored?;
        let key = &filed.object.key;
        self.settle(key);
        let is_there = self.shelf.get(key).iter().any(|other| Arc::ptr_eq(other, filed));
        let is_known = self.resources.get(key).iter().any(|other| other.face.file() == filed.object.id());
        if !is_there || is_known {
            return Some(stored);
        }
        if filed.is_expired() {
            stored.face.expire();
        }
        self.objects += 1;
        match self.resources.get_mut(key) {
            Some(variants) => variants.push(stored),
            None => {
                self.resources.insert(key.clone(), SmallVec::from_iter([stored]));
            }
        }
        self.recount(key);
        None
    }

    /// The body of what is in memory by its head alone has been read. Gives what it replaces.
    pub(in crate::store) fn promote(&mut self, key: &Key, face: &Arc<Face>, content: Content) -> Option<Content> {
        self.settle(key);
        let variants = self.resources.get_mut(key)?;
        let replaced = match variants.iter_mut().find(|stored| Arc::ptr_eq(&stored.face, face)) {
            Some(stored) => std::mem::replace(&mut stored.content, content),
            None => content,
        };
        self.recount(key);
        Some(replaced)
    }

    /// Takes out some of what purges have removed, when some of it is on the disk: it need not be the first that is met. What
    /// was swept since somebody came for it has its files as long as it waits here.
    pub(in crate::store) fn sweep_files(&mut self) -> Option<Batch> {
        let any = self.hidden.on_disk > 0 || !self.swept.taken_out.is_empty();
        any.then(|| self.sweep_removed(SOME))
    }

    /// Takes the key that was used least recently from the disk. `None`: there is nothing.
    pub(in crate::store) fn evict_file(&mut self) -> Option<Batch> {
        let key = self.shelf.next_out()?;
        // What is in memory stays, and must know what was decided on it.
        self.settle(&key);
        let mut removed = Vec::new();
        let filed = self.shelf.remove(&key, |_| true);
        removed.extend(self.forget_files(&key, &filed));
        Some(Batch { removed, taken_out: filed.to_vec() })
    }

    /// Takes an object from the disk that cannot be read.
    pub(in crate::store) fn discard(&mut self, object: &Arc<ObjectFile>) -> (Vec<Arc<Filed>>, Vec<Stored>) {
        self.settle(&object.key);
        let filed = self.shelf.remove(&object.key, |filed| filed.object.id() == object.id());
        let unread = self.forget_files(&object.key, &filed);
        (filed.to_vec(), unread)
    }

    /// `filed` is gone from the shelf: what is in memory forgets it, and what has its body there alone goes too.
    fn forget_files(&mut self, key: &Key, filed: &[Arc<Filed>]) -> Vec<Stored> {
        let mut unread = Vec::new();
        for filed in filed {
            let id = filed.object.id();
            let variants = self.resources.get(key);
            variants.iter().filter(|stored| stored.face.file() == id).for_each(|stored| stored.face.set_file(0));
            unread.extend(
                self.take_out(key, |stored| matches!(&stored.content, Content::Filed(object) if object.id() == id)),
            );
        }
        self.untag(key, &unread, filed);
        self.recount(key);
        unread
    }

    /// The numbers of the files whose objects are stale by a purge.
    pub(in crate::store) fn stale_files(&self, out: &mut Vec<u64>) {
        out.extend(self.shelf.iter().filter(|filed| filed.is_expired()).map(|filed| filed.object.id()));
        self.condemned_files(Fate::Expired, out);
    }

    /// Makes a response stale in both tiers; gives its object on disk.
    pub(in crate::store) fn make_stale(&mut self, key: &Key, face: &Face) -> Option<Arc<ObjectFile>> {
        self.settle(key);
        face.expire();
        let filed = self.shelf.get(key).iter().find(|filed| filed.object.id() == face.file())?;
        filed.expire();
        Some(filed.object.clone())
    }

    /// The entry of the file that the body of `stored` is in.
    pub(in crate::store) fn entry_of(&mut self, key: &Key, content: &Content) -> Option<Arc<Filed>> {
        self.settle(key);
        let id = match content {
            Content::Filed(object) => object.id(),
            memory => {
                let variants = self.resources.get(key);
                variants.iter().find(|other| other.content.is(memory))?.face.file()
            }
        };
        self.shelf.get(key).iter().find(|filed| filed.object.id() == id).cloned()
    }
}
