//! Fetches that no viewer waits for: how many may go on, and how many were given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bodies that nobody reads and that go on arriving, for the cache alone. A viewer can leave as many behind as it likes.
const MOST_BODIES: usize = 64;
/// Refreshes of what is served stale that wait for their head.
const MOST_REFRESHES: usize = 256;

/// Fetches that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    bodies: Arc<AtomicUsize>,
    refreshes: Arc<AtomicUsize>,
    given_up: AtomicU64,
}

/// The place of one such fetch; given back when dropped.
#[derive(Debug)]
pub struct Unattended(Arc<AtomicUsize>);

impl Tally {
    /// A place for a body, if there is one.
    pub(crate) fn body(&self) -> Option<Unattended> {
        Unattended::take(&self.bodies, MOST_BODIES)
    }

    /// A place for a refresh, if there is one.
    pub(crate) fn refresh(&self) -> Option<Unattended> {
        Unattended::take(&self.refreshes, MOST_REFRESHES)
    }

    /// Counts one that ended because nobody waited for it.
    pub(crate) fn give_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }
}

impl Unattended {
    fn take(count: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(count.clone());
        (count.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Unattended {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let tally = Tally::default();
        let mut places: Vec<_> = (0..MOST_BODIES).map(|_| tally.body()).collect();
        assert!(places.iter().all(Option::is_some) && tally.body().is_none());
        assert!(tally.refresh().is_some(), "refreshes have places of their own");
        places.pop();
        assert!(tally.body().is_some());
    }
}
