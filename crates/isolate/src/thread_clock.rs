//! What the kernel counts for the calling thread.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    /// Page faults of the thread when [`faulted_since_last`] was asked before.
    static SEEN: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Processor time of the calling thread.
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of our own, which the call fills or leaves alone.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(done, 0, "every Linux has this clock");
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Page faults of the calling thread since it began, with and without input or output.
///
/// The kernel counts every fault that it resolves for the thread's own accesses, those that it makes for the thread in system calls included.
pub(crate) fn page_faults() -> u64 {
    // SAFETY: rusage is made of integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to an rusage of our own, which the call fills or leaves alone.
    let done = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    debug_assert_eq!(done, 0, "every Linux has this call");
    (usage.ru_minflt as u64).wrapping_add(usage.ru_majflt as u64)
}

/// Whether the calling thread had a page fault since it asked this before, or has never asked. One call of the kernel.
pub(crate) fn faulted_since_last() -> bool {
    let now = page_faults();
    SEEN.replace(now) != now
}

#[cfg(test)]
mod tests {
    use super::{faulted_since_last, page_faults, processor_time};

    #[test]
    fn work_takes_processor_time() {
        let before = processor_time();
        let mut n = 0u64;
        while processor_time() == before {
            n = std::hint::black_box(n + 1);
        }
        assert!(processor_time() > before);
    }

    #[test]
    fn touching_new_memory_counts_as_faults() {
        let before = page_faults();
        let memory = vec![1u8; 8 << 20];
        std::hint::black_box(&memory);
        assert!(page_faults() > before);
        assert!(faulted_since_last());
    }
}
