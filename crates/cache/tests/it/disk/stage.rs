//! A play on a disk that can be broken, and closed and opened again.

use crate::play::{Origin, Play, START, answers};
use parking_lot::Mutex;
use rimward_cache::disk::files::{Files, SystemFiles};
use rimward_cache::{Cache, DiskOptions, DiskUsage, Options, Rules};
use rimward_types::{ByteSize, TestClock};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

pub(crate) const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=600"), ("etag", "\"1\"")];

/// Files that fail as a test wants it.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) full: AtomicBool,
    pub(crate) unreadable: AtomicBool,
    /// Nothing may be made, opened or removed.
    pub(crate) forbidden: AtomicBool,
    /// Writes wait for the test.
    pub(crate) stuck: Mutex<()>,
}

impl Faults {
    fn allowed(&self) -> io::Result<()> {
        if self.forbidden.load(Ordering::SeqCst) { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

impl Files for Faults {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.allowed()?;
        SystemFiles.make_folder(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.allowed()?;
        SystemFiles.list(folder)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.allowed()?;
        SystemFiles.create(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.allowed()?;
        SystemFiles.open(path)
    }

    fn length(&self, file: &File) -> io::Result<u64> {
        SystemFiles.length(file)
    }

    fn read_at(&self, file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
        if self.unreadable.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk does not answer"));
        }
        SystemFiles.read_at(file, out, at)
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        drop(self.stuck.lock());
        if self.full.load(Ordering::SeqCst) {
            // As a full disk does: a part is written.
            SystemFiles.write_at(file, &bytes[..bytes.len() / 2], at)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemFiles.write_at(file, bytes, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        SystemFiles.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.allowed()?;
        SystemFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.allowed()?;
        SystemFiles.remove(path)
    }
}

pub(crate) struct DiskPlay {
    pub(crate) play: Play,
    pub(crate) faults: Arc<Faults>,
    pub(crate) folder: TempDir,
    options: Options,
}

impl DiskPlay {
    pub(crate) fn new() -> Self {
        Self::with(ByteSize::mb(4), ByteSize::mb(64))
    }

    pub(crate) fn with(memory: ByteSize, disk: ByteSize) -> Self {
        let folder = TempDir::new().unwrap();
        let faults = Arc::new(Faults::default());
        let disk = DiskOptions { files: faults.clone(), ..DiskOptions::new(folder.path().join("cache"), disk) };
        let options = Options { memory, max_object: ByteSize::mb(16), disk: Some(disk), ..Options::default() };
        let clock = TestClock::at(START);
        let cache = Cache::open(options.clone(), Arc::new(clock.clone())).unwrap();
        let play = Play { cache, clock, rules: Arc::new(Rules::default()) };
        Self { play, faults, folder, options }
    }

    /// Waits for the disk.
    pub(crate) async fn settle(&self) {
        let cache = self.play.cache.clone();
        tokio::task::spawn_blocking(move || cache.settle()).await.unwrap();
    }

    /// Stops without settling, and starts again with what is on the disk.
    pub(crate) async fn reopen(self) -> Self {
        self.reopen_after(|| ()).await
    }

    /// As [`DiskPlay::reopen`], after the disk is well again and `act` has done to it what it wants.
    pub(crate) async fn reopen_after(mut self, act: impl FnOnce()) -> Self {
        let Play { cache, clock, rules } = self.play;
        drop(cache);
        self.faults.full.store(false, Ordering::SeqCst);
        act();
        let (options, time) = (self.options.clone(), Arc::new(clock.clone()));
        let opened = tokio::task::spawn_blocking(move || Cache::open(options, time).unwrap()).await.unwrap();
        self.play = Play { cache: opened, clock, rules };
        self.settle().await;
        self
    }

    pub(crate) fn disk(&self) -> DiskUsage {
        self.play.cache.usage().disk.unwrap()
    }

    /// Fetches `url` and asks for it again, so that it is written.
    pub(crate) async fn keep(&self, url: &str, fields: &[(&str, &str)], body: &'static str) {
        self.play.get(url, answers(200, fields, body)).await;
        self.play.hit(url).await;
        self.settle().await;
    }

    /// Whether `url` is stored; the origin is away.
    pub(crate) async fn body(&self, url: &str) -> Option<bytes::Bytes> {
        let seen = self.play.get(url, Origin::IsAway).await;
        (seen.head.status == 200).then_some(seen.body)
    }

    /// The files of objects.
    pub(crate) fn files(&self) -> Vec<std::path::PathBuf> {
        let objects = self.folder.path().join("cache/objects");
        let folders = std::fs::read_dir(objects).unwrap();
        folders
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect()
    }
}
