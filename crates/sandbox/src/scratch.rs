//! `/tmp`: a folder per instance, bounded, deleted with the instance.

mod link;
mod quota;

pub(crate) use link::enforce_quota;
pub(crate) use quota::Quota;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "rimward-scratch-";

/// The folder in which the instances of one node have theirs. Deleted when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    root: PathBuf,
    next: AtomicU64,
}

impl Scratch {
    /// Makes a folder below `parent`, and deletes what processes that are gone have left there.
    pub(crate) fn open(parent: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(parent)?;
        sweep(parent);
        let name = format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = parent.join(name);
        let _ = fs::remove_dir_all(&root);
        private().create(&root)?;
        Ok(Self { root, next: AtomicU64::new(0) })
    }

    /// A new, empty folder.
    pub(crate) fn folder(self: &Arc<Self>) -> io::Result<Folder> {
        let path = self.root.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        private().create(&path)?;
        Ok(Folder { path, _root: self.clone() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// One instance's folder. Deleted when dropped, off the thread that serves requests.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _root: Arc<Scratch>,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        // An empty folder, the usual case, goes at once; a tree may take a while.
        if fs::remove_dir(&path).is_ok() {
            return;
        }
        let root = self._root.clone();
        let remove = move || {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(%error, "scratch folder not deleted");
            }
            drop(root);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

fn private() -> fs::DirBuilder {
    #[allow(unused_mut)]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Deletes the folders of processes that no longer run. Only where `/proc` tells which do.
fn sweep(parent: &Path) {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('-'));
        if let Some((process, _)) = process
            && process.parse::<u32>().is_ok()
            && !Path::new("/proc").join(process).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_folder_is_private_and_gone_with_its_instance() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Arc::new(Scratch::open(parent.path()).unwrap());
        let (one, two) = (scratch.folder().unwrap(), scratch.folder().unwrap());
        assert_ne!(one.path(), two.path());
        let path = one.path().to_owned();
        fs::create_dir(path.join("sub")).unwrap();
        fs::write(path.join("sub/file"), b"x").unwrap();
        drop(one);
        assert!(!path.exists());
        drop((two, scratch));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_node_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let gone = parent.path().join(format!("{PREFIX}4294967295-0"));
        fs::create_dir(&gone).unwrap();
        fs::create_dir(parent.path().join("somebody-elses")).unwrap();
        let scratch = Scratch::open(parent.path()).unwrap();
        assert!(!gone.exists());
        assert!(scratch.root.exists());
        assert!(parent.path().join("somebody-elses").exists());
    }
}
