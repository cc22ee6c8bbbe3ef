//! Many small objects: what each takes in memory while it is on disk alone, a purge of every tenth of them, and what a
//! restart brings back.

use crate::objects::{body, url};
use crate::tier::{Kind, Sizes, Tier};
use rimward_benches::{Report, allocations};
use std::time::Instant;

const OBJECTS: usize = 100_000;
const SIZE: usize = 1_000;
/// The index of ours may have a quarter of the memory.
const SIZES: Sizes = Sizes { memory: 1 << 30, disk: 2 << 30, object: 8 << 20 };
const EVERY: usize = 10;

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    // What is there without any object.
    let before = allocations::held();
    let tier = Tier::open(kind, folder.path(), SIZES).await;
    tier.recovered().await;
    let empty = allocations::held() - before;
    report.number(&format!("{name}/index/mb-without-objects"), empty as f64 / 1e6);
    for n in 0..OBJECTS {
        tier.put(&url(n), n.is_multiple_of(EVERY).then_some("news"), body(n, 1, SIZE)).await;
        if n % 64 == 0 {
            tier.settle().await;
        }
    }
    tier.close().await;

    let before = allocations::held();
    let start = Instant::now();
    let tier = Tier::open(kind, folder.path(), SIZES).await;
    report.number(&format!("{name}/index/restart/takes-requests-ms"), start.elapsed().as_micros() as f64 / 1000.0);
    tier.recovered().await;
    report.number(&format!("{name}/index/restart/knows-all-ms"), start.elapsed().as_micros() as f64 / 1000.0);
    let held = (allocations::held() - before).saturating_sub(empty);
    report.number(&format!("{name}/index/bytes-each"), held as f64 / OBJECTS as f64);

    // foyer knows no tags: it is told each key by a list that somebody else would have to keep.
    let start = Instant::now();
    match &tier {
        Tier::Ours(ours) => assert!(ours.purge_tag("news") > 0),
        Tier::Foyer(foyer) => {
            (0..OBJECTS).step_by(EVERY).for_each(|n| foyer.remove(&url(n)));
            foyer.settle().await;
        }
    }
    report.number(&format!("{name}/purge-of-10000/ms"), start.elapsed().as_micros() as f64 / 1000.0);
    tier.close().await;

    let tier = Tier::open(kind, folder.path(), SIZES).await;
    tier.recovered().await;
    let (mut back, mut lost) = (0, 0);
    for n in 0..OBJECTS {
        match (tier.get(&url(n)).await, n.is_multiple_of(EVERY)) {
            (Some(_), true) => back += 1,
            (None, false) => lost += 1,
            _ => {}
        }
    }
    report.number(&format!("{name}/purge-of-10000/came-back"), f64::from(back));
    report.number(&format!("{name}/purge-of-10000/lost-beside-it"), f64::from(lost));
    tier.close().await;
}
