//! The files of a function's folder.

use crate::problem::{Failure, Problem};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders within folders, at most.
const MAX_DEPTH: usize = 12;
/// Files, at most: a wrong path does not read a whole disk.
const MAX_FILES: usize = 20_000;
/// Folders that hold no part of a function.
const LEFT_OUT: [&str; 5] = ["node_modules", "target", "events", "__pycache__", "function.sources"];

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its path from the folder, with slashes.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: u64,
}

impl Found {
    /// Its extension, or nothing.
    pub(crate) fn extension(&self) -> &str {
        self.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
    }
}

/// The files at and below `folder`, sorted by name. What is hidden, what was built, and events for tests are left out.
pub(crate) fn below(folder: &Path) -> Result<Vec<Found>, Failure> {
    let mut files = Vec::new();
    walk(folder, "", 0, &mut files)
        .map_err(|error| Failure::one(Problem::source(format!("{}: cannot be read: {error}", folder.display()))))?;
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, depth: usize, files: &mut Vec<Found>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') || name.ends_with(".wasm") || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let found = fs::metadata(&path)?;
        if found.is_dir() && depth < MAX_DEPTH {
            walk(&path, &format!("{prefix}{name}/"), depth + 1, files)?;
        } else if found.is_file() {
            files.push(Found { name: format!("{prefix}{name}"), path, size: found.len() });
        }
        if files.len() > MAX_FILES {
            return Err(io::Error::other(format!("more than {MAX_FILES} files; name the function's own folder")));
        }
    }
    Ok(())
}
