//! What happens while the disk is looked through: what an earlier run has left must not undo it.

use super::extent::{Extent, Meant};
use super::shelf::Filed;
use crate::key::Key;
use std::collections::HashSet;
use std::sync::Arc;

/// Purges, and keys that were stored anew, since the start. Empty once all is looked through.
#[derive(Default)]
pub(super) struct Meanwhile {
    purges: Vec<(u64, Arc<Extent>, bool)>,
    /// Hashes of keys.
    stored: HashSet<u64>,
}

impl Meanwhile {
    pub(super) fn note_purge(&mut self, seq: u64, extent: &Arc<Extent>, soft: bool) {
        self.purges.push((seq, extent.clone(), soft));
    }

    pub(super) fn note_stored(&mut self, key: &Key) {
        self.stored.insert(key.hash());
    }

    /// Whether an object of an earlier run is still wanted; makes it stale where a soft purge means it.
    pub(super) fn judge(&self, key: &Key, seq: u64, filed: &Filed) -> bool {
        if self.stored.contains(&key.hash()) {
            return false;
        }
        for (_, extent, soft) in self.purges.iter().filter(|(purge, ..)| *purge > seq) {
            if extent.means(key, Some(&filed.tags)) == Meant::Yes {
                if !soft {
                    return false;
                }
                filed.expire();
            }
        }
        true
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
