//! The disk tier: a file for each object, an index in memory, threads of its own that wait for the disk.
//!
//! - [`files`]: the seam to the file system.
//! - `frames`: the layout of an object's file; checksums.
//! - `record`: the head in it.
//! - `object_file`: an object's file, for as long as somebody needs it; reading.
//! - `writing`: a file that is being made.
//! - `journal`: epochs and purges, so that nothing comes back from the dead.
//! - `keeper`: the thread that writes the journal and removes files.
//! - `recovery`: what an earlier run has left.
//! - `health`: what happens while the disk fails.
//! - `body`: a body that is read from a file while it is sent.

pub(crate) mod body;
pub mod files;
mod frames;
pub(crate) mod health;
mod journal;
mod keeper;
pub(crate) mod object_file;
mod pool;
mod record;
mod recovery;
pub(crate) mod writing;

pub(crate) use frames::Unreadable;
pub use health::Problem;
pub(crate) use object_file::ObjectFile;
pub(crate) use record::Parts;

pub(crate) use journal::Past;

use crate::key::Key;
use crate::memory::{Budget, Room};
use crate::object::Face;
use crate::store::Store;
use crate::store::extent::Extent;
use files::{Files, SystemFiles};
use health::Health;
use journal::{Entry, Journal};
use keeper::Keeper;
use pool::Pool;
use record::Record;
use rimward_types::{ByteSize, Clock};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// Threads that read, and jobs that may wait for them: each is a request that would rather go to the origin than wait long.
const READERS: usize = 4;
const MAX_READS: usize = 512;
/// Threads that write, and jobs that may wait for them: each holds an object in memory.
const WRITERS: usize = 2;
const MAX_WRITES: usize = 128;
/// How often, and after what time, the folder is tried again that another process has.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Low bits of a number, which count fetches, writes and purges: at 100,000 a second they last for five years. The high bits
/// tell the epoch, of which each start takes one.
const COUNT_BITS: u32 = 44;
/// Epochs end here; then a cache begins with nothing.
const LAST_EPOCH: u32 = (1 << (u64::BITS - COUNT_BITS)) - 1;
/// Folders for objects: a folder with a million files is slow to change.
const FOLDERS: u64 = 256;

/// Where and how much.
#[derive(Clone)]
pub struct DiskOptions {
    /// Folder, of which the cache owns `marker`, `purges`, `lock` and `objects`. It is made when it is not there.
    pub path: PathBuf,
    /// Bytes of all files together, with a block of 4 KB for each that is begun. Never exceeded.
    pub size: ByteSize,
    /// How files are touched.
    pub files: Arc<dyn Files>,
}

/// The disk tier cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Another process has the folder.
    #[error("cache folder {}: another node uses it", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("cache folder {}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the disk tier holds and does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskUsage {
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes that they may have.
    pub limit: u64,
    /// Objects; each variant counts.
    pub objects: u64,
    /// Bytes of memory for the index; a part of the cache's memory.
    pub index: u64,
    /// Objects evicted since the start.
    pub evicted: u64,
    /// Objects written since the start.
    pub written: u64,
    /// Objects read for a request since the start.
    pub read: u64,
    /// Objects not written since too many waited, since the start.
    pub skipped: u64,
    /// Objects found damaged since the start; they are removed.
    pub damaged: u64,
    /// Reads, writes and removals that failed since the start.
    pub failures: u64,
    /// Whether what an earlier run has left is still being looked through.
    pub recovering: bool,
    /// Why nothing is written, if so.
    pub problem: Option<Problem>,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) evicted: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) damaged: AtomicU64,
}

pub(crate) struct Disk {
    objects: PathBuf,
    files: Arc<dyn Files>,
    /// Bytes of files.
    room: Arc<Budget>,
    /// Memory for the index, within the cache's.
    index: Arc<Budget>,
    reads: Pool,
    writes: Pool,
    health: Health,
    pub(crate) counters: Counters,
    epoch: u32,
    numbers: AtomicU64,
    keeper: Arc<Keeper>,
    recovering: AtomicBool,
    store: OnceLock<Weak<Store>>,
    /// Held while the process uses the folder.
    _lock: File,
}

impl std::fmt::Debug for DiskOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskOptions").field("path", &self.path).field("size", &self.size).finish_non_exhaustive()
    }
}

impl DiskOptions {
    /// A folder of the system.
    pub fn new(path: impl Into<PathBuf>, size: ByteSize) -> Self {
        Self { path: path.into(), size, files: Arc::new(SystemFiles) }
    }
}

/// What a file takes on the disk.
fn on_disk(bytes: u64) -> usize {
    bytes.next_multiple_of(4096) as usize
}

impl Disk {
    /// Takes the folder. Blocks. What an earlier run has left is not looked at before [`Disk::recover`].
    pub(crate) fn open(
        options: &DiskOptions,
        clock: &Arc<dyn Clock>,
        index: usize,
    ) -> Result<(Arc<Self>, Past), DiskError> {
        let path = &options.path;
        Self::try_open(options, clock, index).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => DiskError::InUse(path.clone()),
            _ => DiskError::Io { path: path.clone(), source: error },
        })
    }

    fn try_open(options: &DiskOptions, clock: &Arc<dyn Clock>, index: usize) -> io::Result<(Arc<Self>, Past)> {
        let files = options.files.clone();
        let objects = options.path.join("objects");
        files.make_folder(&objects)?;
        let lock = lock(&options.path.join("lock"))?;
        for n in 0..FOLDERS {
            files.make_folder(&objects.join(format!("{n:02x}")))?;
        }
        let (journal, past) = Journal::open(files.clone(), &options.path)?;
        let disk = Arc::new(Self {
            objects,
            files,
            room: Budget::new(options.size.as_usize()),
            index: Budget::new(index),
            reads: Pool::start("cache-read", READERS, MAX_READS)?,
            writes: Pool::start("cache-write", WRITERS, MAX_WRITES)?,
            health: Health::new(clock.clone()),
            counters: Counters::default(),
            epoch: journal.epoch,
            numbers: AtomicU64::new(1),
            keeper: Keeper::new(journal),
            recovering: AtomicBool::new(true),
            store: OnceLock::new(),
            _lock: lock,
        });
        keeper::start(&disk)?;
        Ok((disk, past))
    }

    pub(crate) fn attach(&self, store: Weak<Store>) {
        let _ = self.store.set(store);
    }

    fn store(&self) -> Option<Arc<Store>> {
        self.store.get()?.upgrade()
    }

    /// A number above all before it.
    pub(crate) fn next_number(&self) -> u64 {
        (u64::from(self.epoch) << COUNT_BITS) + self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    /// Whether a file is of this run.
    fn is_of_this_run(&self, id: u64) -> bool {
        id >> COUNT_BITS == u64::from(self.epoch)
    }

    /// As if so many numbers had been drawn.
    #[cfg(test)]
    pub(crate) fn skip_numbers(&self, count: u64) {
        self.numbers.fetch_add(count, Ordering::SeqCst);
    }

    fn path(&self, id: u64) -> PathBuf {
        self.objects.join(format!("{:02x}", id % FOLDERS)).join(format!("{id:016x}"))
    }

    /// Memory for its index.
    pub(crate) fn index(&self) -> &Arc<Budget> {
        &self.index
    }

    pub(crate) fn limit(&self) -> u64 {
        self.room.limit() as u64
    }

    pub(crate) fn is_recovering(&self) -> bool {
        self.recovering.load(Ordering::SeqCst)
    }

    /// Whether it makes sense to offer an object of `length`.
    pub(crate) fn accepts(&self, length: u64) -> bool {
        length <= self.limit() / 4 && self.health.may_write() && !self.writes.is_full()
    }

    /// Whether an object of `length` fits without another's eviction.
    pub(crate) fn has_free(&self, length: u64) -> bool {
        (self.room.held() as u64).saturating_add(length) <= self.limit()
    }

    /// Queues a job that reads. False when too many wait.
    pub(crate) fn read(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.reads.submit(job)
    }

    /// Queues a job that writes. False when too many wait.
    pub(crate) fn write(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let queued = self.writes.submit(job);
        if !queued {
            self.counters.skipped.fetch_add(1, Ordering::Relaxed);
        }
        queued
    }

    /// Queues a job that writes, or gives it back when too many wait.
    pub(crate) fn write_or_return(&self, job: pool::Job) -> Result<(), pool::Job> {
        self.writes.submit_or_return(job)
    }

    /// Says that a write took too long.
    pub(crate) fn note_slow(&self) {
        self.health.failed("writing an object", &"the disk is too slow");
    }

    /// Memory for an entry of the index, evicting others.
    pub(crate) fn index_room(&self, store: &Store, bytes: usize) -> Option<[Room; 2]> {
        loop {
            if let Some(room) = self.index.reserve(bytes) {
                return Some([room, store.reserve(bytes)?]);
            }
            if !store.evict_file() {
                return None;
            }
        }
    }

    /// Room on the disk, evicting what was used least recently. Blocks.
    fn reserve(&self, bytes: usize) -> io::Result<Room> {
        loop {
            if let Some(room) = self.room.reserve(bytes) {
                return Ok(room);
            }
            let evicted = self.store().is_some_and(|store| store.evict_file());
            let removed = self.keeper.bury(self);
            if !evicted && !removed {
                return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "what is there is in use"));
            }
        }
    }

    /// Says how a write went.
    pub(crate) fn note_write(&self, result: &Result<(), Unreadable>) {
        match result {
            Ok(()) => self.health.succeeded(),
            // Its size is the operator's wish, not a failure.
            Err(Unreadable::Io(error)) if error.kind() == io::ErrorKind::QuotaExceeded => {
                self.counters.skipped.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self.health.failed("writing an object", error),
        }
    }

    /// Says that a read failed. True when the file is of no use any more.
    pub(crate) fn note_unreadable(&self, error: &Unreadable) -> bool {
        match error {
            Unreadable::Busy => false,
            Unreadable::Damaged(why) => {
                self.counters.damaged.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(why, "an object on the cache's disk is damaged and is removed");
                true
            }
            Unreadable::Io(error) => {
                self.health.stumbled("reading an object", error);
                error.kind() == io::ErrorKind::NotFound
            }
        }
    }

    /// A purge has been carried out in memory: it is written down, so that a restart knows. Its number is drawn here, at
    /// its end: it also means what was written, or got a new head, while it was on its way to the shard.
    pub(crate) fn record_purge(&self, extent: Extent, soft: bool) {
        self.keeper.record(Entry::Purge { seq: self.next_number(), extent, soft });
    }

    /// Writes a new head behind the old one. Blocks.
    pub(crate) fn update_head(&self, file: &ObjectFile, seq: u64, key: &Key, face: &Face) -> Result<(), Unreadable> {
        let head = Record::of(seq, key, face).encode()?;
        file.append_head(&head)
    }

    pub(crate) fn usage(&self, objects: u64) -> DiskUsage {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { evicted, written, read, skipped, damaged } = &self.counters;
        DiskUsage {
            bytes: self.room.held() as u64,
            limit: self.limit(),
            objects,
            index: self.index.held() as u64,
            evicted: count(evicted),
            written: count(written),
            read: count(read),
            skipped: count(skipped),
            damaged: count(damaged),
            failures: self.health.failures(),
            recovering: self.is_recovering(),
            problem: self.health.problem(),
        }
    }

    /// Waits until every purge is written down, or the disk has refused: then a restart begins with nothing. Blocks.
    pub(crate) fn confirm(&self) {
        self.keeper.write(self);
    }

    /// Waits until all that was begun is written, removed and recorded, as far as the disk allows. Blocks.
    pub(crate) fn settle(&self) {
        self.keeper.wait_recovered(self);
        self.reads.wait_idle();
        self.writes.wait_idle();
        self.keeper.turn(self);
    }
}

/// Takes the folder for this process. The system lets go of it however the process ends.
fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A node that goes down writes down its last purges.
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.keeper.turn(self);
        self.keeper.stop();
    }
}
