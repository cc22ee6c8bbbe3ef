//! What a test expects: the file `NAME.expect.json` beside the event `NAME.json`.
//!
//! - `{"request": {...}}` or `{"response": {...}}`: every member that is named must equal the output's,
//!   `null` means that it must be absent; what is not named may be anything. Arrays must have the same length.
//! - `{"connection": {...}}` is the same for connection functions.
//! - `{"error": "execution"}` or `{"error": "validation"}`: the function must fail in this way.

use crate::{FailureCategory, InvalidEvent};
use serde_json::Value;
use std::fmt;

/// How a function fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedError {
    /// It throws or meets a wall.
    Execution,
    /// Its result breaks a rule.
    Validation,
}

impl ExpectedError {
    /// The kind of a category.
    pub fn of(category: FailureCategory) -> Self {
        match category {
            FailureCategory::FunctionValidation | FailureCategory::LambdaValidation => Self::Validation,
            _ => Self::Execution,
        }
    }

    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Validation => "validation",
        }
    }
}

/// What a test expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// Members of the output.
    Output(Value),
    /// A failure.
    Error(ExpectedError),
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, as `request.headers.host.value`.
    pub path: String,
    /// What should be there, as JSON or words.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.path, self.expected, self.actual)
    }
}

impl Expectation {
    /// Reads an expectation.
    ///
    /// # Errors
    /// When it is no JSON or has not exactly one of the members `request`, `response`, `connection`, `error`.
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let value: Value = serde_json::from_str(text)?;
        let shape = InvalidEvent::shape;
        let one = "an object with one member: `request`, `response`, `connection` or `error`";
        let object = value.as_object().filter(|object| object.len() == 1).ok_or_else(|| shape("expectation", one))?;
        match object.iter().next().map(|(name, value)| (name.as_str(), value)) {
            Some(("request" | "response" | "connection", Value::Object(_))) => Ok(Self::Output(value)),
            Some(("error", Value::String(kind))) if kind == "execution" => Ok(Self::Error(ExpectedError::Execution)),
            Some(("error", Value::String(kind))) if kind == "validation" => Ok(Self::Error(ExpectedError::Validation)),
            Some(("error", _)) => Err(shape("error", "`execution` or `validation`")),
            _ => Err(shape("expectation", one)),
        }
    }

    /// Compares with what came: the output as JSON, or how the function failed and the operator's text.
    pub fn check(&self, came: Result<&Value, (ExpectedError, &str)>) -> Vec<Mismatch> {
        let mut found = Vec::new();
        match (self, came) {
            (Self::Output(expected), Ok(actual)) => compare("", expected, Some(actual), &mut found),
            (Self::Error(expected), Err((kind, _))) if *expected == kind => {}
            (Self::Output(expected), Err((kind, text))) => found.push(Mismatch {
                path: "result".to_owned(),
                expected: format!("a {}", member(expected)),
                actual: format!("{} error: {text}", kind.as_str()),
            }),
            (Self::Error(expected), Ok(actual)) => found.push(Mismatch {
                path: "result".to_owned(),
                expected: format!("{} error", expected.as_str()),
                actual: format!("a {}", member(actual)),
            }),
            (Self::Error(expected), Err((kind, text))) => found.push(Mismatch {
                path: "result".to_owned(),
                expected: format!("{} error", expected.as_str()),
                actual: format!("{} error: {text}", kind.as_str()),
            }),
        }
        found
    }
}

fn member(value: &Value) -> &str {
    value.as_object().and_then(|object| object.keys().next()).map_or("result", String::as_str)
}

fn compare(path: &str, expected: &Value, actual: Option<&Value>, found: &mut Vec<Mismatch>) {
    let differs = |found: &mut Vec<Mismatch>| {
        found.push(Mismatch {
            path: path.to_owned(),
            expected: if expected.is_null() { "nothing".to_owned() } else { expected.to_string() },
            actual: actual.map_or_else(|| "nothing".to_owned(), Value::to_string),
        });
    };
    match (expected, actual) {
        (Value::Null, None | Some(Value::Null)) => {}
        (Value::Object(members), Some(Value::Object(own))) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, value, own.get(name), found);
            }
        }
        (Value::Array(items), Some(Value::Array(own))) if items.len() == own.len() => {
            for (i, (item, own)) in items.iter().zip(own).enumerate() {
                compare(&format!("{path}[{i}]"), item, Some(own), found);
            }
        }
        (expected, Some(actual)) if expected == actual => {}
        _ => differs(found),
    }
}

#[cfg(test)]
mod tests;
