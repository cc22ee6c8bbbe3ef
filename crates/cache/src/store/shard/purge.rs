//! Removal from a shard, in two steps. Condemning is quick: what is stored under a key is counted, and its fate is noted.
//! Sweeping takes it out of all lists, or makes it stale, later, a bit at a time; until then whoever finds or changes
//! something under the key sweeps it first.

use super::{Shard, counted};
use crate::fill::state::Fill;
use crate::key::Key;
use crate::object::Stored;
use crate::purge::Purged;
use crate::store::Batch;
use crate::store::extent::{Extent, Meant};
use crate::store::held::{Fate, Held};
use crate::store::purging::Strikes;
use crate::tag::Tag;
use std::ops::Bound;
use std::sync::Arc;

impl Shard {
    /// Up to `most` keys among which are those that `extent` means, after `last`, in order. Fewer than `most`: there
    /// are no more.
    pub(in crate::store) fn some_of(&self, extent: &Extent, last: Option<&Arc<Held>>, most: usize) -> Vec<Arc<Held>> {
        if let Extent::Tag(_, name) = extent {
            return self.tags.after(name, last, most);
        }
        let prefix = extent.prefix();
        let first = Key::probe(prefix);
        let from = last.map_or(Bound::Included(&first), |last| Bound::Excluded(&*last.key));
        self.keys
            .range::<Key, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.as_bytes().starts_with(prefix))
            .take(most)
            .map(|(_, held)| held.clone())
            .collect()
    }

    /// Adds the cache groups of what is stored under `key`, up to `most` in all.
    pub(in crate::store) fn add_groups(&mut self, key: &Key, groups: &mut Vec<Tag>, most: usize) {
        self.settle(key);
        let stored = self.resources.get(key).iter().flat_map(|stored| &stored.face.tags);
        let filed = self.shelf.get(key).iter().flat_map(|filed| &filed.tags);
        for tag in stored.chain(filed).filter(|tag| tag.is_group()) {
            if groups.len() < most && !groups.contains(tag) {
                groups.push(tag.clone());
            }
        }
    }

    /// How many fetches `extent` means, as far as is known.
    pub(in crate::store) fn fills_in(&self, extent: &Extent) -> u64 {
        let meant = |key: &Key, fill: &Arc<Fill>| means(extent, key, fill) == Meant::Yes;
        self.fills.iter().map(|(key, fills)| fills.iter().filter(|fill| meant(key, fill)).count() as u64).sum()
    }

    /// Strikes fetches from the list. A fetch whose head will tell goes on, and nobody new waits for it. Tells how many were
    /// struck, and whether anything was being written.
    pub(in crate::store) fn strike(&mut self, extent: &Arc<Extent>, strikes: Strikes) -> (u64, bool) {
        let mut struck = 0;
        let mut is_written = self.cancel(|filing| extent.means(&filing.key, Some(&filing.face.tags)) == Meant::Yes);
        self.fills.retain(|key, fills| {
            let before = fills.len();
            fills.retain(|fill| {
                let meant = match (strikes, means(extent, key, fill)) {
                    (Strikes::Safe, _) if !fill.request.method.is_safe() => Meant::No,
                    (Strikes::Known, Meant::Perhaps) => Meant::No,
                    (_, meant) => meant,
                };
                is_written |= meant != Meant::No && fill.is_spooled();
                match meant {
                    Meant::Yes => false,
                    Meant::No => true,
                    Meant::Perhaps => fill.doubt(extent),
                }
            });
            struck += (before - fills.len()) as u64;
            !fills.is_empty()
        });
        (struck, is_written)
    }

    /// Condemns `keys`. Tells what was stored under them, and whether any of it is on disk or on its way there.
    pub(in crate::store) fn condemn(&mut self, keys: Vec<Arc<Held>>, fate: Fate) -> (Purged, bool) {
        let mut purged = Purged::default();
        // Writes that began after the fetches were struck.
        let mut is_filed = self.cancel(|filing| keys.iter().any(|held| *held.key == *filing.key));
        for held in keys {
            let Some(tally) = held.condemn(fate) else { continue };
            purged += tally.total();
            is_filed |= tally.on_disk > 0;
            match fate {
                Fate::Removed => {
                    self.hidden.in_memory += u64::from(tally.in_memory);
                    self.hidden.on_disk += u64::from(tally.on_disk);
                    self.removed.push(held);
                }
                Fate::Expired if tally.fate.is_none() => self.expired.push(held),
                // It is in the list.
                Fate::Expired => {}
            }
        }
        (purged, is_filed)
    }

    /// How many keys are condemned and not swept.
    pub(in crate::store) fn condemned(&self) -> usize {
        self.removed.len() + self.expired.len()
    }

    /// Carries out what was decided on up to `most` condemned keys. Gives what it took out.
    pub(in crate::store) fn sweep(&mut self, most: usize) -> Batch {
        let rest = most.saturating_sub(self.removed.len());
        let mut batch = self.sweep_removed(most);
        for held in take_last(&mut self.expired, rest) {
            self.carry_out_if_current(&held, &mut batch);
        }
        batch
    }

    /// As [`Shard::sweep`], of what is removed alone: the rest gives no memory back.
    pub(super) fn sweep_removed(&mut self, most: usize) -> Batch {
        let mut batch = std::mem::take(&mut self.swept);
        for held in take_last(&mut self.removed, most) {
            self.carry_out_if_current(&held, &mut batch);
        }
        batch
    }

    /// Carries out what was decided on `held`, unless somebody came before: something new may be stored under the key.
    fn carry_out_if_current(&mut self, held: &Arc<Held>, batch: &mut Batch) {
        if self.keys.get(&*held.key).is_some_and(|other| Arc::ptr_eq(other, held)) {
            self.carry_out(held, batch);
        }
    }

    /// Sweeps `key`, if it is condemned: before anything is found or changed under it.
    pub(in crate::store) fn settle(&mut self, key: &Key) {
        if self.condemned() == 0 {
            return;
        }
        if let Some(held) = self.keys.get(key).filter(|held| held.tally().fate.is_some()).cloned() {
            let mut swept = std::mem::take(&mut self.swept);
            self.carry_out(&held, &mut swept);
            // To be dropped by the sweeper, which comes as long as the list of what is removed is not empty.
            self.swept = swept;
        }
    }

    fn carry_out(&mut self, held: &Arc<Held>, batch: &mut Batch) {
        let tally = held.tally();
        match tally.fate {
            // Two purges have met it, and the first of their turns was for both.
            None => return,
            Some(Fate::Expired) => {
                self.resources.get(&held.key).iter().for_each(|stored| stored.face.expire());
                self.shelf.get(&held.key).iter().for_each(|filed| filed.expire());
                return held.settle();
            }
            Some(Fate::Removed) => {}
        }
        self.hidden.in_memory -= u64::from(tally.in_memory);
        self.hidden.on_disk -= u64::from(tally.on_disk);
        let filed = self.shelf.remove(&held.key, |_| true);
        let variants = self.resources.remove(&held.key).unwrap_or_default();
        self.objects -= variants.len() as u64;
        self.untag(&held.key, &variants, &filed);
        self.keys.remove(&*held.key);
        // Under the lock: a list of purged files that is made meanwhile finds them among the condemned or the doomed.
        filed.iter().for_each(|filed| filed.object.doom());
        batch.removed.extend(variants);
        batch.taken_out.extend(filed);
    }

    /// The numbers of the files of what is condemned to `fate`.
    pub(in crate::store) fn condemned_files(&self, fate: Fate, out: &mut Vec<u64>) {
        let condemned = match fate {
            Fate::Removed => &self.removed,
            Fate::Expired => &self.expired,
        };
        for held in condemned {
            let tally = held.tally();
            let is_current = || self.keys.get(&*held.key).is_some_and(|other| Arc::ptr_eq(other, held));
            if tally.on_disk > 0 && tally.fate == Some(fate) && is_current() {
                out.extend(self.shelf.get(&held.key).iter().map(|filed| filed.object.id()));
            }
        }
    }

    /// Counts anew what is stored under `key`, after a change; when that is nothing, the key is struck from the order.
    pub(super) fn recount(&mut self, key: &Key) {
        let variants = self.resources.get(key);
        let filed = self.shelf.get(key);
        if variants.is_empty() && filed.is_empty() {
            self.keys.remove(key);
        } else if let Some(held) = self.keys.get(key) {
            held.count(counted(variants, filed));
        }
        let in_memory = variants.iter().map(Stored::in_memory).sum();
        self.resources.weigh(key, in_memory);
    }

    /// The entry of `key` in the order; made when it is not there.
    pub(super) fn held(&mut self, key: &Arc<Key>) -> Arc<Held> {
        self.keys.entry(key.clone()).or_insert_with(|| Held::new(key.clone())).clone()
    }
}

/// The last `most` of `list`, or all of it.
fn take_last(list: &mut Vec<Arc<Held>>, most: usize) -> Vec<Arc<Held>> {
    let last = list.drain(list.len().saturating_sub(most)..).collect();
    if list.is_empty() {
        list.shrink_to_fit();
    }
    last
}

/// Whether `extent` means the answer that `fill` fetches.
fn means(extent: &Extent, key: &Key, fill: &Fill) -> Meant {
    extent.means(key, fill.face().as_ref().map(|face| &*face.tags))
}
