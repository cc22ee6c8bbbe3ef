//! What happens while the disk is looked through: what an earlier run has left must not undo it.

use super::extent::Extent;
use super::purge_list::{PurgeList, Verdict};
use super::shelf::Filed;
use crate::key::Key;
use std::collections::HashSet;

/// Purges, and keys that were stored anew, since the start. Empty once all is looked through.
#[derive(Default)]
pub(super) struct Meanwhile {
    purges: PurgeList,
    /// Hashes of keys.
    stored: HashSet<u64>,
}

impl Meanwhile {
    pub(super) fn note_purge(&mut self, seq: u64, extent: &Extent, soft: bool) {
        self.purges.add(seq, extent, soft);
    }

    pub(super) fn note_stored(&mut self, key: &Key) {
        self.stored.insert(key.hash());
    }

    /// Whether an object of an earlier run is still wanted; makes it stale where a soft purge means it.
    pub(super) fn judge(&self, key: &Key, seq: u64, filed: &Filed) -> bool {
        if self.stored.contains(&key.hash()) {
            return false;
        }
        match self.purges.judge(key, seq, &filed.tags) {
            Verdict::Remove => false,
            Verdict::Stale => {
                filed.expire();
                true
            }
            Verdict::Keep => true,
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
