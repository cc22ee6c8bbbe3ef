//! The system's allocator, counted: for benches and budgets of memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts; a bench makes it its `#[global_allocator]`.
#[derive(Debug, Clone, Copy)]
pub struct Counted;

/// Bytes that the process has allocated now.
pub fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// The most bytes at once that it had allocated since the last call, and begins anew.
pub fn peak() -> usize {
    PEAK.swap(held(), Ordering::Relaxed)
}

/// Allocations that `f` makes on this thread.
pub fn calls_of<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = CALLS.get();
    let value = f();
    (value, CALLS.get() - before)
}

fn grown(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
    // A thread that ends frees memory when its counter is gone already.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call goes to the system's allocator with the same arguments; the counters do not touch memory, and the
// one of the thread is made without an allocation.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        grown(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}
