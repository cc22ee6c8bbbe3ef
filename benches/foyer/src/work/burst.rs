//! Objects that come faster than the disk is waited for: what is kept, and what is let go without a word.

use crate::objects::{body, mixed_size, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::{Report, Samples};
use std::time::Instant;

const OBJECTS: usize = 5_000;

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    let sizes = Sizes::mb(64, 4096);
    let tier = Tier::open(kind, folder.path(), sizes).await;
    let mut puts = Samples::default();
    for n in 0..OBJECTS {
        let (url, body) = (url(n), body(n, 1, mixed_size(n)));
        let start = Instant::now();
        tier.put(&url, None, body).await;
        puts.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    tier.close().await;
    let tier = Tier::open(kind, folder.path(), sizes).await;
    tier.recovered().await;
    let mut kept = 0;
    for n in 0..OBJECTS {
        kept += usize::from(tier.get(&url(n)).await.is_some());
    }
    report.times(&format!("{name}/burst/put"), &puts);
    report.number(&format!("{name}/burst/kept-percent"), kept as f64 / OBJECTS as f64 * 100.0);
    tier.close().await;
}
