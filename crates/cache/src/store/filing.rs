//! What goes from memory to disk and back.

use super::shard::{Found, Shard};
use super::shelf::Filed;
use super::{Batch, Store};
use crate::disk::writing::Writing;
use crate::disk::{Disk, ObjectFile, Unreadable};
use crate::fill::state::{Ended, Fill};
use crate::key::Key;
use crate::object::{Content, Face, Stored};
use bytes::Bytes;
use http::HeaderMap;
use rimward_types::RequestHead;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// Up to this size a body is read into memory with its head.
const READ_WHOLE: u64 = 256 << 10;
/// A larger body is read into memory at its third hit since its head was.
const PROMOTE_AT: u32 = 2;
/// Bodies are kept in memory in pieces of this size.
const BLOCK: u64 = 256 << 10;
/// What cannot be read is asked of the origin for as long, before it is tried again.
const REST: Duration = Duration::from_secs(5);

impl Store {
    /// Looks up in memory, then on disk, and counts as a use.
    pub(crate) fn find(self: &Arc<Self>, shard: &mut Shard, key: &Key, request: &HeaderMap) -> Found {
        let found = shard.find(key, request);
        let Some(disk) = &self.disk else { return found };
        match found {
            Found::Stored(stored) => {
                self.count_use(disk, shard, key, &stored);
                Found::Stored(stored)
            }
            nothing => match shard.find_filed(key, request) {
                Some(filed) if !filed.is_resting(self.now()) => Found::Filed(filed),
                _ => nothing,
            },
        }
    }

    /// The second request for an object shows that it is worth a write; further ones that it is worth memory.
    fn count_use(self: &Arc<Self>, disk: &Arc<Disk>, shard: &mut Shard, key: &Key, stored: &Stored) {
        let uses = stored.face.count_use();
        if let Content::Filed(object) = &stored.content {
            if uses == PROMOTE_AT && object.length() <= self.max_in_memory() {
                self.promote(disk, stored.face.clone(), object.clone());
            }
            return;
        }
        if stored.face.file() == 0 && disk.accepts(stored.content.length()) {
            self.file(disk, shard, key, stored);
        }
    }

    fn file(self: &Arc<Self>, disk: &Arc<Disk>, shard: &mut Shard, key: &Key, stored: &Stored) {
        let key = Arc::new(key.clone());
        let face = stored.face.clone();
        let (store, disk_, content, key_) = (self.clone(), disk.clone(), stored.content.clone(), key.clone());
        let seq = disk.next_number();
        face.set_file(Face::BEING_FILED);
        shard.begin_filing(key, face.clone());
        let face_ = face.clone();
        let queued = disk.write(move || {
            let written = write(&disk_, seq, &key_, &face_, &content);
            store.filed(&disk_, &key_, &face_, written);
        });
        if !queued {
            let nothing = shard.end_filing(&face, None, self.options.variants);
            debug_assert!(nothing.is_empty());
        }
    }

    /// A write has ended. Blocks no shorter than a shard's lock.
    fn filed(&self, disk: &Arc<Disk>, key: &Key, face: &Arc<Face>, written: Result<Arc<ObjectFile>, Unreadable>) {
        let (object, result) = match written {
            Ok(object) => (Some(object), Ok(())),
            Err(error) => (None, Err(error)),
        };
        disk.note_write(&result);
        let filed = object.and_then(|object| self.entry(disk, &object, face));
        if filed.is_some() {
            disk.counters.written.fetch_add(1, Ordering::Relaxed);
        }
        let unwanted = self.shard(key).end_filing(face, filed, self.options.variants.max(1));
        doom(&unwanted);
    }

    /// An entry of the index for `object`; without memory for it the object is doomed. No shard may be locked.
    pub(super) fn entry(&self, disk: &Disk, object: &Arc<ObjectFile>, face: &Face) -> Option<Arc<Filed>> {
        let weight = Filed::weight(&object.key, &face.selecting, &face.tags);
        let Some(rooms) = disk.index_room(self, weight) else {
            object.doom();
            return None;
        };
        Some(Filed::new(object.clone(), &face.selecting, face.tags.clone(), face.is_expired(), rooms))
    }

    /// The entry on disk that `stored` will have: anew for a body that is there already, since its head is new; and the
    /// object whose head must be written again. No shard may be locked.
    pub(super) fn entry_for(
        &self,
        disk: &Disk,
        key: &Key,
        stored: &Stored,
    ) -> (Option<Arc<Filed>>, Option<Arc<ObjectFile>>) {
        let old = self.shard(key).entry_of(key, &stored.content).map(|filed| filed.object.clone());
        let object = match (&old, &stored.content) {
            (Some(old), _) => old.clone(),
            (None, Content::Filed(object)) => object.clone(),
            (None, _) => return (None, None),
        };
        (self.entry(disk, &object, &stored.face), old)
    }

    /// Reads what is on disk alone; `None` when too many wait for the disk. Others join.
    pub(crate) fn recall(
        self: &Arc<Self>,
        shard: &mut Shard,
        filed: &Arc<Filed>,
        request: &RequestHead,
    ) -> Option<Arc<Fill>> {
        let id = filed.object.id();
        if let Some(fill) = shard.recall(id) {
            return Some(fill.clone());
        }
        let disk = self.disk.as_ref()?;
        let fill = Fill::new(Arc::new(request.clone()), false, 0);
        let (store, filed_, fill_) = (self.clone(), filed.clone(), fill.clone());
        // Made on the thread of the disk: its end takes the shard's lock, and tells those who wait even after a panic.
        let queued = disk.read(move || Recall { store, filed: filed_, fill: fill_, stored: None }.run());
        if !queued {
            return None;
        }
        shard.begin_recall(id, fill.clone());
        Some(fill)
    }

    /// What is on disk for a request, without reading its body. Does not count as a use.
    pub(crate) async fn look_on_disk(&self, key: &Key, request: &HeaderMap) -> Option<Stored> {
        let disk = self.disk.as_ref()?;
        let filed = self.shard(key).peek_filed(key, request)?;
        let (sender, receiver) = oneshot::channel();
        let object = filed.object.clone();
        disk.read(move || {
            let told = object.open().and_then(|file| object.read_head(&file));
            // Whoever asked may have left.
            let _ = sender.send(told.ok());
        });
        let told = receiver.await.ok().flatten()?;
        let face = Face::from_parts(told.parts, filed.object.id(), self, self.no_room())?;
        if filed.is_expired() {
            face.expire();
        }
        Some(Stored { face: Arc::new(face), content: Content::Filed(filed.object.clone()) })
    }

    fn read_back(&self, filed: &Filed) -> Result<Stored, Unreadable> {
        let object = &filed.object;
        let file = object.open()?;
        let told = object.read_head(&file)?;
        let room = self.reserve(told.weight).ok_or(Unreadable::Busy)?;
        let content = match object.length() {
            0 => Content::Whole(Bytes::new()),
            length if length <= READ_WHOLE => Content::Whole(object.read(&file, 0, length)?),
            _ => Content::Filed(object.clone()),
        };
        let face = Face::from_parts(told.parts, object.id(), self, room).ok_or(Unreadable::Busy)?;
        Ok(Stored { face: Arc::new(face), content })
    }

    /// Reads a body into memory.
    fn promote(self: &Arc<Self>, disk: &Disk, face: Arc<Face>, object: Arc<ObjectFile>) {
        let store = self.clone();
        disk.read(move || {
            let read = || -> Result<Vec<Bytes>, Unreadable> {
                let file = object.open()?;
                let starts = (0..object.length()).step_by(BLOCK as usize);
                starts.map(|at| object.read(&file, at, BLOCK)).collect()
            };
            match read() {
                Ok(blocks) => {
                    let content = Content::Blocks(store.pieces(blocks, object.length()));
                    let replaced = store.shard(&object.key).promote(&object.key, &face, content);
                    drop(replaced);
                }
                Err(error) => store.discard(&object, &error),
            }
        });
    }

    /// An object could not be read: it is removed, if it is of no use any more.
    pub(crate) fn discard(&self, object: &Arc<ObjectFile>, error: &Unreadable) {
        let Some(disk) = &self.disk else { return };
        tracing::warn!(url = object.key.parts().url, %error, "what is stored on the disk cannot be read");
        if disk.note_unreadable(error) {
            let (gone, unread) = self.shard(&object.key).discard(object);
            doom(&gone);
            drop(unread);
        }
    }

    /// Gives room on the disk: what purges have removed in any shard, else the least recently used key of the next shard
    /// that has one. False: there is nothing. True may be for nothing yet, and then there is less to look through.
    pub(crate) fn evict_file(&self) -> bool {
        let purged = self.shards.iter().find_map(|shard| shard.lock().sweep_files());
        let Some(Batch { removed, taken_out }) = purged.or_else(|| self.evict_live_file()) else { return false };
        doom(&taken_out);
        drop(removed);
        true
    }

    fn evict_live_file(&self) -> Option<Batch> {
        let count = self.shards.len();
        let first = self.cursor.fetch_add(1, Ordering::Relaxed);
        let batch = (0..count).find_map(|i| self.shards[first.wrapping_add(i) & (count - 1)].lock().evict_file())?;
        if let Some(disk) = &self.disk {
            disk.counters.evicted.fetch_add(batch.taken_out.len() as u64, Ordering::Relaxed);
        }
        Some(batch)
    }

    /// Takes in what an earlier run has left. `seq` is its number among the purges.
    pub(crate) fn recover(&self, filed: Arc<Filed>, seq: u64) {
        let key = filed.object.key.clone();
        let unwanted = {
            let mut shard = self.shard(&key);
            match self.meanwhile.lock().judge(&key, seq, &filed) {
                true => shard.recover(filed),
                false => Some(filed),
            }
        };
        doom(unwanted.as_slice());
    }

    /// Nothing more is taken in.
    pub(crate) fn end_recovery(&self) {
        self.meanwhile.lock().clear();
    }

    pub(crate) fn stale_files(&self) -> Vec<u64> {
        let mut stale = Vec::new();
        for shard in &self.shards {
            shard.lock().stale_files(&mut stale);
        }
        stale
    }

    /// Writes the new head of what is on disk already.
    pub(super) fn renew(&self, disk: &Arc<Disk>, key: &Arc<Key>, face: &Arc<Face>, object: Arc<ObjectFile>) {
        let (disk_, key, face) = (disk.clone(), key.clone(), face.clone());
        let seq = disk.next_number();
        disk.write(move || {
            let result = disk_.update_head(&object, seq, &key, &face);
            disk_.note_write(&result);
        });
    }

    /// What a fetch writes while it arrives; `None` when it is not worth it.
    pub(crate) fn may_spool(&self, key: &Key, expected: Option<u64>) -> Option<&Arc<Disk>> {
        let disk = self.disk.as_ref()?;
        let length = expected.unwrap_or(self.max_in_memory());
        let is_known = self.frequency.estimate(key.hash()) >= 2;
        (disk.accepts(length) && (is_known || disk.has_free(length))).then_some(disk)
    }
}

/// Reads an object for those who wait for it; tells them in any case.
struct Recall {
    store: Arc<Store>,
    filed: Arc<Filed>,
    fill: Arc<Fill>,
    stored: Option<Stored>,
}

impl Recall {
    fn run(mut self) {
        match self.store.read_back(&self.filed) {
            Ok(stored) => {
                if let Some(disk) = &self.store.disk {
                    disk.counters.read.fetch_add(1, Ordering::Relaxed);
                }
                self.stored = Some(stored);
            }
            Err(error) => {
                self.filed.rest_until(self.store.now().plus(REST));
                self.store.discard(&self.filed.object, &error);
            }
        }
    }
}

impl Drop for Recall {
    fn drop(&mut self) {
        let unwanted = self.store.shard(&self.filed.object.key).end_recall(&self.filed, self.stored.take());
        drop(unwanted);
        // They begin again, and find it in memory, or nothing.
        self.fill.finish(Ended::Abandoned);
    }
}

fn write(
    disk: &Arc<Disk>,
    seq: u64,
    key: &Arc<Key>,
    face: &Face,
    content: &Content,
) -> Result<Arc<ObjectFile>, Unreadable> {
    let mut writing = Writing::create(disk, seq)?;
    match content {
        Content::Whole(bytes) => writing.push(bytes)?,
        Content::Blocks(pieces) => pieces.blocks().iter().try_for_each(|block| writing.push(block))?,
        Content::Filed(_) => {}
    }
    writing.finish(seq, key, face)
}

/// Files of `gone` are removed once nobody reads them.
pub(super) fn doom(gone: &[Arc<Filed>]) {
    gone.iter().for_each(|filed| filed.object.doom());
}
