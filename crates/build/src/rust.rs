//! Rust: a cargo project on the SDK, or on wit-bindgen itself.
//!
//! - [`toolchain`]: what builds for WebAssembly on this machine.

pub mod toolchain;

use crate::problem::{Failure, Kind, Place, Problem};
use crate::run::{self, Output};
use crate::{Job, Made, component};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use toolchain::Toolchain;

pub(crate) fn build(job: &Job<'_>) -> Result<Made, Failure> {
    let toolchain = Toolchain::find()
        .map_err(|way| Failure::one(Problem::tools("no Rust toolchain for WebAssembly is on this machine").way(way)))?;
    job.progress.step(&format!("compiling {} ({})", job.source.folder.display(), toolchain.describe()));
    let component = compile(&toolchain, &job.source.folder, &Settings::default())?;
    let tools = vec![("rustc".to_owned(), toolchain.describe())];
    Ok(Made { component, kept: false, notes: Vec::new(), tools })
}

/// How cargo is to build.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where cargo keeps what it builds; `None` leaves it to cargo.
    pub target_dir: Option<PathBuf>,
    /// `Cargo.lock` must be there and fit.
    pub locked: bool,
    /// Taken out of paths in the component, so that it is the same wherever it is built.
    pub hide: Option<PathBuf>,
}

/// Builds the cargo project in `folder` into a component.
///
/// # Errors
/// What rustc said, each error with its place.
pub fn compile(toolchain: &Toolchain, folder: &Path, settings: &Settings) -> Result<Vec<u8>, Failure> {
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--release", "--message-format=json", "--target", toolchain.target()]);
    if settings.locked {
        cargo.arg("--locked");
    }
    if let Some(target_dir) = &settings.target_dir {
        cargo.env("CARGO_TARGET_DIR", target_dir);
    }
    cargo.env("RUSTFLAGS", neutral_paths(settings.hide.as_deref()));
    let output = run::run(cargo.current_dir(folder))?;
    if !output.status.success() {
        return Err(explain(&output, folder));
    }
    let module = messages(&output).filter_map(|message| module_of(&message, folder)).last().ok_or_else(|| {
        let problem = Problem::source("cargo made no WebAssembly module").at(Place::file(folder.join("Cargo.toml")));
        Failure::one(problem.way("add `[lib]` with `crate-type = [\"cdylib\"]` to Cargo.toml"))
    })?;
    let bytes = fs::read(&module)
        .map_err(|error| Failure::one(Problem::tools(format!("{}: cannot be read: {error}", module.display()))))?;
    let made = match toolchain.target() {
        toolchain::WASI => component::check(&bytes).map(|()| bytes),
        _ => component::wrap(&bytes),
    };
    made.map_err(|message| {
        let way = "export a handler with `rimward_sdk::request_hook!` or `response_hook!`";
        Problem::source(message).at(Place::file(folder.join("Cargo.toml"))).way(way).into()
    })
}

/// Flags for rustc that keep this machine's folders out of what it makes: cargo's own, and `hide`.
pub fn neutral_paths(hide: Option<&Path>) -> String {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let folders = [(cargo.as_deref(), "cargo"), (hide, "rimward")];
    let flags = folders.into_iter().filter_map(|(folder, name)| Some((folder?.display(), name)));
    flags.map(|(folder, name)| format!("--remap-path-prefix={folder}={name}")).collect::<Vec<_>>().join(" ")
}

/// The messages of `--message-format=json`, one a line.
fn messages(output: &Output) -> impl Iterator<Item = Value> {
    output.stdout.lines().filter_map(|line| serde_json::from_str(line).ok())
}

/// The module that an artefact message of the package in `folder` names.
fn module_of(message: &Value, folder: &Path) -> Option<PathBuf> {
    if message["reason"] != "compiler-artifact" || !Path::new(message["manifest_path"].as_str()?).starts_with(folder) {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str).map(PathBuf::from);
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

fn explain(output: &Output, folder: &Path) -> Failure {
    let problems: Vec<Problem> = messages(output).filter_map(|message| problem_of(&message, folder)).collect();
    if problems.is_empty() {
        let message = format!("cargo could not build {}\n{}", folder.display(), output.last_words());
        return Problem::source(message).at(Place::file(folder.join("Cargo.toml"))).into();
    }
    Failure { problems }
}

fn problem_of(message: &Value, folder: &Path) -> Option<Problem> {
    let message = &message["message"];
    if message["level"] != "error" {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    let number = |name: &str| span[name].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let place = Place {
        file: folder.join(span["file_name"].as_str()?),
        line: number("line_start"),
        column: number("column_start"),
        excerpt: span["text"][0]["text"].as_str().map(str::to_owned),
    };
    let help = message["children"].as_array()?.iter().find(|child| child["level"] == "help");
    Some(Problem {
        kind: Kind::Source,
        message: message["message"].as_str()?.to_owned(),
        place: Some(place),
        way: help.and_then(|help| help["message"].as_str()).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_of_rustc_keeps_its_place() {
        let message = json!({ "reason": "compiler-message", "message": {
            "level": "error", "message": "cannot find value `x` in this scope",
            "spans": [{ "is_primary": true, "file_name": "src/lib.rs", "line_start": 3, "column_start": 5,
                        "text": [{ "text": "    x" }] }],
            "children": [{ "level": "help", "message": "a local variable with a similar name exists" }],
        }});
        let problem = problem_of(&message, Path::new("/f")).unwrap();
        assert_eq!(problem.place.as_ref().unwrap().to_string(), "/f/src/lib.rs:3:5");
        assert_eq!(
            problem.to_string(),
            "cannot find value `x` in this scope\n  --> /f/src/lib.rs:3:5\n   |     x\n   |     ^"
        );
        assert!(problem.way.unwrap().contains("similar name"));
    }

    #[test]
    fn the_module_is_the_projects_own_and_not_a_dependencys() {
        let message = |manifest: &str| json!({ "reason": "compiler-artifact", "manifest_path": manifest, "filenames": ["/t/a.wasm"] });
        assert_eq!(module_of(&message("/f/Cargo.toml"), Path::new("/f")), Some("/t/a.wasm".into()));
        assert_eq!(module_of(&message("/other/Cargo.toml"), Path::new("/f")), None);
    }
}
