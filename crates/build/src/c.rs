//! C, with clang and wasi-libc. The glue of `c/rimward_lambda.c` implements the export; the function defines
//! `rimward_handle` of `c/rimward_lambda.h`.

use crate::problem::{Failure, Kind, Place, Problem};
use crate::{Job, Made, component, run, tools};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEADER: &str = include_str!("../c/rimward_lambda.h");
const GLUE: &str = include_str!("../c/rimward_lambda.c");
/// The world that the glue implements.
const WORLD: &str = "lambda-function";
const INSTALL: &str = "install one of\n\
    \x20 apt-get install --no-install-recommends clang-22 lld-22 wasi-libc libclang-rt-22-dev-wasm32   (Debian)\n\
    \x20 the WASI SDK, and set WASI_SDK_PATH to its folder";

/// A clang that has a C library for WebAssembly.
#[derive(Debug)]
struct Compiler {
    clang: PathBuf,
    target: &'static str,
}

pub(crate) fn build(job: &Job<'_>) -> Result<Made, Failure> {
    let compiler = Compiler::find()
        .ok_or_else(|| Failure::one(Problem::tools("no clang with wasi-libc is on this machine").way(INSTALL)))?;
    job.progress.step(&format!("compiling {} ({})", job.source.folder.display(), compiler.clang.display()));
    let work =
        tempfile::tempdir().map_err(|error| Failure::one(Problem::tools(format!("a temporary folder: {error}"))))?;
    let module = compile(&compiler, &sources(job)?, work.path())?;
    let component = component::wrap_as(&module, WORLD)
        .map_err(|message| Failure::one(Problem::source(message).at(Place::file(&job.source.entry))))?;
    let tools = vec![("clang".to_owned(), compiler.version()?)];
    Ok(Made { component, kept: false, notes: Vec::new(), tools })
}

/// All C files of the function's folder, or the one file that was named.
fn sources(job: &Job<'_>) -> Result<Vec<PathBuf>, Failure> {
    let folder = &job.source.folder;
    let failed = |error| Failure::input(format!("{}: cannot be read: {error}", folder.display()));
    let mut files = vec![job.source.entry.clone()];
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "c") && path != job.source.entry {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn compile(compiler: &Compiler, sources: &[PathBuf], work: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::one(Problem::tools(format!("{}: {error}", work.display())));
    let (glue, module) = (work.join("rimward_lambda.c"), work.join("function.wasm"));
    fs::write(work.join("rimward_lambda.h"), HEADER).map_err(failed)?;
    fs::write(&glue, GLUE).map_err(failed)?;
    let mut clang = Command::new(&compiler.clang);
    clang
        .arg(format!("--target={}", compiler.target))
        // A reactor is called again and again; a command would end after its `main`.
        .args(["-mexec-model=reactor", "-std=c17", "-O2", "-Wall", "-Wextra", "-Wno-deprecated", "-Wl,--strip-all"])
        .args(["-fno-color-diagnostics", "-fno-caret-diagnostics", "-I"])
        .arg(work)
        .arg(&glue)
        .args(sources)
        .arg("-o")
        .arg(&module);
    let output = run::run(&mut clang)?;
    if !output.status.success() {
        return Err(explain(&output.stderr));
    }
    fs::read(&module).map_err(failed)
}

impl Compiler {
    fn find() -> Option<Self> {
        let sdks = env::var_os("WASI_SDK_PATH").map(PathBuf::from).into_iter().chain(["/opt/wasi-sdk".into()]);
        let sdk = sdks.map(|sdk| sdk.join("bin/clang")).find(|clang| clang.is_file());
        if let Some(clang) = sdk {
            return Some(Self { clang, target: "wasm32-wasip1" });
        }
        let names =
            ["clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16", "clang-14"];
        let has_libc = Path::new("/usr/include/wasm32-wasi/stdio.h").is_file();
        let usable = |name: &&str| {
            let version = name.trim_start_matches("clang");
            // The linker is a package of its own.
            tools::program(&[&format!("wasm-ld{version}")]).is_some()
        };
        let clang =
            has_libc.then(|| names.iter().filter(|n| usable(n)).find_map(|name| tools::program(&[name]))).flatten()?;
        Some(Self { clang, target: "wasm32-wasi" })
    }

    fn version(&self) -> Result<String, Failure> {
        let output = run::run(Command::new(&self.clang).arg("--version"))?;
        Ok(output.stdout.lines().next().unwrap_or_default().to_owned())
    }
}

/// From `FILE:LINE:COLUMN: error: TEXT` and what the linker says to problems.
fn explain(said: &str) -> Failure {
    let mut problems: Vec<Problem> = said.lines().filter_map(problem_of).collect();
    if problems.is_empty() {
        let lines: Vec<&str> = said.trim().lines().take(20).collect();
        problems.push(Problem { kind: Kind::Tools, ..Problem::source(format!("clang failed\n{}", lines.join("\n"))) });
    }
    Failure { problems }
}

fn problem_of(line: &str) -> Option<Problem> {
    if line.contains("libclang_rt.builtins") {
        let message = "clang's runtime library for WebAssembly is not there";
        return Some(Problem::tools(message).way(INSTALL));
    }
    if let Some(symbol) = line.split_once("undefined symbol: ").map(|(_, symbol)| symbol) {
        let problem = Problem::source(format!("`{symbol}` is not defined"));
        return Some(match symbol {
            "rimward_handle" => problem.way("define it as rimward_lambda.h declares it: it is the handler"),
            _ => problem
                .way("threads, processes, signals and sockets are not there; all C files of the folder are compiled"),
        });
    }
    let (place, message) = line.split_once(": error: ").or_else(|| line.split_once(": fatal error: "))?;
    let mut parts = place.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let file = PathBuf::from(parts.next()?);
    let excerpt =
        fs::read_to_string(&file).ok().and_then(|text| text.lines().nth(line as usize - 1).map(str::to_owned));
    Some(Problem::source(message).at(Place { file, line, column, excerpt }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clang_says_becomes_problems_with_places() {
        let failure = explain(
            "function.c:3:5: error: use of undeclared identifier 'x'\n1 error generated.\n\
             wasm-ld: error: /tmp/a.o: undefined symbol: rimward_handle",
        );
        let problem = &failure.problems[0];
        assert_eq!(problem.message, "use of undeclared identifier 'x'");
        assert_eq!(problem.place.as_ref().unwrap().to_string(), "function.c:3:5");
        assert!(failure.problems[1].way.as_ref().unwrap().contains("it is the handler"));
    }

    #[test]
    fn a_missing_runtime_library_is_named() {
        let failure =
            explain("wasm-ld: error: cannot open /usr/lib/clang/22/lib/wasip1/libclang_rt.builtins.a: No such file");
        assert_eq!(failure.kind(), Kind::Tools);
        assert!(failure.problems[0].way.as_ref().unwrap().contains("libclang-rt-22-dev-wasm32"));
    }
}
