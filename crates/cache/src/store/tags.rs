//! Which keys of a shard carry which tag.

use crate::key::{KeepHash, Key};
use crate::tag::Tag;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What an answer's tag takes besides its text: the text's owner, a slot in the index, a set with room for its first
/// keys. `tests/memory.rs` holds it against the allocator.
const TAG_WEIGHT: usize = 288;

/// Bytes that `tags` take, in a face and in the index.
pub(crate) fn weight(tags: &[Tag], distribution: usize) -> usize {
    tags.iter().map(|tag| TAG_WEIGHT + 2 * tag.as_str().len() + distribution).sum()
}

/// A tag within a distribution: tags of two of them have nothing to do with each other.
pub(crate) fn tag_name(distribution_prefix: &[u8], tag: &Tag) -> Box<[u8]> {
    [distribution_prefix, tag.as_str().as_bytes()].concat().into()
}

/// The index.
#[derive(Default)]
pub(crate) struct TagIndex {
    keys: HashMap<Box<[u8]>, HashSet<Arc<Key>, KeepHash>, ahash::RandomState>,
}

impl TagIndex {
    /// `key` has a response with `tags`.
    pub(crate) fn insert(&mut self, key: &Arc<Key>, tags: &[Tag]) {
        for tag in tags {
            self.keys.entry(tag_name(key.distribution_prefix(), tag)).or_default().insert(key.clone());
        }
    }

    /// `key` has no response with `tags` any more.
    pub(crate) fn remove<'a>(&mut self, key: &Key, tags: impl IntoIterator<Item = &'a Tag>) {
        for tag in tags {
            let name = tag_name(key.distribution_prefix(), tag);
            if let Some(keys) = self.keys.get_mut(&name) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(&name);
                } else if keys.capacity() > 64 && keys.len() < keys.capacity() / 8 {
                    // What is counted for each key does not pay for a table that was once large.
                    keys.shrink_to(keys.len() * 2);
                }
            }
        }
    }

    /// The keys that carry the tag.
    pub(crate) fn keys(&self, name: &[u8]) -> Vec<Arc<Key>> {
        self.keys.get(name).into_iter().flatten().cloned().collect()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
