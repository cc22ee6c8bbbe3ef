//! Machine code of the guest, kept on disk.
//!
//! A file is one line of header, a checksum, and what wasmtime gave. Its name is a hash of everything that the code depends on.
//! Loading machine code is as trusting as running a program: a file is loaded only when it belongs to our own user, nobody else may write it,
//! and its checksum is right. Everything else counts as missing: the code is compiled again and the file replaced.

use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use wasmtime::{Engine, Module};

/// First bytes of a file; the number changes with the layout.
const MAGIC: &[u8; 24] = b"rimward machine code 1\r\n";
/// Bytes of a SHA-256.
const CHECKSUM: usize = 32;
/// Largest file that is read; the code of the guest takes about 15 MB.
const MAX_FILE: u64 = 256 << 20;

/// How long the code of other versions is kept.
const AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where the engine's machine code came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOrigin {
    /// From the cache.
    Loaded,
    /// Compiled and stored.
    Compiled {
        /// How long that took.
        took: Duration,
    },
    /// Compiled, but the next start must compile again.
    NotStored {
        /// How long that took.
        took: Duration,
        /// Why it could not be stored.
        reason: String,
    },
}

/// A folder of machine code.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// Uses `folder`, which is made when something is stored.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The machine code of `wasm` for `engine`, which is `check`ed before it is compiled. Compiling takes seconds; processes
    /// that start at the same time compile once.
    pub(crate) fn module(
        &self,
        engine: &Engine,
        wasm: &[u8],
        check: impl FnOnce() -> wasmtime::Result<()>,
    ) -> wasmtime::Result<(Module, CodeOrigin)> {
        let path = self.folder.join(format!("guest-{}.cwasm", key(engine, wasm)));
        if let Some(module) = load(engine, &path) {
            return Ok((module, CodeOrigin::Loaded));
        }
        // Held until the end. Without a lock (a file system that has none) two processes do the same work, no more.
        let _lock = self.lock(&path);
        if let Some(module) = load(engine, &path) {
            return Ok((module, CodeOrigin::Loaded));
        }
        check()?;
        let started = Instant::now();
        let code = engine.precompile_module(wasm)?;
        let took = started.elapsed();
        // SAFETY: the bytes are what this engine gave a moment ago.
        let module = unsafe { Module::deserialize(engine, &code) }?;
        let origin = match self.store(&path, &code) {
            Ok(()) => CodeOrigin::Compiled { took },
            Err(error) => CodeOrigin::NotStored { took, reason: format!("{}: {error}", path.display()) },
        };
        Ok((module, origin))
    }

    fn lock(&self, path: &Path) -> Option<File> {
        self.make_folder().ok()?;
        let path = path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// Writes aside and renames, so that nobody sees half a file.
    fn store(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.make_folder()?;
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let aside = path.with_extension(format!("{}-{n}.new", process::id()));
        let written = write(&aside, code).and_then(|()| fs::rename(&aside, path));
        if written.is_err() {
            // It may not exist; nothing more can be done about it.
            let _ = fs::remove_file(&aside);
        }
        self.prune(path, SystemTime::now());
        written
    }

    /// Deletes the code of other versions of the node that was made long ago. One that still runs has it in memory, and
    /// makes it again when it starts.
    fn prune(&self, kept: &Path, now: SystemTime) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let ours = path.extension().is_some_and(|extension| extension == "cwasm" || extension == "new");
            let made = entry.metadata().and_then(|metadata| metadata.modified());
            let old = made.is_ok_and(|made| now.duration_since(made).is_ok_and(|age| age > AGE));
            if ours && old && path != kept {
                // Another process may have been first.
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(MAGIC)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)?;
    file.sync_all()
}

/// Loads a file, or `None` when it is missing or must not be trusted.
fn load(engine: &Engine, path: &Path) -> Option<Module> {
    let bytes = read_own(path)?;
    let (magic, rest) = bytes.split_at_checked(MAGIC.len())?;
    let (checksum, code) = rest.split_at_checked(CHECKSUM)?;
    if magic != MAGIC || checksum != Sha256::digest(code).as_slice() {
        return None;
    }
    // SAFETY: the file belongs to our user, who alone may write it, and these very bytes match the checksum that was written with
    // them: they are what a `precompile_module` of ours gave. wasmtime checks version and configuration itself.
    unsafe { Module::deserialize(engine, code) }.ok()
}

/// Reads a file if it is ours and nobody else's.
fn read_own(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let open_to_others = metadata.mode() & 0o022 != 0;
    if !metadata.is_file() || metadata.uid() != own_user() || open_to_others || metadata.len() > MAX_FILE {
        return None;
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn own_user() -> u32 {
    // SAFETY: the call has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

/// Hash of the engine's configuration, the module and our layout.
fn key(engine: &Engine, wasm: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    // Covers wasmtime's version, the processor's features and all settings.
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let mut digest = hasher.0;
    digest.update(MAGIC);
    digest.update(wasm);
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Feeds a hash into SHA-256: the standard hasher is seeded anew in every process.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests;
