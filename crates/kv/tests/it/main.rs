//! Stores on disk.

#![allow(clippy::unwrap_used)]

mod kill;
mod model;
mod seeds;
mod writes;

use rimward_kv::{Store, Stores};
use rimward_types::{ByteSize, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// Opens a store of a folder, as a node that has just started does.
fn open(folder: &Path) -> Arc<Store> {
    Stores::new(folder).open("s", ByteSize::mb(5), Timestamp::from_secs(1)).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}
