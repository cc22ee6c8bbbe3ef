//! A store: reads that never wait, contents that are replaced as a whole.

use crate::pairs::MAX_STORE;
use crate::{InvalidStore, Pairs};
use arc_swap::ArcSwap;
use rimward_types::Timestamp;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key value store in memory. Shared as `Arc<Store>`: who holds it sees new contents after [`Store::reload`].
#[derive(Debug)]
pub struct Store {
    /// Where the pairs came from; `None` for a store that was made of pairs.
    path: Option<PathBuf>,
    created: Timestamp,
    contents: ArcSwap<Contents>,
}

#[derive(Debug)]
struct Contents {
    pairs: Pairs,
    updated: Timestamp,
}

/// What a function's `meta()` tells (`cloudfront-functions.md` section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// `creationDateTime`: when the file was made; where the system does not know, when it was last written.
    pub created: Timestamp,
    /// `lastUpdatedDateTime`: when the file was last written.
    pub updated: Timestamp,
    /// `keyCount`.
    pub keys: usize,
}

impl Store {
    /// Reads a store from the vendor's JSON file. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read, is no such JSON, or breaks a limit.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, InvalidStore> {
        let path = path.into();
        let (contents, created) = read(&path)?;
        Ok(Self { path: Some(path), created, contents: ArcSwap::from_pointee(contents) })
    }

    /// A store of `pairs`, made at `now`.
    pub fn of(pairs: Pairs, now: Timestamp) -> Self {
        Self { path: None, created: now, contents: ArcSwap::from_pointee(Contents { pairs, updated: now }) }
    }

    /// The value of `key`, without waiting. A copy of the pointer, not of the value.
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.contents.load().pairs.get(key)
    }

    /// Whether there is `key`, without waiting.
    pub fn exists(&self, key: &str) -> bool {
        self.contents.load().pairs.contains(key)
    }

    /// Times and number of keys.
    pub fn meta(&self) -> Meta {
        let contents = self.contents.load();
        // A copied file can be younger than its last change.
        let created = self.created.min(contents.updated);
        Meta { created, updated: contents.updated, keys: contents.pairs.len() }
    }

    /// The file, if it came from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Reads the file again and puts the new pairs in the place of the old ones: a reader sees all of the old or all
    /// of the new. Blocks.
    ///
    /// # Errors
    /// As [`Store::load`]; [`InvalidStore::NoFile`] for a store made of pairs. The old pairs stay.
    pub fn reload(&self) -> Result<Meta, InvalidStore> {
        let path = self.path.as_deref().ok_or(InvalidStore::NoFile)?;
        let (contents, _) = read(path)?;
        self.contents.store(Arc::new(contents));
        Ok(self.meta())
    }

    /// Puts `pairs` in the place of the old ones, as of `now`.
    pub fn replace(&self, pairs: Pairs, now: Timestamp) {
        self.contents.store(Arc::new(Contents { pairs, updated: now }));
    }
}

/// Reads a file and the time it was made.
fn read(path: &Path) -> Result<(Contents, Timestamp), InvalidStore> {
    let failed = |source| InvalidStore::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let updated = metadata.modified().map_err(failed)?;
    let created = metadata.created().unwrap_or(updated);
    let mut text = Vec::new();
    // One byte over the limit is enough to know that it is over, however large the file is or grows.
    file.take(MAX_STORE.as_u64() + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_STORE.as_u64() {
        return Err(InvalidStore::StoreTooLarge { size: metadata.len().max(text.len() as u64) });
    }
    Ok((Contents { pairs: Pairs::from_json(&text)?, updated: updated.into() }, created.into()))
}

#[cfg(test)]
mod tests;
