//! One wrong byte in each of 200 places.

use super::fill;
use crate::folder::files;
use crate::objects::{Numbers, is_body, mixed_size, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::Report;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const OBJECTS: usize = 4_000;
const PLACES: usize = 200;

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    let sizes = Sizes::mb(64, 512);
    let tier = Tier::open(kind, folder.path(), sizes).await;
    fill(&tier, 0, OBJECTS).await;
    tier.close().await;
    damage(folder.path());
    let tier = Tier::open(kind, folder.path(), sizes).await;
    tier.recovered().await;
    let (mut lost, mut wrong) = (0, 0);
    for n in 0..OBJECTS {
        match tier.get(&url(n)).await {
            None => lost += 1,
            Some(read) if !is_body(&read, n, 1, mixed_size(n)) => wrong += 1,
            Some(_) => {}
        }
    }
    report.number(&format!("{name}/200-wrong-bytes/lost"), f64::from(lost));
    report.number(&format!("{name}/200-wrong-bytes/served-wrong"), f64::from(wrong));
    tier.close().await;
}

/// Turns a byte round at places all over what is written; holes are passed by.
fn damage(folder: &Path) {
    let files: Vec<(File, u64)> = files(folder)
        .into_iter()
        .filter_map(|path| {
            let file = File::options().read(true).write(true).open(path).ok()?;
            let length = file.metadata().ok()?.len();
            (length > 100).then_some((file, length))
        })
        .collect();
    let total: u64 = files.iter().map(|(_, length)| length).sum();
    let mut numbers = Numbers(9);
    let mut done = 0;
    while done < PLACES {
        let mut at = numbers.next() % total;
        for (file, length) in &files {
            if at >= *length {
                at -= length;
                continue;
            }
            let mut around = [0; 64];
            let from = at.saturating_sub(32).min(length - 64);
            file.read_exact_at(&mut around, from).expect("a read");
            if around.iter().all(|byte| *byte == 0) {
                break;
            }
            file.write_all_at(&[!around[(at - from) as usize]], at).expect("a write");
            done += 1;
            break;
        }
    }
}
