//! Compiled code on disk.
//!
//! A file is named by a digest of the engine's configuration and the component, and starts with a digest of its own
//! contents: loading machine code that a full disk or a crash cut short would be undefined behaviour, so a file that
//! does not agree with its digest is deleted and made again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"RIMWARD\x01";
const DIGEST: usize = 32;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    engine: [u8; 32],
}

impl CodeCache {
    /// Opens the folder, which is made where it is missing and which only this user may read or write.
    pub(crate) fn open(folder: &Path, engine: [u8; 32]) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.to_owned(), engine })
    }

    /// The name of `component`'s compiled code.
    pub(crate) fn key(&self, component: &[u8]) -> String {
        let digest = Sha256::new().chain_update(self.engine).chain_update(component).finalize();
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            use std::fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The code, if it is there and whole. What is damaged is deleted.
    pub(crate) fn load(&self, key: &str) -> Option<Vec<u8>> {
        let mut file = match fs::read(self.path(key)) {
            Ok(file) => file,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "compiled code cannot be read");
                }
                return None;
            }
        };
        let start = MAGIC.len() + DIGEST;
        let whole = file.len() >= start
            && file.starts_with(MAGIC)
            && Sha256::digest(&file[start..]).as_slice() == &file[MAGIC.len()..start];
        if !whole {
            tracing::warn!(key, "compiled code is damaged and is made again");
            self.remove(key);
            return None;
        }
        file.drain(..start);
        Some(file)
    }

    /// Keeps the code. A reader sees the whole file or none.
    pub(crate) fn store(&self, key: &str, code: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let part = format!("{key}.{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let part = self.folder.join(part);
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&part)?;
            file.write_all(MAGIC)?;
            file.write_all(&Sha256::digest(code))?;
            file.write_all(code)?;
            fs::rename(&part, self.path(key))
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })
    }

    /// Forgets the code.
    pub(crate) fn remove(&self, key: &str) {
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.code"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn cache(engine: u8) -> (tempfile::TempDir, CodeCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&folder.path().join("code"), [engine; 32]).unwrap();
        (folder, cache)
    }

    #[test]
    fn code_is_found_again_under_its_component_and_engine_alone() {
        let (folder, cache) = cache(1);
        let key = cache.key(b"component");
        assert_eq!(cache.load(&key), None);
        cache.store(&key, b"code").unwrap();
        assert_eq!(cache.load(&key).as_deref(), Some(&b"code"[..]));
        let other = CodeCache::open(&folder.path().join("code"), [2; 32]).unwrap();
        assert_eq!(other.load(&other.key(b"component")), None);
        assert_eq!(cache.load(&cache.key(b"componenT")), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_belongs_to_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, cache) = cache(1);
        assert_eq!(fs::metadata(&cache.folder).unwrap().permissions().mode() & 0o077, 0);
    }

    proptest! {
        #[test]
        fn a_file_that_was_changed_or_cut_is_not_loaded_and_deleted(
            code in proptest::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), cut in any::<bool>()
        ) {
            let (_folder, cache) = cache(1);
            let key = cache.key(b"component");
            cache.store(&key, &code).unwrap();
            let mut file = fs::read(cache.path(&key)).unwrap();
            let at = at.index(file.len());
            if cut { file.truncate(at) } else { file[at] ^= 1 }
            fs::write(cache.path(&key), file).unwrap();
            prop_assert_eq!(cache.load(&key), None);
            prop_assert!(!cache.path(&key).exists());
        }
    }
}
