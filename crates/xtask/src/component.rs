//! `cargo xtask component DIR`: builds the Rust function in `DIR` into `DIR/function.wasm`.
//!
//! A function is a crate for `wasm32-unknown-unknown` that names the node's contract through wit-bindgen. The core module
//! that cargo makes carries that contract in a section of its own, and is wrapped as a component here. Beside it goes
//! `function.sources`, a digest of what it was made of: a test fails when the two no longer belong together.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use wit_component::ComponentEncoder;

const COMPONENT: &str = "function.wasm";
const SOURCES: &str = "function.sources";
const PLAIN: &str = "wasm32-unknown-unknown";
const WASI: &str = "wasm32-wasip2";

const INSTALL: &str = "no toolchain for WebAssembly was found; install one of\n\
    \x20 rustup target add wasm32-unknown-unknown\n\
    \x20 apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld-22   (Debian)";

/// What builds for WebAssembly here.
#[derive(Debug, PartialEq, Eq)]
enum Toolchain {
    /// rustup's, or any other whose sysroot has the target.
    Target(&'static str),
    /// Debian's packages, which bring the sources of the standard library but no built one.
    Debian { linker: PathBuf },
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
    let toolchain = find_toolchain()?;
    let name = package_name(&folder.join("Cargo.toml"))?;
    let target_dir = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root()?.join("target"),
    };
    let target_dir = std::path::absolute(target_dir.join("components"))?;
    let target = toolchain.target();
    let status = toolchain
        .cargo()
        .args(["build", "--release", "--locked", "--target", target])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTFLAGS", neutral_paths()?)
        .current_dir(folder)
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "cargo could not build {}", folder.display());
    let built = target_dir.join(target).join("release").join(format!("{}.wasm", name.replace('-', "_")));
    let module = fs::read(&built).with_context(|| format!("cargo made no {}", built.display()))?;
    let component = match target {
        WASI => module,
        _ => wrap(&module)?,
    };
    let part = folder.join("function.wasm.part");
    fs::write(&part, &component)?;
    fs::rename(&part, folder.join(COMPONENT))?;
    fs::write(folder.join(SOURCES), record(folder, &component)?)?;
    println!("{} ({} bytes, {})", folder.join(COMPONENT).display(), component.len(), toolchain.describe());
    Ok(())
}

/// Makes a component of a core module that has its contract in a custom section.
fn wrap(module: &[u8]) -> Result<Vec<u8>> {
    const CONTRACT: &[u8] = b"rimward:edge/";
    let mut encoder = ComponentEncoder::default();
    let component = encoder.validate(true).module(module)?.encode().context("no component can be made")?;
    // A module without a contract gives a component without exports.
    ensure!(
        component.windows(CONTRACT.len()).any(|window| window == CONTRACT),
        "the module does not implement `rimward:edge`; does it use wit-bindgen?"
    );
    Ok(component)
}

impl Toolchain {
    fn target(&self) -> &'static str {
        match self {
            Toolchain::Target(target) => target,
            Toolchain::Debian { .. } => PLAIN,
        }
    }

    fn describe(&self) -> String {
        match self {
            Toolchain::Target(target) => (*target).to_owned(),
            Toolchain::Debian { .. } => format!("{PLAIN}, Debian's rustc"),
        }
    }

    /// Cargo, without what the cargo that runs this task put into the environment.
    fn cargo(&self) -> Command {
        let mut cargo = match self {
            Toolchain::Target(_) => Command::new("cargo"),
            Toolchain::Debian { linker } => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="])
                    .env("RUSTC", "/usr/bin/rustc")
                    // `build-std` is unstable; the flag is pinned by the package's version.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                cargo
            }
        };
        for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        if matches!(self, Toolchain::Target(_)) {
            cargo.env_remove("RUSTC");
        }
        cargo
    }
}

fn find_toolchain() -> Result<Toolchain> {
    if let Some(sysroot) = sysroot("rustc") {
        let has = |target: &&str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
        if let Some(target) = [PLAIN, WASI].iter().find(|target| has(target)) {
            return Ok(Toolchain::Target(target));
        }
    }
    let sources = |sysroot: PathBuf| sysroot.join("lib/rustlib/src/rust/library/std").is_dir();
    let linker = [
        "/usr/bin/wasm-ld-22",
        "/usr/bin/wasm-ld-21",
        "/usr/bin/wasm-ld-20",
        "/usr/bin/wasm-ld-19",
        "/usr/bin/wasm-ld",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.exists());
    match linker {
        Some(linker) if Path::new("/usr/bin/cargo").exists() && sysroot("/usr/bin/rustc").is_some_and(sources) => {
            Ok(Toolchain::Debian { linker })
        }
        _ => bail!(INSTALL),
    }
}

fn sysroot(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).env_remove("RUSTUP_TOOLCHAIN").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// Flags that keep this machine's folders out of the component, so that it is the same wherever it is built.
fn neutral_paths() -> Result<String> {
    let home = |name, folder| env::var_os(name).map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(folder)));
    let cargo = home("CARGO_HOME", ".cargo").context("no home folder")?;
    Ok(format!("--remap-path-prefix={}=cargo --remap-path-prefix={}=rimward", cargo.display(), root()?.display()))
}

/// The first `name` in a manifest, which is the package's.
fn package_name(manifest: &Path) -> Result<String> {
    let text = fs::read_to_string(manifest).with_context(|| format!("no {}", manifest.display()))?;
    let name = text.lines().find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    let name = name.map(|name| name.trim().trim_matches('"').to_owned());
    name.with_context(|| format!("{} names no package", manifest.display()))
}

/// Two lines: digests of the sources, the contract included, and of the component that they gave.
fn record(folder: &Path, component: &[u8]) -> Result<String> {
    let mut files = vec![folder.join("Cargo.toml"), folder.join("Cargo.lock")];
    collect(&folder.join("src"), &mut files)?;
    collect(&root()?.join("crates/sandbox/wit"), &mut files)?;
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
        for folder in ["edge-functions/origin/origin-select", "crates/sandbox/tests/guests/probe"] {
            check(&root.join(folder)).unwrap();
        }
    }

    #[test]
    fn a_module_without_a_contract_is_refused_with_a_reason() {
        assert!(wrap(b"\0asm\x01\0\0\0").is_err());
        assert!(wrap(b"garbage").is_err());
    }
}
