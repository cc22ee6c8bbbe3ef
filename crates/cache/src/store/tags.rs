//! Which keys of a shard carry which tag.

use super::held::{ByPlace, Held};
use crate::tag::Tag;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
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

/// The index. Its sets are ordered, so that a purge can go through one a bit at a time while it changes, and grow by
/// a few keys at once, so that no answer waits for a large table to be made anew.
#[derive(Default)]
pub(crate) struct TagIndex {
    keys: HashMap<Box<[u8]>, BTreeSet<ByPlace>, ahash::RandomState>,
}

impl TagIndex {
    /// `held` has a response with `tags`.
    pub(super) fn insert(&mut self, held: &Arc<Held>, tags: &[Tag]) {
        for tag in tags {
            let name = tag_name(held.key.distribution_prefix(), tag);
            self.keys.entry(name).or_default().insert(ByPlace(held.clone()));
        }
    }

    /// `held` has no response with `tags` any more.
    pub(super) fn remove<'a>(&mut self, held: &Arc<Held>, tags: impl IntoIterator<Item = &'a Tag>) {
        for tag in tags {
            let name = tag_name(held.key.distribution_prefix(), tag);
            if let Some(keys) = self.keys.get_mut(&name) {
                keys.remove(&ByPlace(held.clone()));
                if keys.is_empty() {
                    self.keys.remove(&name);
                }
            }
        }
    }

    /// Up to `most` keys that carry the tag, after `last`.
    pub(super) fn after(&self, name: &[u8], last: Option<&Arc<Held>>, most: usize) -> Vec<Arc<Held>> {
        let Some(keys) = self.keys.get(name) else { return Vec::new() };
        let from = last.map_or(Bound::Unbounded, |last| Bound::Excluded(ByPlace(last.clone())));
        let some = keys.range((from, Bound::Unbounded)).take(most);
        some.clone().for_each(|key| key.0.fetch());
        some.map(|key| key.0.clone()).collect()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
