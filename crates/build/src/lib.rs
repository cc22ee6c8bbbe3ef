//! Builds Lambda@Edge functions into components: `rimward build`.
//!
//! - [`Order`]: what is to be built; [`build`] does it and gives a [`Built`], or a [`Failure`] with every problem's place and
//!   way out.
//! - `source`: which language a folder is in, and which file holds the handler.
//! - `project`: the folder `.rimward`, where tools and built components are kept.
//! - `tools`: programs that are found, packages that are installed at pinned versions; `run`: starting them.
//! - `files`: what is in a function's folder. `kept`: components that were built before.
//! - `javascript`, `python`, `rust`, `c`: one language each. What they compile into a component besides the function lies in
//!   the folders `javascript`, `python` and `c` beside `src`, and is part of this crate.
//! - [`component`]: from a core module to a component, and whether it keeps the contract.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod c;
pub mod component;
mod files;
mod javascript;
mod kept;
mod order;
mod problem;
mod project;
mod python;
mod run;
pub mod rust;
mod source;
mod tools;

pub use order::{Built, Order, Progress};
pub use problem::{Failure, Kind, Note, Place, Problem};
pub use source::{Handler, Language};

use project::Project;
use source::Source;
use std::fs;
use std::path::Path;

/// The contract, as components carry it.
pub(crate) const CONTRACT: &str = include_str!("../../sandbox/wit/edge.wit");

/// Builds a function into a component at `order.out`. Nothing is there before it is whole.
///
/// # Errors
/// Every problem that was found, with where it is and a way out.
pub fn build(order: &Order, progress: &dyn Progress) -> Result<Built, Failure> {
    let source = Source::find(&order.source, order.language, order.handler.as_ref())?;
    let project = Project::of(&source.folder, order.tools.as_deref())?;
    let job = Job { source: &source, project: &project, install: order.install, cache: order.cache, progress };
    let mut made = match source.language {
        Language::JavaScript => javascript::build(&job),
        Language::Python => python::build(&job),
        Language::Rust => rust::build(&job),
        Language::C => c::build(&job),
    }?;
    component::check(&made.component).map_err(|message| Failure::one(Problem::source(message)))?;
    write(&order.out, &made.component)?;
    made.notes.dedup();
    Ok(Built {
        language: source.language,
        entry: source.entry.clone(),
        out: order.out.clone(),
        bytes: made.component.len(),
        digest: kept::hex_digest(&made.component),
        kept: made.kept,
        notes: made.notes,
        tools: made.tools,
    })
}

/// What a language's builder gets.
pub(crate) struct Job<'a> {
    pub(crate) source: &'a Source,
    pub(crate) project: &'a Project,
    pub(crate) install: bool,
    pub(crate) cache: bool,
    pub(crate) progress: &'a dyn Progress,
}

/// What a language's builder gives.
pub(crate) struct Made {
    pub(crate) component: Vec<u8>,
    /// It was built before, of the same inputs.
    pub(crate) kept: bool,
    pub(crate) notes: Vec<Note>,
    /// Names and versions of what built it.
    pub(crate) tools: Vec<(String, String)>,
}

/// Writes a file that is whole or not there.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| Failure::input(format!("{}: cannot be written: {error}", path.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut part, bytes).map_err(failed)?;
    // Temporary files are the owner's alone; a component is read by the node's user.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(part.path(), readable).map_err(failed)?;
    part.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
