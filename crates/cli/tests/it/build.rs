//! `rimward build`, and what comes of it in `rimward invoke`. What needs npm or PyPI runs where `RIMWARD_TOOLS` names the
//! folder of tools that were installed (`rimward build --install` puts them there); `RIMWARD_REQUIRE_TOOLS` forbids skipping.

mod compiled;
mod examples;
mod module_scope;
mod packages;
mod problems;
mod samples;

use crate::support::{Folder, Ran, rimward};
use serde_json::{Value, json};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of installed tools, or `None` where tests that need it are to be skipped.
fn tools() -> Option<PathBuf> {
    let tools = env::var_os("RIMWARD_TOOLS").map(PathBuf::from);
    if tools.is_none() {
        assert!(env::var_os("RIMWARD_REQUIRE_TOOLS").is_none(), "RIMWARD_TOOLS is not set");
        eprintln!("skipped: RIMWARD_TOOLS names no folder with tools");
    }
    tools
}

/// Builds `path` into `out`, with tools that are there or may be installed.
fn build(path: &Path, out: &Path) -> Ran {
    let mut command = rimward();
    command.arg("build").arg(path).arg("-o").arg(out).args(["--install", "--json"]);
    ran(&mut command)
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of this package.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs an event through a component: the result, and everything as `invoke --json` prints it.
fn invoke(component: &Path, event: &Value) -> Value {
    let folder = Folder::new().with("event.json", event.to_string());
    let mut command = rimward();
    command.args(["invoke", "--json", "--component"]).arg(component).arg("--event").arg(folder.path("event.json"));
    ran(&mut command).json()
}

/// Header lines of an event.
fn headers(pairs: &[(&str, &str)]) -> Value {
    let mut map = json!({ "host": [{ "key": "Host", "value": "www.example.com" }] });
    for (name, value) in pairs {
        let lines = map.as_object_mut().unwrap().entry(*name).or_insert_with(|| json!([]));
        lines.as_array_mut().unwrap().push(json!({ "key": name, "value": value }));
    }
    map
}

/// A request at viewer-request; `id` is the distribution's.
fn viewer_request(id: &str, uri: &str, query: &str, pairs: &[(&str, &str)]) -> Value {
    json!({ "Records": [{ "cf": {
        "config": { "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": id,
                    "eventType": "viewer-request", "requestId": "r" },
        "request": { "clientIp": "203.0.113.178", "method": "GET", "uri": uri, "querystring": query,
                     "headers": headers(pairs) },
    }}]})
}

/// The same, on its way to the origin.
fn origin_request(id: &str, uri: &str, query: &str, pairs: &[(&str, &str)]) -> Value {
    let mut event = viewer_request(id, uri, query, pairs);
    let cf = &mut event["Records"][0]["cf"];
    cf["config"]["eventType"] = json!("origin-request");
    cf["request"]["origin"] = json!({ "custom": {
        "customHeaders": {}, "domainName": "origin.example.com", "keepaliveTimeout": 5, "path": "", "port": 443,
        "protocol": "https", "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
    }});
    event
}

/// The origin's answer.
fn origin_response(id: &str, status: &str, pairs: &[(&str, &str)]) -> Value {
    let mut event = origin_request(id, "/page", "", &[]);
    let cf = &mut event["Records"][0]["cf"];
    cf["config"]["eventType"] = json!("origin-response");
    let mut headers = headers(pairs);
    headers.as_object_mut().unwrap().remove("host");
    cf["response"] = json!({ "status": status, "statusDescription": "", "headers": headers });
    event
}
