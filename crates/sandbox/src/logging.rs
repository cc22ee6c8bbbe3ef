//! How a function's log is written (`lambda-at-edge.md` section 11.3): lines of text, or JSON objects with levels.

use rimward_types::Timestamp;
use serde_json::{Map, Value, json};

/// What a function's log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logging {
    /// Lines of text.
    #[default]
    Text,
    /// One JSON object a line.
    Json {
        /// Lines of the function below it are left out.
        application: Level,
        /// Lines of the platform below it are left out.
        system: Level,
    },
}

/// How important a line is, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `TRACE`
    Trace,
    /// `DEBUG`
    Debug,
    /// `INFO`
    Info,
    /// `WARN`
    Warn,
    /// `ERROR`
    Error,
    /// `FATAL`
    Fatal,
}

impl Level {
    /// The vendor's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
        }
    }

    /// The level that a line names, in the vendor's words or those of Python.
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "TRACE" => Level::Trace,
            "DEBUG" => Level::Debug,
            "INFO" => Level::Info,
            "WARN" | "WARNING" => Level::Warn,
            "ERROR" => Level::Error,
            "FATAL" | "CRITICAL" => Level::Fatal,
            _ => return None,
        })
    }
}

impl Logging {
    /// The lines of a call, as they stand in its log. `at` and `id` are the call's.
    pub(crate) fn lines(self, lines: Vec<String>, at: Timestamp, id: &str) -> Vec<String> {
        let Logging::Json { application, .. } = self else { return lines };
        let objects = lines.into_iter().map(|line| object(&line, at, id));
        objects.filter(|(level, _)| *level >= application).map(|(_, line)| line.to_string()).collect()
    }
}

/// Before what an instance wrote while it started.
const STARTING: &str = "rimward: init: ";

/// A line that a function wrote, as an object with its level. What is an object already stays as it is; lines in the
/// vendor's text formats are taken apart; anything else is a message of the level INFO.
fn object(line: &str, at: Timestamp, id: &str) -> (Level, Value) {
    // Once: a function can write these words as well, as often as it likes.
    let line = line.strip_prefix(STARTING).unwrap_or(line);
    if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(line) {
        let level = object.get("level").and_then(Value::as_str).and_then(Level::named);
        return (level.unwrap_or(Level::Info), Value::Object(object));
    }
    // The node's own, about a refusal.
    if line.starts_with("rimward: ") {
        return (Level::Warn, entry(&at.iso8601(), Level::Warn, id, line));
    }
    let mut parts = line.splitn(4, '\t');
    if let (Some(first), Some(second), Some(third), Some(message)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        // Node.js: time, id, level. Python: level in brackets, time, id.
        let bracketed = first.strip_prefix('[').and_then(|word| word.strip_suffix(']')).and_then(Level::named);
        match (bracketed, Level::named(third)) {
            (Some(level), _) => return (level, entry(second, level, third, message)),
            (None, Some(level)) => return (level, entry(first, level, second, message)),
            (None, None) => {}
        }
    }
    (Level::Info, entry(&at.iso8601(), Level::Info, id, line))
}

fn entry(timestamp: &str, level: Level, id: &str, message: &str) -> Value {
    json!({ "timestamp": timestamp, "level": level.as_str(), "message": message, "requestId": id })
}

/// A line of the platform about one call.
pub(crate) fn platform(kind: &str, time: Timestamp, record: Map<String, Value>) -> String {
    json!({ "time": time.iso8601(), "type": format!("platform.{kind}"), "record": record }).to_string()
}

/// The error that ended a call.
pub(crate) fn failure(at: Timestamp, id: &str, message: &str, error: Option<(&str, &str, &str)>) -> String {
    let mut line = entry(&at.iso8601(), Level::Error, id, message);
    if let Some((kind, message, text)) = error {
        line["errorType"] = kind.into();
        line["errorMessage"] = message.into();
        line["stackTrace"] = text.lines().collect();
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_768_525_323_456);

    #[test]
    fn a_line_that_repeats_the_words_of_the_node_is_read_once() {
        let line = STARTING.repeat(100_000);
        let (level, object) = object(&line, AT, "id");
        assert_eq!(level, Level::Warn);
        assert_eq!(object["message"].as_str().unwrap().len(), line.len() - STARTING.len());
    }

    fn lines(application: Level, lines: &[&str]) -> Vec<Value> {
        let logging = Logging::Json { application, system: Level::Info };
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        logging.lines(lines, AT, "0d3b").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// lambda-at-edge.md 11.3.
    #[test]
    fn each_line_becomes_an_object_whoever_wrote_it() {
        for (line, object) in [
            (
                "printed",
                json!({ "timestamp": "2026-01-16T01:02:03.456Z", "level": "INFO", "message": "printed", "requestId": "0d3b" }),
            ),
            (
                "2026-01-16T01:02:03.001Z\t7e\tERROR\ta\tb",
                json!({ "timestamp": "2026-01-16T01:02:03.001Z", "level": "ERROR", "message": "a\tb", "requestId": "7e" }),
            ),
            (
                "[WARNING]\t2026-01-16T01:02:03.001Z\t7e\tcareful",
                json!({ "timestamp": "2026-01-16T01:02:03.001Z", "level": "WARN", "message": "careful", "requestId": "7e" }),
            ),
            (r#"{"level":"DEBUG","message":{"a":1}}"#, json!({ "level": "DEBUG", "message": { "a": 1 } })),
            (r#"{"level":30,"msg":"another's"}"#, json!({ "level": 30, "msg": "another's" })),
            (
                "rimward: network refused",
                json!({
                    "timestamp": "2026-01-16T01:02:03.456Z", "level": "WARN", "message": "rimward: network refused",
                    "requestId": "0d3b",
                }),
            ),
            (
                "rimward: init: 2026-01-16T01:02:03.001Z\t\tDEBUG\tstarted",
                json!({ "timestamp": "2026-01-16T01:02:03.001Z", "level": "DEBUG", "message": "started", "requestId": "" }),
            ),
            (
                "[1,2]",
                json!({ "timestamp": "2026-01-16T01:02:03.456Z", "level": "INFO", "message": "[1,2]", "requestId": "0d3b" }),
            ),
        ] {
            assert_eq!(lines(Level::Trace, &[line]), [object], "{line}");
        }
    }

    /// lambda-at-edge.md 11.3: TRACE < DEBUG < INFO < WARN < ERROR < FATAL.
    #[test]
    fn lines_below_the_level_are_left_out() {
        let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
        let text: Vec<String> = all.iter().map(|level| format!("t\ti\t{}\tm", level.as_str())).collect();
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        for (left_out, level) in all.into_iter().enumerate() {
            assert_eq!(lines(level, &text).len(), all.len() - left_out, "{level:?}");
        }
        assert_eq!(lines(Level::Warn, &["printed", r#"{"level":"info"}"#, r#"{"no":"level"}"#]), Vec::<Value>::new());
    }

    #[test]
    fn text_stays_as_it_is() {
        let own = vec!["printed".to_owned(), "{}".to_owned()];
        assert_eq!(Logging::Text.lines(own.clone(), AT, "0d3b"), own);
    }
}
