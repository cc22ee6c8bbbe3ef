//! Errors, as the operator reads them: `TypeError: text`, with line and column of the function where they are known.

use boa_engine::{Context, JsError, JsValue, js_string, property::PropertyKey};
use rimward_wire::reply::{Failure, Reply};

use crate::{inspect::inspect, text::utf8};

/// Name that the engine gives the function's source in positions.
pub(crate) const FILE: &str = "function.js";

/// Why an invocation has no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Thrown, or a promise rejected.
    Thrown(JsError),
    /// The promise can never settle: nothing is left that could.
    Pending,
    /// The result has no valid shape; the text names the part.
    Invalid(String),
    /// The host wrote no event.
    Malformed(rimward_wire::Malformed),
}

impl From<JsError> for Fault {
    fn from(e: JsError) -> Self {
        Self::Thrown(e)
    }
}

/// An error in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `TypeError: text`.
    pub(crate) message: String,
    /// From 1; 0 when not known.
    pub(crate) line: u32,
    /// From 1; 0 when not known.
    pub(crate) column: u32,
}

impl Fault {
    /// Appends the fault as a reply.
    pub(crate) fn write(&self, context: &mut Context, out: &mut Vec<u8>) {
        let (failure, said) = match self {
            Self::Thrown(e) => (Failure::Execution, describe(e, context)),
            Self::Pending => (Failure::Execution, words("the promise of the handler never settles")),
            Self::Invalid(what) => (Failure::Validation, words(what)),
            Self::Malformed(m) => (Failure::Execution, words(&format!("InternalError: event: {m}"))),
        };
        said.write(failure, out);
    }
}

impl Described {
    /// Appends the description as a reply.
    pub(crate) fn write(&self, failure: Failure, out: &mut Vec<u8>) {
        Reply::Failed { failure, message: &self.message, line: self.line, column: self.column }.write(out);
    }
}

fn words(text: &str) -> Described {
    Described { message: text.to_owned(), line: 0, column: 0 }
}

/// Puts an error into words.
pub(crate) fn describe(error: &JsError, context: &mut Context) -> Described {
    if let Some(engine) = error.as_engine() {
        let text = engine.to_string();
        return words(if text.contains("recursive") || text.contains("stack size") {
            "RangeError: Maximum call stack size exceeded"
        } else {
            &text
        });
    }
    let message = match (error.as_native(), error.as_opaque()) {
        // The engine's own name of this kind is not the language's.
        (Some(native), _) => format!("{}: {}", native.kind(), native.message()).replacen("UriError", "URIError", 1),
        (None, Some(value)) => thrown_value(value, context),
        (None, None) => error.to_string(),
    };
    if let Some((text, line, column)) = split_syntax_position(&message) {
        return Described { message: text.to_owned(), line, column };
    }
    let (line, column) = position(error, context).unwrap_or((0, 0));
    Described { message, line, column }
}

fn thrown_value(value: &JsValue, context: &mut Context) -> String {
    let Some(object) = value.as_object() else {
        return value.as_string().map_or_else(|| inspect(value, context), |s| utf8(&s).into_owned());
    };
    let mut text = |key: &str| {
        let value = object.get(PropertyKey::from(js_string!(key)), context).ok()?;
        value.as_string().map(|s| utf8(&s).into_owned())
    };
    match (text("name"), text("message")) {
        (Some(name), Some(message)) if message.is_empty() => name,
        (Some(name), Some(message)) => format!("{name}: {message}"),
        _ => inspect(value, context),
    }
}

/// The engine shows positions only in texts: in the stack of an error object, or behind the error's words.
/// Both list the innermost call first; the words themselves name the outermost one.
fn position(error: &JsError, context: &mut Context) -> Option<(u32, u32)> {
    let stack = error.as_opaque().and_then(JsValue::as_object);
    let stack = stack.and_then(|o| o.get(js_string!("stack"), context).ok()?.as_string());
    if let Some(found) = stack.and_then(|s| find_position(&utf8(&s))) {
        return Some(found);
    }
    let words = error.to_string();
    let calls = words.find("\n    at ").map_or("", |at| &words[at..]);
    find_position(calls).or_else(|| find_position(&words))
}

/// Reads `function.js:3:14`.
fn find_position(text: &str) -> Option<(u32, u32)> {
    let rest = &text[text.find(FILE)? + FILE.len()..];
    let mut numbers = rest.strip_prefix(':')?.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// An error of the parser, which knows no position when the text ends too early: then it is the end.
pub(crate) fn describe_syntax(error: &JsError, source: &str, context: &mut Context) -> Described {
    let mut said = describe(error, context);
    if said.line == 0 && said.message.ends_with("abrupt end") {
        said.message = "SyntaxError: Unexpected end of input".to_owned();
        let last = source.trim_end().lines().next_back().unwrap_or_default();
        said.line = source.trim_end().lines().count().max(1) as u32;
        said.column = last.chars().count() as u32 + 1;
    }
    said
}

/// Splits `text at line 3, col 14` as the parser writes it.
fn split_syntax_position(message: &str) -> Option<(&str, u32, u32)> {
    let at = message.rfind(" at line ")?;
    let mut numbers = message[at + " at line ".len()..].split(", col ");
    let line = numbers.next()?.parse().ok()?;
    let column = numbers.next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((&message[..at], line, column))
}

#[cfg(test)]
mod tests {
    use super::{find_position, split_syntax_position};

    #[test]
    fn positions_are_read_from_the_engines_texts() {
        assert_eq!(find_position("TypeError: x (function.js:3:14)"), Some((3, 14)));
        assert_eq!(find_position("at f (native)"), None);
        let text = "SyntaxError: unexpected token ')' at line 2, col 7";
        assert_eq!(split_syntax_position(text), Some(("SyntaxError: unexpected token ')'", 2, 7)));
        assert_eq!(split_syntax_position("Error: meet me at line two"), None);
    }
}
