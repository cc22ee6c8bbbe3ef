//! How often a key was asked for lately, in little memory (a count-min sketch whose counts are halved from time to
//! time, as in TinyLFU).

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Places of a key.
const ROWS: u64 = 4;
/// Counts are halved when as many were added as there are places, times this.
const PERIOD: usize = 8;

#[derive(Debug)]
pub(crate) struct Frequency {
    counts: Box<[AtomicU8]>,
    added: AtomicU32,
}

impl Frequency {
    /// With about `bytes` of memory; between 1 KB and 1 MB.
    pub(crate) fn new(bytes: usize) -> Self {
        let slots = bytes.clamp(1 << 10, 1 << 20).next_power_of_two();
        Self { counts: (0..slots).map(|_| AtomicU8::new(0)).collect(), added: AtomicU32::new(0) }
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        self.counts.len()
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = &AtomicU8> {
        let mask = self.counts.len() as u64 - 1;
        // Two hashes make all of them (Kirsch and Mitzenmacher).
        let step = (hash >> 32) | 1;
        (0..ROWS).map(move |row| &self.counts[(hash.wrapping_add(row.wrapping_mul(step)) & mask) as usize])
    }

    /// How often, at most 255; rarely too much, never too little since the last halving.
    pub(crate) fn estimate(&self, hash: u64) -> u8 {
        self.places(hash).map(|count| count.load(Ordering::Relaxed)).min().unwrap_or(0)
    }

    /// Counts a request.
    pub(crate) fn add(&self, hash: u64) {
        let least = self.estimate(hash);
        if least == u8::MAX {
            return;
        }
        for count in self.places(hash) {
            // A race costs a count.
            if count.load(Ordering::Relaxed) == least {
                count.store(least + 1, Ordering::Relaxed);
            }
        }
        if self.added.fetch_add(1, Ordering::Relaxed) as usize >= self.counts.len() * PERIOD {
            self.added.store(0, Ordering::Relaxed);
            for count in &self.counts {
                count.store(count.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_often_is_told_from_what_is_not() {
        let frequency = Frequency::new(1 << 14);
        for round in 0..1000u64 {
            frequency.add(7);
            frequency.add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        assert!(frequency.estimate(7) > 200);
        assert!(frequency.estimate(123_456_789_123_456_789) <= 2);
    }

    #[test]
    fn what_was_asked_for_long_ago_is_forgotten() {
        let frequency = Frequency::new(1 << 10);
        (0..100).for_each(|_| frequency.add(7));
        (0..100_000u64).for_each(|n| frequency.add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        assert!(frequency.estimate(7) < 100);
    }
}
