//! What a store holds.

use crate::InvalidStore;
use rimward_types::ByteSize;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Bytes of a key, at most (`cloudfront-functions.md` section 12).
pub const MAX_KEY: usize = 512;
/// Bytes of a value, at most (same section).
pub const MAX_VALUE: usize = 1024;
/// Bytes of all keys and values, and of the file, at most (same section).
pub const MAX_STORE: ByteSize = ByteSize::mb(5);

/// Keys and values within the limits, no key twice.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    map: HashMap<Box<str>, Arc<str>, ahash::RandomState>,
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

impl Pairs {
    /// Checks and takes pairs.
    ///
    /// # Errors
    /// The first pair that breaks a limit or repeats a key, or everything together being too large.
    pub fn try_from_iter<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidStore>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut taken = Self::default();
        let mut places: HashMap<Box<str>, usize, ahash::RandomState> = HashMap::default();
        for (index, (key, value)) in pairs.into_iter().enumerate() {
            let (pair, key, value) = (index + 1, key.as_ref(), value.as_ref());
            check(pair, key, value)?;
            match places.entry(key.into()) {
                Entry::Occupied(first) => {
                    return Err(InvalidStore::DuplicateKey { key: key.to_owned(), first: *first.get(), second: pair });
                }
                Entry::Vacant(place) => place.insert(pair),
            };
            taken.size += (key.len() + value.len()) as u64;
            if taken.size > MAX_STORE.as_u64() {
                return Err(InvalidStore::StoreTooLarge { size: taken.size });
            }
            taken.map.insert(key.into(), value.into());
        }
        Ok(taken)
    }

    /// Reads the vendor's import format, `{"data":[{"key":"k","value":"v"}]}`.
    ///
    /// # Errors
    /// When the text is no such JSON or breaks a limit.
    pub fn from_json(text: &[u8]) -> Result<Self, InvalidStore> {
        if text.len() as u64 > MAX_STORE.as_u64() {
            return Err(InvalidStore::StoreTooLarge { size: text.len() as u64 });
        }
        let file: File<'_> = serde_json::from_slice(text).map_err(|error| InvalidStore::Json {
            line: error.line(),
            column: error.column(),
            message: without_place(&error.to_string()).to_owned(),
        })?;
        Self::try_from_iter(file.data.into_iter().map(|pair| (pair.key, pair.value)))
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
