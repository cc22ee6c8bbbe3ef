//! Requests, the same in every run: no rounding of a mathematical library is in them (square roots are exact).

/// One request.
pub(crate) struct Asked {
    pub(crate) key: u64,
    /// Bytes, head included.
    pub(crate) size: u32,
}

/// Objects that are popular, the first the most.
const POPULAR: u64 = 100_000;
const REQUESTS: usize = 1_000_000;
/// Keys above are asked for once.
const ONCE: u64 = 1 << 40;

/// SplitMix64.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Most are small, some are large, and size has nothing to do with popularity.
fn size(key: u64) -> u32 {
    let n = mix(key ^ 0x5_1e5);
    let (least, spread) = match n % 100 {
        0..70 => (2 << 10, 4 << 10),
        70..95 => (6 << 10, 26 << 10),
        _ => (32 << 10, 96 << 10),
    };
    least + ((n >> 32) % spread) as u32
}

fn asked(key: u64) -> Asked {
    Asked { key, size: size(key) }
}

/// Bytes of all that is popular.
pub(crate) fn popular_bytes() -> usize {
    (0..POPULAR).map(|key| size(key) as usize).sum()
}

/// Ranks by a Zipf law with the exponent 3/4, which is what requests to the edges of content networks look like.
struct Zipf {
    sums: Vec<f64>,
}

impl Zipf {
    fn new() -> Self {
        let mut sum = 0.0;
        let sums = (1..=POPULAR).map(|rank| {
            let root = (rank as f64).sqrt();
            sum += 1.0 / (root * root.sqrt());
            sum
        });
        Self { sums: sums.collect() }
    }

    fn rank(&self, n: u64) -> u64 {
        let all = self.sums.last().copied().unwrap_or_default();
        let at = (mix(n) >> 11) as f64 / (1u64 << 53) as f64 * all;
        self.sums.partition_point(|sum| *sum <= at) as u64
    }
}

/// All traces, by name.
pub(crate) fn all() -> Vec<(&'static str, Vec<Asked>)> {
    let zipf = Zipf::new();
    let popular = |n: u64| asked(zipf.rank(n));
    let each = |f: &dyn Fn(u64) -> Asked| (0..REQUESTS as u64).map(f).collect::<Vec<_>>();
    vec![
        ("zipf", each(&popular)),
        // Every other hundred thousand requests a crawler takes half of them, for pages that nobody else wants.
        ("scan", each(&|n| if n / 100_000 % 2 == 1 && n % 2 == 1 { asked(ONCE + n) } else { popular(n) })),
        // Three of ten requests are for what is never asked for again.
        ("once", each(&|n| if mix(n ^ 0xa11) % 10 < 3 { asked(ONCE + n) } else { popular(n) })),
        // Every quarter of the way, what is popular is something else.
        ("shift", each(&|n| asked((zipf.rank(n) + n / (REQUESTS as u64 / 4) * POPULAR / 2) % (2 * POPULAR)))),
    ]
}
