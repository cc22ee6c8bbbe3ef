//! Where a key of a file stands, for those who have something to say of a setting after the file was read.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's text, with the places of its keys.
pub struct Places<'t> {
    text: &'t str,
    document: Spanned<DeTable<'t>>,
}

/// One step into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a table.
    Key(String),
    /// An item of a list, from 0.
    Item(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

impl<'t> Places<'t> {
    /// Reads a text. Where it is no TOML, it has fewer places.
    pub fn of(text: &'t str) -> Self {
        let (document, _errors) = DeTable::parse_recoverable(text);
        Self { text, document }
    }

    /// The text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Line and column, from 1, of the key or item that `steps` lead to, or of the last one on the way that is there.
    pub fn find(&self, steps: &[Step]) -> Option<(u32, u32)> {
        let first = steps.first()?;
        let mut found: Option<(Range<usize>, &DeValue<'t>)> = None;
        for step in std::iter::once(first).chain(&steps[1..]) {
            let table = match &found {
                None => Some(self.document.get_ref()),
                Some((_, value)) => value.as_table(),
            };
            let next = match step {
                Step::Key(key) => table
                    .and_then(|table| table.get_key_value(key.as_str()))
                    .map(|(key, value)| (key.span(), value.get_ref())),
                Step::Item(item) => found
                    .as_ref()
                    .and_then(|(_, value)| value.as_array()?.get(*item))
                    .map(|value| (value.span(), value.get_ref())),
            };
            match next {
                Some(next) => found = Some(next),
                None => break,
            }
        }
        found.map(|(span, _)| self.line_and_column(span.start))
    }

    fn line_and_column(&self, at: usize) -> (u32, u32) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_items_are_found_in_every_way_to_write_them() {
        let text = "[functions.f]\ncode = \"é\"\n  memory = \"4 MB\"\n[[sites]]\n[[sites.rules]]\n[[sites.rules]]\na = 1\n\
                    [[sites]]\nrules = [{ a = 1 }, { é = 0, b = 2 }]\n";
        let places = Places::of(text);
        let find = |steps: &[Step]| places.find(steps);
        assert_eq!(find(&["functions".into(), "f".into(), "memory".into()]), Some((3, 3)));
        assert_eq!(find(&["sites".into(), 0.into(), "rules".into(), 1.into(), "a".into()]), Some((7, 1)));
        assert_eq!(find(&["sites".into(), 1.into(), "rules".into(), 1.into(), "b".into()]), Some((9, 30)));
        assert_eq!(find(&["functions".into(), "f".into(), "none".into()]), Some((1, 12)), "the table stands for it");
        assert_eq!(find(&["none".into()]), None);
        assert_eq!(find(&[]), None);
        assert_eq!(Places::of("a = = 1").find(&["b".into()]), None);
    }
}
