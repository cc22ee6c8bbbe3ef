//! When a key set is loaded again.

use std::time::Duration;

/// First wait after a failed load; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// Longest wait after failed loads.
const LAST_RETRY: Duration = Duration::from_secs(300);
/// A token with an unknown key id asks for a fresh set, but not more often than this: such tokens can be made by anybody.
const EARLIEST: Duration = Duration::from_secs(30);

/// The rhythm of one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    every: Duration,
    failures: u32,
}

impl Schedule {
    /// Loads `every` so often while all goes well.
    pub fn new(every: Duration) -> Self {
        Self { every, failures: 0 }
    }

    /// Notes how a load ended.
    pub fn loaded(&mut self, well: bool) {
        self.failures = if well { 0 } else { self.failures.saturating_add(1) };
    }

    /// The wait until the next load.
    pub fn wait(&self) -> Duration {
        match self.failures {
            0 => self.every,
            n => FIRST_RETRY.saturating_mul(1 << (n - 1).min(16)).min(LAST_RETRY).min(self.every),
        }
    }

    /// The wait if a token has an unknown key id, counted from the last load as well.
    pub fn wait_when_missed(&self) -> Duration {
        self.wait().min(EARLIEST)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::time::Duration;

    #[test]
    fn failures_are_tried_again_soon_and_then_less_often() {
        let mut schedule = Schedule::new(Duration::from_secs(900));
        assert_eq!(schedule.wait(), Duration::from_secs(900));
        let mut waits = Vec::new();
        for _ in 0..8 {
            schedule.loaded(false);
            waits.push(schedule.wait().as_secs());
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        schedule.loaded(true);
        assert_eq!(schedule.wait(), Duration::from_secs(900));
    }

    #[test]
    fn an_unknown_key_brings_a_load_forward_but_not_at_once() {
        let schedule = Schedule::new(Duration::from_secs(900));
        assert_eq!(schedule.wait_when_missed(), Duration::from_secs(30));
        assert_eq!(Schedule::new(Duration::from_secs(10)).wait_when_missed(), Duration::from_secs(10));
    }
}
