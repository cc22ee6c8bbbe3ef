//! What an earlier run has left is looked through while the node serves: each file is opened, its head checked and put
//! into the index, unless it was purged, or never finished, or something newer has come.

use super::frames;
use super::journal::Past;
use super::keeper::Doomed;
use super::object_file::ObjectFile;
use super::record::Record;
use super::{Disk, FOLDERS, on_disk};
use crate::store::Store;
use crate::store::purge_list::Verdict;
use crate::store::shelf::Filed;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// Threads: more would take the disk from those who serve.
const THREADS: usize = 2;

/// How it goes.
struct Recovery {
    disk: Arc<Disk>,
    past: Past,
    next: AtomicU64,
    running: AtomicUsize,
    kept: AtomicU64,
    removed: AtomicU64,
}

/// Begins to look through what is there.
pub(super) fn start(disk: &Arc<Disk>, past: Past) -> io::Result<()> {
    let recovery = Arc::new(Recovery {
        disk: disk.clone(),
        past,
        next: AtomicU64::new(0),
        running: AtomicUsize::new(THREADS),
        kept: AtomicU64::new(0),
        removed: AtomicU64::new(0),
    });
    for n in 0..THREADS {
        let recovery = recovery.clone();
        thread::Builder::new().name(format!("cache-recovery-{n}")).spawn(move || recovery.run())?;
    }
    Ok(())
}

impl Recovery {
    fn run(&self) {
        loop {
            let folder = self.next.fetch_add(1, Ordering::Relaxed);
            // The node may have been stopped meanwhile: what is left is for the next start.
            let Some(store) = self.disk.store().filter(|_| folder < FOLDERS) else { break };
            self.look_through(&store, folder);
        }
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 && self.next.load(Ordering::Relaxed) >= FOLDERS {
            let (kept, removed) = (self.kept.load(Ordering::Relaxed), self.removed.load(Ordering::Relaxed));
            self.disk.keeper.recovered(&self.disk);
            if let Some(store) = self.disk.store() {
                store.end_recovery();
            }
            if kept + removed > 0 {
                tracing::info!(kept, removed, "the cache's disk is looked through");
            }
        }
    }

    fn look_through(&self, store: &Arc<Store>, folder: u64) {
        let names = match self.disk.files.list(&self.disk.objects.join(format!("{folder:02x}"))) {
            Ok(names) => names,
            Err(error) => return self.disk.health.stumbled("looking through a folder", &error),
        };
        for name in names {
            // Other files are not the cache's.
            let Some(id) = u64::from_str_radix(&name, 16).ok().filter(|id| format!("{id:016x}") == name) else {
                continue;
            };
            if id % FOLDERS != folder || self.disk.is_of_this_run(id) {
                continue;
            }
            if self.take(store, id).is_none() {
                self.removed.fetch_add(1, Ordering::Relaxed);
                self.disk.keeper.doom(Doomed { id, _room: self.disk.room.nothing() });
            } else {
                self.kept.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// `None`: it is to be removed.
    fn take(&self, store: &Arc<Store>, id: u64) -> Option<()> {
        if self.past.forgotten {
            return None;
        }
        let file = self.disk.files.open(&self.disk.path(id)).ok()?;
        let tail = frames::read_tail(&*self.disk.files, &file, id).ok()?;
        let record = Record::decode(&tail.head).ok()?;
        let key = Arc::new(record.key());
        let seq = record.seq;
        let parts = record.into_parts().ok()?;
        let is_stale = match self.past.judge(id, seq, &key, &parts.tags) {
            Verdict::Keep => parts.expired,
            Verdict::Stale => true,
            Verdict::Remove => return None,
        };
        let room = self.disk.room.reserve(on_disk(tail.size))?;
        let weight = Filed::weight(&key, &parts.selecting, &parts.tags);
        // Nothing else is evicted for it: the order of use is not known.
        let rooms = [self.disk.index.reserve(weight)?, store.reserve(weight)?];
        let object = ObjectFile::new(self.disk.clone(), id, key, tail.length, tail.size, room);
        let filed = Filed::new(object, &parts.selecting, parts.tags, is_stale, rooms);
        store.recover(filed, seq);
        Some(())
    }
}

impl Disk {
    /// Begins to look through what an earlier run has left.
    pub(crate) fn recover(self: &Arc<Self>, past: Past) -> io::Result<()> {
        start(self, past)
    }
}
