//! What cannot be built is explained.

use super::compiled::has_c;
use super::{build, ran, tools};
use crate::support::{Folder, rimward};
use serde_json::Value;

/// The first problem of a folder with these files: kind, message, hint and place (`FILE:LINE`).
fn problem(files: &[(&str, &str)]) -> (String, String, String, String) {
    let folder = files.iter().fold(Folder::new(), |folder, (name, text)| folder.with(name, text));
    let ran = build(&folder.path(""), &folder.path("out.wasm")).expect(1);
    assert!(!folder.path("out.wasm").exists());
    let result = ran.json();
    let problem = &result["problems"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let file = text(&problem["place"]["file"]);
    let name = file.rsplit_once('/').map_or(file.as_str(), |(_, name)| name);
    let place = format!("{name}:{}", problem["place"]["line"]);
    (text(&problem["kind"]), text(&problem["message"]), text(&problem["hint"]), place)
}

#[test]
fn nothing_is_installed_without_being_asked() {
    for (name, code) in
        [("index.js", "exports.handler = async (e) => e;"), ("lambda_function.py", "def lambda_handler(e, c): pass")]
    {
        let folder = Folder::new().with(name, code);
        let mut command = rimward();
        command.arg("build").arg(folder.path(name)).env("RIMWARD_TOOLS", folder.path("tools"));
        let ran = ran(&mut command).expect(1);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("hint: "), "{ran:?}");
        assert!(!folder.path("tools").exists() && !folder.path("function.wasm").exists());
    }
}

#[test]
fn what_is_no_function_is_a_wrong_input() {
    let folder = Folder::new().with("readme.md", "text");
    let ran = folder.run(&["build", "."]).expect(2);
    assert!(ran.stderr.contains("no file of JavaScript, TypeScript, Python, Rust or C"), "{ran:?}");
    folder.run(&["build", "missing"]).expect(2);
    folder.run(&["build", ".", "--handler", "index"]).expect(2);
    folder.run(&["build", ".", "--language", "cobol"]).expect(2);
}

#[test]
fn javascript_that_cannot_work_is_told_with_its_file_and_a_way_out() {
    if tools().is_none() {
        return;
    }
    let handler = "exports.handler = async (event) => event;";
    for (files, message, hint, place) in [
        (&[("index.js", "exports.handler = async (event => {")][..], "Unexpected end of file", "", "index.js:1"),
        (&[("index.js", "const net = require('net');")], "Node module \"net\" is not there", "fetch", "index.js:1"),
        (
            &[("index.js", "\nconst x = require('left-pad');")],
            "Could not resolve \"left-pad\"",
            "npm install left-pad",
            "index.js:2",
        ),
        (&[("index.js", "require('sharp');")], "package \"sharp\" is a native add-on", "Rust or C", "index.js:1"),
        (
            &[("index.js", "require('./addon.node');"), ("addon.node", "")],
            "native add-on",
            "pure JavaScript",
            "index.js:1",
        ),
        (&[("index.js", "require('aws-sdk');")], "brings no AWS SDK", "over HTTPS", "index.js:1"),
        (&[("index.ts", "export const handler: = 1;")], "Unexpected", "", "index.ts:1"),
        (&[("package.json", "{"), ("index.js", handler)], "package.json is not JSON", "", "package.json:1"),
    ] {
        let (kind, said, way, at) = problem(files);
        assert_eq!(kind, "source", "{files:?}: {said}");
        assert!(said.contains(message) && way.contains(hint), "{files:?}: {said} ({way})");
        assert_eq!(at, place, "{files:?}");
    }
}

#[test]
fn javascript_that_fails_while_it_is_built_is_told_with_its_line() {
    if tools().is_none() {
        return;
    }
    let (_, said, way, at) = problem(&[("index.js", "exports.main = async (event) => event;")]);
    assert!(said.starts_with("handler is undefined or not exported; the module exports main"), "{said}");
    assert!(way.contains("--handler") && at == "index.js:0", "{way} {at}");
    let library = "exports.rules = (names) =>\n  names.map((name) => name.missing.toLowerCase());\n";
    let code =
        "const { rules } = require('./lib/rules');\nconst all = rules(['a']);\nexports.handler = async () => all;\n";
    let (_, said, _, at) = problem(&[("index.js", code), ("lib/rules.js", library)]);
    assert!(said.contains("module scope failed") && said.contains("TypeError"), "{said}");
    assert_eq!(at, "rules.js:2");
}

#[test]
fn a_package_may_name_a_module_that_is_not_there_as_long_as_it_does_not_use_it() {
    let Some(_) = tools() else { return };
    let folder = Folder::new()
        .with("node_modules/both/package.json", r#"{"name":"both","version":"1.0.0","main":"index.js"}"#)
        .with(
            "node_modules/both/index.js",
            "const net = require('net');\nexports.double = (n) => n * 2;\nexports.dial = () => net.connect(80);\n",
        )
        .with(
            "index.js",
            "const { double } = require('both');\nexports.handler = async () => ({ status: String(double(100)) });\n",
        );
    let result = build(&folder.path("index.js"), &folder.path("out.wasm")).expect(0).json();
    assert!(result["notes"][0]["message"].as_str().unwrap().contains("Node module \"net\" is not there"), "{result}");
    let again = build(&folder.path("index.js"), &folder.path("again.wasm")).expect(0).json();
    assert_eq!((&again["kept"], &again["sha256"]), (&Value::Bool(true), &result["sha256"]), "{again}");
}

#[test]
fn python_that_cannot_work_is_told_with_its_file_and_a_way_out() {
    if tools().is_none() {
        return;
    }
    let handler = "def lambda_handler(event, context):\n    return event\n";
    let native = [("lambda_function.py", handler), ("_speedups.cpython-314-x86_64-linux-gnu.so", "")];
    let (kind, said, way, at) = problem(&native);
    assert!(kind == "source" && said.contains("machine code") && way.contains("pure Python"), "{said} ({way})");
    assert_eq!(at, "_speedups.cpython-314-x86_64-linux-gnu.so:0");
    let missing = format!("import json\nimport requests\n\n{handler}");
    let (_, said, way, at) = problem(&[("lambda_function.py", &missing)]);
    assert!(said.contains("No module named 'requests'") && way.contains("requirements.txt"), "{said} ({way})");
    assert_eq!(at, "lambda_function.py:2");
}

#[test]
fn c_is_told_with_its_line() {
    if !has_c() {
        return;
    }
    let code = "#include <rimward_lambda.h>\n\nint x = y;\n";
    let (_, said, _, at) = problem(&[("function.c", code)]);
    assert!(said.contains("undeclared identifier 'y'"), "{said}");
    assert_eq!(at, "function.c:3");
    let (_, said, way, _) = problem(&[("function.c", "#include <rimward_lambda.h>\n")]);
    assert!(said.contains("`rimward_handle` is not defined") && way.contains("the handler"), "{said} ({way})");
}
