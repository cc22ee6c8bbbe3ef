//! From TOML to checked values.
//!
//! The spanned tree is read by hand instead of through serde, which stops at the first wrong type: here a wrong value
//! is reported, its default takes its place, and reading goes on. What was built is given out only when nothing was
//! reported.

mod behaviors;
mod bucket;
mod cache;
mod distributions;
mod error_pages;
mod functions;
mod geo;
mod grpc;
mod manifest;
mod mutual_tls;
mod names;
mod node;
mod origins;
mod policies;
mod response_headers;
mod section;
mod suggest;

use crate::{Config, Diagnostic, Severity};
pub use manifest::{load_manifest, parse_manifest};
use names::Names;
use section::Section;
use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file that is read. Thousands of distributions fit; a wrong file in its place does not fill the memory.
const MAX_FILE: u64 = 16 << 20;

/// A value with its place.
type Value<'a> = Spanned<DeValue<'a>>;

/// A file that is read, and what is wrong with it so far.
struct Reader<'a> {
    file: Arc<str>,
    text: &'a str,
    /// Where relative paths begin.
    base: &'a Path,
    problems: RefCell<Vec<(usize, Diagnostic)>>,
    warnings: RefCell<Vec<(usize, Diagnostic)>>,
}

/// Reads and checks the file at `path`; relative paths in it begin at its folder. Blocks.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn load(path: impl AsRef<Path>) -> Result<Config, Vec<Diagnostic>> {
    load_with(path.as_ref(), parse)
}

/// Reads the file at `path` and has it checked; relative paths begin at its folder.
fn load_with<T>(
    path: &Path,
    parse: impl FnOnce(&str, &Path, &str) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    let name = path.display().to_string();
    let failed = |message: String| vec![Diagnostic::of_file(&name, message)];
    let metadata = std::fs::metadata(path).map_err(|error| failed(format!("cannot read the file: {error}")))?;
    if metadata.len() > MAX_FILE {
        return Err(failed(format!("the file has {} bytes; at most {MAX_FILE} are read", metadata.len())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(format!("cannot read the file: {error}")))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parse(&text, folder, &name)
}

/// Checks `text`; relative paths in it begin at `base_dir`, and problems are reported of `file_name`.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Where the text is no TOML, that alone.
pub fn parse(text: &str, base_dir: &Path, file_name: &str) -> Result<Config, Vec<Diagnostic>> {
    parse_with(text, base_dir, file_name, |reader, span, table| reader.read(span, table))
}

fn parse_with<T>(
    text: &str,
    base: &Path,
    file: &str,
    read: impl for<'a> FnOnce(&'a Reader<'a>, Range<usize>, &'a DeTable<'a>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    let reader = Reader { file: file.into(), text, base, problems: RefCell::default(), warnings: RefCell::default() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.report_syntax(error.span().unwrap_or(0..0), error.message());
    }
    reader.finish()?;
    let made = read(&reader, document.span(), document.get_ref());
    reader.finish()?;
    Ok(made)
}

/// Tables of the file.
const TABLES: [&str; 10] = [
    "node",
    "cache",
    "functions",
    "key-value-stores",
    "origins",
    "origin-groups",
    "trust-stores",
    "cache-policies",
    "response-headers-policies",
    "distributions",
];

impl<'a> Reader<'a> {
    fn read(&self, span: Range<usize>, table: &'a DeTable<'a>) -> Config {
        let file = Section::of_table(self, "the file".to_owned(), span, table, &TABLES);
        let node = node::read_node(&file);
        let cache = cache::read_cache(&file);
        let key_value_stores = functions::read_stores(&file);
        let functions = functions::read_functions(&file, &Names::of(&file, "key-value-stores"));
        let origins = origins::read_origins(&file);
        let origin_groups = origins::read_groups(&file, &origins);
        let cache_policies = policies::read_policies(&file);
        let response_headers_policies = response_headers::read_response_policies(&file);
        let trust_stores = mutual_tls::read_trust_stores(&file);
        let known = behaviors::Known {
            functions: &functions,
            origins: &origins,
            groups: &origin_groups,
            policies: &cache_policies,
            response_policies: &response_headers_policies,
            trust_stores: &trust_stores,
            https: node.tls.is_some(),
            geo: node.geo.places.is_some(),
        };
        let (distributions, hosts) = distributions::read_distributions(&file, &known);
        Config {
            node,
            cache,
            functions: functions.into_iter().filter_map(|(name, function)| Some((name, function?))).collect(),
            key_value_stores,
            origins,
            origin_groups,
            trust_stores: trust_stores.into_iter().filter_map(|(name, store)| Some((name, store?))).collect(),
            cache_policies,
            response_headers_policies,
            distributions,
            warnings: in_order(self.warnings.take()),
            hosts,
        }
    }

    /// Notes a problem.
    fn report(&self, span: Range<usize>, message: impl Into<String>) {
        self.report_with(span, message, None);
    }

    /// Notes a problem and how to mend it.
    fn report_hint(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.report_with(span, message, Some(hint.into()));
    }

    /// Notes a problem and, where it is known, how to mend it.
    fn report_with(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let start = span.start;
        let diagnostic = Diagnostic::at(&self.file, self.text, span, message.into(), hint);
        self.problems.borrow_mut().push((start, diagnostic));
    }

    /// Notes what is allowed and may surprise.
    fn warn(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        let start = span.start;
        let diagnostic = Diagnostic::at(&self.file, self.text, span, message.into(), Some(hint.into()));
        self.warnings.borrow_mut().push((start, Diagnostic { severity: Severity::Warning, ..diagnostic }));
    }

    /// Notes that the text is no TOML. One problem for a line: what follows on it is often its consequence.
    fn report_syntax(&self, span: Range<usize>, message: &str) {
        let line = |at: usize| self.text[..self.text.floor_char_boundary(at)].matches('\n').count();
        if self.problems.borrow().iter().all(|(start, _)| line(*start) != line(span.start)) {
            // What the parser adds is true of any wrong value, and helps nobody.
            let message = [", expected literal string", ", expected nothing"]
                .iter()
                .find_map(|tail| message.strip_suffix(tail))
                .unwrap_or(message);
            let unquoted = message.starts_with("invalid ") || message.starts_with("string values must be quoted");
            let hint = unquoted.then(|| "a text stands in quotes: key = \"text\"".to_owned());
            self.report_with(span, message, hint);
        }
    }

    /// The line, from 1, of a place.
    fn line(&self, at: usize) -> usize {
        self.text[..self.text.floor_char_boundary(at)].matches('\n').count() + 1
    }

    /// Gives out what was noted, in the order of the file.
    fn finish(&self) -> Result<(), Vec<Diagnostic>> {
        let problems = self.problems.take();
        if problems.is_empty() { Ok(()) } else { Err(in_order(problems)) }
    }
}

fn in_order(mut noted: Vec<(usize, Diagnostic)>) -> Vec<Diagnostic> {
    noted.sort_by_key(|(start, _)| *start);
    noted.into_iter().map(|(_, diagnostic)| diagnostic).collect()
}
