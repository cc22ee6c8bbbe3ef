//! The folder `.rimward` of a project: tools and built components. It lies beside the nearest `rimward.toml` at or above
//! the function, so that all functions of a configuration share it, else in the function's own folder.

use crate::problem::Failure;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const FOLDER: &str = ".rimward";

/// Where things are kept.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The project of a function's folder. `tools` takes the place of `.rimward`.
    pub(crate) fn of(folder: &Path, tools: Option<&Path>) -> Result<Self, Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| Failure::input(format!("{}: {error}", path.display())))
        };
        let root = match tools {
            Some(tools) => absolute(tools)?,
            None => {
                let folder = absolute(folder)?;
                let top = folder.ancestors().find(|folder| folder.join("rimward.toml").is_file());
                top.unwrap_or(&folder).join(FOLDER)
            }
        };
        Ok(Self { root })
    }

    /// Where a set of tools lies, installed or not.
    pub(crate) fn tools(&self, name: &str) -> PathBuf {
        self.root.join("tools").join(name)
    }

    /// Where built components are kept.
    pub(crate) fn built(&self) -> PathBuf {
        self.root.join("built")
    }

    /// Makes a folder of the project. Version control is told to leave all of it out.
    pub(crate) fn make(&self, folder: &Path) -> Result<(), Failure> {
        let failed = |error| Failure::input(format!("{}: cannot be made: {error}", folder.display()));
        fs::create_dir_all(folder).map_err(failed)?;
        if let Ok(mut ignore) = fs::File::create_new(self.root.join(".gitignore")) {
            ignore.write_all(b"# What `rimward build` keeps here can be made again.\n*\n").map_err(failed)?;
        }
        Ok(())
    }
}
