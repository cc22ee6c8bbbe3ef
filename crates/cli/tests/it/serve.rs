//! `rimward serve`: a real process, real connections, real signals.

use crate::node::{Node, PATIENCE, send};
use crate::support::Folder;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

const CONFIG: &str = "[functions.hello]\ncode = \"hello.js\"\n[origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\n\
                      domains = [\"www.example.com\"]\n[[distributions.behaviors]]\npath = \"/hello\"\n\
                      origin = \"demo\"\nviewer-request = \"hello\"\n[[distributions.behaviors]]\norigin = \"demo\"\n";

fn says(text: &str) -> String {
    format!("function handler() {{ return {{ statusCode: 200, body: '{text}' }}; }}")
}

fn folder() -> Folder {
    Folder::new().with("rimward.toml", CONFIG).with("hello.js", says("first"))
}

#[test]
fn a_node_serves_reloads_and_stops() {
    let folder = folder();
    let node = Node::start(&folder);
    node.wait_for("curl -si");
    let first = node.get("/hello");
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.ends_with("first"), "{first}");
    assert!(first.contains("FunctionGeneratedResponse"), "{first}");
    assert!(node.get("/page").contains("Miss from cloudfront"));

    // A file that is no configuration changes nothing.
    folder.write("rimward.toml", "[nod]\n");
    folder.write("hello.js", says("second"));
    node.signal("HUP");
    node.wait_for("error: ");
    node.wait_for("not reloaded");
    assert!(node.get("/hello").ends_with("first"));

    // A function that worked and does not any more changes nothing either.
    folder.write("rimward.toml", CONFIG);
    folder.write("hello.js", "function handler(");
    node.signal("HUP");
    node.wait_for("SyntaxError");
    node.wait_for("not reloaded");
    assert!(node.get("/hello").ends_with("first"));

    // All is well again.
    folder.write("hello.js", says("second"));
    node.signal("HUP");
    node.wait_for("reloaded: the new configuration serves");
    assert!(node.get("/hello").ends_with("second"));
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_needs_a_restart_is_said_on_reload() {
    let folder = folder();
    let node = Node::start(&folder);
    folder.write("rimward.toml", format!("[cache]\nmemory = \"9 MB\"\n{CONFIG}"));
    node.signal("HUP");
    let line = node.wait_for("only a restart");
    assert!(line.contains("cache") && !line.contains("node.listen"), "--listen goes before the file: {line}");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_function_that_is_broken_from_the_start_gives_503_and_does_not_stop_the_node() {
    let folder = folder();
    folder.write("hello.js", "function handler(");
    let node = Node::start(&folder);
    let answer = node.get("/hello");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("FunctionThrottledError from cloudfront"), "{answer}");
    assert!(node.get("/page").starts_with("HTTP/1.1 200 "));
    folder.write("hello.js", says("mended"));
    let reloaded = node.admin("POST", "/reload", "");
    assert!(reloaded.starts_with("HTTP/1.1 200 ") && reloaded.contains("\"generation\": 2"), "{reloaded}");
    assert!(node.get("/hello").ends_with("mended"));
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_admin_api_tells_and_purges() {
    let node = Node::start(&folder());
    node.get("/page");
    assert!(node.get("/page").contains("Hit from cloudfront"));
    assert!(node.admin("GET", "/ready", "").starts_with("HTTP/1.1 200 "));
    assert!(node.admin("GET", "/status", "").contains("\"www.example.com\""));
    assert!(node.admin("GET", "/functions", "").contains("\"hello\""));
    let metrics = node.admin("GET", "/metrics", "");
    assert!(metrics.contains("rimward_cache_objects 1") && metrics.contains("rimward_requests_total"), "{metrics}");
    let dry = node.admin("POST", "/purge", r#"{"everything": true, "dry-run": true}"#);
    assert!(dry.contains("\"removed\": 1") && dry.contains("\"/page\""), "{dry}");
    assert!(node.get("/page").contains("Hit from cloudfront"));
    let purged = node.admin("POST", "/purge", r#"{"url": "http://www.example.com/page"}"#);
    assert!(purged.contains("\"removed\": 1"), "{purged}");
    assert!(node.get("/page").contains("Miss from cloudfront"));
    let unknown = node.admin("POST", "/purge", r#"{"url": "http://other.example.com/page"}"#);
    assert!(unknown.starts_with("HTTP/1.1 422 "), "{unknown}");
    assert_eq!(node.stop(), 0);
}

#[test]
fn who_may_use_the_admin_api_is_listed_and_a_reload_changes_it_at_once() {
    let folder = folder();
    let node = Node::start_with(&folder, "0.0.0.0:0");
    let warning = node.wait_for("only this machine may use it");
    assert!(warning.contains("`admin` of `[node.acl]`"), "{warning}");
    assert!(node.admin("GET", "/ready", "").starts_with("HTTP/1.1 200 "));
    folder.write("rimward.toml", format!("[node.acl]\nadmin = [\"192.0.2.0/24\"]\n{CONFIG}"));
    assert!(node.admin("POST", "/reload", "").starts_with("HTTP/1.1 200 "));
    for (method, path) in [("GET", "/health"), ("POST", "/purge"), ("POST", "/2015-03-31/functions/hello/invocations")]
    {
        let refused = node.admin(method, path, "");
        assert!(refused.starts_with("HTTP/1.1 403 ") && refused.contains("127.0.0.1 may not use"), "{refused}");
    }
    node.wait_for("refused at the admin API");
    folder.write("rimward.toml", CONFIG);
    node.signal("HUP");
    node.wait_for("reloaded: the new configuration serves");
    assert!(node.admin("GET", "/ready", "").starts_with("HTTP/1.1 200 "));
    assert_eq!(node.stop(), 0);
}

/// Connections that say nothing take what they may and no more: the node serves, and its admin API answers.
#[test]
fn a_small_limit_of_files_is_said_and_leaves_room_for_all_else() {
    let folder = folder();
    let node = Node::start_behind(&folder, "ulimit -n 256");
    let warning = node.said.join("\n");
    assert!(warning.contains("files: 64 viewer connections at a time instead of 10000"), "{warning}");
    assert!(warning.contains("LimitNOFILE") && warning.contains("`connections`"), "{warning}");
    let silent: Vec<_> = (0..300).map(|_| TcpStream::connect(node.http).unwrap()).collect();
    // Whoever comes while those that were given up are on their way out is asked to come again.
    assert!((0..100).any(|_| node.get("/page").starts_with("HTTP/1.1 200 ")));
    let metrics = node.admin("GET", "/metrics", "");
    let given_up = metrics.lines().find_map(|line| line.strip_prefix("rimward_connections_given_up_total "));
    assert!(given_up.and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 0), "{metrics}");
    drop(silent);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_second_signal_does_not_wait_for_requests_in_flight() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let folder = folder();
    folder.write("rimward.toml", CONFIG.replace("builtin:demo", &url));
    let mut node = Node::start(&folder);
    let mut viewer = TcpStream::connect(node.http).unwrap();
    viewer.write_all(b"GET /page HTTP/1.1\r\nhost: www.example.com\r\n\r\n").unwrap();
    // The request is in flight when the origin has it.
    let (mut origin, _) = silent.accept().unwrap();
    assert!(origin.read(&mut [0; 64]).unwrap() > 0);
    node.signal("TERM");
    node.wait_for("stopping");
    assert!(node.admin("GET", "/ready", "").starts_with("HTTP/1.1 503 "), "it drains");
    node.signal("TERM");
    node.wait_for("stopped at once");
    assert_eq!(node.child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let ran = folder.run(&["serve", "--listen", &address]).expect(1);
    ran.says(&format!("cannot listen on {address}")).says("another program listens there").says("--listen");
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0", "--admin", &address]).expect(1);
    ran.says(&address).says("--admin");
}

#[test]
fn a_wrong_configuration_does_not_start() {
    let folder = folder();
    folder.write("rimward.toml", CONFIG.replace("origin = \"demo\"\nviewer", "origin = \"dmo\"\nviewer"));
    folder.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2).says("--> rimward.toml:").says("demo");
    Folder::new().run(&["serve"]).expect(2).says("rimward.toml");
}

#[test]
fn the_access_log_has_a_line_for_each_request_when_the_node_has_stopped() {
    let folder = folder();
    folder.write("rimward.toml", format!("[node]\naccess-log = \"access.log\"\n{CONFIG}"));
    let node = Node::start(&folder);
    for _ in 0..5 {
        node.get("/page");
    }
    assert_eq!(node.stop(), 0);
    let log = std::fs::read_to_string(folder.path("access.log")).unwrap();
    assert_eq!(log.lines().count(), 5, "{log}");
}

#[test]
fn a_request_that_was_refused_has_a_line_in_the_access_log() {
    let folder = folder();
    folder.write("rimward.toml", format!("[node]\naccess-log = \"access.log\"\n{CONFIG}"));
    let node = Node::start(&folder);
    let answer = send(node.http, "GET /a?b HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.to_lowercase().contains("x-amz-cf-id: "), "{answer}");
    assert_eq!(node.stop(), 0);
    let log = std::fs::read_to_string(folder.path("access.log")).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    let expected = ("GET", "/a", "b", 400, "host-repeated");
    let found = (&line["method"], &line["path"], &line["query"], &line["status"], &line["detail"]);
    assert_eq!(
        found,
        (&expected.0.into(), &expected.1.into(), &expected.2.into(), &expected.3.into(), &expected.4.into())
    );
    assert_eq!((&line["complete"], &line["result"]), (&true.into(), &"Error".into()));
}

#[test]
fn a_reload_opens_the_access_log_again_so_that_it_can_be_rotated() {
    let folder = folder();
    folder.write("rimward.toml", format!("[node]\naccess-log = \"access.log\"\n{CONFIG}"));
    let node = Node::start(&folder);
    node.get("/before");
    // The file must have its line before it is moved, or the line belongs to the new one.
    let end = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(folder.path("access.log")).unwrap().contains("/before") {
        assert!(Instant::now() < end, "the line comes");
        std::thread::yield_now();
    }
    std::fs::rename(folder.path("access.log"), folder.path("access.log.1")).unwrap();
    node.signal("HUP");
    node.wait_for("reloaded: the new configuration serves");
    node.get("/after");
    assert_eq!(node.stop(), 0);
    let [old, new] = ["access.log.1", "access.log"].map(|name| std::fs::read_to_string(folder.path(name)).unwrap());
    assert!(old.contains("/before") && !old.contains("/after"), "{old}");
    assert!(new.contains("/after") && !new.contains("/before"), "{new}");
}
