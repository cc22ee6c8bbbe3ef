//! Lines of the log that others could make at will: one at a time, with how many there were.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines.
const REST: Duration = Duration::from_secs(10);

/// Counts what happens, and says now and then that it is to be told.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    /// Since it was told.
    untold: u64,
}

impl Seldom {
    /// Nothing has happened yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { told: None, untold: 0 }))
    }

    /// Notes that it happened at `now`. Gives how often it did since it was told last, this time included, where that was
    /// 10 s ago or more.
    pub fn note(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.untold += 1;
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < REST) {
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_with_their_number() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        let told: Vec<_> = [0, 1, 9_999, 10_000, 10_001, 50_000]
            .into_iter()
            .map(|millis| seldom.note(start + Duration::from_millis(millis)))
            .collect();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
