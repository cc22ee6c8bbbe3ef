//! `rimward test`: the events of functions, held against what they expect.
//!
//! - [`case`]: one event.
//! - [`suite`]: one function with its events.
//! - [`report`]: what people and programs read of it.

mod case;
mod report;
mod suite;

use crate::args::Test;
use crate::engines::Engines;
use crate::exit::{Exit, Stop};
use crate::manifest;
use std::path::{Path, PathBuf};

/// Where functions are looked for when no path is given.
const USUAL: &str = "edge-functions";

/// Runs the command.
///
/// # Errors
/// When a path cannot be read or has no function.
pub fn test(args: &Test) -> Result<Exit, Stop> {
    let files = find(&args.paths)?;
    let engines = Engines::new(None);
    let mut report = report::Report::new(args.json);
    for file in files {
        let suite = suite::run(&file, &engines)?;
        report.add(suite);
    }
    Ok(report.finish())
}

fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Stop> {
    let usual = [PathBuf::from(if Path::new(USUAL).is_dir() { USUAL } else { "." })];
    let paths = if paths.is_empty() { &usual } else { paths };
    let mut files = Vec::new();
    for path in paths {
        let found = manifest::find(path)
            .map_err(|error| Stop::unusable(format!("{}: cannot be read: {error}", path.display())))?;
        if found.is_empty() {
            return Err(Stop::unusable(format!("{}: there is no {} below", path.display(), manifest::FILE))
                .hint("a function is a folder with a function.toml; `rimward invoke` runs one without"));
        }
        files.extend(found.into_iter().filter(|file| !files.contains(file)).collect::<Vec<_>>());
    }
    Ok(files)
}
