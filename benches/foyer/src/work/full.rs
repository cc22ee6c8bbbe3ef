//! A disk that is full before the cache has what it may have. Needs the right to mount a file system in memory.

use crate::objects::{body, is_body, mixed_size, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::Report;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Four times of what the disk has.
const OBJECTS: usize = 3_000;
const AFTER: usize = 200;
/// Ours tries again what has failed after a second, then after two, and so on up to a minute.
const HEALING: Duration = Duration::from_secs(61);

fn mount(folder: &Path, options: &str) -> bool {
    let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder).status();
    done.is_ok_and(|status| status.success())
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    if !mount(folder.path(), "size=64m") {
        return eprintln!("full: not measured, since nothing can be mounted");
    }
    let _mounted = Mounted(folder.path());
    let sizes = Sizes { object: 2 << 20, ..Sizes::mb(16, 256) };
    let tier = Tier::open(kind, folder.path(), sizes).await;
    for n in 0..OBJECTS {
        tier.put(&url(n), None, body(n, 1, mixed_size(n))).await;
        if n % 32 == 0 {
            tier.settle().await;
        }
    }
    tier.settle().await;
    let (kept, wrong) = look(&tier, 0, OBJECTS).await;
    report.number(&format!("{name}/full-disk/objects-that-hit"), kept as f64);
    report.number(&format!("{name}/full-disk/served-wrong"), wrong as f64);
    // There is room again.
    assert!(mount(folder.path(), "remount,size=512m"), "it grows");
    tokio::time::sleep(HEALING).await;
    for n in OBJECTS..OBJECTS + AFTER {
        tier.put(&url(n), None, body(n, 1, mixed_size(n))).await;
        if n % 16 == 0 {
            tier.settle().await;
        }
    }
    tier.close().await;
    let tier = Tier::open(kind, folder.path(), sizes).await;
    tier.recovered().await;
    let (healed, wrong) = look(&tier, OBJECTS, OBJECTS + AFTER).await;
    report.number(&format!("{name}/full-disk/stored-of-200-when-there-is-room-again"), healed as f64);
    let (_, old) = look(&tier, 0, OBJECTS).await;
    report.number(&format!("{name}/full-disk/served-wrong-after-a-restart"), (wrong + old) as f64);
    tier.close().await;
}

async fn look(tier: &Tier, from: usize, to: usize) -> (usize, usize) {
    let (mut kept, mut wrong) = (0, 0);
    for n in from..to {
        match tier.get(&url(n)).await {
            Some(read) if is_body(&read, n, 1, mixed_size(n)) => kept += 1,
            Some(_) => wrong += 1,
            None => {}
        }
    }
    (kept, wrong)
}
