//! Samples of one measured thing.

use std::time::Instant;

/// Measured values of one kind, in one unit.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a value.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which `share` (0 to 1) of all lie.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// These and `others` together.
    pub fn and(mut self, others: Samples) -> Samples {
        self.0.extend(others.0);
        self
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Runs `f` `n` times and times each run in microseconds, after a tenth as many runs that do not count.
pub fn time_each(n: usize, mut f: impl FnMut()) -> Samples {
    for _ in 0..n / 10 {
        f();
    }
    let mut samples = Samples::default();
    for _ in 0..n {
        let start = Instant::now();
        f();
        samples.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    samples
}

/// One thing to measure: a name and what to run.
pub type Subject<'a> = (&'a str, Box<dyn FnMut() + 'a>);

/// Times several things in turns, so that a busy moment of the machine hits all of them alike.
pub fn alternate<'a>(rounds: usize, n: usize, subjects: &mut [Subject<'a>]) -> Vec<(&'a str, Samples)> {
    let mut all: Vec<(&str, Samples)> = subjects.iter().map(|(name, _)| (*name, Samples::default())).collect();
    for _ in 0..rounds {
        for ((_, f), (_, samples)) in subjects.iter_mut().zip(&mut all) {
            samples.0.extend(time_each(n, f).0);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut samples = Samples::default();
        for value in [5.0, 1.0, 4.0, 2.0, 3.0] {
            samples.push(value);
        }
        assert_eq!((samples.percentile(0.0), samples.percentile(0.5), samples.percentile(1.0)), (1.0, 3.0, 5.0));
    }
}
