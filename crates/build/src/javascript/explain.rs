//! From what esbuild and ComponentizeJS say to problems with a place and a way out.

use super::note;
use crate::problem::{Failure, Kind, Note, Place, Problem};
use crate::run::Output;
use crate::source::Source;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What `bundle.mjs` says.
#[derive(Debug, Deserialize)]
struct Report {
    ok: bool,
    errors: Vec<Message>,
    warnings: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    text: String,
    #[serde(default)]
    file: Option<PathBuf>,
    #[serde(default)]
    line: Option<u32>,
    #[serde(default)]
    column: Option<u32>,
    #[serde(default)]
    excerpt: Option<String>,
    #[serde(default)]
    way: Option<String>,
}

/// A bundle that was made.
#[derive(Debug)]
pub(super) struct Bundled {
    pub(super) notes: Vec<Note>,
}

/// A place that `locate.mjs` found.
#[derive(Debug, Deserialize)]
struct Located {
    file: PathBuf,
    line: u32,
    column: u32,
}

/// Reads the report of `bundle.mjs`.
pub(super) fn bundled(output: &Output, folder: &Path) -> Result<Bundled, Failure> {
    let Ok(report) = serde_json::from_str::<Report>(&output.stdout) else {
        return Err(Problem::tools(format!("the bundler failed\n{}", output.last_words())).into());
    };
    if report.ok {
        let notes = report.warnings.into_iter().map(|warning| warning.note(folder)).collect();
        return Ok(Bundled { notes });
    }
    Err(Failure { problems: report.errors.into_iter().map(|error| error.problem(folder)).collect() })
}

impl Message {
    fn place(&self, folder: &Path) -> Option<Place> {
        Some(Place {
            file: folder.join(self.file.as_ref()?),
            line: self.line.unwrap_or(0),
            column: self.column.unwrap_or(0),
            excerpt: self.excerpt.clone(),
        })
    }

    fn note(self, folder: &Path) -> Note {
        let place = self.place(folder);
        note(self.way.map_or_else(|| self.text.clone(), |way| format!("{}: {way}", self.text)), place)
    }

    fn problem(self, folder: &Path) -> Problem {
        let place = self.place(folder);
        let missing = self.text.strip_prefix("Could not resolve \"").and_then(|rest| rest.split('"').next());
        let way = match (self.way, missing) {
            (_, Some(name)) if !name.starts_with('.') && !name.starts_with('/') => {
                Some(format!("run `npm install {}` in {}, or correct the name", package(name), folder.display()))
            }
            (way, _) => way,
        };
        Problem { kind: Kind::Source, message: self.text, place, way }
    }
}

/// The package of `name`: `@scope/a` of `@scope/a/b`.
fn package(name: &str) -> String {
    let parts = if name.starts_with('@') { 2 } else { 1 };
    name.split('/').take(parts).collect::<Vec<_>>().join("/")
}

/// Explains an error of module scope, which runs while the component is built.
pub(super) fn module_scope(said: &str, located: serde_json::Value, source: &Source) -> Failure {
    let place = serde_json::from_value::<Option<Located>>(located).ok().flatten().map(|at| Place {
        file: source.folder.join(at.file),
        line: at.line,
        column: at.column,
        excerpt: None,
    });
    let place = place.unwrap_or_else(|| Place::file(&source.entry));
    if let Some(line) = said.lines().find_map(|line| line.split_once("TypeError: rimward: ")) {
        let way = format!(
            "assign a function to `exports.{0}` (`export const {0}` in ES modules), or name another with \
                           `--handler FILE.EXPORT`",
            source.export
        );
        return Problem::source(line.1).at(Place::file(&source.entry)).way(way).into();
    }
    // `bundle.js:3:14 TypeError: x is not a function`: the name and the rest are the error.
    let thrown = said.lines().find_map(|line| {
        let (position, error) = line.trim().split_once(' ')?;
        position.contains("bundle.js:").then_some(error)
    });
    match thrown {
        Some(error) => Problem::source(format!("module scope failed while it was run: {error}"))
            .at(place)
            .way(
                "code outside of the handler runs once when the component is built; move what cannot run there into it",
            )
            .into(),
        None => {
            let end: Vec<&str> = said.trim().lines().take(12).collect();
            Problem::tools(format!("componentize-js failed\n{}", end.join("\n"))).at(place).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;
    use serde_json::json;

    fn source() -> Source {
        Source {
            language: Language::JavaScript,
            folder: "/f".into(),
            entry: "/f/index.js".into(),
            export: "handler".into(),
        }
    }

    #[test]
    fn a_package_that_is_not_installed_is_told_by_its_name() {
        let message = Message {
            text: "Could not resolve \"@scope/cookie/lib\"".into(),
            file: Some("index.js".into()),
            line: Some(1),
            column: Some(20),
            excerpt: None,
            way: None,
        };
        let problem = message.problem(Path::new("/f"));
        assert_eq!(problem.way.as_deref(), Some("run `npm install @scope/cookie` in /f, or correct the name"));
    }

    #[test]
    fn a_missing_handler_is_told_apart_from_one_that_throws() {
        let said = "Exception while evaluating top-level script\nbundle.js:9:1 TypeError: rimward: handler is undefined or not \
                    exported; the module exports main";
        let failure = module_scope(said, serde_json::Value::Null, &source());
        assert!(failure.to_string().starts_with("handler is undefined or not exported; the module exports main"));
        let said = "Exception while evaluating top-level script\nbundle.js:9:1 TypeError: x is not a function";
        let failure = module_scope(said, json!({ "file": "lib/a.js", "line": 4, "column": 2 }), &source());
        let text = failure.to_string();
        assert!(text.contains("TypeError: x is not a function") && text.contains("/f/lib/a.js:4:2"), "{text}");
        assert_eq!(module_scope("wizer: no", serde_json::Value::Null, &source()).kind(), Kind::Tools);
    }
}
