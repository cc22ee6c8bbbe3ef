//! Compiled code on disk.
//!
//! A file is named by a digest of the engine's configuration and the component, and starts with a digest of its own
//! contents: loading machine code that a full disk or a crash cut short would be undefined behaviour, so a file that
//! does not agree with its digest is deleted and made again.
//!
//! The folder is bounded: code that was not used for long goes, and when all is too much, what was used longest ago.
//! A file's time of change is the time of its last use.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rimward_types::ByteSize;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"RIMWARD\x01";
const DIGEST: usize = 32;
/// Bytes of all code; the largest functions people have, in Python, take about 100 MB each.
const BYTES: ByteSize = ByteSize::mb(2048);
/// How long code is kept that nobody uses.
const AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// A file that is still being written after this long was left by a process that is gone.
const WRITING: Duration = Duration::from_secs(3600);

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
        let cache = Self { folder: folder.to_owned(), engine };
        cache.prune(SystemTime::now(), BYTES, AGE);
        Ok(cache)
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
        self.touch(key);
        Some(file)
    }

    /// Notes that the code was used.
    fn touch(&self, key: &str) {
        let noted = fs::File::options().append(true).open(self.path(key));
        if let Err(error) = noted.and_then(|file| file.set_modified(SystemTime::now())) {
            tracing::debug!(%error, "the use of compiled code could not be noted");
        }
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
        })?;
        self.prune(SystemTime::now(), BYTES, AGE);
        Ok(())
    }

    /// Deletes what was not used for `age`, and then what was used longest ago until no more than `bytes` are left.
    /// Functions that run have their code in memory and do not miss it.
    fn prune(&self, now: SystemTime, bytes: ByteSize, age: Duration) {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let unused = now.duration_since(used).unwrap_or_default();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("code") if unused <= age => kept.push((used, metadata.len(), path)),
                Some("code") => delete(&path),
                Some("part") if unused > WRITING => delete(&path),
                _ => {}
            }
        }
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in kept {
            if total <= bytes.as_u64() {
                break;
            }
            delete(&path);
            total -= length;
        }
    }

    /// Forgets the code.
    pub(crate) fn remove(&self, key: &str) {
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.code"))
    }
}

fn delete(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => tracing::debug!(file = %path.display(), "compiled code that is not used was deleted"),
        // Another node that shares the folder was first.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, file = %path.display(), "compiled code cannot be deleted"),
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

    /// Stores code under `name`, used for the last time `days` ago, and gives its path.
    fn stored(cache: &CodeCache, name: &str, length: usize, days: u64) -> PathBuf {
        let key = cache.key(name.as_bytes());
        cache.store(&key, &vec![0; length]).unwrap();
        let used = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        fs::File::options().append(true).open(cache.path(&key)).unwrap().set_modified(used).unwrap();
        cache.path(&key)
    }

    #[test]
    fn code_that_nobody_uses_goes_and_what_others_keep_in_the_folder_stays() {
        let (_folder, cache) = cache(1);
        let (old, new) = (stored(&cache, "old", 10, 31), stored(&cache, "new", 10, 29));
        let (writing, left) = (cache.folder.join("x.1-0.part"), cache.folder.join("y.1-0.part"));
        let other = cache.folder.join("notes.txt");
        for path in [&writing, &left, &other] {
            fs::write(path, b"x").unwrap();
        }
        let hours_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
        fs::File::options().append(true).open(&left).unwrap().set_modified(hours_ago).unwrap();
        let again = CodeCache::open(&cache.folder, [1; 32]).unwrap();
        assert_eq!([old.exists(), new.exists()], [false, true]);
        assert_eq!([writing.exists(), left.exists(), other.exists()], [true, false, true]);
        assert!(again.load(&again.key(b"new")).is_some());
    }

    #[test]
    fn when_all_is_too_much_what_was_used_longest_ago_goes() {
        let (_folder, cache) = cache(1);
        let files = [("a", 3), ("b", 2), ("c", 1)].map(|(name, days)| stored(&cache, name, 1000, days));
        // A use counts, whenever the code was made.
        cache.load(&cache.key(b"a")).unwrap();
        cache.prune(SystemTime::now(), ByteSize::bytes(2500), AGE);
        assert_eq!(files.map(|file| file.exists()), [true, false, true]);
        cache.prune(SystemTime::now(), ByteSize::bytes(0), AGE);
        assert!(cache.load(&cache.key(b"a")).is_none());
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
