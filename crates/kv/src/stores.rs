//! The stores of a node, each opened once.

use crate::Store;
use crate::disk::Disk;
use parking_lot::Mutex;
use rimward_types::{ByteSize, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stores by name, one file each in a folder. A store stays open until this is dropped: requests in flight read it
/// after the configuration has let go of it.
#[derive(Debug)]
pub struct Stores {
    folder: PathBuf,
    open: Mutex<BTreeMap<String, Arc<Store>>>,
}

/// A store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct OpenError {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// How to mend it, where that is known.
    pub hint: Option<&'static str>,
}

impl Stores {
    /// Stores in `folder`, which is made when the first one is.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), open: Mutex::default() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens a store, or makes an empty one. `name` is a name of the configuration: letters, digits, `-` and `_`.
    /// `limit` holds from now on. Blocks.
    ///
    /// # Errors
    /// When its file cannot be made or read, is none, or another process has it.
    pub fn open(&self, name: &str, limit: ByteSize, now: Timestamp) -> Result<Arc<Store>, OpenError> {
        let mut open = self.open.lock();
        if let Some(store) = open.get(name) {
            store.set_limit(limit);
            return Ok(store.clone());
        }
        let path = self.folder.join(format!("{name}.redb"));
        let failed = |reason: String, hint| OpenError { path: path.clone(), reason, hint };
        make_folder(&self.folder).map_err(|error| failed(error.to_string(), Some("see `node.state`")))?;
        let (disk, pairs, about) = Disk::open(&path, now).map_err(|error| {
            let hint = match &error {
                crate::disk::DiskError::InUse => Some("each node needs a `node.state` of its own"),
                crate::disk::DiskError::Database(_) => Some("move the file away; the store is then made of its `file`"),
                crate::disk::DiskError::Format(_) => Some("run the version of rimward that wrote it, and export it"),
            };
            failed(error.to_string(), hint)
        })?;
        let store = Arc::new(Store::on(disk, pairs, about, limit));
        open.insert(name.to_owned(), store.clone());
        Ok(store)
    }
}

/// Values may be secrets: others have no business there.
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
