//! Names that settings refer to.

use super::Reader;
use super::section::Section;
use super::suggest::nearest;
use std::collections::BTreeSet;
use std::sync::Arc;
use toml::Spanned;

/// Names that are defined in one table of the file, whether or not the definition is right: a reference to a broken
/// one is no second problem.
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The names in `[table.NAME]`.
    pub(super) fn of(file: &Section<'_>, table: &str) -> Self {
        let table = file.get(table).and_then(|value| value.get_ref().as_table());
        Self(table.into_iter().flat_map(|table| table.keys()).map(|name| name.get_ref().to_string()).collect())
    }

    /// The name, if it is defined; reported otherwise. `kind` is what it should be: `key value store`.
    pub(super) fn check(&self, reader: &Reader<'_>, kind: &str, table: &str, name: &Spanned<&str>) -> Option<Arc<str>> {
        if self.0.contains(*name.get_ref()) {
            return Some((*name.get_ref()).into());
        }
        report_unknown(reader, kind, table, name, self.0.iter().map(String::as_str));
        None
    }
}

/// Reports that `name` is not defined.
pub(super) fn report_unknown<'n>(
    reader: &Reader<'_>,
    kind: &str,
    table: &str,
    name: &Spanned<&str>,
    known: impl Iterator<Item = &'n str>,
) {
    let hint = match nearest(name.get_ref(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("define it with `[{table}.{}]`", name.get_ref()),
    };
    reader.report_hint(name.span(), format!("there is no {kind} `{}`", name.get_ref()), hint);
}

/// Whether a name is 1 to 64 letters, digits, `-` and `_` (`cloudfront-functions.md` section 7); reported otherwise.
pub(super) fn check_name(reader: &Reader<'_>, kind: &str, name: &Spanned<&str>) {
    let text = name.get_ref();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !plain || text.is_empty() || text.len() > 64 {
        let message = format!("`{}` is no name for a {kind}", text.escape_debug());
        reader.report_hint(name.span(), message, "a name is 1 to 64 letters, digits, `-` and `_`");
    }
}
