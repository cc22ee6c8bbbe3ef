//! What a store holds.

use crate::InvalidStore;
use crate::write::Batch;
use rimward_types::ByteSize;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Bytes of a key, at most (`cloudfront-functions.md` section 12).
pub const MAX_KEY: usize = 512;
/// Bytes of a value, at most (same section).
pub const MAX_VALUE: usize = 1024;
/// Bytes of all keys and values, and of the file, unless configured otherwise (same section).
pub const MAX_STORE: ByteSize = ByteSize::mb(5);

/// Keys and values within the limits, no key twice.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    map: HashMap<Arc<str>, Arc<str>, ahash::RandomState>,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow)]
    data: Vec<Pair<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Serialize)]
struct Exported<'a> {
    data: Vec<ExportedPair<'a>>,
}

#[derive(Serialize)]
struct ExportedPair<'a> {
    key: &'a str,
    value: &'a str,
}

impl Pairs {
    /// Checks and takes pairs, `limit` bytes of keys and values at most.
    ///
    /// # Errors
    /// The first pair that breaks a limit or repeats a key, or everything together being too large.
    pub fn try_from_iter<K, V>(limit: ByteSize, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidStore>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut taken = Self::default();
        let mut places: HashMap<Arc<str>, usize, ahash::RandomState> = HashMap::default();
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            let (pair, key, value) = (index + 1, key.as_ref(), value.as_ref());
            check(pair, key, value)?;
            let shared: Arc<str> = key.into();
            match places.entry(shared.clone()) {
                Entry::Occupied(first) => {
                    return Err(InvalidStore::DuplicateKey { key: key.to_owned(), first: *first.get(), second: pair });
                }
                Entry::Vacant(place) => place.insert(pair),
            };
            taken.size += (key.len() + value.len()) as u64;
            taken.check_size(limit)?;
            taken.map.insert(shared, value.into());
        }
        Ok(taken)
    }

    /// Reads the vendor's import format, `{"data":[{"key":"k","value":"v"}]}`, of at most `limit` bytes.
    ///
    /// # Errors
    /// When the text is no such JSON or breaks a limit.
    pub fn from_json(limit: ByteSize, text: &[u8]) -> Result<Self, InvalidStore> {
        if text.len() as u64 > limit.as_u64() {
            return Err(InvalidStore::StoreTooLarge { size: text.len() as u64, limit });
        }
        let file: File<'_> = serde_json::from_slice(text).map_err(|error| InvalidStore::Json {
            line: error.line(),
            column: error.column(),
            message: without_place(&error.to_string()).to_owned(),
        })?;
        Self::try_from_iter(limit, file.data.into_iter().map(|pair| (pair.key, pair.value)))
    }

    /// The vendor's import format again, sorted by key, with a line end.
    pub fn to_json(&self) -> String {
        let data = self.sorted().into_iter().map(|(key, value)| ExportedPair { key, value }).collect();
        let mut text = serde_json::to_string_pretty(&Exported { data }).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.map.get(key).cloned()
    }

    /// Whether there is `key`.
    pub fn contains(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn size(&self) -> ByteSize {
        ByteSize::bytes(self.size)
    }

    /// The pairs, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.map.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The pairs in the order of their keys.
    pub fn sorted(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<(&str, &str)> = self.iter().collect();
        pairs.sort_unstable_by_key(|(key, _)| *key);
        pairs
    }

    /// These pairs after `batch`.
    ///
    /// # Errors
    /// When a pair of it breaks a limit, or everything together does. What has become smaller is taken even so: a
    /// store whose limit was lowered can be brought below it step by step.
    pub(crate) fn after(&self, batch: &Batch, limit: ByteSize) -> Result<Self, InvalidStore> {
        let mut after = self.clone();
        for key in batch.deletes() {
            if let Some((key, value)) = after.map.remove_entry(key) {
                after.size -= (key.len() + value.len()) as u64;
            }
        }
        for (index, (key, value)) in batch.puts().enumerate() {
            check(index + 1, key, value)?;
            after.size += (key.len() + value.len()) as u64;
            if let Some(old) = after.map.insert(key.into(), value.into()) {
                after.size -= (key.len() + old.len()) as u64;
            }
        }
        if after.size > self.size {
            after.check_size(limit)?;
        }
        Ok(after)
    }

    fn check_size(&self, limit: ByteSize) -> Result<(), InvalidStore> {
        if self.size > limit.as_u64() {
            return Err(InvalidStore::StoreTooLarge { size: self.size, limit });
        }
        Ok(())
    }
}

fn check(pair: usize, key: &str, value: &str) -> Result<(), InvalidStore> {
    if key.is_empty() {
        return Err(InvalidStore::EmptyKey { pair });
    }
    if key.len() > MAX_KEY {
        let start = key[..key.floor_char_boundary(32)].to_owned();
        return Err(InvalidStore::KeyTooLong { pair, key: start, length: key.len() });
    }
    if value.len() > MAX_VALUE {
        return Err(InvalidStore::ValueTooLong { pair, key: key.to_owned(), length: value.len() });
    }
    Ok(())
}

/// The parser's message without ` at line 1 column 2`, which has fields of its own.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}
