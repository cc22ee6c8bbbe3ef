//! The seam through which randomness comes.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// The machine's randomness, fetched ahead for each thread: a request takes some 50 bytes, and a call of the kernel for each of
/// them was a twenty-fifth of a cache hit.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

/// Bytes fetched at once.
const RESERVE: usize = 1024;

thread_local! {
    static RESERVED: RefCell<Reserve> = const { RefCell::new(Reserve { bytes: [0; RESERVE], given: RESERVE }) };
}

/// Random bytes; the first `given` of them are used up, and zero.
struct Reserve {
    bytes: [u8; RESERVE],
    given: usize,
}

impl Reserve {
    fn fill(&mut self, out: &mut [u8]) {
        if out.len() > RESERVE - self.given {
            if out.len() > RESERVE {
                return from_system(out);
            }
            from_system(&mut self.bytes);
            self.given = 0;
        }
        let taken = &mut self.bytes[self.given..self.given + out.len()];
        out.copy_from_slice(taken);
        // What was given is known to nobody else, not even to who reads this memory later.
        taken.fill(0);
        self.given += out.len();
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        // At the end of a thread there is no reserve.
        if RESERVED.try_with(|reserve| reserve.borrow_mut().fill(out)).is_err() {
            from_system(out);
        }
    }
}

fn from_system(out: &mut [u8]) {
    // Without randomness ids and seeds would repeat: better no node than a guessable one.
    getrandom::fill(out).expect("the system gives random bytes");
}

/// The same bytes in every run, for tests (splitmix64).
#[derive(Debug, Default)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in out.chunks_mut(8) {
            let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entropy, RESERVE, Reserve, SystemEntropy};

    #[test]
    fn no_byte_is_given_twice() {
        let mut reserve = Reserve { bytes: [0; RESERVE], given: RESERVE };
        let mut seen = std::collections::HashSet::new();
        // Sizes that do not divide the reserve, and fill it anew many times.
        for n in 0..1000 {
            let mut out = vec![0; 16 + n % 7];
            reserve.fill(&mut out);
            assert!(seen.insert(out[..16].to_vec()));
            assert!(reserve.bytes[..reserve.given].iter().all(|byte| *byte == 0), "what was given is gone");
        }
    }

    #[test]
    fn more_than_the_reserve_is_filled_too() {
        let mut out = vec![0; 10 * RESERVE];
        SystemEntropy.fill(&mut out);
        assert!(out.chunks(64).all(|chunk| chunk.iter().any(|byte| *byte != 0)));
    }
}
