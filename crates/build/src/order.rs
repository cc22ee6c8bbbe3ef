//! What is asked for, and what comes of it.

use crate::problem::Note;
use crate::source::{Handler, Language};
use std::path::PathBuf;

/// What is to be built.
#[derive(Debug, Clone)]
pub struct Order {
    /// A function's folder, or the one file that it is.
    pub source: PathBuf,
    /// Where the component goes.
    pub out: PathBuf,
    /// Which language it is in; `None` looks at the files.
    pub language: Option<Language>,
    /// File and export of the handler, of JavaScript and Python; `None` takes the usual names.
    pub handler: Option<Handler>,
    /// Tools and packages that are missing may be installed, in the project's own folder.
    pub install: bool,
    /// The project's folder for tools, in place of `.rimward`.
    pub tools: Option<PathBuf>,
    /// A component that was built of the same inputs before is taken.
    pub cache: bool,
}

impl Order {
    /// Builds `source` into `out`, with everything else as it is by default.
    pub fn new(source: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            out: out.into(),
            language: None,
            handler: None,
            install: false,
            tools: None,
            cache: true,
        }
    }
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The language that it was written in.
    pub language: Language,
    /// The file that the build began with.
    pub entry: PathBuf,
    /// Where the component lies.
    pub out: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// SHA-256 of it, in hex.
    pub digest: String,
    /// It had been built of the same inputs before, and was taken.
    pub kept: bool,
    /// What the author should know.
    pub notes: Vec<Note>,
    /// Names and versions of what built it.
    pub tools: Vec<(String, String)>,
}

/// Who is told what is being done.
pub trait Progress {
    /// A step begins; `what` is a phrase without a full stop.
    fn step(&self, what: &str);
}
