//! Which language a function is written in, and which file holds its handler.

use crate::problem::{Failure, Kind, Place, Problem};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JavaScript or TypeScript for Node.js.
    JavaScript,
    /// Python 3.
    Python,
    /// A cargo project.
    Rust,
    /// C.
    C,
}

/// `file.export`, as Lambda writes it: `index.handler`, `src/app.main` (`lambda-at-edge.md` section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The file, without its extension, from the function's folder.
    pub file: String,
    /// The name that it exports.
    pub export: String,
}

/// What is to be built.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) language: Language,
    /// The function's folder.
    pub(crate) folder: PathBuf,
    /// The file that the build begins with: a handler's module, `Cargo.toml`, or a C file.
    pub(crate) entry: PathBuf,
    /// The handler's name, of JavaScript and Python.
    pub(crate) export: String,
}

const JAVASCRIPT: [&str; 7] = ["mjs", "js", "cjs", "ts", "mts", "cts", "tsx"];
/// Names that a handler's file has by custom, the likeliest first.
const JAVASCRIPT_NAMES: [&str; 5] = ["index", "handler", "lambda", "app", "main"];
const PYTHON_NAMES: [&str; 6] = ["lambda_function", "index", "handler", "app", "main", "lambda_handler"];

impl Language {
    const ALL: [Self; 4] = [Self::JavaScript, Self::Python, Self::Rust, Self::C];

    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::C => "c",
        }
    }

    fn of_file(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            extension if JAVASCRIPT.contains(&extension) => Some(Self::JavaScript),
            "py" => Some(Self::Python),
            "c" => Some(Self::C),
            _ if file.file_name()? == "Cargo.toml" => Some(Self::Rust),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::C => "C",
        })
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let short = |language: &Self| match language {
            Self::JavaScript => "js",
            Self::Python => "py",
            Self::Rust => "rs",
            Self::C => "c",
        };
        let found = Self::ALL.into_iter().find(|language| text == language.word() || text == short(language));
        found.ok_or_else(|| "expected javascript, python, rust or c".to_owned())
    }
}

impl FromStr for Handler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once('.') {
            Some((file, export)) if !file.is_empty() && !export.is_empty() && !Path::new(file).is_absolute() => {
                Ok(Self { file: file.to_owned(), export: export.to_owned() })
            }
            _ => Err("expected FILE.EXPORT, such as index.handler or lambda_function.lambda_handler".to_owned()),
        }
    }
}

// === impl Source ===

impl Source {
    /// Looks at a folder or a file.
    pub(crate) fn find(path: &Path, language: Option<Language>, handler: Option<&Handler>) -> Result<Self, Failure> {
        let unreadable = |error| Failure::input(format!("{}: cannot be read: {error}", path.display()));
        let path = &fs::canonicalize(path).map_err(unreadable)?;
        if path.is_dir() {
            let files = files(path).map_err(unreadable)?;
            let language = match language {
                Some(language) => language,
                None => detect(path, &files)?,
            };
            return Self::in_folder(language, path, &files, handler);
        }
        let language = language.or_else(|| Language::of_file(path)).ok_or_else(|| {
            Failure::input(format!("{}: not a file of JavaScript, TypeScript, Python or C", path.display()))
        })?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let export = handler.map_or_else(|| usual_export(language, path), |handler| handler.export.clone());
        Ok(Self { language, folder, entry: path.clone(), export })
    }

    fn in_folder(
        language: Language,
        folder: &Path,
        files: &[PathBuf],
        handler: Option<&Handler>,
    ) -> Result<Self, Failure> {
        if let (Some(handler), Language::JavaScript | Language::Python) = (handler, language) {
            let entry = named(folder, language, &handler.file)?;
            return Ok(Self { language, folder: folder.to_owned(), entry, export: handler.export.clone() });
        }
        let entry = match language {
            Language::Rust => Some(folder.join("Cargo.toml")).filter(|manifest| manifest.is_file()),
            Language::JavaScript => package_main(folder)?.or_else(|| usual(files, &JAVASCRIPT_NAMES, &JAVASCRIPT)),
            Language::Python => usual(files, &PYTHON_NAMES, &["py"]),
            Language::C => usual(files, &["function", "main", "hook", "handler"], &["c"]),
        };
        let entry = entry.ok_or_else(|| {
            let problem = Problem {
                kind: Kind::Input,
                message: format!("{}: no file here is the handler's by its name", folder.display()),
                place: None,
                way: None,
            };
            Failure::one(problem.way(match language {
                Language::JavaScript => "name it index.js, set `main` in package.json, or give `--handler FILE.EXPORT`",
                Language::Python => "name it lambda_function.py, or give `--handler FILE.EXPORT`",
                Language::Rust => "a Rust function is a cargo project with a Cargo.toml",
                Language::C => "name it function.c",
            }))
        })?;
        let export = usual_export(language, &entry);
        Ok(Self { language, folder: folder.to_owned(), entry, export })
    }
}

/// The name that a handler has when nobody says otherwise: Lambda's own templates use these.
fn usual_export(language: Language, entry: &Path) -> String {
    if language == Language::Python {
        // `lambda_handler` by the templates, `handler` by many others: take what the file defines.
        let text = fs::read_to_string(entry).unwrap_or_default();
        let defines = |name: &str| {
            text.lines().any(|line| {
                let line = line.strip_prefix("async ").unwrap_or(line);
                let assigned = line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
                assigned
                    || line.strip_prefix("def ").and_then(|l| l.strip_prefix(name)).is_some_and(|l| l.starts_with('('))
            })
        };
        return if !defines("lambda_handler") && defines("handler") { "handler" } else { "lambda_handler" }.to_owned();
    }
    "handler".to_owned()
}

/// The files right in a folder, sorted.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn detect(folder: &Path, files: &[PathBuf]) -> Result<Language, Failure> {
    let has = |name: &str| folder.join(name).is_file();
    if has("Cargo.toml") {
        return Ok(Language::Rust);
    }
    let mut found: Vec<Language> = Language::ALL
        .into_iter()
        .filter(|language| files.iter().any(|file| Language::of_file(file) == Some(*language)))
        .collect();
    if has("package.json") && !found.contains(&Language::JavaScript) {
        found.push(Language::JavaScript);
    }
    let usual_names = |language: &Language| match language {
        Language::JavaScript => has("package.json") || JAVASCRIPT.iter().any(|ending| has(&format!("index.{ending}"))),
        Language::Python => has("requirements.txt") || has("lambda_function.py"),
        Language::Rust | Language::C => false,
    };
    let likely: Vec<Language> = found.iter().copied().filter(usual_names).collect();
    match (found.as_slice(), likely.as_slice()) {
        ([one], _) | (_, [one]) => Ok(*one),
        ([], _) => {
            let message = format!("{}: no file of JavaScript, TypeScript, Python, Rust or C", folder.display());
            Err(Failure::input(message))
        }
        _ => {
            let names: Vec<String> = found.iter().map(ToString::to_string).collect();
            let message = format!("{}: has files of {}", folder.display(), names.join(" and of "));
            let problem = Problem { kind: Kind::Input, message, place: None, way: None };
            Err(problem.way("say which one is the function with `--language`").into())
        }
    }
}

/// The first file with one of `names`; else the only file of the language.
fn usual(files: &[PathBuf], names: &[&str], extensions: &[&str]) -> Option<PathBuf> {
    let of_language = |file: &&PathBuf| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let candidates: Vec<&PathBuf> = files.iter().filter(of_language).collect();
    let by_name = names
        .iter()
        .find_map(|name| candidates.iter().find(|file| file.file_stem().is_some_and(|stem| stem == *name)).copied());
    match (by_name, candidates.as_slice()) {
        (Some(file), _) => Some(file.clone()),
        (None, [only]) => Some((*only).clone()),
        _ => None,
    }
}

/// The file of `--handler`.
fn named(folder: &Path, language: Language, file: &str) -> Result<PathBuf, Failure> {
    let extensions = if language == Language::JavaScript { &JAVASCRIPT[..] } else { &["py"] };
    // Python's handlers are often written with dots between packages.
    let spelled = [file.to_owned(), file.replace('.', "/")];
    let found = spelled.iter().find_map(|file| {
        let paths = extensions.iter().map(|extension| folder.join(format!("{file}.{extension}")));
        paths.into_iter().find(|path| path.is_file())
    });
    found.ok_or_else(|| {
        let names: Vec<String> = extensions.iter().map(|extension| format!("{file}.{extension}")).collect();
        Failure::input(format!("{}: has no file {}", folder.display(), names.join(", ")))
    })
}

/// `main` of package.json, where it names a file that is there.
fn package_main(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let manifest = folder.join("package.json");
    let Ok(text) = fs::read_to_string(&manifest) else { return Ok(None) };
    let package: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        let at = Place {
            line: u32::try_from(error.line()).unwrap_or(0),
            column: u32::try_from(error.column()).unwrap_or(0),
            ..Place::file(&manifest)
        };
        Failure::one(Problem::source(format!("package.json is not JSON: {error}")).at(at))
    })?;
    let main = package.get("main").and_then(serde_json::Value::as_str).map(|main| folder.join(main));
    Ok(main.filter(|main| main.is_file()))
}

#[cfg(test)]
mod tests;
