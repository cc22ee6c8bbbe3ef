//! The JavaScript engine that the guest is built with: the released crate with a few of its doors opened.
//!
//! Event maps are objects of a kind of their own, and all objects of an event have known shapes. The engine has both for its own use;
//! what is changed here is visibility, and the texts of errors where the vendor's engine has known ones
//! (`cloudfront-functions.md` section 18). Each change must match, so that another release cannot slip by.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

const NAME: &str = "boa_engine";
const VERSION: &str = "0.22.0";
/// Where the guest's manifest expects the changed crate; not kept in the repository.
const PLACE: &str = "crates/isolate/guest/vendor/boa_engine";
/// Written last: the folder is complete and of this version.
const MARK: &str = ".changed";

/// File, text, what stands there instead.
const CHANGES: [(&str, &str, &str); 20] = [
    // Names made public want documentation; this is not the place for it.
    (
        "src/lib.rs",
        "#![doc = include_str!(\"../ABOUT.md\")]",
        "#![allow(warnings)]\n#![doc = include_str!(\"../ABOUT.md\")]",
    ),
    ("src/object/mod.rs", "pub(crate) mod internal_methods;", "pub mod internal_methods;"),
    ("src/object/internal_methods/mod.rs", "pub(crate) ", "pub "),
    ("src/object/shape/mod.rs", "pub(crate) mod shared_shape;", "pub mod shared_shape;"),
    ("src/object/shape/shared_shape/mod.rs", "pub(crate) mod template;", "pub mod template;"),
    ("src/object/shape/shared_shape/template.rs", "pub(crate) ", "pub "),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = object.base_class(context)?;",
        "    let object = object.base_class(context).map_err(|_| {
        let name = &context.vm.frame().code_block().ic[usize::from(index)].name;
        let name = name.to_std_string_escaped();
        let text = format!(\"cannot get property \\\"{name}\\\" of {}\", object.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = base.base_class(context)?;\n    let key_value = key_value.to_property_key(context)?;",
        "    let found = base.base_class(context);
    let key_value = key_value.to_property_key(context)?;
    let object = found.map_err(|_| {
        let text = format!(\"cannot get property \\\"{key_value}\\\" of {}\", base.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    ("src/vm/opcode/get/name.rs", "{name} is not defined", "\\\"{name}\\\" is not defined"),
    (
        "src/vm/opcode/set/property.rs",
        "let object = value_object.to_object(context)?;",
        "let object = value_object.to_object(context).map_err(|_| nothing_to_set(&value_object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "        let object = object.to_object(context)?;",
        "        let object = object.to_object(context).map_err(|_| nothing_to_set(&object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "\nfn ",
        "
fn nothing_to_set(value: &JsValue) -> crate::JsNativeError {
    let text = format!(\"property set on primitive {} type\", value.display());
    crate::JsNativeError::typ().with_message(text)
}

fn ",
    ),
    (
        "src/vm/opcode/set/name.rs",
        "\"cannot mutate an immutable binding '{}'\",\n                name.to_std_string_escaped()",
        "\"assignment to constant variable\"",
    ),
    ("src/builtins/uri/mod.rs", "\"trying to encode an invalid string\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid hexadecimal digit found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escaped character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"non-terminated escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"escape characters must be preceded with a % sign\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid UTF-8 encoding found\"", MALFORMED_URI),
];

const MALFORMED_URI: &str = "\"malformed URI\"";

/// Puts the changed engine where the guest's manifest expects it, unless it is there.
pub(super) fn prepare(root: &Path) -> Result<()> {
    let place = root.join(PLACE);
    let mark = format!("{NAME} {VERSION} {CHANGES:?}\n");
    if fs::read_to_string(place.join(MARK)).is_ok_and(|found| found == mark) {
        return Ok(());
    }
    let source = released(&root.join("target/guest-fetch"))?;
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    copy(&source, &place).with_context(|| format!("copying {}", source.display()))?;
    for (file, from, to) in CHANGES {
        let path = place.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        ensure!(text.contains(from), "{file} of {NAME} {VERSION} has no `{from}`");
        fs::write(&path, text.replace(from, to)).with_context(|| format!("writing {}", path.display()))?;
    }
    fs::write(place.join(MARK), mark).context("marking the engine as complete")
}

/// The released crate, unpacked by cargo, which checks it against the registry's checksum.
fn released(scratch: &Path) -> Result<PathBuf> {
    if let Some(found) = in_registry()? {
        return Ok(found);
    }
    fs::create_dir_all(scratch.join("src")).context("making a folder")?;
    let manifest = format!(
        "[workspace]\n[package]\nname = \"fetch\"\nedition = \"2024\"\n[dependencies]\n{NAME} = {{ version = \"={VERSION}\", default-features = false }}\n"
    );
    fs::write(scratch.join("Cargo.toml"), manifest).context("writing a manifest")?;
    fs::write(scratch.join("src/lib.rs"), "").context("writing an empty crate")?;
    let status = Command::new("cargo").arg("fetch").current_dir(scratch).status().context("starting cargo")?;
    ensure!(status.success(), "{NAME} {VERSION} cannot be fetched");
    in_registry()?.with_context(|| format!("cargo fetched {NAME}, but it is not in its registry folder"))
}

fn in_registry() -> Result<Option<PathBuf>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|h| h.join(".cargo"))).context("no home folder")?;
    let Ok(registries) = fs::read_dir(home.join("registry/src")) else { return Ok(None) };
    for registry in registries {
        let found = registry?.path().join(format!("{NAME}-{VERSION}"));
        if found.join("Cargo.toml").exists() {
            return Ok(Some(found));
        }
    }
    Ok(None)
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
