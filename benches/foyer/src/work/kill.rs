//! SIGKILL in the middle of storing, removing and replacing: what was promised, and what was not.

use crate::objects::{body, is_body, mixed_size, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::Report;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const ROUNDS: usize = 10;
const KIND: &str = "BESIDE_FOYER_KIND";
const FOLDER: &str = "BESIDE_FOYER_FOLDER";

fn sizes() -> Sizes {
    Sizes::mb(64, 2048)
}

/// The process that is killed.
pub struct Child {
    kind: Kind,
    folder: PathBuf,
}

/// What the child has said to be on the disk, or gone from it.
#[derive(Debug, Clone, Copy)]
enum Told {
    Stored(u64),
    Removed,
}

impl Child {
    pub fn from_environment() -> Option<Self> {
        let kind = if std::env::var(KIND).ok()? == "foyer" { Kind::Foyer } else { Kind::Ours };
        Some(Self { kind, folder: std::env::var_os(FOLDER)?.into() })
    }

    /// Works until it is killed, and tells what is done.
    pub async fn run(self) {
        let tier = Tier::open(self.kind, &self.folder, sizes()).await;
        for n in 0.. {
            tier.put(&url(n), None, body(n, 1, mixed_size(n))).await;
            match n % 10 {
                4 => {
                    tier.settle().await;
                    (n - 4..=n).for_each(|n| println!("stored {n} 1"));
                }
                7 => {
                    tier.remove(&url(n - 5)).await;
                    tier.settle().await;
                    println!("removed {}", n - 5);
                }
                9 => {
                    // Replaced: what was there must not be seen again.
                    tier.remove(&url(n - 6)).await;
                    tier.put(&url(n - 6), None, body(n - 6, 2, mixed_size(n - 6))).await;
                    tier.settle().await;
                    println!("stored {} 2", n - 6);
                }
                _ => {}
            }
        }
    }
}

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let (mut promised, mut lost, mut back, mut wrong) = (0, 0, 0, 0);
    for round in 0..ROUNDS {
        let folder = tempfile::TempDir::new_in(".").expect("a folder");
        let (told, last) = work_and_kill(kind, folder.path().to_owned(), 200 + 97 * round);
        let tier = Tier::open(kind, folder.path(), sizes()).await;
        tier.recovered().await;
        // What came after the last word is neither promised nor wrong.
        for n in 0..last + 100 {
            let size = mixed_size(n);
            match (told.get(&n), tier.get(&url(n)).await) {
                (Some(Told::Stored(_)), None) => lost += 1,
                (Some(Told::Removed), Some(_)) => back += 1,
                (Some(Told::Stored(2)), Some(read)) if is_body(&read, n, 1, size) => back += 1,
                (_, Some(read)) if !is_body(&read, n, 1, size) && !is_body(&read, n, 2, size) => wrong += 1,
                _ => {}
            }
        }
        promised += told.values().filter(|told| matches!(told, Told::Stored(_))).count();
        tier.close().await;
    }
    report.number(&format!("{name}/killed/promised"), promised as f64);
    report.number(&format!("{name}/killed/lost"), f64::from(lost));
    report.number(&format!("{name}/killed/came-back"), f64::from(back));
    report.number(&format!("{name}/killed/invented"), f64::from(wrong));
}

/// Kills the child after so many words. Objects whose fate was being changed when it died are left out.
fn work_and_kill(kind: Kind, folder: PathBuf, words: usize) -> (HashMap<usize, Told>, usize) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(KIND, kind.name())
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut told = HashMap::new();
    let mut last = 0;
    let lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    for (count, line) in lines.map_while(Result::ok).enumerate() {
        let mut parts = line.split(' ');
        let (verb, n) = (parts.next(), parts.next().and_then(|n| n.parse::<usize>().ok()));
        let version = parts.next().and_then(|version| version.parse().ok());
        match (verb, n, version) {
            (Some("stored"), Some(n), Some(version)) => told.insert(n, Told::Stored(version)),
            (Some("removed"), Some(n), _) => told.insert(n, Told::Removed),
            _ => None,
        };
        last = last.max(n.unwrap_or(0));
        if count == words {
            break;
        }
    }
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    // The next words may have been on their way.
    for n in last.saturating_sub(12)..=last {
        told.remove(&n);
    }
    (told, last)
}
