//! The time limit of one run.
//!
//! The epoch counts wall time for the whole process. When a run reaches its tick, the thread's processor time decides:
//! a thread that had to wait for a processor goes on, up to a cap in wall time.

use crate::thread_clock::processor_time;
use crate::ticker::PERIOD;
use std::time::{Duration, Instant};

/// Wall time that a run may take in any case, however long it waited for a processor.
const WALL_FLOOR: Duration = Duration::from_millis(100);
/// Wall time that a run may take, in multiples of its limit.
const WALL_FACTOR: u32 = 10;

/// What is left to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again after so many ticks.
    Continue(u64),
    /// The limit is reached.
    Spent,
}

/// The time of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    limit: Duration,
    started: Instant,
    processor_at_start: Duration,
}

impl Budget {
    /// Starts now.
    pub(crate) fn start(limit: Duration) -> Self {
        Self { limit, started: Instant::now(), processor_at_start: processor_time() }
    }

    /// The limit.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Ticks after which the limit may be reached.
    pub(crate) fn first_ticks(&self) -> u64 {
        ticks(self.limit)
    }

    /// Decides whether the run goes on. Must be called on the thread that runs.
    pub(crate) fn verdict(&self) -> Verdict {
        let processor = || processor_time().saturating_sub(self.processor_at_start);
        decide(self.limit, self.started.elapsed(), processor)
    }

    /// Time used so far: wall time, and the thread's processor time once that makes a difference.
    pub(crate) fn used(&self) -> Duration {
        let wall = self.started.elapsed();
        // Below half of the limit nobody asks whether some of it was waiting, and the call is spared.
        if wall < self.limit / 2 { wall } else { wall.min(processor_time().saturating_sub(self.processor_at_start)) }
    }
}

/// Ticks until `time` has passed, at least one.
fn ticks(time: Duration) -> u64 {
    let ticks = time.as_nanos().div_ceil(PERIOD.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).max(1)
}

fn decide(limit: Duration, wall: Duration, processor: impl FnOnce() -> Duration) -> Verdict {
    if wall < limit {
        return Verdict::Continue(ticks(limit - wall));
    }
    if wall >= (limit * WALL_FACTOR).max(WALL_FLOOR) {
        return Verdict::Spent;
    }
    match limit.checked_sub(processor()) {
        None | Some(Duration::ZERO) => Verdict::Spent,
        Some(left) => Verdict::Continue(ticks(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, WALL_FLOOR, decide};
    use crate::ticker::PERIOD;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_millis(1);

    #[test]
    fn a_run_within_its_limit_goes_on_without_a_look_at_the_processor_clock() {
        let verdict = decide(LIMIT, Duration::from_micros(990), || panic!("not needed"));
        assert_eq!(verdict, Verdict::Continue(1));
    }

    #[test]
    fn a_run_that_used_its_processor_time_ends() {
        assert_eq!(decide(LIMIT, LIMIT, || LIMIT), Verdict::Spent);
        assert_eq!(decide(LIMIT, 2 * LIMIT, || LIMIT), Verdict::Spent);
    }

    #[test]
    fn a_run_that_waited_for_a_processor_gets_its_time() {
        assert_eq!(decide(LIMIT, 9 * LIMIT, || LIMIT / 2), Verdict::Continue(2));
        assert_eq!(decide(LIMIT, 9 * LIMIT, || LIMIT - Duration::from_nanos(1)), Verdict::Continue(1));
    }

    #[test]
    fn no_run_waits_forever() {
        assert_eq!(decide(LIMIT, WALL_FLOOR, || Duration::ZERO), Verdict::Spent);
    }

    #[test]
    fn the_usual_limit_ends_within_twice_its_time() {
        // Looked at up to one period after the limit, then once more after what was left.
        assert!(LIMIT + 2 * PERIOD < 2 * LIMIT);
    }
}
