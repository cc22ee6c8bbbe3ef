//! `rimward kv`: at a node that runs, over a restart and a kill.

use crate::node::Node;
use crate::support::{Folder, Ran};
use serde_json::json;

const CONFIG: &str = "[functions.f]\ncode = \"f.js\"\nkey-value-store = \"my-keys\"\n[key-value-stores.my-keys]\nfile = \"s.json\"\n\
                      [origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\n\
                      behaviors = [{ origin = \"demo\", viewer-request = \"f\" }]\n";
const READ: &str = "import cf from 'cloudfront';\nasync function handler() {\n  var value = await cf.kvs().get('a');\n  \
                    return { statusCode: 200, body: 'value ' + value };\n}\n";

fn folder() -> Folder {
    let pairs = json!({ "data": [{ "key": "a", "value": "1" }] }).to_string();
    Folder::new().with("rimward.toml", CONFIG).with("f.js", READ).with("s.json", pairs)
}

fn kv(folder: &Folder, node: &Node, args: &[&str], code: i32) -> Ran {
    let admin = node.admin.to_string();
    folder.run(&[&["kv"], args, &["--admin", &admin]].concat()).expect(code)
}

#[test]
fn pairs_are_listed_written_and_read_and_the_next_request_sees_them() {
    let folder = folder();
    let node = Node::start(&folder);
    assert!(node.get("/").ends_with("value 1"));
    kv(&folder, &node, &["list"], 0).prints("my-keys  1 pair");
    let before = kv(&folder, &node, &["describe", "my-keys", "--json"], 0).json();
    kv(&folder, &node, &["put", "my-keys", "a", "2"], 0).says("written: 1 pair");
    assert!(node.get("/").ends_with("value 2"), "the next request sees it");
    assert_eq!(kv(&folder, &node, &["get", "my-keys", "a"], 0).stdout, "2\n");

    let stale = before["ETag"].as_str().unwrap();
    kv(&folder, &node, &["put", "my-keys", "a", "3", "--if-match", stale], 1)
        .says("Pre-Condition failed")
        .says("hint: ");
    let now = kv(&folder, &node, &["describe", "my-keys", "--json"], 0).json()["ETag"].as_str().unwrap().to_owned();
    kv(&folder, &node, &["put", "my-keys", "b/ü", "x", "--if-match", &now], 0);
    assert_eq!(kv(&folder, &node, &["list", "my-keys"], 0).stdout, "a\t2\nb/ü\tx\n");
    kv(&folder, &node, &["delete", "my-keys", "b/ü", "none"], 0).says("written: 1 pair");
    kv(&folder, &node, &["get", "my-keys", "b/ü"], 1).says("no key");
    kv(&folder, &node, &["get", "t", "a"], 1).says("there is no key value store `t`").says("there is: my-keys");
    kv(&folder, &node, &["put", "my-keys", "a", &"v".repeat(1025)], 2).says("1025 bytes");
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_was_written_survives_kill_9_and_a_changed_file() {
    let folder = folder();
    let mut node = Node::start(&folder);
    kv(&folder, &node, &["put", "my-keys", "a", "kept"], 0);
    node.kill();
    folder.write("s.json", json!({ "data": [{ "key": "a", "value": "file" }] }).to_string());
    let node = Node::start(&folder);
    assert!(node.get("/").ends_with("value kept"));
    // The file again, by the user's wish.
    kv(&folder, &node, &["import", "my-keys", "s.json"], 0).says("written: 1 pair");
    assert!(node.get("/").ends_with("value file"));
    let exported = kv(&folder, &node, &["export", "my-keys"], 0).json();
    assert_eq!(exported, json!({ "data": [{ "key": "a", "value": "file" }] }));
    folder.write(
        "batch.json",
        json!({ "Puts": [{ "Key": "a", "Value": "batch" }], "Deletes": [{ "Key": "z" }] }).to_string(),
    );
    kv(&folder, &node, &["update", "my-keys", "batch.json"], 0);
    assert!(node.get("/").ends_with("value batch"));
    kv(&folder, &node, &["import", "my-keys", "none.json"], 2).says("none.json");
    folder.write("bad.json", "{");
    kv(&folder, &node, &["import", "my-keys", "bad.json"], 2).says("line 1");
    assert_eq!(node.stop(), 0);
}

#[test]
fn without_a_node_it_ends_with_1() {
    folder().run(&["kv", "list", "--admin", "127.0.0.1:1"]).expect(1).says("no node at 127.0.0.1:1");
}
