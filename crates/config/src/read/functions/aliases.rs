//! `aliases` of an origin function: names for its published versions.

use crate::read::names::check_name;
use crate::read::section::Section;
use std::collections::BTreeMap;

/// The name that stands for what serves.
const LIVE: &str = "LIVE";

/// Whether a version is there is known when it is called.
pub(super) fn read(function: &Section<'_>) -> BTreeMap<String, u64> {
    let names = function.named("aliases");
    let Some(table) = function.get("aliases").and_then(|value| value.get_ref().as_table()) else {
        return BTreeMap::new();
    };
    let section = Section::of_any(function.reader, "aliases".to_owned(), function.span.clone(), table);
    let mut aliases = BTreeMap::new();
    for (name, _) in names {
        check_name(function.reader, "alias", &name);
        let text = *name.get_ref();
        if text == LIVE || text.bytes().all(|b| b.is_ascii_digit()) {
            function.reader.report(name.span(), format!("`{text}` cannot be an alias: it names a version already"));
        } else if let Some(number) = section.number(text, 1..=u64::from(u32::MAX)) {
            aliases.insert(text.to_owned(), number);
        }
    }
    aliases
}
