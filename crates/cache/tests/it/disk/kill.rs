//! A node that is killed: the test starts itself again as a child, and kills it in the middle of its work.

use crate::play::{Origin, Play, START, answers, get};
use rimward_cache::{Cache, DiskOptions, Options, Purge, Rules};
use rimward_types::{ByteSize, TestClock};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const FOLDER: &str = "RIMWARD_TEST_KILLED_CACHE";

fn open(folder: &Path) -> Play {
    let clock = TestClock::at(START);
    let disk = Some(DiskOptions::new(folder, ByteSize::mb(64)));
    let options = Options { memory: ByteSize::mb(8), disk, ..Options::default() };
    let cache = Cache::open(options, Arc::new(clock.clone())).unwrap();
    Play { cache, clock, rules: Arc::new(Rules::default()) }
}

fn body(n: usize) -> &'static str {
    format!("body {n} ").repeat(n % 5000).leak()
}

/// The child's work: stores, tells what is promised, purges some of it, tells that too, and goes on until it is killed.
#[tokio::test]
async fn child_that_works_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let play = open(Path::new(&folder));
    for n in 0.. {
        let url = format!("/{n}");
        play.get(&url, answers(200, super::stage::FRESH, body(n))).await;
        play.hit(&url).await;
        if n % 7 == 0 {
            play.cache.settle();
            println!("promised {n}");
        }
        if n % 7 == 3 {
            play.cache.purge(&Purge::Url { distribution: "E1".into(), url: format!("/{}", n - 3) });
            play.cache.confirm();
            println!("purged {}", n - 3);
        }
    }
}

#[tokio::test]
async fn a_killed_node_loses_nothing_that_was_promised_and_brings_nothing_back() {
    let folder = tempfile::TempDir::new().unwrap();
    for round in 1..=3 {
        std::fs::remove_dir_all(folder.path()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "disk::kill::child_that_works_until_it_is_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut promised, mut purged) = (Vec::new(), Vec::new());
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            match line.unwrap().split_once(' ') {
                Some(("promised", n)) => promised.push(n.parse::<usize>().unwrap()),
                Some(("purged", n)) => purged.push(n.parse::<usize>().unwrap()),
                _ => {}
            }
            if promised.len() == round * 10 {
                // SIGKILL, in the middle of the next answers.
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        let play = open(folder.path());
        play.cache.settle();
        assert_eq!(play.cache.usage().disk.unwrap().damaged, 0);
        for n in 0..promised.len() * 7 + 100 {
            let seen = play.ask(get(&format!("/{n}"), &[]), Origin::IsAway).await;
            if seen.head.status == 200 {
                assert_eq!(seen.body, body(n), "/{n} is what was stored");
                assert!(!purged.contains(&n), "/{n} was purged");
            } else {
                // The last one may have been purged without our having read so.
                let is_last = promised.last() == Some(&n);
                assert!(!promised.contains(&n) || purged.contains(&n) || is_last, "/{n} was promised");
            }
        }
    }
}
