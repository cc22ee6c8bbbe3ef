//! `cargo xtask guest`: builds the viewer tier's guest and puts it beside its host, together with the hash of what it was made from.

mod engine;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use rimward_build::rust::neutral_paths;
use rimward_wire::abi::MEMORY;
use sha2::{Digest, Sha256};

const GUEST: &str = "crates/isolate/guest";
const ARTEFACT: &str = "crates/isolate/guest.wasm";
const HASH: &str = "crates/isolate/guest.wasm.sources";
const TARGET: &str = "wasm32-unknown-unknown";
/// The guest's own stack in bytes. The recursion limit of its engine ends JavaScript earlier; parsers and regular expressions end here.
const STACK: usize = 256 << 10;
/// All of wasm that is of use, but not `bulk-memory`, whose instructions leave compiled code for a function of the host: see the guest's
/// `mem.rs`. (A standard library that was built with it, as rustup's is, brings it back; then the guest is only slower.)
const FEATURES: &str = "+mutable-globals,+nontrapping-fptoint,+sign-ext";

/// Files and folders whose content decides about the artefact, from the root of the workspace.
const SOURCES: [&str; 6] = [
    "crates/isolate/guest/Cargo.lock",
    "crates/isolate/guest/Cargo.toml",
    "crates/isolate/guest/src",
    "crates/wire/src",
    "crates/xtask/src/guest",
    "crates/xtask/src/guest.rs",
];

/// Debian's packages where rustup has no target.
const DEBIAN: &str = "rustc-web cargo-web rust-web-src lld-22";

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Builds the artefact and writes its hash.
pub(crate) fn build(root: &Path) -> Result<()> {
    let target_dir = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target/guest"), PathBuf::from);
    let toolchain = Toolchain::find()?;
    engine::prepare(root)?;
    println!("building the guest with {}", toolchain.describe());
    // Taken before the build: an edit while it runs makes the hash stale, as it should.
    let hash = sources_hash(root)?;
    let status = toolchain.cargo(&root.join(GUEST), &target_dir).status().context("starting cargo")?;
    ensure!(status.success(), "the guest does not build");
    let built = target_dir.join(TARGET).join("release/rimward_guest.wasm");
    let module = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
    let module = without_custom_sections(&module).context("the built module is malformed")?;
    fs::write(root.join(ARTEFACT), &module).context("writing the artefact")?;
    fs::write(root.join(HASH), format!("{hash}\n")).context("writing the hash")?;
    println!("{ARTEFACT}: {} KB, sources {}", module.len() >> 10, &hash[..12]);
    Ok(())
}

/// Runs the guest's own tests, natively.
pub(crate) fn test(root: &Path) -> Result<()> {
    engine::prepare(root)?;
    let mut command = Command::new("cargo");
    command.args(["test", "--locked"]).current_dir(root.join(GUEST));
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", root.join("target/guest"));
    }
    ensure!(command.status().context("starting cargo")?.success(), "the guest's tests fail");
    Ok(())
}

/// Says whether the artefact was made from the sources as they are.
pub(crate) fn check(root: &Path) -> Result<()> {
    let made_from = fs::read_to_string(root.join(HASH)).unwrap_or_default();
    ensure!(made_from.trim() == sources_hash(root)?, "{ARTEFACT} is older than its sources: run `cargo xtask guest`");
    println!("{ARTEFACT} is fresh");
    Ok(())
}

/// SHA-256 over paths and contents, in hexadecimal.
pub(crate) fn sources_hash(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut files).with_context(|| format!("reading {source}"))?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let content = fs::read(&file).with_context(|| format!("reading {name}"))?;
        // Lengths, so that no two trees give the same bytes.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

/// Who compiles for wasm32.
enum Toolchain {
    /// rustup has the target.
    Rustup,
    /// Debian's compiler, which builds std from source.
    Debian { linker: PathBuf },
}

impl Toolchain {
    fn find() -> Result<Self> {
        let installed = Command::new("rustup").args(["target", "list", "--installed"]).output();
        if installed.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).lines().any(|l| l == TARGET)) {
            return Ok(Self::Rustup);
        }
        let linker = PathBuf::from("/usr/bin/wasm-ld-22");
        let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
        let source_too = Path::new("/usr/share/cargo/registry");
        if linker.exists() && Path::new("/usr/bin/cargo").exists() && (source.exists() || source_too.exists()) {
            return Ok(Self::Debian { linker });
        }
        bail!("no compiler for {TARGET}\nhint: `rustup target add {TARGET}`, or on Debian `apt-get install {DEBIAN}`");
    }

    fn describe(&self) -> &'static str {
        match self {
            Self::Rustup => "rustup's toolchain",
            Self::Debian { .. } => "Debian's toolchain",
        }
    }

    /// Link arguments go to the last crate alone: as flags for all they would rebuild the standard library and the engine.
    fn cargo(&self, guest: &Path, target_dir: &Path) -> Command {
        let mut flags = format!("--cfg getrandom_backend=\"custom\" -Ctarget-cpu=mvp -Ctarget-feature={FEATURES} ");
        // The same module wherever it is built.
        flags.push_str(&neutral_paths(Some(root())));
        let mut command = match self {
            Self::Rustup => Command::new("cargo"),
            Self::Debian { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                command.env("PATH", debian_path()).env("RUSTC_BOOTSTRAP", "1");
                flags.push_str(" -Clinker=");
                flags.push_str(&linker.to_string_lossy());
                command
            }
        };
        flags.push_str(" -Clink-arg=--export=__stack_pointer -Clink-arg=-zstack-size=");
        flags.push_str(&STACK.to_string());
        // What rustup and an outer cargo set would lead to the other compiler.
        for name in ["RUSTC", "CARGO", "RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
            command.env_remove(name);
        }
        command.current_dir(guest).env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", target_dir);
        command.args(["rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib", "--target", TARGET]);
        if matches!(self, Self::Debian { .. }) {
            command.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="]);
        }
        command.arg("--");
        command.arg(format!("-Clink-arg=--initial-memory={MEMORY}")).arg(format!("-Clink-arg=--max-memory={MEMORY}"));
        command
    }
}

fn debian_path() -> OsString {
    env::join_paths(["/usr/bin", "/bin"]).unwrap_or_default()
}

/// The module without names, producers and other sections that nobody runs.
fn without_custom_sections(module: &[u8]) -> Option<Vec<u8>> {
    const CUSTOM: u8 = 0;
    let mut out = module.get(..8)?.to_vec();
    let mut at = 8;
    while at < module.len() {
        let id = module[at];
        let (length, body) = leb128(module, at + 1)?;
        let end = body.checked_add(length)?;
        let section = module.get(at..end)?;
        if id != CUSTOM {
            out.extend_from_slice(section);
        }
        at = end;
    }
    Some(out)
}

/// An unsigned LEB128 number and where it ends.
fn leb128(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let (mut value, mut shift) = (0usize, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte < 0x80 {
            return Some((value, at));
        }
        if shift > 28 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{leb128, without_custom_sections};

    #[test]
    fn custom_sections_go_and_the_others_stay() {
        let head = b"\0asm\x01\0\0\0";
        let module = [&head[..], &[0, 3, 1, b'n', 9], &[1, 1, 0], &[0, 1, 0]].concat();
        assert_eq!(without_custom_sections(&module), Some([&head[..], &[1, 1, 0]].concat()));
        assert_eq!(without_custom_sections(&module[..module.len() - 1]), None);
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26], 0), Some((624_485, 3)));
        assert_eq!(leb128(&[0x80], 0), None);
    }

    #[test]
    fn the_artefact_names_no_folder_of_the_machine_that_built_it() {
        let module = std::fs::read(super::root().join(super::ARTEFACT)).expect("the artefact is in the tree");
        let count = |text: &str| module.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
        assert!(count("cargo/registry/") > 0, "places of panics are in it");
        assert_eq!(count("/.cargo/"), 0);
        assert_eq!(count("/crates/wire/src/"), count("rimward/crates/wire/src/"));
    }

    #[test]
    fn the_artefact_is_as_new_as_its_sources() {
        if let Err(stale) = super::check(super::root()) {
            panic!("{stale}");
        }
    }
}
