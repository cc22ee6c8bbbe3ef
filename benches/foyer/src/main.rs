//! Our disk tier and foyer's hybrid cache (block engine) on the same work, in one run: `cargo run --release`, in this
//! folder. The numbers go to `benches/results/foyer.json`; `docs/design/why-our-own-disk-tier.md` says what they decide.
//!
//! Both have the same memory, write when something is stored, and read through the page cache of the system. What ours does
//! beside it, judging each request by the rules of HTTP and keeping variants, is in its numbers.

mod folder;
mod foyers;
mod objects;
mod ours;
mod tier;
mod work;

use rimward_benches::{Report, allocations};
use std::process::ExitCode;
use tier::Kind;

#[global_allocator]
static COUNTED: allocations::Counted = allocations::Counted;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn main() -> ExitCode {
    if let Some(child) = work::kill::Child::from_environment() {
        runtime().block_on(child.run());
        return ExitCode::SUCCESS;
    }
    let only = std::env::args().nth(1);
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut report = Report::new("foyer");
    for kind in [Kind::Ours, Kind::Foyer] {
        let runtime = runtime();
        runtime.block_on(async {
            if is_wanted("reads") {
                work::reads::run(&mut report, kind).await;
            }
            if is_wanted("index") {
                work::index::run(&mut report, kind).await;
            }
            if is_wanted("burst") {
                work::burst::run(&mut report, kind).await;
            }
            if is_wanted("damage") {
                work::damage::run(&mut report, kind).await;
            }
            if is_wanted("kill") {
                work::kill::run(&mut report, kind).await;
            }
            if is_wanted("large") {
                work::large::run(&mut report, kind).await;
            }
            if is_wanted("full") {
                work::full::run(&mut report, kind).await;
            }
        });
    }
    report.finish()
}
