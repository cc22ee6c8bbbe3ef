//! Files of the function's folder, which Lambda puts into `/var/task`: templates, keys and tables that handlers read with
//! `fs.readFileSync`. They are put into the component, as there is no such folder.

use crate::files;
use crate::problem::{Failure, Problem};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// One file, at most, in bytes. Larger ones are not read by a function that has 40 KB or 1 MB to answer with.
const MAX_FILE: u64 = 1 << 20;
/// All files together, at most, in bytes.
const MAX_TOTAL: u64 = 4 << 20;
/// What is code, or of the build.
const LEFT_OUT: [&str; 10] = ["js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx", "map", "node"];
const LEFT_OUT_NAMES: [&str; 3] = ["function.toml", "package-lock.json", "tsconfig.json"];

/// The files by their path from `folder`, in base64.
pub(super) fn collect(folder: &Path) -> Result<Map<String, Value>, Failure> {
    let mut files = Map::new();
    let mut total = 0;
    for file in files::below(folder)? {
        let left_out = LEFT_OUT.contains(&file.extension()) || LEFT_OUT_NAMES.contains(&file.name.as_str());
        if left_out || file.size > MAX_FILE || total + file.size > MAX_TOTAL {
            continue;
        }
        total += file.size;
        let unreadable =
            |error| Failure::one(Problem::source(format!("{}: cannot be read: {error}", file.path.display())));
        files.insert(file.name.clone(), Value::String(base64(&fs::read(&file.path).map_err(unreadable)?)));
    }
    Ok(files)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_keys_go_along_and_code_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["index.js", "page.html", "keys/public.pem", "node_modules/a/readme.md", ".env", "events/a.json"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(folder.path().join("huge.bin"), vec![0; (MAX_FILE + 1) as usize]).unwrap();
        let files = collect(folder.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["keys/public.pem", "page.html"]);
        assert_eq!(files["page.html"], "eA==");
    }
}
