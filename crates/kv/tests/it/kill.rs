//! A process that is killed while it writes.

use crate::{at, open};
use rimward_kv::{Batch, IfMatch};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const FOLDER: &str = "RIMWARD_KV_KILL_TEST";

/// What the child does: batches of two keys, each told once it is written. Without the variable it does nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(folder.as_ref());
    let started: u64 = store.get("one").map_or(0, |value| value.parse().unwrap());
    for n in started + 1.. {
        let n = n.to_string();
        let batch = Batch::try_new([("one", &n), ("other", &n)], []).unwrap();
        store.update(&batch, &IfMatch::Any, at(2)).unwrap();
        println!("written {n}");
    }
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9_and_batches_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut lines = lines.filter_map(|line| line.split_once("written ").and_then(|(_, n)| n.parse::<u64>().ok()));
        let acknowledged = lines.by_ref().nth(round * 3).unwrap();
        child.kill().unwrap();
        // What it said between the last line that was read and its end counts too.
        let acknowledged = lines.last().unwrap_or(acknowledged);
        child.wait().unwrap();

        let store = open(folder.path());
        let (one, other) = (store.get("one").unwrap(), store.get("other").unwrap());
        assert_eq!(one, other, "a batch is there as a whole or not at all");
        assert!(one.parse::<u64>().unwrap() >= acknowledged, "{one} after {acknowledged} was acknowledged");
    }
}
