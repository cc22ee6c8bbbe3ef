//! A folder on the disk, and what the system knows of it.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Every file below `folder`.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// Writes what is not written, and takes the files out of the page cache: the next read is one of the disk.
pub fn forget(folder: &Path) {
    for path in files(folder) {
        let Ok(file) = std::fs::File::open(path) else { continue };
        let _ = file.sync_all();
        // SAFETY: a call that takes an open descriptor and touches no memory of ours.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
}

/// Bytes that the files take on the disk.
pub fn taken(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    files(folder).iter().filter_map(|path| path.metadata().ok()).map(|told| told.blocks() * 512).sum()
}

/// Processor time that this process has used, in microseconds.
pub fn cpu_us() -> f64 {
    // SAFETY: `getrusage` fills the struct that it is given, for which zeros are a value.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let us = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    us(usage.ru_utime) + us(usage.ru_stime)
}
