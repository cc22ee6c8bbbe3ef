//! One event through one function.

pub mod origin;
pub mod viewer;

use rimward_event::FailureCategory;
use serde_json::Value;
use std::path::Path;

/// What came of an event.
#[derive(Debug)]
pub struct Ran<C> {
    /// What the function returned, `{"request": ...}` or `{"response": ...}`, as the node would go on with it.
    pub output: Result<Value, Failed>,
    /// What it wrote.
    pub logs: Vec<String>,
    /// What it cost.
    pub cost: C,
}

/// How a function failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The category that a viewer's answer has.
    pub category: FailureCategory,
    /// The true reason.
    pub reason: String,
    /// The vendor's sentence, with the reason in it.
    pub sentence: String,
    /// Line and column in the code, from 1.
    pub place: Option<(u32, u32)>,
}

/// Reads an event from a file, or from standard input for `-`.
///
/// # Errors
/// A text that says what is wrong.
pub fn read_event(file: &Path) -> Result<String, String> {
    let read = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    read.map_err(|error| format!("event {}: cannot be read: {error}", file.display()))
}
