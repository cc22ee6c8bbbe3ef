//! A store: reads that never wait, contents that are replaced as a whole.

use crate::disk::{About, Disk};
use crate::write::{Batch, ETag, IfMatch, NotWritten, Written};
use crate::{Followed, InvalidStore, Pairs, Seed};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rimward_types::{ByteSize, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A key value store in memory, with a database behind it that has every write before anybody reads it. Shared as
/// `Arc<Store>`: who holds it sees new contents.
#[derive(Debug)]
pub struct Store {
    contents: ArcSwap<Contents>,
    /// Bytes of keys and values that writes may lead to.
    limit: AtomicU64,
    /// Held by the one who writes; `None` for a store that lives in memory alone.
    disk: Mutex<Option<Disk>>,
}

/// What a store has between two writes.
#[derive(Debug)]
struct Contents {
    pairs: Pairs,
    about: About,
}

/// The contents of a store at one moment: what an invocation reads, from its first to its last key
/// (`cloudfront-functions.md` section 11.1).
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<Contents>);

/// What a function's `meta()` tells (`cloudfront-functions.md` section 11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// `creationDateTime`: when the store was made.
    pub created: Timestamp,
    /// `lastUpdatedDateTime`: when it was last written.
    pub updated: Timestamp,
    /// `keyCount`.
    pub keys: usize,
}

impl Store {
    /// A store of a file in the vendor's JSON, in memory alone. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read, is no such JSON, or breaks a limit.
    pub fn load(path: &Path, limit: ByteSize) -> Result<Self, InvalidStore> {
        let seed = Seed::read(path, limit)?;
        let about = About { created: seed.created, updated: seed.updated, ..About::new(seed.updated) };
        Ok(Self::with(Contents { pairs: seed.pairs, about }, limit, None))
    }

    /// A store of `pairs`, made at `now`, in memory alone.
    pub fn of(pairs: Pairs, now: Timestamp) -> Self {
        let limit = crate::pairs::MAX_STORE;
        Self::with(Contents { pairs, about: About::new(now) }, limit, None)
    }

    pub(crate) fn on(disk: Disk, pairs: Pairs, about: About, limit: ByteSize) -> Self {
        Self::with(Contents { pairs, about }, limit, Some(disk))
    }

    fn with(contents: Contents, limit: ByteSize, disk: Option<Disk>) -> Self {
        let contents = ArcSwap::from_pointee(contents);
        Self { contents, limit: AtomicU64::new(limit.as_u64()), disk: Mutex::new(disk) }
    }

    /// The contents now, without waiting.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.contents.load_full())
    }

    /// The value of `key`, without waiting. A copy of the pointer, not of the value.
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.contents.load().pairs.get(key)
    }

    /// Times and number of keys.
    pub fn meta(&self) -> Meta {
        self.snapshot().meta()
    }

    /// Bytes of keys and values that it may have.
    pub fn limit(&self) -> ByteSize {
        ByteSize::bytes(self.limit.load(Ordering::Relaxed))
    }

    /// Sets what it may have from now on; what it has stays.
    pub fn set_limit(&self, limit: ByteSize) {
        self.limit.store(limit.as_u64(), Ordering::Relaxed);
    }

    /// Puts and deletes, all or nothing; then every new reader sees it. Blocks until the disk has it.
    ///
    /// # Errors
    /// When the store is not the one that `expected` says, a limit is broken, or the disk does not take it. Then
    /// nothing has changed.
    pub fn update(&self, batch: &Batch, expected: &IfMatch, now: Timestamp) -> Result<Written, NotWritten> {
        let mut disk = self.disk.lock();
        let old = self.contents.load_full();
        old.expect(expected)?;
        let absent = batch.puts().next().is_none() && batch.deletes().all(|key| !old.pairs.contains(key));
        if absent {
            // Section 12: deleting a key that is not there succeeds, and the ETag stays.
            return Ok(old.written());
        }
        let pairs = old.pairs.after(batch, self.limit())?;
        let about = old.about.written(now);
        if let Some(disk) = disk.as_mut() {
            disk.update(batch, &about).map_err(|error| NotWritten::Disk(error.to_string()))?;
        }
        Ok(self.swap(Contents { pairs, about }))
    }

    /// Puts `pairs` in the place of everything. Blocks until the disk has it.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub fn replace(&self, pairs: Pairs, expected: &IfMatch, now: Timestamp) -> Result<Written, NotWritten> {
        let limit = self.limit();
        if pairs.size() > limit {
            return Err(InvalidStore::StoreTooLarge { size: pairs.size().as_u64(), limit }.into());
        }
        let mut disk = self.disk.lock();
        let old = self.contents.load_full();
        old.expect(expected)?;
        let about = old.about.written(now);
        self.put_down(disk.as_mut(), pairs, about)
    }

    /// Takes the pairs of its file, unless it was written by other means since it last did. Blocks.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn follow(&self, seed: &Seed, now: Timestamp) -> Result<Followed, NotWritten> {
        let mut disk = self.disk.lock();
        let old = self.contents.load_full();
        if old.about.seed == Some(seed.digest) {
            return Ok(Followed::Unchanged);
        }
        if old.about.own {
            return Ok(Followed::Kept);
        }
        let about = old.about.seeded(seed.digest, now);
        self.put_down(disk.as_mut(), seed.pairs.clone(), about)?;
        Ok(Followed::Replaced)
    }

    fn put_down(&self, disk: Option<&mut Disk>, pairs: Pairs, about: About) -> Result<Written, NotWritten> {
        if let Some(disk) = disk {
            disk.replace(&pairs, &about).map_err(|error| NotWritten::Disk(error.to_string()))?;
        }
        Ok(self.swap(Contents { pairs, about }))
    }

    fn swap(&self, contents: Contents) -> Written {
        let written = contents.written();
        self.contents.store(Arc::new(contents));
        written
    }
}

impl Contents {
    fn expect(&self, expected: &IfMatch) -> Result<(), NotWritten> {
        let etag = self.about.etag();
        if expected.holds(etag) { Ok(()) } else { Err(NotWritten::Stale(etag)) }
    }

    fn written(&self) -> Written {
        Written { keys: self.pairs.len(), size: self.pairs.size(), etag: self.about.etag() }
    }
}

impl Snapshot {
    /// The value of `key`. A copy of the pointer, not of the value.
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.0.pairs.get(key)
    }

    /// The pairs.
    pub fn pairs(&self) -> &Pairs {
        &self.0.pairs
    }

    /// Times and number of keys.
    pub fn meta(&self) -> Meta {
        let Contents { pairs, about } = &*self.0;
        // A copied file can be younger than its last change.
        Meta { created: about.created.min(about.updated), updated: about.updated, keys: pairs.len() }
    }

    /// The version.
    pub fn etag(&self) -> ETag {
        self.0.about.etag()
    }
}

#[cfg(test)]
mod tests;
