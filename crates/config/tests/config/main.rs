//! Configuration files as people write them, right and wrong.
#![allow(clippy::unwrap_used)]

mod geo;
mod grpc;
mod manifests;
mod matching;
mod mutual_tls;
mod response_headers;
mod robustness;
mod whole_files;
mod wrong_functions;
mod wrong_node;
mod wrong_sites;

use rimward_config::{Config, Diagnostic};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with the files that the configurations name.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["index.js", "function.wasm", "pairs.json", "key.txt", "site.pem", "site.key", "roots.pem"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::create_dir(folder.path().join("folder")).unwrap();
    folder
}

fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
    parse_in(folder().path(), text)
}

fn parse_in(folder: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
    rimward_config::parse(text, folder, "rimward.toml")
}

/// What is needed to be right besides the part under test.
const REST: &str = "
[origins.app]
url = \"http://127.0.0.1:9000\"
[[distributions]]
domains = [\"www.example.com\"]
behaviors = [{ origin = \"app\" }]
";

/// `text` and the rest, which must be right.
fn right(text: &str) -> Config {
    let text = format!("{text}{REST}");
    parse(&text).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

fn shown(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// Problems as `line:column message`, and `hint: ...` where there is one; each in a line of its own.
fn problems(text: &str) -> Vec<String> {
    let folder = folder();
    let base = folder.path().display().to_string();
    let problems = match parse_in(folder.path(), text) {
        Ok(config) => panic!("no problem was found: {config:#?}"),
        Err(problems) => problems,
    };
    let mut lines = Vec::new();
    for problem in problems {
        lines.push(format!("{}:{} {}", problem.line, problem.column, problem.message));
        lines.extend(problem.hint.map(|hint| format!("hint: {}", hint.replace(&base, "FOLDER"))));
    }
    lines
}

/// One test for each wrong text, which stands before the rest, with what must be said about it.
macro_rules! wrong {
    ($($name:ident: $text:expr => [$($line:expr),* $(,)?])*) => {
        $(#[test]
        fn $name() {
            assert_eq!(crate::problems(&format!("{}{}", $text, crate::REST)), [$($line),*] as [&str; _]);
        })*
    };
}

/// The same for texts that stand alone.
macro_rules! wrong_alone {
    ($($name:ident: $text:expr => [$($line:expr),* $(,)?])*) => {
        $(#[test]
        fn $name() {
            assert_eq!(crate::problems(&$text), [$($line),*] as [&str; _]);
        })*
    };
}

pub(crate) use {wrong, wrong_alone};
