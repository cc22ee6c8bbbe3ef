//! When an event is tried again, and when it is given up (`lambda-at-edge.md` section 14.1). Decisions only.

use crate::destination::Condition;
use crate::functions::AsyncSettings;
use rimward_types::Timestamp;
use std::time::Duration;

/// Waits after the first and the second failure of the function.
const AFTER_FAILURE: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// The first wait after an attempt for which there was no room; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The function handled the event.
    Succeeded,
    /// The function failed.
    Failed,
    /// The function did not run: throttled, or it cannot run now.
    NotRun,
}

/// What has become of an event so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Attempts in which the function ran, the last one included.
    pub attempts: u32,
    /// Attempts without a run in a row, the last one included.
    pub waits: u32,
}

/// What is next for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again at this time.
    Again(Timestamp),
    /// It is done.
    Over(Condition),
}

/// Decides what is next.
pub fn next(ended: Ended, progress: Progress, settings: &AsyncSettings, now: Timestamp) -> Next {
    let again = match ended {
        Ended::Succeeded => return Next::Over(Condition::Success),
        Ended::Failed if progress.attempts > settings.retries => return Next::Over(Condition::RetriesExhausted),
        Ended::Failed => {
            let place = (progress.attempts.saturating_sub(1) as usize).min(AFTER_FAILURE.len() - 1);
            now.plus(AFTER_FAILURE[place])
        }
        Ended::NotRun => now.plus(backoff(progress.waits)),
    };
    if is_too_old(progress.accepted, settings, again) {
        Next::Over(Condition::EventAgeExceeded)
    } else {
        Next::Again(again)
    }
}

/// Whether an event that was accepted then is not tried any more at `at`.
pub fn is_too_old(accepted: Timestamp, settings: &AsyncSettings, at: Timestamp) -> bool {
    at.since(accepted) >= settings.max_age
}

/// The wait after so many attempts that came to nothing, from 1: 1 s, 2 s, 4 s, up to 5 min.
pub fn backoff(tries: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn progress(attempts: u32, waits: u32) -> Progress {
        Progress { accepted: START, attempts, waits }
    }

    /// lambda-at-edge.md 14.1.
    #[test]
    fn a_failure_is_tried_again_after_one_minute_and_then_two() {
        let settings = AsyncSettings::default();
        for (attempts, expected) in
            [(1, Next::Again(after(60))), (2, Next::Again(after(120))), (3, Next::Over(Condition::RetriesExhausted))]
        {
            assert_eq!(next(Ended::Failed, progress(attempts, 0), &settings, START), expected);
        }
        assert_eq!(next(Ended::Succeeded, progress(3, 0), &settings, START), Next::Over(Condition::Success));
    }

    /// lambda-at-edge.md 14.1.
    #[test]
    fn retries_may_be_turned_off() {
        let settings = AsyncSettings { retries: 0, ..AsyncSettings::default() };
        let over = Next::Over(Condition::RetriesExhausted);
        assert_eq!(next(Ended::Failed, progress(1, 0), &settings, START), over);
    }

    /// lambda-at-edge.md 14.1.
    #[test]
    fn a_throttled_event_waits_longer_each_time_and_is_kept_for_six_hours() {
        let settings = AsyncSettings::default();
        let waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99].map(|n| backoff(n).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        let at = after(6 * 3600 - 301);
        assert_eq!(next(Ended::NotRun, progress(0, 50), &settings, at), Next::Again(at.plus(LONGEST_WAIT)));
        let at = after(6 * 3600 - 300);
        assert_eq!(next(Ended::NotRun, progress(0, 50), &settings, at), Next::Over(Condition::EventAgeExceeded));
    }

    #[test]
    fn a_retry_that_would_come_too_late_is_not_waited_for() {
        let settings = AsyncSettings { max_age: Duration::from_secs(60), ..AsyncSettings::default() };
        let over = Next::Over(Condition::EventAgeExceeded);
        assert_eq!(next(Ended::Failed, progress(1, 0), &settings, START), over);
    }

    proptest! {
        #[test]
        fn every_event_comes_to_an_end(ends in proptest::collection::vec(0..2u8, 200), retries in 0..3u32) {
            let settings = AsyncSettings { retries, ..AsyncSettings::default() };
            let (mut now, mut progress) = (START, progress(0, 0));
            let mut over = false;
            for end in ends.into_iter().chain(std::iter::repeat_n(0, 200)) {
                let ended = if end == 0 { Ended::NotRun } else { Ended::Failed };
                match ended {
                    Ended::NotRun => progress.waits += 1,
                    _ => { progress.attempts += 1; progress.waits = 0 }
                }
                match next(ended, progress, &settings, now) {
                    Next::Again(at) => { prop_assert!(at > now); now = at }
                    Next::Over(_) => { over = true; break }
                }
            }
            prop_assert!(over && now.since(START) < settings.max_age);
        }
    }
}
