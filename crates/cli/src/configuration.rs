//! The configuration, with its problems printed.

use crate::exit::{Exit, Stop};
use crate::print;
use rimward_config::{Config, Diagnostic};
use std::path::Path;

/// Reads and checks the file.
///
/// # Errors
/// All problems are on standard error already; the command ends with 2.
pub fn load(path: &Path) -> Result<Config, Stop> {
    rimward_config::load(path).map_err(|problems| {
        say(&problems);
        if problems.iter().any(|problem| problem.line == 0) && path == Path::new("rimward.toml") {
            print::report("hint: name the configuration with --config FILE");
        }
        Stop::said(Exit::Unusable)
    })
}

/// Prints what is allowed and may surprise on standard error.
pub fn say_warnings(warnings: &[Diagnostic]) {
    for warning in warnings {
        print::report(&format!("{warning}\n"));
    }
}

/// Prints problems on standard error, with their number when there are many.
pub fn say(problems: &[Diagnostic]) {
    for problem in problems {
        print::report(&format!("{problem}\n"));
    }
    if problems.len() > 1 {
        print::say(&print::counted(problems.len(), "error"));
    }
}
