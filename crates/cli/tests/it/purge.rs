//! `rimward purge`: at a node that runs, and at none.

use crate::node::{Node, PATIENCE, send};
use crate::support::Folder;
use serde_json::Value;
use std::net::TcpListener;
use std::time::Instant;

const CONFIG: &str = "[origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"www.example.com\"]\n\
                      behaviors = [{ origin = \"demo\" }]\n";

fn folder() -> Folder {
    Folder::new().with("rimward.toml", CONFIG)
}

#[test]
fn stored_answers_are_counted_made_stale_and_removed() {
    let folder = folder();
    let node = Node::start(&folder);
    let admin = node.admin.to_string();
    let purge = |args: &[&str]| folder.run(&[&["purge", "--admin", &admin], args].concat()).expect(0);
    for path in ["/a", "/a?b", "/c"] {
        node.get(path);
    }
    let dry = purge(&["--prefix", "http://www.example.com/a", "--dry-run"]);
    assert_eq!(dry.stdout.lines().collect::<Vec<_>>().len(), 2, "{dry:?}");
    dry.says("2 stored answers would be removed");
    assert!(node.get("/a").contains("Hit from cloudfront"));

    let soft = purge(&["--everything", "--soft", "--json"]).json();
    assert_eq!((&soft["removed"], &soft["soft"], &soft["dry-run"]), (&3.into(), &true.into(), &false.into()));
    assert_eq!(soft["target"]["everything"], true);
    let stale = node.get("/c");
    assert!(stale.contains("fwd=stale"), "it is there, and is validated: {stale}");

    purge(&["http://www.example.com/a?b"]).prints("/a?b\n").says("1 stored answer removed");
    assert!(node.get("/a?b").contains("fwd=uri-miss"));
    assert!(node.get("/a").contains("fwd=stale"), "another URL");
    purge(&["--tag", "none"]).says("0 stored answers removed");
    purge(&["--host", "www.example.com", "--dry-run"]).says("3 stored answers would be removed");
    let nothing = purge(&["http://www.example.com/none"]).says("0 stored answers removed");
    assert_eq!(nothing.stdout, "");
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_root_is_purged_as_its_object() {
    // cdn-behaviour.md section 17
    let config = CONFIG.replace("behaviors =", "default-root-object = \"a\"\nbehaviors =");
    let folder = Folder::new().with("rimward.toml", config);
    let node = Node::start(&folder);
    let admin = node.admin.to_string();
    for url in ["http://www.example.com/", "http://www.example.com/?b"] {
        let path = url.trim_start_matches("http://www.example.com");
        node.get(path);
        assert!(node.get(path).contains("Hit from cloudfront"));
        folder.run(&["purge", "--admin", &admin, url]).expect(0).says("1 stored answer removed");
        assert!(node.get(path).contains("fwd=uri-miss"), "{path}");
    }
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_the_node_refuses_is_said_with_its_hint() {
    let folder = folder();
    let node = Node::start(&folder);
    let admin = node.admin.to_string();
    let ran = folder.run(&["purge", "--admin", &admin, "http://other.example.com/a"]).expect(2);
    ran.says("error: no distribution serves `other.example.com`").says("hint: ");
    let ran = folder.run(&["purge", "--admin", &admin, "--tag", "a,b"]).expect(2);
    ran.says("`a,b` is no tag: a tag has no `,`");
    let ran = folder.run(&["purge", "--admin", &node.http.to_string(), "--everything"]).expect(1);
    ran.says("is no admin API: 403").says("node.admin");
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_node_is_that_of_the_configuration() {
    let folder = folder();
    let node = Node::start(&folder);
    folder.write("rimward.toml", format!("[node]\nadmin = \"{}\"\n{CONFIG}", node.admin));
    folder.run(&["purge", "--everything"]).expect(0).says("0 stored answers removed");
    let file = folder.path("rimward.toml");
    Folder::new().run(&["purge", "--everything", "--config", file.to_str().unwrap()]).expect(0);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_target_that_is_none_is_said_without_a_node() {
    let folder = Folder::new();
    folder.run(&["purge", "/a"]).expect(2).says("is not a URL with scheme and host").says("hint: write scheme");
    folder.run(&["purge", "http://a.com/*"]).expect(2).says("hint: to purge all that begins with it, put --prefix");
    folder.run(&["purge"]).expect(2).says("--everything");
    folder.run(&["purge", "--everything", "http://a.com/"]).expect(2);
    folder.run(&["purge", "--host", "http://a.com/"]).expect(2).says("the host is wrong").says("hint: write a host");
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ran = Folder::new().run(&["purge", "--everything", "--admin", &free]).expect(1);
    ran.says(&format!("error: no node at {free}")).says("hint: start one");
}

/// What the node says of its disk, once `is_right`.
fn wait_for_disk(node: &Node, is_right: impl Fn(&Value) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = node.admin("GET", "/status", "");
        let body = status.split_once("\r\n\r\n").unwrap().1;
        let disk = serde_json::from_str::<Value>(body).unwrap()["cache"]["disk"].clone();
        if is_right(&disk) {
            return;
        }
        assert!(Instant::now() < end, "{status}");
    }
}

#[test]
fn what_was_purged_stays_away_after_kill_9() {
    // cdn-behaviour.md section 17
    let config = format!(
        "[cache]\ndisk = {{ path = \"kept-answers\", size = \"64 MB\" }}\n[node.acl]\npurge = [\"127.0.0.1\"]\n{CONFIG}"
    );
    let folder = Folder::new().with("rimward.toml", config);
    let mut node = Node::start(&folder);
    let [gone, kept] = ["/cache/max-age/3600?gone", "/cache/max-age/3600?kept"];
    for path in [gone, gone, kept, kept] {
        node.get(path);
    }
    // The second request for an object brings it to the disk.
    wait_for_disk(&node, |disk| disk["objects"] == 2);
    let purge = format!("PURGE {gone} HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n");
    let receipt = send(node.http, &purge);
    assert!(receipt.contains("\"removed\":1"), "{receipt}");
    node.kill();

    let node = Node::start(&folder);
    wait_for_disk(&node, |disk| disk["recovering"] == false);
    let answer = node.get(kept);
    assert!(answer.contains("Hit from cloudfront"), "what was not purged is there: {answer}");
    let answer = node.get(gone);
    assert!(answer.contains("fwd=uri-miss"), "{answer}");
    assert_eq!(node.stop(), 0);
}
