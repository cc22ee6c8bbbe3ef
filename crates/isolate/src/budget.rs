//! The time limit of one run.
//!
//! The epoch counts wall time for the whole process. When a run has reached its limit in wall time, the thread's processor time decides:
//! a thread that had to wait for a processor goes on, up to a cap in wall time.
//!
//! Reading that clock is a call of the kernel, which costs a short run a twentieth of its time. So only runs of functions that were slow
//! before read it when they begin. The others read it at the first look of the ticker, and what they used until then is not counted
//! against them: that is less than a limit, so that such a run ends within twice its limit at the latest, and the next one is exact.

use crate::thread_clock::processor_time;
use std::time::{Duration, Instant};

/// Wall time that a run may take in any case, however long it waited for a processor.
const WALL_FLOOR: Duration = Duration::from_millis(100);
/// Wall time that a run may take, in multiples of its limit.
const WALL_FACTOR: u32 = 10;
/// Share of the limit from which a run counts as slow.
const SLOW: u32 = 8;

/// What is left to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again at the next tick.
    Continue,
    /// The limit is reached.
    Spent,
}

/// From when on a run's processor time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// From its beginning.
    Begin,
    /// From the first look of the ticker.
    FirstLook,
}

/// The time of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    limit: Duration,
    started: Instant,
    processor: Option<Duration>,
}

impl Budget {
    /// Starts now.
    pub(crate) fn start(limit: Duration, counting: Counting) -> Self {
        let processor = match counting {
            Counting::Begin => Some(processor_time()),
            Counting::FirstLook => None,
        };
        Self { limit, started: Instant::now(), processor }
    }

    /// The limit.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Decides whether the run goes on. Must be called on the thread that runs.
    pub(crate) fn verdict(&mut self) -> Verdict {
        let since = *self.processor.get_or_insert_with(processor_time);
        decide(self.limit, self.started.elapsed(), || processor_time().saturating_sub(since))
    }

    /// Time used so far: wall time, and the thread's processor time once that makes a difference and is known.
    pub(crate) fn used(&self) -> Duration {
        let wall = self.started.elapsed();
        match self.processor {
            // Below half of the limit nobody asks whether some of it was waiting, and the call is spared.
            Some(since) if wall >= self.limit / 2 => wall.min(processor_time().saturating_sub(since)),
            _ => wall,
        }
    }

    /// Whether a run that took `time` was slow, so that the next one is counted from its beginning.
    pub(crate) fn is_slow(&self, time: Duration) -> bool {
        time >= self.limit / SLOW
    }
}

fn decide(limit: Duration, wall: Duration, processor: impl FnOnce() -> Duration) -> Verdict {
    let spent = wall >= limit && (wall >= (limit * WALL_FACTOR).max(WALL_FLOOR) || processor() >= limit);
    if spent { Verdict::Spent } else { Verdict::Continue }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Counting, Verdict, WALL_FLOOR, decide};
    use crate::ticker::Pace;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_millis(1);

    #[test]
    fn a_run_within_its_limit_goes_on_without_a_look_at_the_processor_clock() {
        assert_eq!(decide(LIMIT, Duration::from_micros(990), || panic!("not needed")), Verdict::Continue);
    }

    #[test]
    fn a_run_that_used_its_processor_time_ends() {
        assert_eq!(decide(LIMIT, LIMIT, || LIMIT), Verdict::Spent);
        assert_eq!(decide(LIMIT, 2 * LIMIT, || LIMIT), Verdict::Spent);
    }

    #[test]
    fn a_run_that_waited_for_a_processor_gets_its_time() {
        assert_eq!(decide(LIMIT, 9 * LIMIT, || LIMIT / 2), Verdict::Continue);
        assert_eq!(decide(LIMIT, 9 * LIMIT, || LIMIT - Duration::from_nanos(1)), Verdict::Continue);
    }

    #[test]
    fn no_run_waits_forever() {
        assert_eq!(decide(LIMIT, WALL_FLOOR, || Duration::ZERO), Verdict::Spent);
    }

    #[test]
    fn a_run_counted_from_its_first_look_ends_within_twice_its_limit() {
        for limit in [Duration::from_micros(100), LIMIT, 100 * LIMIT] {
            let pace = Pace::for_limit(limit);
            // Seen after `idle`, counted one step later, for a limit, and noticed up to one step after that.
            assert!(pace.idle + 2 * pace.watching + limit < 2 * limit, "{limit:?}");
        }
    }

    #[test]
    fn slow_runs_are_those_that_take_an_eighth_of_the_limit() {
        let budget = Budget::start(LIMIT, Counting::FirstLook);
        assert!(!budget.is_slow(LIMIT / 9) && budget.is_slow(LIMIT / 8));
    }
}
