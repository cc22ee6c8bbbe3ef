//! What can be wrong with a build.

use std::fmt;
use std::path::PathBuf;

/// Whose turn it is to mend something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The function's author: the code, or what it depends on.
    Source,
    /// Whoever keeps the machine: a tool is missing, or did not work.
    Tools,
    /// Whoever typed the command: a path or an option.
    Input,
}

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As the tool that found it wrote it: absolute, or from the function's folder.
    pub file: PathBuf,
    /// From 1; 0 for the whole file.
    pub line: u32,
    /// From 1; 0 for the whole line.
    pub column: u32,
    /// The line, where it is known.
    pub excerpt: Option<String>,
}

/// One thing that stops a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whose it is.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// How to mend it.
    pub way: Option<String>,
}

/// Something that does not stop a build, but that the author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What was found.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
}

/// Why there is no component: at least one problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Failure {
    /// All that were found.
    pub problems: Vec<Problem>,
}

impl Kind {
    /// The word that programs read.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Tools => "tools",
            Kind::Input => "input",
        }
    }
}

// === impl Place ===

impl Place {
    /// A whole file.
    pub(crate) fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), line: 0, column: 0, excerpt: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match (self.line, self.column) {
            (0, _) => Ok(()),
            (line, 0) => write!(f, ":{line}"),
            (line, column) => write!(f, ":{line}:{column}"),
        }
    }
}

// === impl Problem ===

impl Problem {
    pub(crate) fn source(message: impl Into<String>) -> Self {
        Self { kind: Kind::Source, message: message.into(), place: None, way: None }
    }

    pub(crate) fn tools(message: impl Into<String>) -> Self {
        Self { kind: Kind::Tools, message: message.into(), place: None, way: None }
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn way(mut self, way: impl Into<String>) -> Self {
        self.way = Some(way.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {place}")?;
            if let Some(excerpt) = &place.excerpt {
                write!(f, "\n   | {}", excerpt.trim_end())?;
                if place.column > 0 {
                    // Tabs stay tabs, so that the mark is below its character.
                    let before = excerpt.chars().take(place.column as usize - 1);
                    let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
                    write!(f, "\n   | {indent}^")?;
                }
            }
        }
        Ok(())
    }
}

// === impl Failure ===

impl Failure {
    pub(crate) fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::one(Problem { kind: Kind::Input, message: message.into(), place: None, way: None })
    }

    /// The gravest kind: a wrong command before missing tools, and those before the code.
    pub fn kind(&self) -> Kind {
        let has = |kind| self.problems.iter().any(|problem| problem.kind == kind);
        [Kind::Input, Kind::Tools].into_iter().find(|kind| has(*kind)).unwrap_or(Kind::Source)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::one(problem)
    }
}
