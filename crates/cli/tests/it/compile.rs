//! `rimward compile-component`: the child in which a node compiles components of strangers. Its walls are its own; what
//! the node makes of its end is tested in the sandbox.

use crate::invoke_api::component;
use crate::node::{Node, send};
use crate::support::{Folder, rimward};
use std::io::Write;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const ROOM: u64 = 2 << 30;

fn compile(component: &[u8], memory: u64, seconds: u64) -> Output {
    let mut command = rimward();
    command.args(["compile-component", &memory.to_string(), &seconds.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A child that is over its limits before it has read everything closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(component);
    child.wait_with_output().unwrap()
}

/// A component of one function whose control flow is a dense web: each block can leave to all blocks around it, and
/// every value lives across all of it.
fn bomb(depth: usize, turns: usize) -> Vec<u8> {
    let targets: String = (0..depth).map(|n| format!(" {n}")).collect();
    let mut body = String::new();
    for _ in 0..turns {
        body.push_str(&"(block ".repeat(depth));
        body.push_str(&format!("(br_table{targets} (local.get 0))"));
        for n in 0..depth {
            body.push_str(&format!(
                "(local.set {n} (i32.add (local.get {}) (i32.load (local.get {n})))) )",
                (n * 7 + 1) % depth
            ));
        }
    }
    let locals = "(local i32)".repeat(depth);
    wat::parse_str(format!("(component (core module (memory 1) (func {locals} {body})))")).unwrap()
}

#[test]
fn a_component_is_compiled_to_code_on_standard_output() {
    let compiled = compile(&wat::parse_str("(component (core module (func)))").unwrap(), ROOM, 60);
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    assert!(compiled.stdout.starts_with(b"\x7fELF"));
}

#[test]
fn an_invalid_component_is_told_by_exit_code_65() {
    let refused = compile(b"\0asm\x0d\0\x01\0\xff\xff", ROOM, 60);
    assert_eq!(refused.status.code(), Some(65));
    assert!(refused.stdout.is_empty() && !refused.stderr.is_empty());
}

#[test]
fn a_component_that_takes_too_much_memory_ends_the_compiler() {
    let ended = compile(&bomb(400, 60), 96 << 20, 60);
    assert!(!ended.status.success() && ended.stdout.is_empty());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("memory allocation of") || said.contains("Cannot allocate memory"),
        "{}: {said}",
        ended.status
    );
}

#[test]
fn a_component_that_takes_too_much_time_ends_the_compiler() {
    use std::os::unix::process::ExitStatusExt;
    const SIGXCPU: i32 = 24;
    let ended = compile(&bomb(400, 400), ROOM, 1);
    assert_eq!(ended.status.signal(), Some(SIGXCPU), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// lambda-at-edge.md 13: what cannot be compiled is not published, and costs nobody else anything.
#[test]
fn a_bomb_that_a_reload_or_a_publish_brings_leaves_the_node_serving() {
    const CONFIG: &str = "[node]\ncompile = { memory = \"2 GB\", time = \"8 s\" }\n\
        [functions.f]\ncomponent = \"f.wasm\"\n[origins.demo]\nurl = \"builtin:demo\"\n[[distributions]]\n\
        domains = [\"*\"]\nbehaviors = [{ origin = \"demo\", viewer-request = \"f\" }]\n";
    let folder = Folder::new().with("rimward.toml", CONFIG).with("f.wasm", component("{ok}"));
    let node = Node::start(&folder);
    let http = node.http;
    let serves = || {
        let got = send(http, "GET / HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n");
        assert!(got.starts_with("HTTP/1.1 204 "), "{got}");
    };
    serves();
    // Nothing is left of it in the cache of compiled code.
    folder.write("f.wasm", bomb(400, 400));
    let done = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                serves();
                answered += 1;
            }
            answered
        });
        let reloaded = node.admin("POST", "/reload", "");
        done.store(true, Ordering::Relaxed);
        assert!(reloaded.contains("compiling it takes"), "{reloaded}");
        asking.join().unwrap()
    });
    assert!(answered > 1, "while the compiler was at it");
    serves();
    let admin = node.admin.to_string();
    folder.run(&["functions", "publish", "f", "f.wasm", "--admin", &admin]).expect(2).says("compiling it takes");
    serves();
    folder.write("two.wasm", component("{err}"));
    folder.run(&["functions", "publish", "f", "two.wasm", "--admin", &admin]).expect(0);
    assert!(node.get("/").starts_with("HTTP/1.1 503 "), "the next one that is sound is published");
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_command_is_not_for_people() {
    let help = Folder::new().run(&["--help"]).expect(0);
    assert!(!help.stdout.contains("compile-component"), "{}", help.stdout);
    Folder::new().run(&["compile-component"]).expect(2);
}
