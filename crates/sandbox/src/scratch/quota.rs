//! How many bytes an instance keeps in its folder.
//!
//! Bytes are charged as they are written, which counts an overwritten byte twice; when the sum reaches the limit the
//! folder is measured, and the sum is put right. Files that are deleted but still open are measured too, else a
//! function could fill the disk out of sight.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// What an entry costs at least: a block on disk. It bounds the number of files as well.
pub(crate) const ENTRY: u64 = 4096;

/// The bound of one instance's folder.
#[derive(Debug, Clone)]
pub(crate) struct Quota(Arc<State>);

#[derive(Debug)]
struct State {
    root: PathBuf,
    limit: u64,
    used: AtomicU64,
    /// Charged since the folder was measured.
    charged: AtomicU64,
    /// Whether something was deleted or cut since then.
    freed: AtomicBool,
    open: Mutex<Vec<Weak<fs::File>>>,
}

impl Quota {
    /// At most `limit` bytes below `root`.
    pub(crate) fn new(root: &Path, limit: u64) -> Self {
        Self(Arc::new(State {
            root: root.to_owned(),
            limit,
            used: AtomicU64::new(0),
            charged: AtomicU64::new(0),
            freed: AtomicBool::new(false),
            open: Mutex::default(),
        }))
    }

    /// Takes `bytes` of what is left, or refuses.
    pub(crate) fn charge(&self, bytes: u64) -> bool {
        let add = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.0.limit);
        let fits = self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
        if fits {
            self.0.charged.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Takes `bytes`; measures the folder first when there seems to be no room.
    pub(crate) async fn admit(&self, bytes: u64) -> bool {
        if self.charge(bytes) {
            return true;
        }
        self.settle().await && self.charge(bytes)
    }

    /// Measures the folder if that may give room, and says whether it did measure.
    pub(crate) async fn settle(&self) -> bool {
        let enough = self.0.charged.load(Ordering::Relaxed) >= self.0.limit / 16;
        if !enough && !self.0.freed.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.0.clone();
        tokio::task::spawn_blocking(move || state.measure()).await.is_ok()
    }

    /// Whether fewer than `bytes` are left.
    pub(crate) fn short_of(&self, bytes: u64) -> bool {
        self.0.limit.saturating_sub(self.0.used.load(Ordering::Relaxed)) < bytes
    }

    /// Something was deleted or cut.
    pub(crate) fn freed(&self) {
        self.0.freed.store(true, Ordering::Relaxed);
    }

    /// A file was opened.
    pub(crate) fn opened(&self, file: &Arc<fs::File>) {
        let mut open = self.0.open.lock();
        if open.len() == open.capacity() {
            open.retain(|file| file.strong_count() > 0);
        }
        open.push(Arc::downgrade(file));
    }
}

impl State {
    fn measure(&self) {
        self.freed.store(false, Ordering::Relaxed);
        self.charged.store(0, Ordering::Relaxed);
        let unlinked: u64 = self.open.lock().iter().filter_map(Weak::upgrade).map(|file| unlinked(&file)).sum();
        self.used.store(tree(&self.root).saturating_add(unlinked), Ordering::Relaxed);
    }
}

fn cost(length: u64) -> u64 {
    length.div_ceil(ENTRY).max(1).saturating_mul(ENTRY)
}

fn tree(folder: &Path) -> u64 {
    let mut total = 0u64;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            total = total.saturating_add(cost(if metadata.is_file() { metadata.len() } else { 0 }));
        }
    }
    total
}

#[cfg(unix)]
fn unlinked(file: &fs::File) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map_or(0, |metadata| if metadata.nlink() == 0 { cost(metadata.len()) } else { 0 })
}

#[cfg(not(unix))]
fn unlinked(_: &fs::File) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn room_comes_back_when_a_file_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let quota = Quota::new(folder.path(), 64 << 10);
        let path = folder.path().join("file");
        fs::write(&path, vec![0; 60 << 10]).unwrap();
        assert!(quota.admit(60 << 10).await);
        assert!(!quota.admit(8 << 10).await);
        fs::remove_file(&path).unwrap();
        quota.freed();
        assert!(quota.admit(60 << 10).await);
    }

    #[tokio::test]
    async fn overwriting_does_not_use_room_up() {
        let folder = tempfile::tempdir().unwrap();
        let quota = Quota::new(folder.path(), 64 << 10);
        for _ in 0..10 {
            assert!(quota.admit(40 << 10).await);
            fs::write(folder.path().join("file"), vec![0; 20 << 10]).unwrap();
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_deleted_file_counts_while_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let quota = Quota::new(folder.path(), 64 << 10);
        let path = folder.path().join("file");
        fs::write(&path, vec![0; 60 << 10]).unwrap();
        assert!(quota.admit(60 << 10).await);
        let file = Arc::new(fs::File::open(&path).unwrap());
        quota.opened(&file);
        fs::remove_file(&path).unwrap();
        quota.freed();
        assert!(!quota.admit(8 << 10).await);
        drop(file);
        quota.freed();
        assert!(quota.admit(8 << 10).await);
    }

    #[tokio::test]
    async fn a_hole_counts_as_if_it_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let quota = Quota::new(folder.path(), 64 << 10);
        assert!(!quota.admit(1 << 40).await);
        fs::File::create(folder.path().join("hole")).unwrap().set_len(1 << 40).unwrap();
        quota.freed();
        quota.settle().await;
        assert!(!quota.charge(1));
    }
}
