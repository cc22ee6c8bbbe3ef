//! The JavaScript engine that the guest is built with: the released crates with a few of their doors opened.
//!
//! Event maps are objects of a kind of their own, and all objects of an event have known shapes. The engine has both for its own use.
//! Of the engine, visibility is changed, the texts of errors where the vendor's engine has known ones (`cloudfront-functions.md`
//! section 18), and little things that cost much where each call begins from a snapshot. Each change must match, so that another release
//! cannot slip by.

mod changes;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// Where the guest's manifest expects the changed crates; not kept in the repository.
const PLACE: &str = "crates/isolate/guest/vendor";
/// Written last: the folder is complete and of this version.
const MARK: &str = ".changed";

/// File, text, what stands there instead.
type Change = (&'static str, &'static str, &'static str);

/// A crate, and what is changed in it.
#[derive(Debug)]
struct Changed {
    name: &'static str,
    version: &'static str,
    /// By subject; made one after the other.
    changes: &'static [&'static [Change]],
    /// Files that are added, and what is in them.
    files: &'static [(&'static str, &'static str)],
}

/// Puts the changed crates where the guest's manifest expects them, unless they are there.
pub(super) fn prepare(root: &Path) -> Result<()> {
    changes::ALL.iter().try_for_each(|changed| changed.prepare(root))
}

impl Changed {
    fn prepare(&self, root: &Path) -> Result<()> {
        let Self { name, version, changes, files } = self;
        let place = root.join(PLACE).join(name);
        let mark = format!("{self:?}\n");
        if fs::read_to_string(place.join(MARK)).is_ok_and(|found| found == mark) {
            return Ok(());
        }
        let source = self.released(&root.join("target/guest-fetch"))?;
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
        }
        copy(&source, &place).with_context(|| format!("copying {}", source.display()))?;
        for (file, from, to) in changes.iter().copied().flatten() {
            let path = place.join(file);
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            ensure!(text.contains(from), "{file} of {name} {version} has no `{from}`");
            fs::write(&path, text.replace(from, to)).with_context(|| format!("writing {}", path.display()))?;
        }
        for (file, content) in *files {
            fs::write(place.join(file), content).with_context(|| format!("writing {file} of {name}"))?;
        }
        fs::write(place.join(MARK), mark).with_context(|| format!("marking {name} as complete"))
    }

    /// The released crate, unpacked by cargo, which checks it against the registry's checksum.
    fn released(&self, scratch: &Path) -> Result<PathBuf> {
        if let Some(found) = self.in_registry()? {
            return Ok(found);
        }
        let Self { name, version, .. } = self;
        fs::create_dir_all(scratch.join("src")).context("making a folder")?;
        let manifest = format!(
            "[workspace]\n[package]\nname = \"fetch\"\nedition = \"2024\"\n[dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n"
        );
        fs::write(scratch.join("Cargo.toml"), manifest).context("writing a manifest")?;
        fs::write(scratch.join("src/lib.rs"), "").context("writing an empty crate")?;
        let status = Command::new("cargo").arg("fetch").current_dir(scratch).status().context("starting cargo")?;
        ensure!(status.success(), "{name} {version} cannot be fetched");
        self.in_registry()?.with_context(|| format!("cargo fetched {name}, but it is not in its registry folder"))
    }

    fn in_registry(&self) -> Result<Option<PathBuf>> {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| env::home_dir().map(|h| h.join(".cargo"))).context("no home folder")?;
        let Ok(registries) = fs::read_dir(home.join("registry/src")) else { return Ok(None) };
        for registry in registries {
            let found = registry?.path().join(format!("{}-{}", self.name, self.version));
            if found.join("Cargo.toml").exists() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
