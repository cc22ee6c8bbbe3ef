//! `rimward compile-component`: the child in which a node compiles components of strangers. Its walls are its own; what
//! the node makes of its end is tested in the sandbox.

use crate::support::{Folder, rimward};
use std::io::Write;
use std::process::{Output, Stdio};

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

#[test]
fn the_command_is_not_for_people() {
    let help = Folder::new().run(&["--help"]).expect(0);
    assert!(!help.stdout.contains("compile-component"), "{}", help.stdout);
    Folder::new().run(&["compile-component"]).expect(2);
}
