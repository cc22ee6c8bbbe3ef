//! The file that a store is made of.

use crate::{InvalidStore, Pairs};
use rimward_types::{ByteSize, Timestamp};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Pairs of a file in the vendor's JSON.
#[derive(Debug, Clone)]
pub struct Seed {
    pub(crate) pairs: Pairs,
    /// Of the file's text.
    pub(crate) digest: [u8; 32],
    /// When the file was made; where the system does not know, when it was last written.
    pub(crate) created: Timestamp,
    /// When the file was last written.
    pub(crate) updated: Timestamp,
}

/// What became of a store when its file was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The file is the one that the store was made of.
    Unchanged,
    /// The store has the file's pairs now.
    Replaced,
    /// The file is another one, but the store was written by other means since: its pairs stay.
    Kept,
}

impl Seed {
    /// Reads a file of at most `limit` bytes. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read, is no such JSON, or breaks a limit.
    pub fn read(path: &Path, limit: ByteSize) -> Result<Self, InvalidStore> {
        let failed = |source| InvalidStore::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let updated = metadata.modified().map_err(failed)?;
        let created = metadata.created().unwrap_or(updated);
        let mut text = Vec::new();
        // One byte over the limit is enough to know that it is over, however large the file is or grows.
        file.take(limit.as_u64().saturating_add(1)).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > limit.as_u64() {
            return Err(InvalidStore::StoreTooLarge { size: metadata.len().max(text.len() as u64), limit });
        }
        Ok(Self {
            pairs: Pairs::from_json(limit, &text)?,
            digest: Sha256::digest(&text).into(),
            created: created.into(),
            updated: updated.into(),
        })
    }
}
