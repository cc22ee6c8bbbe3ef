//! `rimward functions`: at a node that runs, and over its restart.

use crate::node::Node;
use crate::support::{Folder, Ran, viewer_request};

const CONFIG: &str = "[functions.f]\ncode = \"f.js\"\n[origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\n\
                      domains = [\"*\"]\nbehaviors = [{ origin = \"demo\", viewer-request = \"f\" }]\n";

fn answering(text: &str) -> String {
    format!("function handler(event) {{\n  return {{ statusCode: 200, body: 'from {text}' }};\n}}\n")
}

fn folder() -> Folder {
    let folder = Folder::new().with("rimward.toml", CONFIG).with("f.js", answering("file"));
    folder.with("one.js", answering("one")).with("two.js", answering("two")).with("event.json", viewer_request("/"))
}

fn functions(folder: &Folder, node: &Node, args: &[&str], code: i32) -> Ran {
    let admin = node.admin.to_string();
    folder.run(&[&["functions"], args, &["--admin", &admin]].concat()).expect(code)
}

#[test]
fn a_function_is_published_and_rolled_back_in_one_command_and_survives_a_restart() {
    let folder = folder();
    let mut node = Node::start(&folder);
    assert!(node.get("/").ends_with("from file"));
    functions(&folder, &node, &["publish", "f", "one.js"], 0).says("published: f LIVE  DEPLOYED");
    assert!(node.get("/").ends_with("from one"));
    functions(&folder, &node, &["publish", "f", "two.js"], 0);
    assert!(node.get("/").ends_with("from two"));
    functions(&folder, &node, &["list"], 0).prints("viewer, 1 place, published");
    functions(&folder, &node, &["describe", "f"], 0).prints("before: file");
    node.kill();

    let node = Node::start(&folder);
    assert!(node.get("/").ends_with("from two"), "a published version goes before the file");
    folder.run(&["check"]).expect(0).prints("published version");
    functions(&folder, &node, &["rollback", "f"], 0).says("rolled back");
    assert!(node.get("/").ends_with("from one"));
    functions(&folder, &node, &["rollback", "f", "--to", "file"], 0);
    assert!(node.get("/").ends_with("from file"));
    functions(&folder, &node, &["rollback", "f"], 1).says("nothing was published before");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_way_back_to_what_does_not_work_is_refused_and_changes_nothing() {
    let folder = folder();
    let mut node = Node::start(&folder);
    functions(&folder, &node, &["publish", "f", "one.js"], 0);
    let folder = folder.with("f.js", "function handler(event) {\n  let 5 = a;\n}\n");
    functions(&folder, &node, &["rollback", "f"], 2).says("SyntaxError");
    assert!(node.get("/").ends_with("from one"));
    node.kill();

    let node = Node::start(&folder);
    assert!(node.get("/").ends_with("from one"), "it was not kept either");
    assert_eq!(node.stop(), 0);
}

#[test]
fn development_is_apart_from_live_with_an_etag_of_its_own() {
    let folder = folder();
    let node = Node::start(&folder);
    let before = functions(&folder, &node, &["describe", "f", "--stage", "DEVELOPMENT", "--json"], 0).json();
    let updated = functions(&folder, &node, &["update", "f", "one.js", "--json"], 0).json();
    assert!(node.get("/").ends_with("from file"), "nobody's requests run DEVELOPMENT");
    assert_eq!(functions(&folder, &node, &["get", "f"], 0).stdout, answering("file"));
    assert_eq!(functions(&folder, &node, &["get", "f", "--stage", "development"], 0).stdout, answering("one"));
    let stale = before["ETag"].as_str().unwrap();
    functions(&folder, &node, &["publish", "f", "--if-match", stale], 1).says("Pre-Condition failed");
    assert!(node.get("/").ends_with("from file"));
    functions(&folder, &node, &["publish", "f", "--if-match", updated["ETag"].as_str().unwrap()], 0);
    assert!(node.get("/").ends_with("from one"));
    assert_eq!(node.stop(), 0);
}

#[test]
fn code_that_does_not_compile_is_refused_with_its_place_and_changes_nothing() {
    let folder = folder().with("bad.js", "function handler(event) {\n  let 5 = a;\n}\n");
    let node = Node::start(&folder);
    let ran = functions(&folder, &node, &["publish", "f", "bad.js"], 2);
    ran.says("SyntaxError").says("f.js:2:").says("let 5 = a;").says("^");
    assert!(node.get("/").ends_with("from file"));
    functions(&folder, &node, &["publish", "g", "one.js"], 1).says("there is no function `g`");
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_test_operation_runs_a_stage_and_serves_nothing() {
    let folder = folder();
    folder.write(
        "host.js",
        "function handler(event) { console.log('hi'); delete event.request.headers.host; return event.request; }",
    );
    let node = Node::start(&folder);
    functions(&folder, &node, &["update", "f", "host.js"], 0);
    let test = ["test", "f", "--event", "event.json"];
    functions(&folder, &node, &test, 1).says("returned an invalid value").says("hi");
    let result = functions(&folder, &node, &[&test[..], &["--as-vendor", "--json"]].concat(), 0).json();
    assert_eq!(result["FunctionErrorMessage"], "");
    assert_eq!(result["FunctionExecutionLogs"][0], "hi");
    assert_eq!(result["FunctionSummary"]["FunctionMetadata"]["Stage"], "DEVELOPMENT");
    functions(&folder, &node, &["test", "f", "--event", "event.json", "--stage", "LIVE"], 0).prints("from file");
    assert_eq!(node.stop(), 0);
}
