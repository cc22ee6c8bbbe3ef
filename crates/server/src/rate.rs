//! The least rate at which a viewer must send a body. Pure.

use rimward_config::Limits;
use std::time::Duration;

/// Keeps an average: time that the node has waited for the viewer, against bytes that have come. Time in which the node
/// itself did not read does not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Bytes in a second; 0: any rate will do.
    least: u64,
    /// Time that a body may take whatever its rate.
    grace: Duration,
    bytes: u64,
    waited: Duration,
}

impl Rate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { least: limits.body_rate.as_u64(), grace: limits.body_grace, bytes: 0, waited: Duration::ZERO }
    }

    /// `bytes` have come after a wait.
    pub(crate) fn came(&mut self, bytes: u64, waited: Duration) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.waited = self.waited.saturating_add(waited);
    }

    /// How long the next bytes may be waited for. `None`: this sets no limit.
    pub(crate) fn allows(&self) -> Option<Duration> {
        let earned = Duration::from_millis(self.bytes.saturating_mul(1000).checked_div(self.least)?);
        Some(earned.max(self.grace).saturating_sub(self.waited))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rimward_types::ByteSize;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn rate(least: u64) -> Rate {
        Rate::new(&Limits { body_rate: ByteSize::bytes(least), ..Limits::default() })
    }

    #[test]
    fn a_body_that_drips_ends_after_the_grace_however_often_a_byte_comes() {
        let mut rate = rate(500);
        for _ in 0..3 {
            rate.came(1, seconds(9));
        }
        assert_eq!(rate.allows(), Some(seconds(3)));
        rate.came(1, seconds(3));
        assert_eq!(rate.allows(), Some(Duration::ZERO));
    }

    #[test]
    fn bytes_earn_time() {
        let mut rate = rate(500);
        rate.came(50_000, seconds(90));
        assert_eq!(rate.allows(), Some(seconds(10)));
    }

    #[test]
    fn a_rate_of_nothing_sets_no_limit() {
        let mut rate = rate(0);
        rate.came(1, seconds(1000));
        assert_eq!(rate.allows(), None);
    }
}
