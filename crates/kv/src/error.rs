//! Why a file or a list of pairs is no store.

use crate::pairs::{MAX_KEY, MAX_VALUE};
use rimward_types::ByteSize;
use std::io;
use std::path::PathBuf;

/// A file or a list of pairs is no store.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStore {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is no JSON of the right shape.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 at a line's start.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// A key is empty.
    #[error("pair {pair} has an empty key")]
    EmptyKey {
        /// Which pair, from 1.
        pair: usize,
    },
    /// A key is too long.
    #[error("key `{key}…` of pair {pair} has {length} bytes; a key has at most {MAX_KEY}")]
    KeyTooLong {
        /// Which pair, from 1.
        pair: usize,
        /// How the key begins.
        key: String,
        /// Its bytes.
        length: usize,
    },
    /// A value is too long.
    #[error("the value of key `{key}` (pair {pair}) has {length} bytes; a value has at most {MAX_VALUE}")]
    ValueTooLong {
        /// Which pair, from 1.
        pair: usize,
        /// The key.
        key: String,
        /// The value's bytes.
        length: usize,
    },
    /// A key is there twice.
    #[error("key `{key}` is there twice: pairs {first} and {second}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The earlier pair, from 1.
        first: usize,
        /// The later pair, from 1.
        second: usize,
    },
    /// Everything together is too large.
    #[error("the store would have {size} bytes; it has at most {limit} ({} bytes)", limit.as_u64())]
    StoreTooLarge {
        /// Bytes of the file, or of all keys and values.
        size: u64,
        /// What it may have.
        limit: ByteSize,
    },
}

impl InvalidStore {
    /// How to mend it, where that is not plain from the message.
    pub fn hint(&self) -> Option<String> {
        match self {
            InvalidStore::Json { .. } => {
                Some(r#"a store is {"data":[{"key":"a","value":"b"}]}, keys and values are strings"#.to_owned())
            }
            InvalidStore::ValueTooLong { .. } => Some("split the value over several keys".to_owned()),
            InvalidStore::StoreTooLarge { .. } => {
                Some("raise `size` of the store, or split it into stores, one for each function".to_owned())
            }
            _ => None,
        }
    }
}
