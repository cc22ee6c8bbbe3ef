//! What a run cost.

use std::time::Duration;

/// The cost of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Time from the call to the reply, restoring not included. A run that came near its limit counts the thread's
    /// processor time instead, so that waiting for a processor is not charged to the function.
    pub time: Duration,
    /// Instructions of the guest, of a measured run alone; the same number on every machine.
    pub fuel: Option<u64>,
    /// Pages of 4 KB that were copied back; of a measured run, the pages that this run changed.
    pub dirty_pages: u32,
    /// Share of the time limit that was used, 0 to 100 (`cloudfront-functions.md` section 7, compute utilization).
    pub utilization: u8,
    /// What it read of its key value store.
    pub kv: KvReads,
}

/// Reads of a key value store (`cloudfront-functions.md` section 9, `KvsReadRequests` and `KvsReadErrors`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KvReads {
    /// Calls of `get`, `exists` and `meta`.
    pub requests: u32,
    /// Those that asked for a key that is not there.
    pub misses: u32,
}

impl KvReads {
    pub(crate) fn count(&mut self, found: bool) {
        self.requests = self.requests.saturating_add(1);
        self.misses = self.misses.saturating_add(u32::from(!found));
    }
}

/// The share of `limit` that `time` is, in percent, at most 100.
pub(crate) fn utilization(time: Duration, limit: Duration) -> u8 {
    let percent = time.as_nanos().saturating_mul(100) / limit.as_nanos().max(1);
    percent.min(100) as u8
}

#[cfg(test)]
mod tests {
    use super::utilization;
    use std::time::Duration;

    #[test]
    fn utilization_is_a_share_of_the_limit_and_ends_at_100() {
        let limit = Duration::from_millis(1);
        assert_eq!(utilization(Duration::ZERO, limit), 0);
        assert_eq!(utilization(Duration::from_micros(215), limit), 21);
        assert_eq!(utilization(limit, limit), 100);
        assert_eq!(utilization(Duration::from_secs(9), limit), 100);
        assert_eq!(utilization(Duration::from_secs(9), Duration::ZERO), 100);
    }
}
