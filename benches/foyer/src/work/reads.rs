//! Filling far beyond memory, a restart, and hits that come from the disk.

use super::fill;
use crate::folder::{cpu_us, forget, taken};
use crate::objects::{Numbers, is_body, mixed_size, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::{Report, Samples};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// 1.6 GB.
const OBJECTS: usize = 20_000;
const SIZES: Sizes = Sizes { memory: 64 << 20, disk: 4 << 30, object: 8 << 20 };
/// Viewers at once.
const VIEWERS: usize = 32;

pub async fn run(report: &mut Report, kind: Kind) {
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    let name = kind.name();
    let tier = Tier::open(kind, folder.path(), SIZES).await;
    let (before, start) = (cpu_us(), Instant::now());
    fill(&tier, 0, OBJECTS).await;
    report.number(&format!("{name}/fill/us-of-cpu-each"), (cpu_us() - before) / OBJECTS as f64);
    report.number(&format!("{name}/fill/us-each"), start.elapsed().as_micros() as f64 / OBJECTS as f64);
    let bytes: usize = (0..OBJECTS).map(mixed_size).sum();
    report.number(&format!("{name}/fill/bytes-on-disk-for-each-stored"), taken(folder.path()) as f64 / bytes as f64);
    tier.close().await;

    for state in ["warm", "cold"] {
        if state == "cold" {
            forget(folder.path());
        }
        let tier = reopen(report, kind, folder.path(), state).await;
        one_after_the_other(report, &tier, &format!("{name}/{state}-hit")).await;
        tier.close().await;
    }
    let tier = Tier::open(kind, folder.path(), SIZES).await;
    tier.recovered().await;
    many_at_once(report, tier, &format!("{name}/warm-hits-of-{VIEWERS}")).await;
}

async fn reopen(report: &mut Report, kind: Kind, folder: &Path, state: &str) -> Tier {
    let name = kind.name();
    let start = Instant::now();
    let tier = Tier::open(kind, folder, SIZES).await;
    report.number(&format!("{name}/restart/{state}/takes-requests-ms"), start.elapsed().as_micros() as f64 / 1000.0);
    tier.recovered().await;
    report.number(&format!("{name}/restart/{state}/knows-all-ms"), start.elapsed().as_micros() as f64 / 1000.0);
    tier
}

/// Each object once, in no order: nothing that is asked for is in memory.
async fn one_after_the_other(report: &mut Report, tier: &Tier, name: &str) {
    let mut order: Vec<usize> = (0..OBJECTS).collect();
    Numbers(1).shuffle(&mut order);
    let mut classes = [Samples::default(), Samples::default(), Samples::default()];
    let (mut lost, mut wrong, mut used) = (0, 0, 0.0);
    for n in order {
        let (size, before, start) = (mixed_size(n), cpu_us(), Instant::now());
        let read = tier.get(&url(n)).await;
        let time = start.elapsed().as_nanos() as f64 / 1000.0;
        used += cpu_us() - before;
        match read {
            None => {
                eprintln!("{name}: object {n} of {size} bytes is lost");
                lost += 1;
            }
            Some(read) if !is_body(&read, n, 1, size) => wrong += 1,
            Some(_) => {
                let class = usize::from(size > 10_000) + usize::from(size > 200_000);
                classes[class].push(time);
            }
        }
    }
    for (class, samples) in ["up-to-10-kb", "up-to-200-kb", "up-to-2-mb"].iter().zip(&classes) {
        report.times(&format!("{name}/{class}"), samples);
    }
    report.number(&format!("{name}/us-of-cpu-each"), used / OBJECTS as f64);
    report.number(&format!("{name}/lost"), f64::from(lost));
    report.number(&format!("{name}/wrong"), f64::from(wrong));
}

async fn many_at_once(report: &mut Report, tier: Tier, name: &str) {
    let tier = Arc::new(tier);
    let (before, start) = (cpu_us(), Instant::now());
    let viewers: Vec<_> = (0..VIEWERS)
        .map(|viewer| {
            let tier = tier.clone();
            tokio::spawn(async move {
                let mut times = Samples::default();
                let mut mine: Vec<usize> = (0..OBJECTS).filter(|n| n % VIEWERS == viewer).collect();
                Numbers(viewer as u64).shuffle(&mut mine);
                for n in mine {
                    let start = Instant::now();
                    if tier.get(&url(n)).await.is_some() {
                        times.push(start.elapsed().as_nanos() as f64 / 1000.0);
                    }
                }
                times
            })
        })
        .collect();
    let mut times = Samples::default();
    for viewer in viewers {
        times = times.and(viewer.await.expect("a viewer"));
    }
    report.number(&format!("{name}/us-of-cpu-each"), (cpu_us() - before) / OBJECTS as f64);
    report.number(&format!("{name}/us-each"), start.elapsed().as_micros() as f64 / OBJECTS as f64);
    report.times(name, &times);
}
