//! What is wrong with a configuration, where, and how to mend it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What follows from a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; it may do other than its writer thinks.
    Warning,
}

/// One problem. `Display` is several lines: message, place, the line with a caret, hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What follows from it.
    pub severity: Severity,
    /// The file as the reader knows it.
    pub file: Arc<str>,
    /// Line, from 1; 0 when the file could not be read.
    pub line: usize,
    /// Column in characters, from 1; 0 when the file could not be read.
    pub column: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The line of the file.
    pub excerpt: String,
    /// Characters of the line that are wrong, from `column`; at least 1.
    pub length: usize,
}

impl Diagnostic {
    /// A problem with the file as a whole: it cannot be read.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: 0,
            column: 0,
            message: message.into(),
            hint: None,
            excerpt: String::new(),
            length: 1,
        }
    }

    /// A problem at the bytes `span` of `text`. A span that is out of place is moved to the nearest character.
    pub(crate) fn at(file: &Arc<str>, text: &str, span: Range<usize>, message: String, hint: Option<String>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[line_start..].find('\n').map_or(text.len(), |at| line_start + at);
        let end = text.floor_char_boundary(span.end).clamp(start, line_end.max(start));
        Self {
            severity: Severity::Error,
            file: Arc::clone(file),
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            message,
            hint,
            excerpt: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            length: text[start..end].chars().count().max(1),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}\n --> {}", self.message, self.file)?;
        if self.line > 0 {
            let (line, gutter) = (self.line, self.line.to_string().len());
            // Tabs stay tabs, so that the caret stands under its character.
            let before = self.excerpt.chars().take(self.column - 1);
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, ":{line}:{}\n{:gutter$} |\n{line} | {}", self.column, "", self.excerpt)?;
            write!(f, "\n{:gutter$} | {indent}{}", "", "^".repeat(self.length))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests;
