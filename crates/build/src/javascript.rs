//! JavaScript and TypeScript for Node.js.
//!
//! esbuild bundles the handler, everything that it imports, and the shims in `javascript/shims`, which are Node's modules as
//! far as the sandbox has them. ComponentizeJS makes a component of the bundle, with SpiderMonkey inside, and runs module
//! scope while it does so.
//!
//! - `explain`: from what the tools say to problems with a place.
//! - `task_files`: files of the function's folder that handlers read with `fs`.

mod explain;
mod task_files;

use crate::problem::{Failure, Note, Problem};
use crate::run::{self, Output};
use crate::tools::{self, Packages};
use crate::{Job, Made, kept};
use explain::Bundled;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PACKAGE: &str = include_str!("../javascript/package.json");
const PACKAGE_LOCK: &str = include_str!("../javascript/package-lock.json");
const COMPONENTIZE: &str = "componentize-js";
/// The oldest Node.js that the tools run on.
const NODE: u32 = 20;

/// Files that the bundle is made with, by their path in the working folder.
const FILES: &[(&str, &str)] = &[
    ("bundle.mjs", include_str!("../javascript/bundle.mjs")),
    ("componentize.mjs", include_str!("../javascript/componentize.mjs")),
    ("locate.mjs", include_str!("../javascript/locate.mjs")),
    ("shims/buffer.js", include_str!("../javascript/shims/buffer.js")),
    ("shims/buffer_class.js", include_str!("../javascript/shims/buffer_class.js")),
    ("shims/console.js", include_str!("../javascript/shims/console.js")),
    ("shims/crypto.js", include_str!("../javascript/shims/crypto.js")),
    ("shims/first.js", include_str!("../javascript/shims/first.js")),
    ("shims/fs.js", include_str!("../javascript/shims/fs.js")),
    ("shims/fs_promises.js", include_str!("../javascript/shims/fs_promises.js")),
    ("shims/globals.js", include_str!("../javascript/shims/globals.js")),
    ("shims/host.js", include_str!("../javascript/shims/host.js")),
    ("shims/host_symbol.js", include_str!("../javascript/shims/host_symbol.js")),
    ("shims/http.js", include_str!("../javascript/shims/http.js")),
    ("shims/http_client.js", include_str!("../javascript/shims/http_client.js")),
    ("shims/http_words.js", include_str!("../javascript/shims/http_words.js")),
    ("shims/https.js", include_str!("../javascript/shims/https.js")),
    ("shims/lambda.js", include_str!("../javascript/shims/lambda.js")),
    ("shims/module.js", include_str!("../javascript/shims/module.js")),
    ("shims/perf_hooks.js", include_str!("../javascript/shims/perf_hooks.js")),
    ("shims/process.js", include_str!("../javascript/shims/process.js")),
    ("shims/rimward.js", include_str!("../javascript/shims/rimward.js")),
    ("shims/stream_web.js", include_str!("../javascript/shims/stream_web.js")),
    ("shims/timers.js", include_str!("../javascript/shims/timers.js")),
    ("shims/timers_promises.js", include_str!("../javascript/shims/timers_promises.js")),
    ("shims/url.js", include_str!("../javascript/shims/url.js")),
    ("shims/util.js", include_str!("../javascript/shims/util.js")),
    ("shims/watch.js", include_str!("../javascript/shims/watch.js")),
    ("wit/world.wit", include_str!("../javascript/wit/world.wit")),
    ("wit/deps/cli/environment.wit", include_str!("../javascript/wit/deps/cli/environment.wit")),
    ("wit/deps/clocks/clocks.wit", include_str!("../javascript/wit/deps/clocks/clocks.wit")),
    ("wit/deps/filesystem/filesystem.wit", include_str!("../javascript/wit/deps/filesystem/filesystem.wit")),
    ("wit/deps/edge/edge.wit", crate::CONTRACT),
];

pub(crate) fn build(job: &Job<'_>) -> Result<Made, Failure> {
    let node = node()?;
    let versions = versions();
    let installed = tools::packages(job, &packages(&versions), |folder| install(job, folder))?;
    let work = work_folder()?;

    job.progress.step(&format!("bundling {}", job.source.entry.display()));
    let bundled = bundle(job, &node, &installed, work.path())?;
    let bundle_file = work.path().join("bundle.js");
    let bundle = fs::read(&bundle_file).map_err(|error| broken("the bundle", &error))?;

    let inputs = FILES.iter().fold(kept::Inputs::of(PACKAGE_LOCK), |inputs, (_, text)| inputs.add(text.as_bytes()));
    let inputs = inputs.add(&bundle).digest();
    let found = job.cache.then(|| kept::find(job.project, &inputs)).flatten();
    let kept = found.is_some();
    let component = match found {
        Some(component) => component,
        None => {
            let made = componentize(job, &node, &installed, work.path())?;
            kept::keep(job.project, &inputs, &made)?;
            made
        }
    };
    Ok(Made { component, kept, notes: bundled.notes, tools: versions })
}

/// Names and versions of the packages, from package.json.
fn versions() -> Vec<(String, String)> {
    let package: serde_json::Value = serde_json::from_str(PACKAGE).unwrap_or_default();
    let dependencies = package["dependencies"].as_object().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    dependencies.iter().map(|(name, version)| (name.clone(), text(version))).collect()
}

fn packages(versions: &[(String, String)]) -> Packages {
    let names: Vec<String> = versions
        .iter()
        .map(|(name, version)| format!("{} {version}", name.rsplit('/').next().unwrap_or(name)))
        .collect();
    let digest = kept::hex_digest(PACKAGE_LOCK.as_bytes());
    Packages { folder: format!("javascript-{}", &digest[..12]), what: names.join(", "), from: "npm, about 400 MB" }
}

fn node() -> Result<PathBuf, Failure> {
    let way = format!("install Node.js {NODE} or newer, with npm");
    let node = tools::needed(&["node", "nodejs"], "building a JavaScript function", &way)?;
    let output = run::run(Command::new(&node).arg("--version"))?;
    let version = output.stdout.trim().trim_start_matches('v').to_owned();
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        let message = format!("{} is Node.js {version}, which is too old", node.display());
        return Err(Problem::tools(message).way(way).into());
    }
    Ok(node)
}

fn install(job: &Job<'_>, folder: &Path) -> Result<(), Failure> {
    let npm = tools::needed(&["npm"], "installing the JavaScript tools", "install npm; it comes with Node.js")?;
    for (name, text) in [("package.json", PACKAGE), ("package-lock.json", PACKAGE_LOCK)] {
        fs::write(folder.join(name), text).map_err(|error| broken(name, &error))?;
    }
    // `ci` takes what the lock file names and nothing else. Install scripts do not run: the binaries are in the packages.
    let arguments = ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
    let output = run::run(Command::new(npm).args(arguments).current_dir(folder))?;
    if output.status.success() {
        return Ok(());
    }
    let message = format!("npm could not install the JavaScript tools\n{}", output.last_words());
    let way = format!(
        "see that npm reaches its registry, then build again; {} is safe to delete",
        job.project.tools("").display()
    );
    Err(Problem::tools(message).way(way).into())
}

fn work_folder() -> Result<TempDir, Failure> {
    let write = || {
        let work = tempfile::Builder::new().prefix("rimward-build-").tempdir()?;
        for (name, text) in FILES {
            let path = work.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(work.path()))?;
            fs::write(path, text)?;
        }
        Ok(work)
    };
    write().map_err(|error: std::io::Error| broken("a temporary folder", &error))
}

fn bundle(job: &Job<'_>, node: &Path, installed: &Path, work: &Path) -> Result<Bundled, Failure> {
    let source = job.source;
    let plan = json!({
        "tools": installed,
        "shims": work.join("shims"),
        "folder": source.folder,
        "entry": source.entry,
        "export": source.export,
        "files": work.join("task.js"),
        "taskFiles": task_files::collect(&source.folder)?,
        "userOut": work.join("user.js"),
        "out": work.join("bundle.js"),
    });
    fs::write(work.join("plan.json"), plan.to_string()).map_err(|error| broken("the plan", &error))?;
    let output = run::run(Command::new(node).args(["bundle.mjs", "plan.json"]).current_dir(work))?;
    explain::bundled(&output, &source.folder)
}

fn componentize(job: &Job<'_>, node: &Path, installed: &Path, work: &Path) -> Result<Vec<u8>, Failure> {
    job.progress.step("making a component of it, which takes about half a minute");
    let output = run::run(
        Command::new(node)
            .arg("componentize.mjs")
            .arg(installed)
            .args(["bundle.js", "wit", "node-function", "function.wasm"])
            .current_dir(work),
    )?;
    if !output.status.success() {
        let places = locate(node, work, &output);
        return Err(explain::module_scope(&output.stderr, places, job.source));
    }
    fs::read(work.join("function.wasm")).map_err(|error| broken(COMPONENTIZE, &error))
}

/// Where the positions in the bundle that an error names come from, as JSON.
fn locate(node: &Path, work: &Path, output: &Output) -> serde_json::Value {
    let said = work.join("said.txt");
    let located = fs::write(&said, &output.stderr).ok().and_then(|()| {
        run::run(Command::new(node).args(["locate.mjs", "bundle.js.map", "said.txt"]).current_dir(work)).ok()
    });
    located.and_then(|located| serde_json::from_str(&located.stdout).ok()).unwrap_or_default()
}

fn broken(what: &str, error: &std::io::Error) -> Failure {
    Problem::tools(format!("{what}: {error}")).into()
}

/// A note about the bundle.
fn note(message: String, place: Option<crate::Place>) -> Note {
    Note { message, place }
}
