//! Whether the disk does what it is asked to. After a failure nothing is written for a while; the next write is the
//! trial. Reading, and all that is in memory, goes on.

use parking_lot::Mutex;
use rimward_types::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first pause; each failure doubles it.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// What is wrong with the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What was done, and what the system said.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

pub(super) struct Health {
    clock: Arc<dyn Clock>,
    /// Nothing is written until then (milliseconds since the epoch).
    until: AtomicU64,
    failures: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    problem: Option<Problem>,
    pause: Duration,
}

impl Health {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, until: AtomicU64::new(0), failures: AtomicU64::new(0), state: Mutex::default() }
    }

    /// Whether writing may be tried.
    pub(super) fn may_write(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until == 0 || self.clock.now().as_millis() >= until
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        self.state.lock().problem.clone()
    }

    /// Failures since the start.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Something else than writing failed.
    pub(super) fn stumbled(&self, doing: &str, why: &dyn std::fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(doing, %why, "cache disk");
    }

    /// Writing failed.
    pub(super) fn failed(&self, doing: &str, why: &dyn std::fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.pause = (state.pause * 2).clamp(FIRST, LONGEST);
        self.until.store(now.plus(state.pause).as_millis(), Ordering::Relaxed);
        let message = format!("{doing}: {why}");
        if state.problem.is_none() {
            tracing::warn!(problem = message, "the cache's disk fails: answers are kept in memory alone");
        }
        let since = state.problem.as_ref().map_or(now, |problem| problem.since);
        state.problem = Some(Problem { message, since });
    }

    /// Writing went well.
    pub(super) fn succeeded(&self) {
        if self.until.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.until.store(0, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.pause = Duration::ZERO;
        if state.problem.take().is_some() {
            tracing::info!("the cache's disk works again");
        }
    }
}
