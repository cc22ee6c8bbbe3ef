//! What is published: a source and its limits.

use crate::bindings::Bindings;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Runtime of a function (`cloudfront-functions.md` section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runtime {
    /// `cloudfront-js-1.0`
    V1,
    /// `cloudfront-js-2.0`
    #[default]
    V2,
}

/// Which of its functions is called, and with what (`cloudfront-functions.md` sections 3 and 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entry {
    /// `handler`, with events of viewers ([`rimward_wire::event::Event`]).
    #[default]
    Handler,
    /// `connectionHandler`, with events of connections ([`rimward_wire::connection::ConnectionEvent`]).
    ConnectionHandler,
}

impl Entry {
    /// The function's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::ConnectionHandler => "connectionHandler",
        }
    }
}

/// Limits of a function (`cloudfront-functions.md` section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor time of one run.
    pub time: Duration,
    /// Bytes that one run may take on top of the published function; also the most that the top level may keep.
    pub memory: usize,
    /// Bytes of source.
    pub code: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_millis(1), memory: 2 << 20, code: 10 << 10 }
    }
}

/// A function to publish.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Name, for messages.
    pub name: Arc<str>,
    /// JavaScript.
    pub code: &'a [u8],
    /// Runtime.
    pub runtime: Runtime,
    /// What is called.
    pub entry: Entry,
    /// Limits.
    pub limits: Limits,
    /// The store that it may read.
    pub kv: Option<Arc<rimward_kv::Store>>,
    /// What else it may read.
    pub bindings: Arc<Bindings>,
}

/// A place in a source, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The line, or the part of it around the column.
    pub excerpt: String,
    /// Column within the excerpt, from 1.
    pub excerpt_column: u32,
}

/// Characters of a line that an excerpt shows at most; minified sources are one long line.
const EXCERPT: usize = 100;

impl Position {
    /// Finds the line; `None` when the source has no such line.
    pub(crate) fn find(code: &str, line: u32, column: u32) -> Option<Self> {
        let text = code.lines().nth(line.checked_sub(1)? as usize)?;
        let before = column.saturating_sub(1) as usize;
        let skipped = before.saturating_sub(EXCERPT / 2);
        let excerpt = text.chars().skip(skipped).take(EXCERPT).map(|c| if c == '\t' { ' ' } else { c }).collect();
        Some(Self { line, column, excerpt, excerpt_column: (before - skipped) as u32 + 1 })
    }
}

impl fmt::Display for Position {
    /// Writes the line with a caret below the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        write!(f, "{margin} | {}^", " ".repeat(self.excerpt_column.saturating_sub(1) as usize))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Position;

    #[test]
    fn a_position_shows_its_line_with_a_caret() {
        let position = Position::find("var a;\nvar b = (;\n", 2, 10).unwrap();
        assert_eq!(position.to_string(), "  |\n2 | var b = (;\n  |          ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        let code = "x".repeat(5000);
        let position = Position::find(&code, 1, 4000).unwrap();
        assert_eq!(position.excerpt.len(), super::EXCERPT);
        assert_eq!(position.excerpt_column, 51);
    }

    #[test]
    fn a_place_outside_the_source_is_none() {
        assert_eq!(Position::find("a", 0, 0), None);
        assert_eq!(Position::find("a", 2, 1), None);
    }
}
