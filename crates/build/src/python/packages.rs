//! The packages of `requirements.txt`. Wheels that are pure Python are installed; others hold machine code.

use crate::problem::{Failure, Place, Problem};
use crate::run;
use crate::tools::{self, Packages};
use crate::{Job, kept};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that tells the folder of packages from others.
pub(super) const MARK: &str = "rimward_packages.txt";
/// The Python inside componentize-py.
const PYTHON: &str = "3.14";

/// The folder of installed packages, where `requirements.txt` names any.
pub(super) fn site(job: &Job<'_>, venv: &Path) -> Result<Option<PathBuf>, Failure> {
    let file = job.source.folder.join("requirements.txt");
    let Ok(text) = fs::read_to_string(&file) else { return Ok(None) };
    let names: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    let names: Vec<&str> = names.into_iter().filter(|line| !line.is_empty()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let digest = kept::hex_digest(names.join("\n").as_bytes());
    let wanted = Packages {
        folder: format!("python-packages-{}", &digest[..12]),
        what: format!("the packages of {} ({})", file.display(), names.join(", ")),
        from: "PyPI",
    };
    let folder = tools::packages(job, &wanted, |folder| install(venv, &file, folder))?;
    Ok(Some(folder.join("site")))
}

fn install(venv: &Path, requirements: &Path, folder: &Path) -> Result<(), Failure> {
    let site = folder.join("site");
    let output = run::run(
        Command::new(venv.join("bin/python"))
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--only-binary=:all:"])
            // No platform but `any`: what has machine code has no wheel for it.
            .args(["--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", PYTHON])
            .arg("--target")
            .arg(&site)
            .arg("-r")
            .arg(requirements),
    )?;
    if !output.status.success() {
        return Err(explain(&output.stderr, requirements).into());
    }
    fs::write(site.join(MARK), "").map_err(|error| Problem::tools(format!("{}: {error}", site.display())).into())
}

fn explain(said: &str, requirements: &Path) -> Problem {
    let missing =
        said.lines().find_map(|line| line.split_once("No matching distribution found for ")).map(|(_, name)| name);
    match missing {
        Some(name) => Problem::source(format!("package `{}` has no wheel that is pure Python", name.trim()))
            .at(place(requirements, name))
            .way("its wheels hold machine code, which cannot run in the sandbox, or there is no such version: take a package that \
                  is pure Python, or copy its Python files into the function's folder"),
        None => {
            let lines: Vec<&str> = said.trim().lines().collect();
            let end = lines[lines.len().saturating_sub(10)..].join("\n");
            Problem::tools(format!("pip could not install the packages\n{end}")).at(Place::file(requirements))
        }
    }
}

/// The line that names a package; a dependency of another has none.
fn place(requirements: &Path, name: &str) -> Place {
    let text = fs::read_to_string(requirements).unwrap_or_default();
    let bare = name.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).next().unwrap_or_default();
    let line = text.lines().position(|line| !bare.is_empty() && line.trim_start().starts_with(bare));
    Place {
        line: line.and_then(|line| u32::try_from(line + 1).ok()).unwrap_or(0),
        excerpt: line.and_then(|line| text.lines().nth(line)).map(str::to_owned),
        ..Place::file(requirements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_machine_code_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        fs::write(&file, "requests==2.32.0\nnumpy==2.1.0\n").unwrap();
        let said = "ERROR: Could not find a version\nERROR: No matching distribution found for numpy==2.1.0";
        let problem = explain(said, &file);
        assert_eq!(problem.message, "package `numpy==2.1.0` has no wheel that is pure Python");
        assert_eq!(problem.place.unwrap().line, 2);
    }
}
