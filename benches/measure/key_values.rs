//! What it costs to read and to write a full key value store.

use rimward_benches::{Report, Samples, time_each};
use rimward_kv::pairs::MAX_STORE;
use rimward_kv::{Batch, IfMatch, Pairs, Stores};
use rimward_types::Timestamp;
use std::hint::black_box;
use std::process::ExitCode;

/// Pairs of 140 bytes: the store has nearly 5 MB.
const PAIRS: usize = 37_000;
/// Reads between two looks at the clock, which costs as much as a read.
const READS: usize = 1000;

fn main() -> ExitCode {
    let folder = std::env::temp_dir().join(format!("rimward-bench-stores-{}", std::process::id()));
    let stores = Stores::new(&folder);
    let now = Timestamp::from_secs(1);
    let store = stores.open("full", MAX_STORE, now).expect("a store");
    let value = "v".repeat(130);
    let keys: Vec<String> = (0..PAIRS).map(|n| format!("key-{n:06}")).collect();
    let pairs = Pairs::try_from_iter(MAX_STORE, keys.iter().map(|key| (key, &value))).expect("pairs that fit");
    store.replace(pairs, &IfMatch::Any, now).expect("an import");

    let mut report = Report::new("key-values");
    let mut at = 0;
    let mut each = Samples::default();
    for _ in 0..200 {
        let many = time_each(10, || {
            let seen = store.snapshot();
            for _ in 0..READS {
                at = (at + 7919) % PAIRS;
                black_box(seen.get(&keys[at]));
            }
        });
        each.push(many.percentile(0.5) / READS as f64);
    }
    report.times("read", &each);
    let mut n = 0;
    let writes = time_each(100, || {
        n += 1;
        store.update(&Batch::put(&keys[n % PAIRS], "new"), &IfMatch::Any, now).expect("a write");
    });
    report.times("write", &writes);
    drop(store);
    drop(stores);
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        eprintln!("{}: {error}", folder.display());
    }
    report.finish()
}
