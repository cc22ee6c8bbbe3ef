//! Components that were built before, by the digest of everything that went into them.

use crate::problem::Failure;
use crate::project::Project;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Kept components, at most; beyond, the ones that were not used for longest go.
const MAX_KEPT: usize = 32;

/// Digests inputs one after the other.
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// `tool` and its version, and everything else that is the same for all builds of a language.
    pub(crate) fn of(tool: &str) -> Self {
        Self(Sha256::new()).add(env!("CARGO_PKG_VERSION").as_bytes()).add(tool.as_bytes())
    }

    /// Adds an input. Its length goes first, so that two inputs never read as one.
    pub(crate) fn add(mut self, input: &[u8]) -> Self {
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    pub(crate) fn digest(self) -> String {
        hex(&self.0.finalize())
    }
}

/// SHA-256 in hex.
pub(crate) fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The component that was built of the inputs with this digest.
pub(crate) fn find(project: &Project, inputs: &str) -> Option<Vec<u8>> {
    let path = path(project, inputs);
    let component = fs::read(&path).ok()?;
    // The time tells which were used; one that cannot be set makes the entry old early.
    let _old = fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
    Some(component)
}

/// Keeps a component for the next build of the same inputs.
pub(crate) fn keep(project: &Project, inputs: &str, component: &[u8]) -> Result<(), Failure> {
    let folder = project.built();
    project.make(&folder)?;
    crate::write(&path(project, inputs), component)?;
    forget_oldest(&folder);
    Ok(())
}

fn path(project: &Project, inputs: &str) -> PathBuf {
    project.built().join(format!("{inputs}.wasm"))
}

fn forget_oldest(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut kept: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    kept.sort();
    let over = kept.len().saturating_sub(MAX_KEPT);
    for (_, path) in kept.drain(..over) {
        // Another build may have been quicker.
        let _gone = fs::remove_file(path);
    }
}
