//! `function.toml`: what a folder's function is (`docs/reference/function-toml.md`).

use rimward_config::{OriginFunction, Runtime, ViewerFunction};
use rimward_types::Hook;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file's name.
pub const FILE: &str = "function.toml";
/// Folders below a path, at most: a wrong path does not walk a whole disk.
const MAX_FOLDERS: usize = 20_000;

/// A function of a folder.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its folder.
    pub folder: PathBuf,
    /// `name`.
    pub name: String,
    /// `hooks`.
    pub hooks: Vec<Hook>,
    /// `code` or `component`.
    pub kind: Kind,
    /// `budget.fuel`: the most fuel that an event may cost.
    pub fuel: Option<u64>,
}

/// The two tiers.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `code`.
    Viewer {
        /// Its settings, the defaults but for `runtime`.
        settings: ViewerFunction,
        /// `key-value-store`: a file of pairs.
        store: Option<PathBuf>,
    },
    /// `component`.
    Origin(OriginFunction),
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    name: String,
    #[serde(default)]
    #[allow(dead_code)]
    description: String,
    hooks: Vec<HookName>,
    code: Option<PathBuf>,
    component: Option<PathBuf>,
    runtime: Option<RuntimeName>,
    key_value_store: Option<PathBuf>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    budget: Budget,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Budget {
    fuel: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HookName {
    ViewerRequest,
    OriginRequest,
    OriginResponse,
    ViewerResponse,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum RuntimeName {
    #[serde(rename = "cloudfront-js-1.0")]
    V1,
    #[serde(rename = "cloudfront-js-2.0")]
    V2,
}

impl Manifest {
    /// Reads a file.
    ///
    /// # Errors
    /// A text that says what is wrong, with the place.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
        Self::parse(file, &text).map_err(|error| format!("{}: {}", file.display(), error.trim_end()))
    }

    fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let read: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !is_name(&read.name) {
            return Err(format!("name `{}` must be 1 to 64 letters, digits, `-` and `_`", read.name.escape_debug()));
        }
        if read.hooks.is_empty() {
            return Err("hooks must name at least one of viewer-request, origin-request, origin-response, \
                        viewer-response"
                .to_owned());
        }
        let hooks: Vec<Hook> = read.hooks.iter().map(|hook| hook.hook()).collect();
        let kind = match (read.code, read.component) {
            (Some(_), None) if !read.environment.is_empty() => {
                return Err("`environment` is for functions with `component`".to_owned());
            }
            (Some(code), None) => {
                if let Some(hook) = hooks.iter().find(|hook| !hook.is_viewer()) {
                    return Err(format!("a function with `code` cannot be attached to {hook}"));
                }
                let runtime = match read.runtime {
                    Some(RuntimeName::V1) => Runtime::V1,
                    Some(RuntimeName::V2) | None => Runtime::V2,
                };
                let settings = ViewerFunction { runtime, ..ViewerFunction::new(folder.join(code)) };
                Kind::Viewer { settings, store: read.key_value_store.map(|store| folder.join(store)) }
            }
            (None, Some(component)) => {
                for (key, there) in [
                    ("runtime", read.runtime.is_some()),
                    ("key-value-store", read.key_value_store.is_some()),
                    ("budget.fuel", read.budget.fuel.is_some()),
                ] {
                    if there {
                        return Err(format!("`{key}` is for functions with `code`"));
                    }
                }
                let new = OriginFunction::new(folder.join(component));
                Kind::Origin(OriginFunction { environment: read.environment, ..new })
            }
            (Some(_), Some(_)) => return Err("there are both `code` and `component`; leave one out".to_owned()),
            (None, None) => return Err("there is neither `code` nor `component`".to_owned()),
        };
        Ok(Self { folder: folder.to_owned(), name: read.name, hooks, kind, fuel: read.budget.fuel })
    }

    /// How to build a component that is not there.
    pub fn how_to_build(&self) -> String {
        format!("rimward build {} --install", self.folder.display())
    }
}

impl HookName {
    fn hook(self) -> Hook {
        match self {
            HookName::ViewerRequest => Hook::ViewerRequest,
            HookName::OriginRequest => Hook::OriginRequest,
            HookName::OriginResponse => Hook::OriginResponse,
            HookName::ViewerResponse => Hook::ViewerResponse,
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The `function.toml` files at or below `path`, sorted. Hidden folders, `node_modules` and `target` are left out;
/// links to folders are not followed.
///
/// # Errors
/// When `path` cannot be read.
pub fn find(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > MAX_FOLDERS {
            return Err(io::Error::other(format!("more than {MAX_FOLDERS} folders; name the functions' own folders")));
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let kind = entry.file_type()?;
            if kind.is_dir() && !is_left_out(&name.to_string_lossy()) {
                folders.push(entry.path());
            } else if !kind.is_dir() && name == FILE {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_left_out(folder: &str) -> bool {
    folder.starts_with('.') || folder == "node_modules" || folder == "target"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(Path::new("f/function.toml"), text)
    }

    #[test]
    fn the_smallest_viewer_function() {
        let manifest = parse("name = \"a\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"").unwrap();
        let Kind::Viewer { settings, store } = manifest.kind else { panic!("a viewer function") };
        assert_eq!((settings.code, settings.runtime, store), (PathBuf::from("f/index.js"), Runtime::V2, None));
        assert_eq!(manifest.hooks, [Hook::ViewerRequest]);
    }

    #[test]
    fn every_setting() {
        let text = "name = \"a\"\ndescription = \"b\"\nhooks = [\"viewer-request\", \"viewer-response\"]\n\
                    code = \"index.js\"\nruntime = \"cloudfront-js-1.0\"\nkey-value-store = \"k.json\"\n\
                    [budget]\nfuel = 5";
        let manifest = parse(text).unwrap();
        let Kind::Viewer { settings, store } = manifest.kind else { panic!("a viewer function") };
        assert_eq!((settings.runtime, store), (Runtime::V1, Some(PathBuf::from("f/k.json"))));
        assert_eq!(manifest.fuel, Some(5));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let start = "name = \"a\"\nhooks = [\"origin-request\"]\n";
        for (text, part) in [
            ("", "missing field `name`"),
            ("name = \"a b\"\nhooks = [\"viewer-request\"]", "must be 1 to 64 letters"),
            ("name = \"a\"\nhooks = []", "at least one of"),
            ("name = \"a\"\nhooks = [\"viewer\"]", "unknown variant `viewer`"),
            (start, "neither `code` nor `component`"),
            (&format!("{start}code = \"c\"\ncomponent = \"d\""), "both `code` and `component`"),
            (&format!("{start}code = \"c\""), "cannot be attached to origin-request"),
            (&format!("{start}component = \"c\"\nruntime = \"cloudfront-js-2.0\""), "is for functions with `code`"),
            (&format!("{start}component = \"c\"\nfuel = 1"), "unknown field `fuel`"),
            (
                "name = \"a\"\nhooks = [\"viewer-request\"]\ncode = \"c\"\nenvironment = { A = \"b\" }",
                "is for functions with",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
