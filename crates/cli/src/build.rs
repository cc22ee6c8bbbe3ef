//! `rimward build`: a component from a function's sources.

use crate::args::Build;
use crate::exit::{Exit, Stop};
use crate::print;
use rimward_build::{Built, Failure, Kind, Note, Order, Place, Problem, Progress};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Tells each step on standard error.
struct Steps;

impl Progress for Steps {
    fn step(&self, what: &str) {
        print::say(&print::stderr().dim(&format!("{what} ...")));
    }
}

/// Runs the command.
///
/// # Errors
/// When nothing could be built; the reasons have been printed.
pub fn build(args: &Build) -> Result<Exit, Stop> {
    let order = Order {
        language: args.language,
        handler: args.handler.clone(),
        install: args.install,
        tools: args.tools.clone(),
        cache: !args.no_cache,
        ..Order::new(&args.path, out(args))
    };
    let started = Instant::now();
    let result = rimward_build::build(&order, &Steps);
    if args.json {
        print::data(&serde_json::to_string_pretty(&shown(&result, started.elapsed())).unwrap_or_default());
    }
    match result {
        Ok(built) => {
            if !args.json {
                say(&built, started.elapsed());
            }
            Ok(Exit::Done)
        }
        Err(failure) => {
            if !args.json {
                for problem in &failure.problems {
                    print::problem(&problem.to_string(), problem.way.as_deref());
                }
            }
            Ok(match failure.kind() {
                Kind::Input => Exit::Unusable,
                Kind::Source | Kind::Tools => Exit::Failed,
            })
        }
    }
}

/// Where the component goes: `function.wasm` beside the sources is what `function.toml` and `.gitignore` name by custom.
fn out(args: &Build) -> PathBuf {
    let folder = if args.path.is_dir() { &args.path } else { args.path.parent().unwrap_or(Path::new("")) };
    args.out.clone().unwrap_or_else(|| folder.join("function.wasm"))
}

fn say(built: &Built, took: Duration) {
    for note in &built.notes {
        let place = note.place.as_ref().map(|place| format!("\n  --> {place}")).unwrap_or_default();
        print::warning(&format!("{}{place}", note.message));
    }
    let how = if built.kept { "as it was built before".to_owned() } else { format!("built in {}", print::time(took)) };
    print::say(&format!(
        "{}: {} component, {}, {how}",
        built.out.display(),
        built.language,
        print::bytes(built.bytes as u64)
    ));
}

fn shown(result: &Result<Built, Failure>, took: Duration) -> Value {
    match result {
        Ok(built) => json!({
            "ok": true,
            "language": built.language.word(),
            "entry": built.entry,
            "out": built.out,
            "bytes": built.bytes,
            "sha256": built.digest,
            "kept": built.kept,
            "seconds": took.as_secs_f64(),
            "tools": built.tools.iter().map(|(name, version)| (name.clone(), json!(version))).collect::<serde_json::Map<_, _>>(),
            "notes": built.notes.iter().map(note).collect::<Vec<_>>(),
            "problems": [],
        }),
        Err(failure) => json!({
            "ok": false,
            "kind": failure.kind().word(),
            "notes": [],
            "problems": failure.problems.iter().map(problem).collect::<Vec<_>>(),
        }),
    }
}

fn note(note: &Note) -> Value {
    json!({ "message": note.message, "place": note.place.as_ref().map(place) })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind.word(),
        "message": problem.message,
        "place": problem.place.as_ref().map(place),
        "hint": problem.way,
    })
}

fn place(place: &Place) -> Value {
    json!({ "file": place.file, "line": place.line, "column": place.column })
}
