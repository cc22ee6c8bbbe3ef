//! `rimward explain`: at a node that runs, and at none.

use crate::node::Node;
use crate::support::Folder;

const CONFIG: &str = "[functions.f]\ncode = \"f.js\"\n[origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\n\
                      domains = [\"www.example.com\"]\n[[distributions.behaviors]]\norigin = \"demo\"\n\
                      viewer-request = \"f\"\n";
const FUNCTION: &str = "function handler(event) { event.request.uri = event.request.uri.replace('/old/', '/cache/'); return event.request; }";

#[test]
fn a_request_is_explained_before_and_after_it_is_stored() {
    let folder = Folder::new().with("rimward.toml", CONFIG).with("f.js", FUNCTION);
    let node = Node::start(&folder);
    let admin = node.admin.to_string();
    let explain = |args: &[&str]| folder.run(&[&["explain", "--admin", &admin], args].concat());
    let url = "http://www.example.com/old/max-age/60";
    let before = explain(&[url]).expect(0);
    assert_eq!(before.stderr, "");
    for part in [
        "GET http://www.example.com/old/max-age/60",
        "origin demo, cache policy origin-cache-control",
        "viewer-request f: continued",
        "cached as /cache/max-age/60",
        "fetch: uri-miss",
    ] {
        assert!(before.stdout.contains(part), "{part} in {}", before.stdout);
    }
    assert!(node.get("/old/max-age/60").contains("Miss from cloudfront"), "an explanation fetches nothing");
    let after = explain(&[url]).expect(0);
    for part in ["fresh: max-age (RFC 9111", "age 0", "fresh for 60"] {
        assert!(after.stdout.contains(part), "{part} in {}", after.stdout);
    }
    let json = explain(&[url, "-H", "cache-control: no-cache", "--json"]).expect(0).json();
    assert_eq!(json["cache"]["decision"], "validate", "{json}");
    assert_eq!((&json["functions"][0]["ran"], &json["cached-as"]), (&true.into(), &"/cache/max-age/60".into()));
    let refused = explain(&[url, "-X", "POST"]).expect(0);
    assert!(refused.stdout.contains("ends at guard: 403 Error, InvalidRequestMethod"), "{}", refused.stdout);
    explain(&["http://other.example.com/"]).expect(0).prints("ends at route: 403 Error, InvalidRequestHost");
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_is_no_request_is_said_without_a_node() {
    let folder = Folder::new();
    folder.run(&["explain", "/a"]).expect(2).says("is not a URL with scheme and host");
    folder
        .run(&["explain", "http://a.com/", "-H", "a"])
        .expect(2)
        .says("`a` is no header")
        .says("hint: write a header");
    folder.run(&["explain", "http://a.com/", "-X", "G T"]).expect(2).says("`G T` is no method");
}
