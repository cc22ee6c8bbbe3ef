//! `cargo xtask component DIR`: builds the function in `DIR` into `DIR/function.wasm`, to be kept in the tree.
//!
//! It is what `rimward build` does, with the locked versions and without this machine's paths. Beside the component goes
//! `function.sources`, a digest of what it was made of: a test fails when the two no longer belong together.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use rimward_build::rust::toolchain::Toolchain;
use rimward_build::rust::{Settings, compile};
use rimward_build::{Order, Progress};
use sha2::{Digest, Sha256};

const COMPONENT: &str = "function.wasm";
const SOURCES: &str = "function.sources";
/// What sources other than a cargo project are in.
const CODE: [&str; 2] = ["c", "h"];

/// Says each step on standard error.
struct Steps;

impl Progress for Steps {
    fn step(&self, what: &str) {
        eprintln!("{what} ...");
    }
}

/// Runs the task. `arguments`: folders, and `--check` to build nothing and look at the digests alone.
///
/// # Errors
/// What is missing, or what cargo said.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (flags, folders): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    ensure!(!folders.is_empty(), "usage: cargo xtask component [--check] DIR...");
    ensure!(flags.iter().all(|flag| *flag == "--check"), "unknown option; there is only `--check`");
    for folder in folders {
        let folder = Path::new(folder);
        if flags.is_empty() { build(folder)? } else { check(folder)? }
    }
    Ok(())
}

/// Fails when the component in `folder` was made of other sources than those that lie there.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let recorded = fs::read_to_string(folder.join(SOURCES)).unwrap_or_default();
    let component =
        fs::read(folder.join(COMPONENT)).with_context(|| format!("no {COMPONENT} in {}", folder.display()))?;
    ensure!(
        recorded == record(folder, &component)?,
        "{} is not made of the sources beside it; run `cargo xtask component {}`",
        folder.join(COMPONENT).display(),
        folder.display(),
    );
    Ok(())
}

fn build(folder: &Path) -> Result<()> {
    let component = match folder.join("Cargo.toml").is_file() {
        true => build_rust(folder)?,
        false => build_other(folder)?,
    };
    let part = folder.join("function.wasm.part");
    fs::write(&part, &component)?;
    fs::rename(&part, folder.join(COMPONENT))?;
    fs::write(folder.join(SOURCES), record(folder, &component)?)?;
    println!("{} ({} bytes)", folder.join(COMPONENT).display(), component.len());
    Ok(())
}

fn build_rust(folder: &Path) -> Result<Vec<u8>> {
    let toolchain = Toolchain::find().map_err(|way| anyhow!("no toolchain for WebAssembly was found; {way}"))?;
    let target_dir = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root()?.join("target"),
    };
    let target_dir = Some(std::path::absolute(target_dir.join("components"))?);
    let settings = Settings { target_dir, locked: true, hide: Some(root()?) };
    let folder = fs::canonicalize(folder).with_context(|| format!("no folder {}", folder.display()))?;
    Ok(compile(&toolchain, &folder, &settings)?)
}

fn build_other(folder: &Path) -> Result<Vec<u8>> {
    let out = folder.join(COMPONENT);
    rimward_build::build(&Order::new(folder, &out), &Steps)?;
    fs::read(&out).with_context(|| format!("no {}", out.display()))
}

/// Two lines: digests of the sources, the contract and the SDK included, and of the component that they gave.
fn record(folder: &Path, component: &[u8]) -> Result<String> {
    let root = root()?;
    let mut files = Vec::new();
    if folder.join("Cargo.toml").is_file() {
        files.extend([folder.join("Cargo.toml"), folder.join("Cargo.lock")]);
        collect(&folder.join("src"), &mut files)?;
        if fs::read_to_string(folder.join("Cargo.toml"))?.contains("rimward-sdk") {
            files.push(root.join("crates/sdk/Cargo.toml"));
            collect(&root.join("crates/sdk/src"), &mut files)?;
        }
    } else {
        collect(folder, &mut files)?;
        files.retain(|file| file.extension().and_then(|e| e.to_str()).is_some_and(|e| CODE.contains(&e)));
        collect(&root.join("crates/build/c"), &mut files)?;
    }
    collect(&root.join("crates/sandbox/wit"), &mut files)?;
    let mut digest = Sha256::new();
    for file in files {
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(format!("sources {}\ncomponent {}\n", hex(&digest.finalize()), hex(&Sha256::digest(component))))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("no folder {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(Path::to_owned).context("the workspace has moved")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn built_components_belong_to_their_sources() {
        let root = root().unwrap();
        for folder in [
            "edge-functions/origin/maintenance",
            "edge-functions/origin/origin-select",
            "edge-functions/origin/weighted-origin",
            "crates/sandbox/tests/guests/probe",
        ] {
            check(&root.join(folder)).unwrap();
        }
    }
}
