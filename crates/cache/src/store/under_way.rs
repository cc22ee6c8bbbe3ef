//! Purges that have begun and not ended. They go from shard to shard: what moves from one to another meanwhile may be
//! missed by them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many purges are under way.
#[derive(Default)]
pub(super) struct UnderWay(AtomicUsize);

/// One of them, until it is dropped.
pub(crate) struct Purging<'a>(&'a UnderWay);

impl UnderWay {
    pub(super) fn begin(&self) -> Purging<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Purging(self)
    }

    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Purging<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
