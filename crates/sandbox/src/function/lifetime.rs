//! How long an instance is used (`lambda-at-edge.md` section 11.1: reuse is never guaranteed).

use std::time::{Duration, Instant};

/// Events after which an instance is replaced: leaks of a guest stay small.
const CALLS: u32 = 10_000;
/// An instance that uses more than this part of its memory is replaced.
const MEMORY_MARK: (usize, usize) = (7, 8);

/// The bounds of an instance's life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    /// How long it may wait for work.
    pub(crate) idle: Duration,
    /// How old it may become.
    pub(crate) age: Duration,
}

/// What is known of an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) made_at: Instant,
    pub(crate) used_at: Instant,
    pub(crate) calls: u32,
    /// Bytes of linear memory.
    pub(crate) memory: usize,
    /// Bytes that it may have.
    pub(crate) memory_limit: usize,
}

/// Why an instance serves no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retirement {
    /// It served many.
    Calls,
    /// It is old.
    Age,
    /// It holds most of the memory that it may have.
    Memory,
    /// Nobody needed it for long.
    Idle,
}

impl Lifetime {
    /// Whether an instance has come to its end at `now`, and why.
    pub(crate) fn judge(&self, life: Life, now: Instant) -> Option<Retirement> {
        let mark = life.memory_limit / MEMORY_MARK.1 * MEMORY_MARK.0;
        if life.calls >= CALLS {
            Some(Retirement::Calls)
        } else if life.memory > mark {
            Some(Retirement::Memory)
        } else if now.saturating_duration_since(life.made_at) >= self.age {
            Some(Retirement::Age)
        } else if now.saturating_duration_since(life.used_at) >= self.idle {
            Some(Retirement::Idle)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lambda-at-edge.md 11.1.
    #[test]
    fn an_instance_ends_by_use_age_memory_or_idleness() {
        let lifetime = Lifetime { idle: Duration::from_secs(300), age: Duration::from_secs(7200) };
        let start = Instant::now();
        let life = Life { made_at: start, used_at: start, calls: 1, memory: 64, memory_limit: 128 };
        let after = |seconds| start + Duration::from_secs(seconds);
        for (life, now, expected) in [
            (life, after(299), None),
            (life, after(300), Some(Retirement::Idle)),
            (Life { used_at: after(7199), ..life }, after(7199), None),
            (Life { used_at: after(7199), ..life }, after(7200), Some(Retirement::Age)),
            (Life { memory: 112, ..life }, start, None),
            (Life { memory: 113, ..life }, start, Some(Retirement::Memory)),
            (Life { calls: CALLS, ..life }, start, Some(Retirement::Calls)),
            // A clock that reads earlier than before changes nothing.
            (Life { made_at: after(9), used_at: after(9), ..life }, start, None),
        ] {
            assert_eq!(lifetime.judge(life, now), expected, "{life:?}");
        }
    }
}
