//! Throttling of one version of a function that keeps running past its time limit (`cloudfront-functions.md` section 6).
//!
//! The vendor does not publish its thresholds and keeps the state for minutes after a fix. Here it belongs to the version: runs that
//! were ended for their time throttle it for [`PENALTY`] when there were [`MIN_OVERRUNS`] of them within [`WINDOW`], at least half of all
//! runs in it, and they cost more than [`MAX_LOSS`] together. Meanwhile it does not run, and costs nothing. A publish, and a reload that
//! brings other code, begin anew.
//!
//! The cost counts because throttling is there for the node's processors. Who finds a request that a function is slow on could
//! otherwise switch it off for everybody with ten of them.

use rimward_types::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Overruns that it takes, at least.
pub const MIN_OVERRUNS: u64 = 10;
/// Processor time that overruns may cost in a window: a twentieth of one processor.
pub const MAX_LOSS: Duration = Duration::from_millis(500);
/// Time within which they count.
pub const WINDOW: Duration = Duration::from_secs(10);
/// How long a version is throttled.
pub const PENALTY: Duration = Duration::from_secs(30);

/// The state of one version.
#[derive(Debug, Default)]
pub struct Throttle {
    /// Milliseconds since the epoch until which it is throttled; 0 when it is not.
    until: AtomicU64,
    /// Whether overruns were seen lately, so that other runs count too. A function that keeps to its limit pays one
    /// read for it.
    watching: AtomicBool,
    /// Runs within the limit since the window began.
    within: AtomicU64,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    began: Timestamp,
    overruns: u64,
    lost: Duration,
}

impl Throttle {
    /// Until when it is throttled; `None` when it may run.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp::from_millis(self.until.load(Ordering::Relaxed));
        (now < until).then_some(until)
    }

    /// Notes a run that kept to its limit, whatever else came of it.
    pub(crate) fn ran_within(&self) {
        if self.watching.load(Ordering::Relaxed) {
            self.within.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes a run that was ended for its time after `cost` of processor time. Whether the version is throttled from now on.
    pub(crate) fn ran_over(&self, now: Timestamp, cost: Duration) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.overruns == 0 || now.since(window.began) > WINDOW {
            *window = Window { began: now, ..Window::default() };
            self.within.store(0, Ordering::Relaxed);
            self.watching.store(true, Ordering::Relaxed);
        }
        window.overruns += 1;
        window.lost += cost;
        let within = self.within.load(Ordering::Relaxed);
        if window.overruns < MIN_OVERRUNS || window.overruns < within || window.lost <= MAX_LOSS {
            return false;
        }
        *window = Window::default();
        self.watching.store(false, Ordering::Relaxed);
        self.until.store(now.plus(PENALTY).as_millis(), Ordering::Relaxed);
        true
    }

    /// Begins anew.
    pub(crate) fn clear(&self) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        *window = Window::default();
        self.watching.store(false, Ordering::Relaxed);
        self.until.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than a tenth of what may be lost.
    const COST: Duration = Duration::from_millis(51);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    #[test]
    fn section_6_a_version_that_keeps_running_over_is_throttled_for_a_while() {
        let throttle = Throttle::default();
        for n in 1..MIN_OVERRUNS {
            assert!(!throttle.ran_over(at(n), COST));
            assert_eq!(throttle.until(at(n)), None);
        }
        assert!(throttle.ran_over(at(10), COST));
        assert_eq!(throttle.until(at(11)), Some(at(10).plus(PENALTY)));
        assert_eq!(throttle.until(at(10).plus(PENALTY)), None, "it gets another chance");
        assert!(!throttle.ran_over(at(10).plus(PENALTY), COST), "and has to fail as often again");
    }

    #[test]
    fn a_few_overruns_among_many_good_runs_do_not_throttle() {
        let throttle = Throttle::default();
        for n in 0..1000 {
            assert!(!throttle.ran_over(at(n), COST));
            throttle.ran_within();
            throttle.ran_within();
        }
    }

    #[test]
    fn overruns_that_cost_the_node_little_do_not_throttle() {
        let throttle = Throttle::default();
        for n in 0..250 {
            assert!(!throttle.ran_over(at(n), Duration::from_millis(2)), "{n}");
        }
        assert!(throttle.ran_over(at(250), Duration::from_millis(2)), "past a twentieth of a processor");
    }

    #[test]
    fn overruns_that_are_far_apart_do_not_throttle() {
        let throttle = Throttle::default();
        for n in 0..100 {
            assert!(!throttle.ran_over(at(n * 2_000), COST));
        }
    }

    #[test]
    fn clearing_lets_it_run_at_once() {
        let throttle = Throttle::default();
        for n in 0..MIN_OVERRUNS {
            throttle.ran_over(at(n), COST);
        }
        assert!(throttle.until(at(20)).is_some());
        throttle.clear();
        assert_eq!(throttle.until(at(20)), None);
    }
}
