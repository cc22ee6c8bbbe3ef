//! One table of the file: its keys, each read as what it must be.

use super::suggest::{nearest, renamed};
use super::{Reader, Value};
use crate::duration;
use rimward_types::ByteSize;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table with a known set of keys.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    /// As messages call it: `[origins.app]`.
    pub(super) name: String,
    /// Where it begins: its header, or all of an inline table.
    pub(super) span: Range<usize>,
    pub(super) table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// A table whose keys are among `keys`; others are reported.
    pub(super) fn of_table(
        reader: &'a Reader<'a>,
        name: String,
        span: Range<usize>,
        table: &'a DeTable<'a>,
        keys: &[&str],
    ) -> Self {
        let section = Self::of_any(reader, name, span, table);
        for key in table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            section.report_unknown_key(key.span(), key.get_ref(), keys);
        }
        section
    }

    /// A table whose keys are names.
    pub(super) fn of_any(reader: &'a Reader<'a>, name: String, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Self { reader, name, span, table }
    }

    /// The table at `value`, whose keys are among `keys`. Reported when it is no table.
    pub(super) fn of_value(reader: &'a Reader<'a>, name: String, value: &'a Value<'a>, keys: &[&str]) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::of_table(reader, name, value.span(), table, keys)),
            other => {
                reader.report(value.span(), format!("`{name}` must be a table, not {}", article(other)));
                None
            }
        }
    }

    /// The table under `key`, whose keys are among `keys`.
    pub(super) fn section(&self, key: &str, name: &str, keys: &[&str]) -> Option<Self> {
        self.get(key).and_then(|value| Self::of_value(self.reader, name.to_owned(), value, keys))
    }

    /// Every `[key.NAME]` with its name and place; the value is not looked at yet.
    pub(super) fn named(&self, key: &str) -> Vec<(Spanned<&'a str>, &'a Value<'a>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(section) = Self::of_value_any(self.reader, format!("[{key}]"), value) else { return Vec::new() };
        let entry = |(name, value): (&'a Spanned<_>, _)| (spanned(name), value);
        section.table.iter().map(entry).collect()
    }

    fn of_value_any(reader: &'a Reader<'a>, name: String, value: &'a Value<'a>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::of_any(reader, name, value.span(), table)),
            other => {
                let message = format!("`{name}` must be a table of names, not {}", article(other));
                reader.report(value.span(), message);
                None
            }
        }
    }

    /// The value under `key`.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.table.get(key)
    }

    /// The place of `key` itself, or of the table when it is not there.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// Reports that `key` is not there.
    pub(super) fn report_missing(&self, key: &str, example: &str) {
        let hint = format!("add `{key} = {example}`");
        self.reader.report_hint(self.span.clone(), format!("`{}` needs `{key}`", self.name), hint);
    }

    /// The value under `key` as what `read` makes of it; reported when it makes nothing.
    pub(super) fn read<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let value = self.get(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            self.report_type(key, value, expected);
        }
        read.map(|read| Spanned::new(value.span(), read))
    }

    /// Reports that `key` is of the wrong type.
    pub(super) fn report_type(&self, key: &str, value: &Value<'_>, expected: &str) {
        self.reader.report(value.span(), format!("`{key}` must be {expected}, not {}", article(value.get_ref())));
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Option<Spanned<&'a str>> {
        self.read(key, "a string", DeValue::as_str)
    }

    /// A text that must be there; `example` shows one.
    pub(super) fn required_text(&self, key: &str, example: &str) -> Option<Spanned<&'a str>> {
        if self.get(key).is_none() {
            self.report_missing(key, example);
        }
        self.text(key)
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.read(key, "true or false", DeValue::as_bool).map(Spanned::into_inner)
    }

    /// A whole number in `range`.
    pub(super) fn number(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.read(key, "a whole number", |value| {
            let integer = value.as_integer()?;
            // Past the ends of what can be counted is still a number, and out of every range.
            let clamped = if integer.as_str().starts_with('-') { None } else { Some(u64::MAX) };
            Some(u64::from_str_radix(integer.as_str(), integer.radix()).ok().or(clamped))
        })?;
        match number.get_ref().filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let written = self.reader.text.get(number.span()).unwrap_or_default();
                self.report_range(key, number.span(), written, range.start(), range.end());
                None
            }
        }
    }

    /// A size in `range`.
    pub(super) fn size(&self, key: &str, range: RangeInclusive<ByteSize>) -> Option<ByteSize> {
        let text = self.read(key, "a size such as \"256 MB\"", DeValue::as_str)?;
        match text.get_ref().parse::<ByteSize>() {
            Ok(size) if range.contains(&size) => return Some(size),
            Ok(size) => self.report_range(key, text.span(), size, range.start(), range.end()),
            Err(_) => {
                let message = format!("`{}` is not a size", text.get_ref().escape_debug());
                self.reader.report_hint(text.span(), message, SIZE_HINT);
            }
        }
        None
    }

    /// A time in `range`.
    pub(super) fn time(&self, key: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.read(key, "a time such as \"5 s\"", DeValue::as_str)?;
        match duration::parse(text.get_ref()) {
            Ok(time) if range.contains(&time) => return Some(time),
            Ok(time) => {
                let [time, low, high] = [time, *range.start(), *range.end()].map(duration::format);
                self.report_range(key, text.span(), time, low, high);
            }
            Err(_) => {
                let message = format!("`{}` is not a time", text.get_ref().escape_debug());
                self.reader.report_hint(text.span(), message, TIME_HINT);
            }
        }
        None
    }

    fn report_range(&self, key: &str, span: Range<usize>, found: impl Display, low: impl Display, high: impl Display) {
        self.reader.report(span, format!("`{key}` is {found}; it must be from {low} to {high}"));
    }

    /// One of the words in `choices`.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| word == text.get_ref()) {
            return Some(*choice);
        }
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let message = format!("`{key}` cannot be \"{}\"", text.get_ref().escape_debug());
        let hint = match nearest(text.get_ref(), choices.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean \"{near}\"? It is one of {}", words.join(", ")),
            None => format!("it is one of {}", words.join(", ")),
        };
        self.reader.report_hint(text.span(), message, hint);
        None
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Option<Spanned<Vec<Spanned<&'a str>>>> {
        let value = self.get(key)?;
        Some(Spanned::new(value.span(), self.texts_of(key, value)?))
    }

    /// The list of texts that `value` is.
    pub(super) fn texts_of(&self, key: &str, value: &'a Value<'a>) -> Option<Vec<Spanned<&'a str>>> {
        let Some(list) = value.get_ref().as_array() else {
            self.report_type(key, value, "a list of strings");
            return None;
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Spanned::new(item.span(), text.as_ref())),
                other => self.reader.report(item.span(), format!("`{key}` has strings, not {}", article(other))),
            }
        }
        Some(texts)
    }

    /// The path of a file that is there.
    pub(super) fn file(&self, key: &str) -> Option<PathBuf> {
        self.file_at(&self.text(key)?)
    }

    /// The path of a file that is there, of a text in a list.
    pub(super) fn file_at(&self, text: &Spanned<&str>) -> Option<PathBuf> {
        let path = self.path(text)?;
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => return Some(path),
            Ok(_) => self.reader.report(text.span(), format!("`{}` is not a file", text.get_ref().escape_debug())),
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", text.get_ref().escape_debug());
                let hint = format!("relative paths begin at `{}`", self.reader.base.display());
                self.reader.report_hint(text.span(), message, hint);
            }
        }
        None
    }

    /// A path, made whole with the configuration's folder.
    pub(super) fn path(&self, text: &Spanned<&str>) -> Option<PathBuf> {
        if text.get_ref().is_empty() {
            self.reader.report(text.span(), "a path cannot be empty");
            return None;
        }
        Some(self.reader.base.join(text.get_ref()))
    }

    fn report_unknown_key(&self, span: Range<usize>, key: &str, keys: &[&str]) {
        let message = format!("unknown key `{}` in {}", key.escape_debug(), self.name);
        let hint = match renamed(key, keys) {
            Some(new) => format!("it is called `{new}` here"),
            None => match nearest(key, keys.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("keys here: {}", keys.join(", ")),
            },
        };
        self.reader.report_hint(span, message, hint);
    }
}

const SIZE_HINT: &str = "write a whole number and a unit, such as \"256 MB\" (B, KB, MB, GB)";
const TIME_HINT: &str = "write a whole number and a unit, such as \"5 s\" (us, ms, s, min, h, d, w, y)";

/// A text with its place, from a key.
pub(super) fn spanned<'a>(key: &'a Spanned<toml::de::DeString<'a>>) -> Spanned<&'a str> {
    Spanned::new(key.span(), key.get_ref().as_ref())
}

/// A value's type as a sentence has it.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
