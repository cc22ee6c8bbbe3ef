//! `rimward serve`: a real process, real connections, real signals.

use crate::support::{Folder, rimward};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Longer than compiling the engine takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A node that runs in a folder.
pub struct Node {
    child: Child,
    lines: Receiver<String>,
    http: SocketAddr,
    pub admin: SocketAddr,
}

impl Node {
    /// Starts it and waits until it serves.
    pub fn start(folder: &Folder) -> Self {
        let mut command = rimward();
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--config"]);
        command.env("XDG_STATE_HOME", folder.path("kept"));
        command.arg(folder.path("rimward.toml")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens any more when the test is over.
                let _ = sender.send(line);
            }
        });
        let unknown: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut node = Self { child, lines, http: unknown, admin: unknown };
        let address = |line: String| line.rsplit("http://").next().unwrap().trim().parse().unwrap();
        node.http = address(node.wait_for("  http "));
        node.admin = address(node.wait_for("  admin "));
        node
    }

    /// The next line with this text.
    pub fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {text:?} ({error}) in\n{}", seen.join("\n")),
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn get(&self, path: &str) -> String {
        send(self.http, &format!("GET {path} HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n"))
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> String {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}");
        send(self.admin, &format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}"))
    }

    /// Ends it by SIGTERM; the exit code.
    fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.wait_for("stopped");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Gone already, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

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
