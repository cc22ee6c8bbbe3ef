//! Packages of the user's that are pure JavaScript or Python, secrets, and logs in JSON: built, and then invoked with a
//! configuration.

use super::{build, ran, tools};
use crate::support::Folder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "[origins.app]\nurl = \"builtin:demo\"\n\
    [functions.f]\ncomponent = \"function.wasm\"\nlog-format = \"json\"\nlog-level = \"WARN\"\n\
    [functions.f.secrets]\nTOKEN = { file = \"token.txt\" }\n\
    [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n";
const SECRET: &str = "hunter2-hunter2";

fn folder() -> Folder {
    Folder::new().with("rimward.toml", CONFIG).with("token.txt", format!("{SECRET}\n"))
}

fn invoke(folder: &Folder, uri: &str) -> Value {
    folder.write("event.json", super::viewer_request("E1", uri, "", &[]).to_string());
    folder.run(&["invoke", "--function", "f", "--event", "event.json", "--json"]).json()
}

/// The lines of the log that are the function's own, as objects; all others are the platform's.
fn log(ran: &Value) -> Vec<Value> {
    let lines = ran["logs"].as_array().unwrap_or_else(|| panic!("{ran}")).iter().filter_map(Value::as_str);
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let (platform, own): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.get("type").is_some());
    let kinds: Vec<&str> = platform.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(kinds, ["platform.start", "platform.report"]);
    own
}

fn body(ran: &Value) -> Value {
    let body = ran["output"]["response"]["body"].as_str().unwrap_or_else(|| panic!("{ran}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{body}"))
}

/// What each of the two functions does: a package of somebody else's, a secret at the top level, lines of each level.
fn works(folder: &Folder, component: &Path) {
    let bytes = std::fs::read(component).unwrap();
    assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "the secret is in the component");
    let ran = invoke(folder, "/");
    assert_eq!(body(&ran), json!({ "package": "bücher.example is xn--bcher-kva.example", "secret": SECRET.len() }));
    let own = log(&ran);
    let told: Vec<(&str, &str)> =
        own.iter().map(|line| (line["level"].as_str().unwrap_or(""), line["message"].as_str().unwrap_or(""))).collect();
    assert_eq!(told.len(), 2, "INFO is below the level: {own:?}");
    assert!(matches!(told[0], ("WARN" | "WARNING", "careful: [secret TOKEN]")), "{told:?}");
    assert_eq!(told[1].0, "ERROR");
    assert_eq!((&own[1]["errorMessage"], own[1]["stackTrace"].is_array()), (&json!("no"), true), "{own:?}");
    for line in &own {
        assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
        assert_eq!(line["requestId"].as_str().map(str::len), Some(36), "{line}");
    }
    let unknown = invoke(folder, "/unknown");
    assert!(unknown["error"].to_string().contains("no secret"), "{unknown}");
    let environment = body(&invoke(folder, "/environment"));
    assert_eq!(environment["AWS_LAMBDA_LOG_FORMAT"], "JSON");
    assert!(!environment.to_string().contains(SECRET));
}

const JAVASCRIPT: &str = r#"
const punycode = require('punycode.js');
const { secret } = require('rimward');
const token = secret('TOKEN');

exports.handler = async (event) => {
  const { uri } = event.Records[0].cf.request;
  if (uri === '/unknown') return secret('NOBODY');
  if (uri === '/environment') return { status: '200', body: JSON.stringify(process.env) };
  console.log('not seen');
  console.warn('careful: ' + token);
  console.error('it failed:', new TypeError('no'));
  const text = `bücher.example is ${punycode.toASCII('bücher.example')}`;
  return { status: '200', body: JSON.stringify({ package: text, secret: token.length }) };
};
"#;

#[test]
fn a_javascript_function_has_packages_secrets_and_json_logs() {
    if tools().is_none() {
        return;
    }
    let package = r#"{ "name": "f", "version": "1.0.0", "dependencies": { "punycode.js": "2.3.1" } }"#;
    let folder = folder().with("f/index.js", JAVASCRIPT).with("f/package.json", package);
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-fund", "--no-audit"]).current_dir(folder.path("f"));
    ran(&mut npm).expect(0);
    let out = folder.path("function.wasm");
    build(&folder.path("f"), &out).expect(0);
    works(&folder, &out);
}

const PYTHON: &str = r#"
import json
import logging
import os

import idna
from rimward import secret

TOKEN = secret("TOKEN")
log = logging.getLogger()
log.setLevel(logging.INFO)


def lambda_handler(event, context):
    uri = event["Records"][0]["cf"]["request"]["uri"]
    if uri == "/unknown":
        return secret("NOBODY")
    if uri == "/environment":
        return {"status": "200", "body": json.dumps(dict(os.environ))}
    log.info("not seen")
    print("not seen either")
    log.warning("careful: %s", TOKEN)
    try:
        raise TypeError("no")
    except TypeError:
        log.exception("it failed:")
    text = f"bücher.example is {idna.encode('bücher.example').decode()}"
    return {"status": "200", "body": json.dumps({"package": text, "secret": len(TOKEN)})}
"#;

#[test]
fn a_python_function_has_packages_secrets_and_json_logs() {
    if tools().is_none() {
        return;
    }
    let folder = folder().with("f/lambda_function.py", PYTHON).with("f/requirements.txt", "idna==3.10\n");
    let out: PathBuf = folder.path("function.wasm");
    build(&folder.path("f"), &out).expect(0);
    works(&folder, &out);
}

/// What only this node has is told before somebody takes the function elsewhere.
#[test]
fn the_target_cloudfront_names_what_lambda_at_edge_does_not_have() {
    let folder = folder();
    folder.write("function.wasm", wat::parse_str(MINIMAL).unwrap());
    folder.run(&["check"]).expect(0);
    let ran = folder.run(&["check", "--target", "cloudfront"]).expect(1);
    ran.says("secrets").says("require('rimward')");
    let report = folder.run(&["check", "--target", "cloudfront", "--json"]).expect(1).json();
    assert!(report.to_string().contains(r#""rule":"secrets""#), "{report}");
}

const MINIMAL: &str = r#"(component
    (core module $m (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
        (func (export "invoke") (param i32 i32 i32 i32) (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
    (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
        (realloc (core func $i "cabi_realloc"))))
    (instance $lambda (export "invoke" (func $invoke)))
    (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#;
