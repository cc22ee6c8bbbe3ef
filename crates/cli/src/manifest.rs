//! Folders of functions: where their `function.toml` are (`docs/reference/function-toml.md`).

use rimward_config::Manifest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file's name.
pub const FILE: &str = "function.toml";
/// Folders below a path, at most: a wrong path does not walk a whole disk.
const MAX_FOLDERS: usize = 20_000;

/// Reads a file.
///
/// # Errors
/// A report of everything that is wrong with it, with the places.
pub fn read(file: &Path) -> Result<Manifest, String> {
    rimward_config::load_manifest(file).map_err(|problems| {
        let reports: Vec<String> = problems.iter().map(ToString::to_string).collect();
        reports.join("\n")
    })
}

/// The folder of a file.
pub fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How to build the component of a file's function.
pub fn how_to_build(file: &Path) -> String {
    format!("rimward build {} --install", folder(file).display())
}

/// The `function.toml` files at or below `path`, sorted. Hidden folders, `node_modules` and `target` are left out;
/// links to folders are not followed.
///
/// # Errors
/// When `path` cannot be read.
pub fn find(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > MAX_FOLDERS {
            return Err(io::Error::other(format!("more than {MAX_FOLDERS} folders; name the functions' own folders")));
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let kind = entry.file_type()?;
            if kind.is_dir() && !is_left_out(&name.to_string_lossy()) {
                folders.push(entry.path());
            } else if !kind.is_dir() && name == FILE {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_left_out(folder: &str) -> bool {
    folder.starts_with('.') || folder == "node_modules" || folder == "target"
}
