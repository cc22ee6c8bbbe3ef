//! How an origin function logs (`lambda-at-edge.md` section 11.3).

use crate::read::section::Section;
use crate::{LogFormat, LogLevel};

const LEVELS: [(&str, LogLevel); 6] = [
    ("TRACE", LogLevel::Trace),
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARN", LogLevel::Warn),
    ("ERROR", LogLevel::Error),
    ("FATAL", LogLevel::Fatal),
];

pub(super) fn read_format(section: &Section<'_>) -> LogFormat {
    section.choice("log-format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]).unwrap_or_default()
}

/// Of the function's own lines.
pub(super) fn read_level(section: &Section<'_>) -> LogLevel {
    read(section, "log-level", &LEVELS)
}

/// Of the platform's lines.
pub(super) fn read_system_level(section: &Section<'_>) -> LogLevel {
    read(section, "system-log-level", &LEVELS[1..4])
}

/// A level. Text has none to leave lines out by, as with the vendor.
fn read(section: &Section<'_>, key: &str, levels: &[(&str, LogLevel)]) -> LogLevel {
    let level = section.choice(key, levels);
    let json = section.get("log-format").and_then(|format| format.get_ref().as_str()) == Some("json");
    if let (Some(value), false) = (section.get(key), json) {
        section.reader.report_hint(
            value.span(),
            format!("`{key}` needs `log-format = \"json\"`: lines of text have no levels to go by"),
            "add `log-format = \"json\"`, or leave it out",
        );
    }
    level.unwrap_or_default()
}
