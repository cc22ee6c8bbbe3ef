//! The queue's folder: one file per event, whole or not there. Everything here blocks.

use super::event::Event;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const LOCK: &str = "lock";

/// Why a queue cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The folder cannot be used.
    #[error("the queue of events in {path}: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process has it open; both would handle the same events.
    #[error("the queue of events in {0} is used by another node")]
    InUse(PathBuf),
}

/// The folder, locked for this process.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    /// The system lets go of the lock when the process ends, however it ends.
    _lock: File,
}

impl Files {
    /// Opens the folder, which is made where it is missing, and reads what is left in it.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<(Event, u64)>), QueueError> {
        let fault = |error| QueueError::Folder { path: folder.to_owned(), error };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        // Events may carry what others should not read.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(fault)?;
        let lock = File::options().write(true).create(true).truncate(false).open(folder.join(LOCK)).map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(QueueError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        let mut left = Vec::new();
        for entry in fs::read_dir(folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                // Its acceptance was never answered.
                Some("part") => drop(fs::remove_file(&path)),
                Some("json") => match read(&path) {
                    Ok(event) => left.push(event),
                    Err(error) => {
                        tracing::error!(file = %path.display(), %error, "an event cannot be read; its file is left alone");
                    }
                },
                _ => {}
            }
        }
        Ok((Self { folder: folder.to_owned(), _lock: lock }, left))
    }

    pub(super) fn read(&self, id: &str) -> io::Result<Event> {
        read(&self.path(id)).map(|(event, _)| event)
    }

    pub(super) fn write(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        write_whole(&self.folder, &format!("{id}.json"), bytes)
    }

    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        fs::remove_file(self.path(id))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> io::Result<(Event, u64)> {
    let bytes = fs::read(path)?;
    let event: Event = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(&*event.id) {
        return Err(io::Error::other("it has another event's name"));
    }
    Ok((event, bytes.len() as u64))
}

/// Writes a file that is whole from the moment it appears, and that is still there when the power fails after this.
/// The folder is made where it is missing.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder)?;
    let part = folder.join(format!("{name}.{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let write = || -> io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, folder.join(name))?;
        File::open(folder)?.sync_all()
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}
