//! The thread that writes the journal and removes files. What cannot be done now is tried again.

use super::Disk;
use super::journal::{Entry, Journal};
use crate::memory::Room;
use crate::store::extent::Extent;
use parking_lot::{Condvar, Mutex};
use std::collections::HashSet;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// Purges that may wait to be written; more become one of everything.
const MAX_ENTRIES: usize = 10_000;
/// Time until what failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Files removed before the journal is looked after again.
const SOME: usize = 256;

/// A file that is to be removed, and the room that it takes until then.
pub(super) struct Doomed {
    pub(super) id: u64,
    pub(super) _room: Room,
}

pub(super) struct Keeper {
    desk: Mutex<Desk>,
    /// There is something to do, or the end.
    wake: Condvar,
    /// Held while the journal is written, by threads of the disk alone.
    journal: Mutex<Journal>,
    /// Held while files are removed: who waits for it finds them gone.
    burial: Mutex<()>,
}

#[derive(Default)]
struct Desk {
    entries: Vec<Entry>,
    doomed: Vec<Doomed>,
    /// All files that are to be removed, until they are: those that somebody still reads too.
    dying: HashSet<u64>,
    /// Files that could not be removed.
    stuck: Vec<Doomed>,
    failed: bool,
    stopped: bool,
}

/// Starts the thread, which ends with the disk.
pub(super) fn start(disk: &Arc<Disk>) -> io::Result<()> {
    let (keeper, disk) = (disk.keeper.clone(), Arc::downgrade(disk));
    thread::Builder::new().name("cache-keeper".to_owned()).spawn(move || keeper.run(&disk)).map(drop)
}

impl Keeper {
    pub(super) fn new(journal: Journal) -> Arc<Self> {
        Arc::new(Self {
            desk: Mutex::default(),
            wake: Condvar::new(),
            journal: Mutex::new(journal),
            burial: Mutex::default(),
        })
    }

    fn run(&self, disk: &Weak<Disk>) {
        loop {
            {
                let mut desk = self.desk.lock();
                while desk.entries.is_empty() && desk.doomed.is_empty() && !desk.stopped {
                    let idle = !desk.failed && desk.stuck.is_empty();
                    let woken = if idle {
                        self.wake.wait(&mut desk);
                        true
                    } else {
                        !self.wake.wait_for(&mut desk, PAUSE).timed_out()
                    };
                    if !woken {
                        break;
                    }
                }
                if desk.stopped {
                    return;
                }
            }
            let Some(disk) = disk.upgrade() else { return };
            self.turn(&disk);
            let failed = self.desk.lock().failed;
            drop(disk);
            if failed {
                thread::sleep(PAUSE);
            }
        }
    }

    pub(super) fn stop(&self) {
        self.desk.lock().stopped = true;
        self.wake.notify_all();
    }

    /// An entry for the journal.
    pub(super) fn record(&self, entry: Entry) {
        add(&mut self.desk.lock().entries, entry);
        self.wake.notify_all();
    }

    /// A file that nobody will open any more; [`Keeper::doom`] follows. It must not come back after a restart.
    pub(super) fn expect_doomed(&self, id: u64) {
        self.desk.lock().dying.insert(id);
    }

    /// A file that nobody needs any more.
    pub(super) fn doom(&self, doomed: Doomed) {
        let mut desk = self.desk.lock();
        desk.dying.insert(doomed.id);
        desk.doomed.push(doomed);
        drop(desk);
        self.wake.notify_all();
    }

    /// Does what there is to do, once. Blocks.
    pub(super) fn turn(&self, disk: &Disk) {
        loop {
            self.write(disk);
            self.bury(disk);
            let desk = self.desk.lock();
            if desk.failed || (desk.entries.is_empty() && desk.doomed.is_empty()) {
                break;
            }
        }
    }

    pub(super) fn write(&self, disk: &Disk) {
        let mut journal = self.journal.lock();
        let entries = std::mem::take(&mut self.desk.lock().entries);
        let mut result = Ok(());
        if !entries.is_empty() {
            result = journal.append(&entries);
        }
        let mut desk = self.desk.lock();
        desk.failed = result.is_err();
        if let Err(error) = &result {
            disk.health.failed("writing down a purge", error);
            let later = std::mem::replace(&mut desk.entries, entries);
            desk.entries.extend(later);
        }
        drop(desk);
        if result.is_ok() && journal.is_long() && !disk.is_recovering() {
            self.shorten(disk, &mut journal);
        }
    }

    /// Puts what is left of all purges in the place of the purges.
    fn shorten(&self, disk: &Disk, journal: &mut Journal) {
        let seq = disk.next_number();
        let store = disk.store();
        let stale = store.as_ref().map(|store| store.stale_files()).unwrap_or_default();
        // In the order in which a file goes from one list to the next.
        let mut gone = store.map(|store| store.condemned_files()).unwrap_or_default();
        gone.extend(&self.desk.lock().dying);
        if let Err(error) = journal.replace(&[Entry::Standing { seq, stale, gone }]) {
            disk.health.failed("making the list of purges short", &error);
        }
    }

    /// Removes files. True when one was removed. Blocks.
    pub(super) fn bury(&self, disk: &Disk) -> bool {
        let _one_at_a_time = self.burial.lock();
        let some: Vec<Doomed> = {
            let mut desk = self.desk.lock();
            let stuck = std::mem::take(&mut desk.stuck);
            desk.doomed.extend(stuck);
            let from = desk.doomed.len() - desk.doomed.len().min(SOME);
            desk.doomed.split_off(from)
        };
        let mut removed = false;
        for doomed in some {
            match disk.files.remove(&disk.path(doomed.id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    disk.health.stumbled("removing an object", &error);
                    self.desk.lock().stuck.push(doomed);
                }
                _ => {
                    removed = true;
                    self.desk.lock().dying.remove(&doomed.id);
                }
            }
        }
        removed
    }

    /// Recovery has ended: what it found to be purged is removed or known to be stale.
    pub(super) fn recovered(&self, disk: &Disk) {
        let mut journal = self.journal.lock();
        disk.recovering.store(false, Ordering::SeqCst);
        if !journal.is_empty() {
            self.shorten(disk, &mut journal);
        }
        drop(journal);
        self.wake.notify_all();
    }

    /// Waits for the end of recovery. Blocks.
    pub(super) fn wait_recovered(&self, disk: &Disk) {
        let mut desk = self.desk.lock();
        while disk.is_recovering() && !desk.stopped {
            self.wake.wait_for(&mut desk, Duration::from_millis(20));
        }
    }
}

/// Adds to what waits. Where that is too much, one purge of everything takes its place: with the latest number of them
/// all, since purges that ran at once do not come in the order of their numbers.
fn add(entries: &mut Vec<Entry>, entry: Entry) {
    entries.push(entry);
    if entries.len() > MAX_ENTRIES
        && let Some(seq) = entries.iter().map(Entry::seq).max()
    {
        *entries = vec![Entry::Purge { seq, extent: Extent::All, soft: false }];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_entries_become_one_purge_that_is_as_late_as_the_latest() {
        let mut entries = Vec::new();
        let purge = |seq| Entry::Purge { seq, extent: Extent::All, soft: true };
        (1..=MAX_ENTRIES as u64).for_each(|seq| add(&mut entries, purge(seq)));
        assert_eq!(entries.len(), MAX_ENTRIES);
        add(&mut entries, purge(5));
        assert!(matches!(entries[..], [Entry::Purge { seq: 10_000, extent: Extent::All, soft: false }]));
    }
}
