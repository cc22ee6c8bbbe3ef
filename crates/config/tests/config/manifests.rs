//! `function.toml`, right and wrong.

use super::folder;
use rimward_config::{
    FunctionKind, HeaderRules, KeySetPlace, Manifest, OriginFunction, Runtime, SecretSource, ViewerFunction,
    parse_manifest,
};
use rimward_types::{ByteSize, Hook};
use std::path::PathBuf;
use std::time::Duration;

fn read(text: &str) -> Result<(tempfile::TempDir, Manifest), Vec<String>> {
    let folder = folder();
    match parse_manifest(text, folder.path(), "function.toml") {
        Ok(manifest) => Ok((folder, manifest)),
        Err(problems) => {
            Err(problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message)).collect::<Vec<_>>())
        }
    }
}

#[test]
fn the_smallest_viewer_function() {
    let (folder, manifest) = read("name = \"a\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"").unwrap();
    let code = folder.path().join("index.js");
    assert_eq!(manifest.function.kind, FunctionKind::Viewer(ViewerFunction::new(code)));
    assert_eq!(
        (&**manifest.name(), &manifest.hooks, &manifest.store, manifest.fuel),
        ("a", &vec![Hook::ViewerRequest], &None, None)
    );
}

#[test]
fn every_setting_of_a_viewer_function() {
    let text = r#"
        name = "a"
        description = "b"
        hooks = ["viewer-request", "viewer-response"]
        code = "index.js"
        runtime = "cloudfront-js-1.0"
        key-value-store = "pairs.json"
        timeout = "5 ms"
        memory = "4 MB"
        code-limit = "20 KB"
        header-rules = "open"
        environment = { STAGE = "test" }
        secrets = { key = { file = "key.txt" }, other = { env = "OTHER" } }
        jwks = { file = "pairs.json" }
        [budget]
        fuel = 5
    "#;
    let (folder, manifest) = read(text).unwrap();
    let path = |name: &str| folder.path().join(name);
    assert_eq!(
        (manifest.description.as_str(), manifest.store, manifest.fuel),
        ("b", Some(path("pairs.json")), Some(5))
    );
    let FunctionKind::Viewer(settings) = manifest.function.kind else { panic!("a viewer function") };
    assert_eq!((settings.runtime, settings.header_rules), (Runtime::V1, HeaderRules::Open));
    assert_eq!((settings.timeout, settings.memory), (Duration::from_millis(5), ByteSize::mb(4)));
    assert_eq!((settings.code_limit, &settings.environment["STAGE"]), (ByteSize::kb(20), &"test".to_owned()));
    assert_eq!(settings.secrets["key"], SecretSource::File(path("key.txt")));
    assert_eq!(settings.secrets["other"], SecretSource::Environment("OTHER".to_owned()));
    assert_eq!(settings.jwks.unwrap().place, KeySetPlace::File(path("pairs.json")));
}

/// cloudfront-functions.md section 13: it is attached to distributions, not to hooks.
#[test]
fn a_function_of_connections_has_no_hooks() {
    let (folder, manifest) = read("name = \"a\"\nkind = \"connection\"\ncode = \"index.js\"").unwrap();
    let code = folder.path().join("index.js");
    assert_eq!(manifest.function.kind, FunctionKind::Viewer(ViewerFunction::for_connections(code)));
    assert!(manifest.hooks.is_empty());
    let said =
        read("name = \"a\"\nkind = \"connection\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"").unwrap_err();
    assert_eq!(said, ["3:1 `hooks` is for functions of viewers; this one is for connections"]);
}

#[test]
fn a_component_need_not_be_built_yet() {
    let text = "name = \"a\"\nhooks = [\"origin-request\"]\ncomponent = \"later.wasm\"\nenvironment = { A = \"b\" }";
    let (folder, manifest) = read(text).unwrap();
    let environment = [("A".to_owned(), "b".to_owned())].into();
    let expected = OriginFunction { environment, ..OriginFunction::new(folder.path().join("later.wasm")) };
    assert_eq!(*manifest.kind(), FunctionKind::Origin(expected));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let start = "name = \"a\"\nhooks = [\"origin-request\"]\n";
    let viewer = "name = \"a\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"\n";
    for (text, expected) in [
        (
            "name = \"a b\"\nhooks = []\ncode = \"index.js\"".to_owned(),
            &[
                "1:8 `a b` is no name for a function",
                "2:9 `hooks` names at least one of \"viewer-request\", \"origin-request\", \"origin-response\", \"viewer-response\"",
            ][..],
        ),
        ("code = \"index.js\"".to_owned(), &["1:1 `function.toml` needs `name`", "1:1 `function.toml` needs `hooks`"]),
        ("name = \"a\"\nhooks = [\"viewer\"]\ncode = \"index.js\"".to_owned(), &["2:10 `viewer` is no hook"]),
        (start.to_owned(), &["1:1 function.toml has neither `code` nor `component`"]),
        (
            format!("{start}code = \"index.js\"\ncomponent = \"d\""),
            &["1:1 function.toml has both `code` and `component`"],
        ),
        (format!("{start}code = \"index.js\""), &["2:1 a function with `code` cannot be attached to origin-request"]),
        (
            format!("{start}component = \"c\"\nruntime = \"cloudfront-js-2.0\""),
            &["4:1 `runtime` is for viewer functions, those with `code`"],
        ),
        (
            format!("{start}component = \"c\"\n[budget]\nfuel = 1"),
            &["4:2 `budget` is for viewer functions, those with `code`"],
        ),
        (
            format!("{start}component = \"c\"\nasync = {{}}"),
            &["4:1 `async` is for a node: the function is not sent events here"],
        ),
        (format!("{start}component = \"c\"\nfuel = 1"), &["4:1 unknown key `fuel` in function.toml"]),
        (format!("{viewer}network = []"), &["4:1 `network` is for origin functions, those with `component`"]),
        (
            format!("{viewer}key-value-store = \"none.json\""),
            &["4:19 cannot read `none.json`: No such file or directory (os error 2)"],
        ),
        (format!("{viewer}jwks = {{}}"), &["4:8 `jwks` has one source, a URL or a file"]),
        (
            format!("{viewer}secrets = {{ a = {{ file = \"none.txt\" }} }}"),
            &["4:26 cannot read `none.txt`: No such file or directory (os error 2)"],
        ),
    ] {
        assert_eq!(read(&text).err().unwrap_or_default(), expected, "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = rimward_config::load_manifest(PathBuf::from("nowhere/function.toml")).unwrap_err();
    assert_eq!((&*problems[0].file, problems[0].line), ("nowhere/function.toml", 0));
}
