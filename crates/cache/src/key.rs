//! The cache key (`cdn-behaviour.md` section 5).

use crate::rules::KeyRules;
use rimward_types::RequestHead;
use smallvec::SmallVec;

/// Distribution, method class, path and what the cache policy names. Vary variants live beneath it.
#[derive(Debug, Clone)]
pub struct Key {
    hash: u64,
    bytes: SmallVec<[u8; 128]>,
}

impl Key {
    /// The key of `request` in `distribution`.
    pub fn new(distribution: &str, request: &RequestHead, rules: &KeyRules) -> Self {
        let _ = (distribution, request, rules);
        Self { hash: 0, bytes: SmallVec::new() }
    }

    /// The hash of the key; the same for the life of the process.
    pub fn hash(&self) -> u64 {
        let _ = &self.bytes;
        self.hash
    }
}
