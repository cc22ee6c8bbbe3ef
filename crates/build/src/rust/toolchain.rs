//! What builds Rust for WebAssembly on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The target without an operating system.
pub const PLAIN: &str = "wasm32-unknown-unknown";
/// The target whose linker makes components itself.
pub const WASI: &str = "wasm32-wasip2";

/// How to get a toolchain, where there is none.
const INSTALL: &str = "install one of\n\
    \x20 rustup target add wasm32-unknown-unknown\n\
    \x20 apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld-22   (Debian)";

/// A compiler and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// rustup's, or any other whose sysroot has the target.
    Target(&'static str),
    /// Debian's packages, which bring the sources of the standard library but no built one.
    Debian {
        /// Debian's linker for WebAssembly.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Looks for one.
    ///
    /// # Errors
    /// How to install one.
    pub fn find() -> Result<Self, &'static str> {
        if let Some(sysroot) = sysroot("rustc") {
            let has = |target: &&str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
            if let Some(target) = [PLAIN, WASI].iter().find(|target| has(target)) {
                return Ok(Self::Target(target));
            }
        }
        let sources = |sysroot: PathBuf| sysroot.join("lib/rustlib/src/rust/library/std").is_dir();
        let linkers =
            ["-22", "-21", "-20", "-19", ""].map(|version| PathBuf::from(format!("/usr/bin/wasm-ld{version}")));
        match linkers.into_iter().find(|path| path.exists()) {
            Some(linker) if Path::new("/usr/bin/cargo").exists() && sysroot("/usr/bin/rustc").is_some_and(sources) => {
                Ok(Self::Debian { linker })
            }
            _ => Err(INSTALL),
        }
    }

    /// The target that it builds for.
    pub fn target(&self) -> &'static str {
        match self {
            Self::Target(target) => target,
            Self::Debian { .. } => PLAIN,
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Target(target) => (*target).to_owned(),
            Self::Debian { .. } => format!("{PLAIN}, Debian's rustc"),
        }
    }

    /// Cargo, without what a cargo that runs this process put into the environment.
    pub fn cargo(&self) -> Command {
        let mut cargo = match self {
            Self::Target(_) => Command::new("cargo"),
            Self::Debian { linker } => {
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
        if matches!(self, Self::Target(_)) {
            cargo.env_remove("RUSTC");
        }
        cargo
    }
}

fn sysroot(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).env_remove("RUSTUP_TOOLCHAIN").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}
