//! The store with a million objects: hits, and hits while a purge or evictions go on; a purge by tag of a hundred
//! thousand objects; what an object takes in memory.

use http::{HeaderValue, StatusCode};
use rimward_benches::{Report, Samples, allocations, time_each};
use rimward_cache::{Begin, Cache, Completed, Key, Options, Purge, Purged, Rules, Tag, Times};
use rimward_types::{ByteSize, Clock, RequestHead, ResponseHead, SystemClock};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static COUNTED: allocations::Counted = allocations::Counted;

const OBJECTS: usize = 1_000_000;
const TAGGED: usize = 100_000;
/// Soft purges that are measured; the slowest of them is held against the budget.
const SOFTENINGS: usize = 15;
const BODY: &str =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

struct Bench {
    cache: Cache,
    rules: Arc<Rules>,
}

/// Numbers that look random, the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % most as u64) as usize
    }
}

fn url(n: usize) -> String {
    format!("/articles/{}/a-title-of-usual-length-{n}.html", n % 1000)
}

/// Whether the object is one of the [`TAGGED`].
fn is_news(n: usize) -> bool {
    n.is_multiple_of(OBJECTS / TAGGED)
}

fn tagged(tag: &str) -> Purge {
    Purge::Tag { distribution: "E1".into(), tag: Tag::try_new(tag).expect("a tag") }
}

impl Bench {
    fn new(memory: ByteSize) -> Self {
        let options = Options { memory, ..Options::default() };
        Self { cache: Cache::new(options, Arc::new(SystemClock)), rules: Arc::new(Rules::default()) }
    }

    fn begin(&self, n: usize) -> Begin {
        let request = RequestHead::get(&url(n));
        self.cache.begin(&Key::new("E1", &request, &self.rules.key), &request, &self.rules)
    }

    fn store(&self, n: usize) {
        let Begin::Lead(lead) = self.begin(n) else { return };
        let mut head = ResponseHead::new(StatusCode::OK);
        head.headers.insert("cache-control", HeaderValue::from_static("max-age=86400"));
        head.headers.insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
        let section = n / 1000;
        let tags = if is_news(n) { format!("section-{section} news") } else { format!("section-{section}") };
        head.headers.insert("cache-tag", HeaderValue::from_str(&tags).expect("a header value"));
        let now = SystemClock.now();
        let completed = lead.respond(head, BODY.to_owned().into(), Times { requested: now, received: now });
        assert!(matches!(completed, Completed::Stored(_)));
    }

    fn hit(&self, n: usize) -> bool {
        matches!(black_box(self.begin(n)), Begin::Hit(_))
    }

    fn purge(&self, tag: &str) -> Purged {
        self.cache.purge(&tagged(tag))
    }

    /// Times hits on objects that are no news until `others` has done its work, on a thread of its own.
    fn hits_while(&self, others: impl FnOnce() + Send) -> Samples {
        let done = AtomicBool::new(false);
        let mut samples = Samples::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                others();
                done.store(true, Ordering::SeqCst);
            });
            let mut numbers = Numbers(2);
            while !done.load(Ordering::SeqCst) || samples.is_empty() {
                let n = numbers.below(OBJECTS);
                if is_news(n) {
                    continue;
                }
                let start = Instant::now();
                assert!(self.hit(n), "{n} is stored");
                samples.push(start.elapsed().as_nanos() as f64 / 1000.0);
            }
        });
        samples
    }
}

fn million(report: &mut Report) {
    let before = allocations::held();
    let bench = Bench::new(ByteSize::mb(4096));
    (0..OBJECTS).for_each(|n| bench.store(n));
    let usage = bench.cache.usage();
    assert_eq!((usage.objects, usage.evicted), (OBJECTS as u64, 0));
    let held = allocations::held() - before;
    assert!(held as u64 <= usage.bytes, "{held} bytes are held, {} are counted", usage.bytes);
    report.number("million/bytes-each", held as f64 / OBJECTS as f64);
    report.number("million/counted-bytes-each", usage.bytes as f64 / OBJECTS as f64);

    assert!(bench.hit(1));
    report.number("million/hit/allocations", allocations::calls_of(|| bench.hit(1)).1 as f64);
    let mut numbers = Numbers(1);
    report.times("million/hit", &time_each(200_000, || assert!(bench.hit(numbers.below(OBJECTS)))));

    // Once with nobody else there, once beside a thread that serves.
    let mut purges = Samples::default();
    let mut purge = || {
        let before = bench.cache.usage().bytes;
        let start = Instant::now();
        let purged = bench.purge("news");
        purges.push(start.elapsed().as_micros() as f64 / 1000.0);
        assert_eq!(purged.objects, TAGGED as u64);
        assert!(!bench.hit(0) && bench.cache.usage().objects == (OBJECTS - TAGGED) as u64);
        // Until its memory is given back.
        while bench.cache.usage().bytes > before - purged.bytes {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    purge();
    (0..OBJECTS).filter(|n| is_news(*n)).for_each(|n| bench.store(n));
    let samples = bench.hits_while(purge);
    report.times("hit-while-purging", &samples);
    report.number("purge-by-tag/100000/ms", purges.percentile(0.0));
    report.number("purge-by-tag/100000/beside-hits/ms", purges.percentile(1.0));
    assert_eq!(bench.purge("news"), Purged::default());

    (0..OBJECTS).filter(|n| is_news(*n)).for_each(|n| bench.store(n));
    // What is stale may be made stale again: the work is the same, and what it takes differs from one time to the next.
    let mut softenings = Samples::default();
    for _ in 0..SOFTENINGS {
        let start = Instant::now();
        let softened = bench.cache.expire(&tagged("news"));
        softenings.push(start.elapsed().as_micros() as f64 / 1000.0);
        assert_eq!(softened.objects, TAGGED as u64);
        assert!(!bench.hit(0) && bench.hit(1));
        bench.cache.settle();
    }
    report.number("soft-purge-by-tag/100000/ms", softenings.percentile(1.0));
    report.number("soft-purge-by-tag/100000/median/ms", softenings.percentile(0.5));
    report.number("soft-purge-by-tag/100000/least/ms", softenings.percentile(0.0));
}

/// Hits on what is asked for all the time, while as much again is stored as there is room for.
fn evicting(report: &mut Report) {
    let bench = Bench::new(ByteSize::mb(512));
    (0..OBJECTS / 4).for_each(|n| bench.store(n));
    let hot: Vec<usize> = (0..1000).map(|n| OBJECTS + n).collect();
    hot.iter().for_each(|n| bench.store(*n));
    let before = bench.cache.usage().evicted;
    let done = AtomicBool::new(false);
    let mut samples = Samples::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (OBJECTS / 2..OBJECTS).for_each(|n| bench.store(n));
            done.store(true, Ordering::SeqCst);
        });
        let mut numbers = Numbers(3);
        while !done.load(Ordering::SeqCst) {
            let n = hot[numbers.below(hot.len())];
            let start = Instant::now();
            assert!(bench.hit(n), "what is asked for all the time is not evicted");
            samples.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
    });
    assert!(bench.cache.usage().evicted - before > OBJECTS as u64 / 4);
    assert!(bench.cache.usage().bytes <= ByteSize::mb(512).as_u64());
    report.times("hit-while-evicting", &samples);
}

fn main() -> ExitCode {
    let mut report = Report::new("cache");
    million(&mut report);
    evicting(&mut report);
    report.finish()
}
