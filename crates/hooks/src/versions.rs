//! Versions of functions that the node keeps: `FOLDER/NAME/stages.json`, and each source text or component once, under
//! its digest. A change is on the disk as a whole before it counts.

use crate::stages::{Stages, Version};
use rimward_types::Stage;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What a kept file's name ends in: a source text, a component.
const KINDS: [&str; 2] = ["js", "wasm"];

/// The versions of all functions of a node.
#[derive(Debug)]
pub struct Versions {
    folder: PathBuf,
    /// Held by the one who changes.
    turn: Mutex<()>,
}

/// What is kept cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct VersionsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl VersionsError {
    fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// A change was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged<E: std::error::Error> {
    /// It was refused.
    #[error(transparent)]
    Refused(E),
    /// The disk does not take it.
    #[error(transparent)]
    Disk(#[from] VersionsError),
}

impl Versions {
    /// Versions in `folder`, which is made when the first one is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), turn: Mutex::default() }
    }

    /// Where a function stands. Blocks.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn stages(&self, name: &str) -> Result<Stages, VersionsError> {
        let path = self.folder.join(name).join("stages.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| VersionsError::new(&path, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stages::default()),
            Err(error) => Err(VersionsError::new(&path, error)),
        }
    }

    /// The code of a stage; `None` when it is the file. Blocks.
    ///
    /// # Errors
    /// When what is kept cannot be read, or is not what was kept.
    pub fn code(&self, name: &str, stage: Stage) -> Result<Option<Vec<u8>>, VersionsError> {
        let stages = self.stages(name)?;
        stages.at(stage).map(|kept| self.code_of(name, &kept.version)).transpose()
    }

    /// The code of a version. Blocks.
    ///
    /// # Errors
    /// As [`Versions::code`].
    pub fn code_of(&self, name: &str, version: &Version) -> Result<Vec<u8>, VersionsError> {
        let [text, component] = KINDS.map(|kind| self.path(name, version, kind));
        let path = if component.exists() { component } else { text };
        let code = fs::read(&path).map_err(|error| VersionsError::new(&path, error))?;
        if Version::of(&code) == *version {
            Ok(code)
        } else {
            Err(VersionsError::new(&path, "the code is not what was kept: the file was changed"))
        }
    }

    /// Makes a change, with the code of a version that it brings. Blocks until the disk has it.
    ///
    /// # Errors
    /// When `change` refuses, or the disk does not take it. Then nothing has changed.
    pub fn change<E: std::error::Error>(
        &self,
        name: &str,
        code: Option<&[u8]>,
        change: impl FnOnce(&mut Stages) -> Result<(), E>,
    ) -> Result<Stages, NotChanged<E>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stages = self.stages(name)?;
        change(&mut stages).map_err(NotChanged::Refused)?;
        let folder = self.folder.join(name);
        make_folder(&folder).map_err(|error| VersionsError::new(&folder, error))?;
        if let Some(code) = code {
            // Every WebAssembly binary begins so.
            let kind = if code.starts_with(b"\0asm") { "wasm" } else { "js" };
            let path = self.path(name, &Version::of(code), kind);
            write(&path, code).map_err(|error| VersionsError::new(&path, error))?;
        }
        let path = folder.join("stages.json");
        let text = serde_json::to_vec_pretty(&stages).map_err(|error| VersionsError::new(&path, error))?;
        write(&path, &text).map_err(|error| VersionsError::new(&path, error))?;
        forget(&folder, &stages);
        Ok(stages)
    }

    fn path(&self, name: &str, version: &Version, kind: &str) -> PathBuf {
        self.folder.join(name).join(format!("{version}.{kind}"))
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a file whole: beside its place, down to the disk, then into its place.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name is in the folder, which has to reach the disk too.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes code that no stage and no number names any more. One that stays by mistake does no harm.
fn forget(folder: &Path, stages: &Stages) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_code = path.extension().is_some_and(|extension| KINDS.iter().any(|kind| extension == *kind));
        let named = |stem: &str| stages.versions().any(|version| version.as_str() == stem);
        if is_code && !path.file_stem().and_then(|stem| stem.to_str()).is_some_and(named) {
            let _stays = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rimward_types::Timestamp;
    use std::convert::Infallible;

    fn publish(versions: &Versions, code: &[u8]) {
        let at = Timestamp::from_secs(1);
        let publish = |stages: &mut Stages| {
            stages.publish(Version::of(code), at);
            Ok::<(), Infallible>(())
        };
        versions.change("f", Some(code), publish).unwrap();
    }

    #[test]
    fn what_was_published_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        publish(&Versions::new(folder.path()), b"one");
        let versions = Versions::new(folder.path());
        assert_eq!(versions.code("f", Stage::Live).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(versions.code("f", Stage::Development).unwrap(), None, "the file");
        assert_eq!(versions.stages("other").unwrap(), Stages::default());
    }

    #[test]
    fn texts_that_no_stage_names_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::new(folder.path());
        for n in 0..30u8 {
            publish(&versions, &[n]);
        }
        let texts = fs::read_dir(folder.path().join("f")).unwrap().count();
        assert_eq!(texts, 1 + crate::stages::MAX_NUMBERED, "stages.json, LIVE, and those before");
        publish(&versions, b"\0asm component");
        assert_eq!(versions.code("f", Stage::Live).unwrap().as_deref(), Some(&b"\0asm component"[..]));
        assert_eq!(fs::read_dir(folder.path().join("f")).unwrap().count(), texts);
    }

    #[test]
    fn a_text_that_was_changed_behind_the_node_s_back_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::new(folder.path());
        publish(&versions, b"one");
        fs::write(versions.path("f", &Version::of(b"one"), "js"), "two").unwrap();
        assert!(versions.code("f", Stage::Live).unwrap_err().to_string().contains("was changed"));
        fs::write(folder.path().join("f/stages.json"), "{").unwrap();
        assert!(versions.stages("f").unwrap_err().to_string().contains("stages.json"));
    }
}
