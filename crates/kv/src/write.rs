//! What changes a store, and what it takes to be let in.

use crate::InvalidStore;
use crate::pairs::{MAX_KEY, MAX_VALUE};
use rimward_types::ByteSize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Keys in a batch, at most (`cloudfront-functions.md` section 12).
pub const MAX_BATCH_KEYS: usize = 50;
/// Bytes of a batch's keys and values, at most (same section).
pub const MAX_BATCH: ByteSize = ByteSize::mb(3);

/// Puts and deletes that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// `None` deletes.
    changes: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

/// Why changes are no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    /// It changes nothing.
    #[error("the batch has neither `Puts` nor `Deletes`")]
    Empty,
    /// A key is in it twice.
    #[error("key `{0}` is in the batch twice")]
    DuplicateKey(String),
    /// It has too many keys.
    #[error("the batch has {0} keys; it may have {MAX_BATCH_KEYS}")]
    TooManyKeys(usize),
    /// It is too large.
    #[error("the batch has {0} bytes of keys and values; it may have {MAX_BATCH}")]
    TooLarge(u64),
}

/// A version of a store's contents, as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag {
    /// Chance, when the store was made: no two stores share a tag.
    pub(crate) store: u64,
    /// How many times it was written.
    pub(crate) revision: u64,
}

/// Which version somebody expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever is there.
    Any,
    /// This one, without quotes.
    Exactly(String),
}

/// A store after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// `ItemCount`.
    pub keys: usize,
    /// `TotalSizeInBytes`.
    pub size: ByteSize,
    /// Its version now.
    pub etag: ETag,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// The store has changed since the caller looked.
    #[error("Pre-Condition failed: the store's ETag is {0}")]
    Stale(ETag),
    /// A pair, or everything together, breaks a limit.
    #[error(transparent)]
    Invalid(#[from] InvalidStore),
    /// The database did not take it.
    #[error("the store cannot be written: {0}")]
    Disk(String),
}

impl Batch {
    /// Checks changes.
    ///
    /// # Errors
    /// When it is empty, has a key twice, or goes over a limit of a batch. Limits of single pairs are looked at when
    /// it is written.
    pub fn try_new<K: AsRef<str>, V: AsRef<str>>(
        puts: impl IntoIterator<Item = (K, V)>,
        deletes: impl IntoIterator<Item = K>,
    ) -> Result<Self, InvalidBatch> {
        let mut changes: BTreeMap<Arc<str>, Option<Arc<str>>> = BTreeMap::new();
        let mut size = 0;
        let puts = puts.into_iter().map(|(key, value)| (key, Some(value)));
        for (key, value) in puts.chain(deletes.into_iter().map(|key| (key, None))) {
            let key = key.as_ref();
            let value: Option<Arc<str>> = value.map(|value| value.as_ref().into());
            size += key.len() + value.as_deref().map_or(0, str::len);
            if changes.insert(key.into(), value).is_some() {
                return Err(InvalidBatch::DuplicateKey(key[..key.floor_char_boundary(MAX_KEY)].to_owned()));
            }
        }
        match (changes.len(), size as u64) {
            (0, _) => Err(InvalidBatch::Empty),
            (keys, _) if keys > MAX_BATCH_KEYS => Err(InvalidBatch::TooManyKeys(keys)),
            (_, size) if size > MAX_BATCH.as_u64() => Err(InvalidBatch::TooLarge(size)),
            _ => Ok(Self { changes }),
        }
    }

    /// One pair.
    pub fn put(key: &str, value: &str) -> Self {
        Self { changes: BTreeMap::from([(key.into(), Some(value.into()))]) }
    }

    /// One key.
    pub fn delete(key: &str) -> Self {
        Self { changes: BTreeMap::from([(key.into(), None)]) }
    }

    /// Keys with their values.
    pub(crate) fn puts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.changes.iter().filter_map(|(key, value)| Some((&**key, value.as_deref()?)))
    }

    /// Keys that go.
    pub(crate) fn deletes(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| &**key)
    }
}

// A batch of full pairs stays far below its limit in bytes.
const _: () = assert!((MAX_BATCH_KEYS * (MAX_KEY + MAX_VALUE)) as u64 <= MAX_BATCH.as_u64());

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:x}", self.store, self.revision)
    }
}

impl IfMatch {
    /// Reads the header: `*`, or a tag with or without quotes.
    pub fn read(text: &str) -> Self {
        match text.trim() {
            "*" => Self::Any,
            tag => Self::Exactly(tag.trim_matches('"').to_owned()),
        }
    }

    /// Whether `etag` is what is expected.
    pub(crate) fn holds(&self, etag: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(tag) => *tag == etag.to_string(),
        }
    }
}
