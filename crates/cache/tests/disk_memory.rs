//! The memory that the index of the disk takes, held against the allocator itself.

#![allow(clippy::unwrap_used)]

use http::{HeaderValue, StatusCode};
use rimward_cache::{Begin, Cache, Completed, DiskOptions, Key, Options, Rules, Times};
use rimward_types::{ByteSize, RequestHead, ResponseHead, TestClock, Timestamp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator with the same arguments; the counter does not touch memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const START: Timestamp = Timestamp::from_secs(1_750_000_000);
const OBJECTS: usize = 3_000;
/// Queues, threads and counts of requests, whatever is stored.
const BESIDE: usize = 256 << 10;

fn keep(cache: &Cache, rules: &Arc<Rules>, n: usize, tags: usize) {
    let mut request = RequestHead::get(&format!("/a/path/of/usual/length/{n}.html"));
    request.headers.insert("accept-language", HeaderValue::from_static("en, de;q=0.5"));
    let key = Key::new("E1", &request, &rules.key);
    let Begin::Lead(lead) = cache.begin(&key, &request, rules) else { panic!("nothing is stored") };
    let mut head = ResponseHead::new(StatusCode::OK);
    head.headers.insert("cache-control", HeaderValue::from_static("max-age=600"));
    let tags: Vec<String> = (0..tags).map(|tag| format!("tag-{n}-{tag}")).collect();
    if !tags.is_empty() {
        head.headers.insert("vary", HeaderValue::from_static("accept-language"));
        head.headers.insert("cache-tag", HeaderValue::from_str(&tags.join(",")).unwrap());
    }
    let times = Times { requested: START, received: START };
    assert!(matches!(lead.respond(head, "a body".into(), times), Completed::Stored(_)));
    assert!(matches!(cache.begin(&key, &request, rules), Begin::Hit(_)));
    if n.is_multiple_of(100) {
        cache.settle();
    }
}

#[test]
fn the_index_takes_no_more_than_is_counted() {
    let clock = Arc::new(TestClock::at(START));
    let rules = Arc::new(Rules::default());
    for tags in [0, 5] {
        let folder = tempfile::TempDir::new().unwrap();
        let disk = Some(DiskOptions::new(folder.path(), ByteSize::mb(64)));
        let options = Options { memory: ByteSize::mb(64), disk, ..Options::default() };
        let cache = Cache::open(options.clone(), clock.clone()).unwrap();
        (0..OBJECTS).for_each(|n| keep(&cache, &rules, n, tags));
        cache.settle();
        drop(cache);
        let before = HELD.load(Ordering::Relaxed);
        let cache = Cache::open(options, clock.clone()).unwrap();
        cache.settle();
        let held = HELD.load(Ordering::Relaxed).saturating_sub(before);
        let disk = cache.usage().disk.unwrap();
        assert_eq!(disk.objects as usize, OBJECTS);
        println!("{tags} tags: {} held of {} counted", held / OBJECTS, disk.index as usize / OBJECTS);
        assert!(held <= disk.index as usize + BESIDE, "{tags} tags: {held} held, {} counted", disk.index);
        assert!(cache.usage().bytes >= disk.index, "it is a part of the cache's memory");
    }
}
