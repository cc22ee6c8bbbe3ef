//! Tools: programs of the machine, which are found, and packages at pinned versions, which are installed where the project
//! keeps them when that is asked for.

use crate::Job;
use crate::problem::{Failure, Problem};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The file that is written when an installation is complete.
const COMPLETE: &str = ".complete";

/// A set of packages at pinned versions.
pub(crate) struct Packages {
    /// The folder's name. It changes whenever the packages do.
    pub(crate) folder: String,
    /// What is in it, for people: `componentize-js 0.23.0, esbuild 0.28.2`.
    pub(crate) what: String,
    /// Where it comes from and how large it gets: `npm, about 400 MB`.
    pub(crate) from: &'static str,
}

/// The first of `names` in PATH, or in the folders that Debian puts compilers in.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(["/usr/bin".into(), "/usr/local/bin".into()]).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path)))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A program that a build cannot do without.
pub(crate) fn needed(names: &[&str], what_for: &str, way: &str) -> Result<PathBuf, Failure> {
    program(names)
        .ok_or_else(|| Problem::tools(format!("`{}` is not there; {what_for} needs it", names[0])).way(way).into())
}

/// The folder of `packages`, installed by `install` when the job may do so.
pub(crate) fn packages(
    job: &Job<'_>,
    packages: &Packages,
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let folder = job.project.tools(&packages.folder);
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    if !job.install {
        let message = format!("{} are not in {}", packages.what, folder.display());
        let way = format!("`rimward build --install` puts them there (from {}), and nowhere else", packages.from);
        return Err(Problem::tools(message).way(way).into());
    }
    let failed = |error| Failure::one(Problem::tools(format!("{}: {error}", folder.display())));
    job.project.make(folder.parent().unwrap_or(&folder))?;
    // Two builds at once must not install into each other's folder.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if folder.join(COMPLETE).is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        // Left by one that was stopped half way.
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    job.progress.step(&format!("installing {} into {}", packages.what, folder.display()));
    install(&folder)?;
    fs::write(folder.join(COMPLETE), &packages.what).map_err(failed)?;
    Ok(folder)
}
