//! Python 3, with componentize-py: CPython inside the component.
//!
//! The shims in `python/shims` read the function's modules while the component is built, put `http.client` over `wasi:http`, stand in
//! for `zlib`, and call the handler.
//!
//! - `explain`: from what the tools say to problems with a place.
//! - `packages`: `requirements.txt`, as far as it is pure Python.

mod explain;
mod packages;

use crate::files::{self, Found};
use crate::problem::{Failure, Place, Problem};
use crate::run;
use crate::tools::{self, Packages};
use crate::{Job, Made, kept};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const COMPONENTIZE: &str = "componentize-py";
const VERSION: &str = "0.25.1";

/// A virtual environment without packages.
const NO_PACKAGES: &str = "venv";

const FILES: &[(&str, &str)] = &[
    ("venv/lib/python3/site-packages/README.txt", "Nothing is installed here.\n"),
    ("shims/rimward.py", include_str!("../python/shims/rimward.py")),
    ("shims/rimward_http.py", include_str!("../python/shims/rimward_http.py")),
    ("shims/rimward_lambda.py", include_str!("../python/shims/rimward_lambda.py")),
    ("shims/rimward_modules.py", include_str!("../python/shims/rimward_modules.py")),
    ("shims/zlib.py", include_str!("../python/shims/zlib.py")),
    ("wit/world.wit", include_str!("../python/wit/world.wit")),
    ("wit/deps/cli/environment.wit", include_str!("../python/wit/deps/cli/environment.wit")),
    ("wit/deps/http/http.wit", include_str!("../python/wit/deps/http/http.wit")),
    ("wit/deps/io/io.wit", include_str!("../python/wit/deps/io/io.wit")),
    ("wit/deps/edge/edge.wit", crate::CONTRACT),
];

pub(crate) fn build(job: &Job<'_>) -> Result<Made, Failure> {
    let way = "install Python 3.10 or newer, with venv";
    let python = tools::needed(&["python3", "python"], "building a Python function", way)?;
    let files = files::below(&job.source.folder)?;
    refuse_native(&files)?;
    let wanted = Packages {
        folder: format!("python-{VERSION}"),
        what: format!("{COMPONENTIZE} {VERSION}"),
        from: "PyPI, about 100 MB",
    };
    let venv = tools::packages(job, &wanted, |folder| install(&python, folder))?;
    let site = packages::site(job, &venv)?;

    let task = task(job, site.is_some());
    let inputs = inputs(&files, &task, site.as_deref())?;
    let found = job.cache.then(|| kept::find(job.project, &inputs)).flatten();
    let kept = found.is_some();
    let component = match found {
        Some(component) => component,
        None => {
            let made = componentize(job, &venv, &task, site.as_deref())?;
            kept::keep(job.project, &inputs, &made)?;
            made
        }
    };
    let tools = vec![(COMPONENTIZE.to_owned(), VERSION.to_owned())];
    Ok(Made { component, kept, notes: Vec::new(), tools })
}

/// What the component is made of, besides the tools.
fn inputs(files: &[Found], task: &str, site: Option<&Path>) -> Result<String, Failure> {
    let mut inputs = kept::Inputs::of(VERSION).add(task.as_bytes());
    for (_, text) in FILES {
        inputs = inputs.add(text.as_bytes());
    }
    for file in files {
        let unreadable =
            |error| Failure::one(Problem::source(format!("{}: cannot be read: {error}", file.path.display())));
        inputs = inputs.add(file.name.as_bytes()).add(&fs::read(&file.path).map_err(unreadable)?);
    }
    // Installed packages are in a folder that is named by what they are.
    let site = site.and_then(Path::parent).and_then(Path::file_name).unwrap_or_default();
    Ok(inputs.add(site.as_encoded_bytes()).digest())
}

/// Machine code cannot run in the sandbox: it is told before half a minute has gone into it.
fn refuse_native(files: &[Found]) -> Result<(), Failure> {
    let native = files.iter().filter(|file| matches!(file.extension(), "so" | "pyd" | "dylib" | "dll"));
    let problems: Vec<Problem> = native
        .map(|file| {
            Problem::source("machine code cannot run in the sandbox").at(Place::file(&file.path)).way(
                "take a package that is pure Python (its wheel's name ends in `-none-any.whl`), or do this part in a \
                      Rust or C function",
            )
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure { problems }) }
}

fn install(python: &Path, folder: &Path) -> Result<(), Failure> {
    let venv = run::run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
    if !venv.status.success() {
        let message = format!("{} could not make a venv\n{}", python.display(), venv.last_words());
        return Err(Problem::tools(message).way("install Python's venv (Debian: apt-get install python3-venv)").into());
    }
    let pip = run::run(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
            .arg(format!("{COMPONENTIZE}=={VERSION}")),
    )?;
    if pip.status.success() {
        return Ok(());
    }
    let message = format!("pip could not install {COMPONENTIZE} {VERSION}\n{}", pip.last_words());
    Err(Problem::tools(message).way("see that pip reaches its index, then build again").into())
}

/// The module that tells the shims what the function is. The builder shows folders by paths of its own, so that the
/// function's is looked for.
fn task(job: &Job<'_>, has_packages: bool) -> String {
    let entry = job.source.entry.strip_prefix(&job.source.folder).unwrap_or(&job.source.entry);
    let file = entry.display().to_string();
    let module = file.trim_end_matches(".py").replace('/', ".");
    let packages = if has_packages { format!("_folder({:?})", packages::MARK) } else { "None".to_owned() };
    format!(
        "import os\nimport sys\n\n\n\
         def _folder(file):\n    return next(path for path in sys.path if os.path.isfile(os.path.join(path, file)))\n\n\n\
         MODULE = {module:?}\nEXPORT = {:?}\nROOT = _folder({file:?})\nPACKAGES = {packages}\n",
        job.source.export,
    )
}

fn componentize(job: &Job<'_>, venv: &Path, task: &str, site: Option<&Path>) -> Result<Vec<u8>, Failure> {
    job.progress.step(&format!(
        "making a component of {}, which takes about a quarter of a minute",
        job.source.entry.display()
    ));
    let work = work_folder(task)?;
    let mut command = Command::new(venv.join("bin/componentize-py"));
    command
        .args(["--wit-path", "wit", "--world", "python-function", "componentize", "--python-path"])
        .arg(&job.source.folder)
        .args(["--python-path", "shims"]);
    if let Some(site) = site {
        command.arg("--python-path").arg(site);
    }
    command.args(["rimward_lambda", "--output", "function.wasm"]).current_dir(work.path());
    // Else packages of the machine's own Python would be found, and be missing elsewhere.
    command.env("VIRTUAL_ENV", work.path().join(NO_PACKAGES)).env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    let output = run::run(&mut command)?;
    let component: PathBuf = work.path().join("function.wasm");
    if !output.status.success() || !component.is_file() {
        return Err(explain::module_scope(&output, job.source));
    }
    fs::read(&component).map_err(|error| Problem::tools(format!("{COMPONENTIZE}: {error}")).into())
}

fn work_folder(task: &str) -> Result<TempDir, Failure> {
    let write = || {
        let work = tempfile::Builder::new().prefix("rimward-build-").tempdir()?;
        for (name, text) in FILES.iter().chain([&("shims/rimward_task.py", task)]) {
            let path = work.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(work.path()))?;
            fs::write(path, text)?;
        }
        Ok(work)
    };
    write().map_err(|error: std::io::Error| Problem::tools(format!("a temporary folder: {error}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inflates what the real one deflates, and the other way round, in pieces, bounded and damaged.
    #[test]
    fn zlib_in_python_agrees_with_zlib() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let (script, shim) = (here.join("tests/zlib_differs.py"), here.join("shims/zlib.py"));
        let Ok(output) = Command::new("python3").args([script, shim]).output() else {
            eprintln!("skipped: there is no python3");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn machine_code_is_refused_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lambda_function.py"), "").unwrap();
        fs::write(folder.path().join("_speedups.cpython-314-x86_64-linux-gnu.so"), "").unwrap();
        let failure = refuse_native(&files::below(folder.path()).unwrap()).unwrap_err();
        assert_eq!(failure.problems.len(), 1);
        assert!(failure.to_string().contains("_speedups.cpython-314-x86_64-linux-gnu.so"), "{failure}");
    }
}
