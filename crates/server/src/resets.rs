//! HTTP/2 streams that their viewer resets: how many are too many (CVE-2023-44487 and its kin).
//!
//! The HTTP/2 layer counts those that are reset before it has handed them over. One that is reset a moment later costs
//! the node a request all the same.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Streams that a viewer may reset within [`WINDOW`]: a proxy that has many viewers on one connection resets for each that leaves.
/// Who floods comes to thousands in a second.
pub(crate) const MOST: u32 = 1_000;
/// The time that counts; it slides by halves.
const WINDOW: Duration = Duration::from_secs(10);

/// The resets of one connection.
#[derive(Debug, Default)]
pub(crate) struct Resets(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    /// When the half that runs began.
    began: Option<Instant>,
    now: u32,
    before: u32,
}

impl Resets {
    /// Notes one at `now`, and says whether they are too many.
    pub(crate) fn note(&self, now: Instant) -> bool {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = halves.began.map_or(WINDOW, |began| now.saturating_duration_since(began));
        if passed >= WINDOW / 2 {
            halves.before = if passed < WINDOW { halves.now } else { 0 };
            halves.now = 0;
            halves.began = Some(now);
        }
        halves.now = halves.now.saturating_add(1);
        halves.now.saturating_add(halves.before) > MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_many(resets: &Resets, start: Instant, seconds: impl IntoIterator<Item = u64>) -> bool {
        seconds.into_iter().any(|at| resets.note(start + Duration::from_secs(at)))
    }

    #[test]
    fn a_thousand_streams_may_be_reset_and_no_more() {
        let (resets, start) = (Resets::default(), Instant::now());
        assert!(!too_many(&resets, start, (0..MOST.into()).map(|n| n / 250)));
        assert!(too_many(&resets, start, [4]));
    }

    #[test]
    fn rounds_of_two_hundred_each_second_are_too_many() {
        let (resets, start) = (Resets::default(), Instant::now());
        assert!(too_many(&resets, start, (0..2_000).map(|n| n / 200)));
    }

    #[test]
    fn what_lies_back_does_not_count() {
        let (resets, start) = (Resets::default(), Instant::now());
        // 100 a second would be.
        assert!(!too_many(&resets, start, (0..8000).map(|n| n / 80)));
        assert!(!too_many(&resets, start, std::iter::repeat_n(1000, 1000)));
    }
}
