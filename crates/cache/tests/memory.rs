//! The bound on memory and the cost of a hit, held against the allocator itself.

#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode};
use rimward_cache::{Begin, Cache, Completed, Key, Options, Purge, Rules, Times};
use rimward_types::{ByteSize, RequestHead, ResponseHead, TestClock, Timestamp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator with the same arguments; the counters do not touch memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
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

fn request(url: &str) -> RequestHead {
    let mut request = RequestHead::get(url);
    request.headers.insert("accept-language", HeaderValue::from_static("en, de;q=0.5"));
    request
}

/// A response whose values and body are slices of a read buffer of 8 KB, as they are when they come from a connection.
fn response(fields: usize, body: usize, tags: &str) -> (ResponseHead, Bytes) {
    let mut buffer = BytesMut::zeroed(8 << 10);
    buffer[..].fill(b'x');
    let buffer = buffer.freeze();
    let mut head = ResponseHead::new(StatusCode::OK);
    head.headers.insert("cache-control", HeaderValue::from_static("max-age=600"));
    head.headers.insert("vary", HeaderValue::from_static("accept-language"));
    for field in 0..fields {
        let name: http::HeaderName = format!("x-custom-field-{field}").parse().unwrap();
        head.headers.insert(name, HeaderValue::from_maybe_shared(buffer.slice(field * 50..field * 50 + 40)).unwrap());
    }
    if !tags.is_empty() {
        head.headers.insert("cache-tag", HeaderValue::from_str(tags).unwrap());
    }
    (head, buffer.slice(..body))
}

fn store(cache: &Cache, rules: &Arc<Rules>, url: &str, fields: usize, body: usize, tags: &str) {
    let request = request(url);
    let Begin::Lead(lead) = cache.begin(&Key::new("E1", &request, &rules.key), &request, rules) else { return };
    let (head, body) = response(fields, body, tags);
    let times = Times { requested: START, received: START };
    assert!(matches!(lead.respond(head, body.into(), times), Completed::Stored(_)));
}

/// One test, since the counters are the process's.
#[test]
fn the_allocator_agrees() {
    let clock = Arc::new(TestClock::at(START));
    let rules = Arc::new(Rules::default());
    let own = |n: usize| format!("post-{n} author-{}", n / 10);
    let shared = |_| (0..50).map(|n| format!("shared-{n}")).collect::<Vec<_>>().join(",");
    let tagged: [&dyn Fn(usize) -> String; 3] = [&|_| String::new(), &own, &shared];
    for (fields, body, tags) in [(0, 0, 0), (4, 100, 0), (20, 1000, 0), (4, 8000, 0), (4, 100, 1), (4, 100, 2)] {
        let memory = ByteSize::mb(4);
        let cache = Cache::new(Options { memory, ..Options::default() }, clock.clone());
        let before = HELD.load(Ordering::Relaxed);
        for n in 0..6_000 {
            store(&cache, &rules, &format!("/a/path/of/usual/length/{n}.html"), fields, body, &tagged[tags](n));
        }
        let held = HELD.load(Ordering::Relaxed) - before;
        let usage = cache.usage();
        let each = held as u64 / usage.objects;
        println!("{fields} fields, {body} bytes: {each} held of {} counted", usage.bytes / usage.objects);
        assert!(usage.bytes <= memory.as_u64() && usage.evicted > 0);
        assert!(held as u64 <= memory.as_u64(), "{fields} fields, {body} bytes: {held} held, {} counted", usage.bytes);
        cache.purge(&Purge::All);
        // A thread may have taken some of it out, and be about to drop it.
        cache.settle();
        while cache.usage().bytes > 0 {
            std::thread::yield_now();
        }
    }

    let cache = Cache::new(Options::default(), clock);
    store(&cache, &rules, "/a/path/of/usual/length.html?and=query", 8, 1000, "");
    let asked = request("/a/path/of/usual/length.html?and=query");
    let hit = || match cache.begin(&Key::new("E1", &asked, &rules.key), &asked, &rules) {
        Begin::Hit(hit) => hit,
        other => panic!("no hit: {other:?}"),
    };
    drop(hit());
    let before = CALLS.load(Ordering::Relaxed);
    let first = hit();
    let calls = CALLS.load(Ordering::Relaxed) - before;
    drop(first);
    println!("{calls} allocations for a hit");
    // The key, the two parts of the map of fields, and the text of `Age`.
    assert!(calls <= 4, "{calls} allocations for a hit");
}
