//! `function.toml`: the keys of `[functions.NAME]`, and what only a folder says.

use super::functions::{of_a_tier, read_origin, read_viewer};
use super::names::check_name;
use super::section::Section;
use super::{Reader, load_with, parse_with};
use crate::{Diagnostic, Function, FunctionKind, Manifest};
use rimward_types::Hook;
use std::ops::Range;
use std::path::Path;
use toml::de::DeTable;

/// What a folder says besides.
const OWN: [&str; 4] = ["name", "description", "hooks", "budget"];

/// Reads and checks the `function.toml` at `path`; relative paths in it begin at its folder. Blocks.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn load_manifest(path: impl AsRef<Path>) -> Result<Manifest, Vec<Diagnostic>> {
    load_with(path.as_ref(), parse_manifest)
}

/// Checks the text of a `function.toml`; relative paths in it begin at `folder`, and problems are reported of `file_name`.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Where the text is no TOML, that alone.
pub fn parse_manifest(text: &str, folder: &Path, file_name: &str) -> Result<Manifest, Vec<Diagnostic>> {
    // What is not read was reported.
    parse_with(text, folder, file_name, read_manifest)?.ok_or_else(Vec::new)
}

fn read_manifest<'a>(reader: &'a Reader<'a>, span: Range<usize>, table: &'a DeTable<'a>) -> Option<Manifest> {
    let section = of_a_tier(reader, "function.toml".to_owned(), span, table, &OWN)?;
    let name = section.required_text("name", "\"my-function\"");
    if let Some(name) = &name {
        check_name(reader, "function", name);
    }
    // Functions of connections have no hook.
    let of_connections = section.get("kind").is_some_and(|kind| kind.get_ref().as_str() == Some("connection"));
    let hooks = if of_connections { Vec::new() } else { read_hooks(&section) };
    if of_connections && section.get("hooks").is_some() {
        let message = "`hooks` is for functions of viewers; this one is for connections";
        reader.report_hint(section.key_span("hooks"), message, "leave it out");
    }
    let fuel = section.section("budget", "[budget]", &["fuel"]).and_then(|budget| budget.number("fuel", 1..=u64::MAX));
    let viewer = section.get("code").is_some();
    let (kind, store) = if viewer {
        if let Some(hook) = hooks.iter().find(|hook| !hook.is_viewer()) {
            let message = format!("a function with `code` cannot be attached to {hook}");
            let hint = "functions at origin hooks are those with `component`";
            reader.report_hint(section.key_span("hooks"), message, hint);
        }
        (FunctionKind::Viewer(read_viewer(&section)), section.file("key-value-store"))
    } else {
        if section.get("budget").is_some() {
            let message = "`budget` is for viewer functions, those with `code`";
            reader.report(section.key_span("budget"), message);
        }
        if section.get("async").is_some() {
            let message = "`async` is for a node: the function is not sent events here";
            reader.report_hint(section.key_span("async"), message, "put it into rimward.toml");
        }
        // A component that is not built yet is no mistake.
        let component = section.text("component").and_then(|text| section.path(&text)).unwrap_or_default();
        (FunctionKind::Origin(read_origin(&section, component)), None)
    };
    let description = section.text("description").map(|text| (*text.get_ref()).to_owned());
    Some(Manifest {
        function: Function { name: name.map_or("", |name| name.into_inner()).into(), kind },
        description: description.unwrap_or_default(),
        hooks,
        store,
        fuel,
    })
}

fn read_hooks(section: &Section<'_>) -> Vec<Hook> {
    let mut hooks = Vec::new();
    let Some(texts) = section.texts("hooks") else {
        if section.get("hooks").is_none() {
            section.report_missing("hooks", "[\"viewer-request\"]");
        }
        return hooks;
    };
    let words = Hook::ALL.map(|hook| format!("\"{hook}\"")).join(", ");
    if texts.get_ref().is_empty() {
        section.reader.report(texts.span(), format!("`hooks` names at least one of {words}"));
    }
    for text in texts.get_ref() {
        match Hook::ALL.into_iter().find(|hook| hook.as_str() == *text.get_ref()) {
            Some(hook) => hooks.push(hook),
            None => {
                let message = format!("`{}` is no hook", text.get_ref().escape_debug());
                section.reader.report_hint(text.span(), message, format!("it is one of {words}"));
            }
        }
    }
    hooks
}
