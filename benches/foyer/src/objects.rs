//! The objects: of sizes as the web has them, and with bodies that tell whose they are.

use bytes::Bytes;
use std::sync::LazyLock;

/// Numbers that look random, the same in every run (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for n in (1..list.len()).rev() {
            list.swap(n, self.below(n + 1));
        }
    }
}

const NOISE: usize = 4 << 20;

static NOISES: LazyLock<Bytes> = LazyLock::new(|| {
    let mut numbers = Numbers(7);
    (0..NOISE / 8).flat_map(|_| numbers.next().to_le_bytes()).collect::<Vec<u8>>().into()
});

pub fn url(n: usize) -> String {
    format!("/articles/{}/a-title-of-usual-length-{n}.html", n % 1000)
}

/// Half of all are pages and scripts of 1 to 10 KB, three in ten of 10 to 50, 15 in a hundred pictures of 50 to 200, and one
/// in twenty has 200 KB to 2 MB: 81 KB on average.
pub fn mixed_size(n: usize) -> usize {
    let mut numbers = Numbers(n as u64 * 31 + 5);
    let between = |numbers: &mut Numbers, low: usize, high: usize| low + numbers.below(high - low);
    match numbers.below(100) {
        0..50 => between(&mut numbers, 1_000, 10_000),
        50..80 => between(&mut numbers, 10_000, 50_000),
        80..95 => between(&mut numbers, 50_000, 200_000),
        _ => between(&mut numbers, 200_000, 2_000_000),
    }
}

/// The body of object `n` in its `version`: number, version, and noise from a place of its own.
pub fn body(n: usize, version: u64, size: usize) -> Bytes {
    let mut body = Vec::with_capacity(size.max(16));
    body.extend_from_slice(&(n as u64).to_le_bytes());
    body.extend_from_slice(&version.to_le_bytes());
    let from = Numbers(n as u64 ^ version << 40).below(NOISE / 2);
    body.extend_from_slice(&NOISES[from..from + size.saturating_sub(16)]);
    body.into()
}

/// Whether it is the body of `n` in `version`, to the last byte.
pub fn is_body(read: &[u8], n: usize, version: u64, size: usize) -> bool {
    read == body(n, version, size)
}
