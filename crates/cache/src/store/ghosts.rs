//! Keys that were evicted lately after one use: in little memory, of a size that is known beforehand.

/// Bytes of objects for which one key is remembered; where they are smaller on average, the oldest keys are forgotten
/// sooner.
const BYTES_PER_KEY: usize = 2 << 10;
/// Keys of one set, at most; more would take long to be forgotten at once.
const MOST_KEYS: usize = 1 << 18;
/// Keys that share a row: the oldest of it goes.
const ROW: usize = 4;

/// Two sets of hashes, filled in turns: each has what was evicted while half of the memory went.
pub(super) struct Ghosts {
    young: Box<[u32]>,
    old: Box<[u32]>,
    /// Bytes of what was added to `young`.
    bytes: u64,
    /// Bytes until the next turn.
    turn: u64,
}

impl Ghosts {
    /// For a memory of so many bytes.
    pub(super) fn new(memory: usize) -> Self {
        let keys = (memory / 2 / BYTES_PER_KEY).clamp(2 * ROW, MOST_KEYS).next_power_of_two();
        let empty = || vec![0; keys].into_boxed_slice();
        Self { young: empty(), old: empty(), bytes: 0, turn: memory as u64 / 2 }
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        2 * size_of_val(&*self.young)
    }

    /// Where a hash stands, and what stands there; never 0, which is an empty place.
    fn place(&self, hash: u64) -> (usize, u32) {
        let rows = self.young.len() / ROW;
        // The shard and the table inside it have taken the highest and the lowest bits.
        let row = (hash >> 32) as usize % rows;
        (row * ROW, (hash >> 8) as u32 | 1)
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        let (at, mark) = self.place(hash);
        [&self.young, &self.old].iter().any(|set| set[at..at + ROW].contains(&mark))
    }

    /// A key with `bytes` was evicted.
    pub(super) fn add(&mut self, hash: u64, bytes: u64) {
        self.bytes += bytes;
        if self.bytes > self.turn {
            self.bytes = 0;
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.fill(0);
        }
        let (at, mark) = self.place(hash);
        let row = &mut self.young[at..at + ROW];
        if !row.contains(&mark) {
            row.rotate_right(1);
            row[0] = mark;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> u64 {
        let mut z = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn what_was_evicted_lately_is_known_and_what_was_long_ago_is_forgotten() {
        let mut ghosts = Ghosts::new(1 << 20);
        (0..100).for_each(|n| ghosts.add(hash(n), 4096));
        let known = |ghosts: &Ghosts, keys: std::ops::Range<u64>| keys.filter(|n| ghosts.contains(hash(*n))).count();
        assert!(known(&ghosts, 0..100) > 90, "a row that is full forgets its oldest");
        assert!(known(&ghosts, 1000..2000) < 5, "hardly any is taken for another");
        (100..400).for_each(|n| ghosts.add(hash(n), 4096));
        assert_eq!(known(&ghosts, 0..100), 0);
        assert!(known(&ghosts, 350..400) > 45);
    }

    #[test]
    fn its_memory_is_bounded() {
        assert!(Ghosts::new(64 << 10).weight() <= 256);
        assert!(Ghosts::new(1 << 20).weight() <= (1 << 20) / 256);
        assert_eq!(Ghosts::new(1 << 40).weight(), 8 * MOST_KEYS);
    }
}
