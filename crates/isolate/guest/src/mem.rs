//! `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`: what the compiler calls for memory of a length that it does not know.
//!
//! The instructions that wasm has for this (`memory.copy`, `memory.fill`) leave the compiled code for a function of the host, which costs
//! more than copying the usual name or value. So the guest is built without them (`crates/xtask/src/guest.rs`), and these are used
//! instead: eight bytes at a time, where it does not matter whether they are aligned.
//!
//! The fences keep the compiler from seeing in these loops what they are, and calling them from themselves.

use core::{
    cmp::Ordering,
    sync::atomic::{Ordering::SeqCst, compiler_fence},
};

/// Bytes of a step.
const STEP: usize = 16;

#[inline(always)]
unsafe fn get(at: *const u8) -> u64 {
    // SAFETY: the caller has eight bytes there; the alignment is one.
    unsafe { at.cast::<u64>().read_unaligned() }
}

#[inline(always)]
unsafe fn put(at: *mut u8, value: u64) {
    // SAFETY: as above.
    unsafe { at.cast::<u64>().write_unaligned(value) }
}

/// Copies at most 16 bytes: all are read before the first is written, so that both places may overlap.
#[inline(always)]
unsafe fn copy_few(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: no access goes beyond `len` bytes, by the conditions.
    unsafe {
        if len >= 8 {
            let (first, last) = (get(from), get(from.add(len - 8)));
            put(to, first);
            put(to.add(len - 8), last);
        } else if len >= 4 {
            let first = from.cast::<u32>().read_unaligned();
            let last = from.add(len - 4).cast::<u32>().read_unaligned();
            to.cast::<u32>().write_unaligned(first);
            to.add(len - 4).cast::<u32>().write_unaligned(last);
        } else if len > 0 {
            let (first, middle, last) = (*from, *from.add(len / 2), *from.add(len - 1));
            *to = first;
            *to.add(len / 2) = middle;
            *to.add(len - 1) = last;
        }
    }
}

/// Copies more than 16 bytes from the beginning to the end: right where `to` is not within the bytes after `from`.
#[inline(always)]
unsafe fn copy_forward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: each step begins below `len - STEP`, and the last 16 bytes end at `len`. They are read before anything is written.
    unsafe {
        let end = len - STEP;
        let last = (get(from.add(end)), get(from.add(end + 8)));
        let mut at = 0;
        while at < end {
            let step = (get(from.add(at)), get(from.add(at + 8)));
            put(to.add(at), step.0);
            put(to.add(at + 8), step.1);
            at += STEP;
            compiler_fence(SeqCst);
        }
        put(to.add(end), last.0);
        put(to.add(end + 8), last.1);
    }
}

/// Copies more than 16 bytes from the end to the beginning: right where `from` is not within the bytes after `to`.
#[inline(always)]
unsafe fn copy_backward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: as in `copy_forward`, from the other side.
    unsafe {
        let first = (get(from), get(from.add(8)));
        let mut at = len;
        while at > STEP {
            at -= STEP;
            let step = (get(from.add(at)), get(from.add(at + 8)));
            put(to.add(at), step.0);
            put(to.add(at + 8), step.1);
            compiler_fence(SeqCst);
        }
        put(to, first.0);
        put(to.add(8), first.1);
    }
}

/// # Safety
/// As in C.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { if len <= STEP { copy_few(to, from, len) } else { copy_forward(to, from, len) } }
    to
}

/// # Safety
/// As in C.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's promise; a target that begins within the source is copied from the end.
    unsafe {
        if len <= STEP {
            copy_few(to, from, len);
        } else if (to as usize).wrapping_sub(from as usize) < len {
            copy_backward(to, from, len);
        } else {
            copy_forward(to, from, len);
        }
    }
    to
}

/// # Safety
/// As in C.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    let byte = byte as u8;
    let all = u64::from(byte) * 0x0101_0101_0101_0101;
    // SAFETY: no write goes beyond `len` bytes, by the conditions.
    unsafe {
        if len >= 8 {
            let end = len - 8;
            let mut at = 0;
            while at < end {
                put(to.add(at), all);
                at += 8;
                compiler_fence(SeqCst);
            }
            put(to.add(end), all);
        } else {
            for at in 0..len {
                *to.add(at) = byte;
                compiler_fence(SeqCst);
            }
        }
    }
    to
}

/// # Safety
/// As in C.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let mut at = 0;
    // SAFETY: no read goes beyond `len` bytes, by the conditions.
    unsafe {
        while at + 8 <= len {
            let (x, y) = (get(a.add(at)), get(b.add(at)));
            if x != y {
                // The first byte is the highest then.
                return sign(x.swap_bytes().cmp(&y.swap_bytes()));
            }
            at += 8;
        }
        while at < len {
            let (x, y) = (*a.add(at), *b.add(at));
            if x != y {
                return sign(x.cmp(&y));
            }
            at += 1;
        }
    }
    0
}

/// # Safety
/// As `memcmp`.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(a, b, len) }
}

fn sign(order: Ordering) -> i32 {
    order as i32
}

#[cfg(test)]
mod tests {
    use super::{bcmp, memcmp, memcpy, memmove, memset};

    /// Bytes that differ from their neighbours.
    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * 7 + n / 256) as u8).collect()
    }

    #[test]
    fn copies_are_those_of_the_library_for_all_lengths_and_distances() {
        for len in 0..80 {
            let from = bytes(len);
            let mut to = vec![0xee; len + 2];
            // SAFETY: both have `len` bytes there.
            unsafe { memcpy(to.as_mut_ptr().add(1), from.as_ptr(), len) };
            assert_eq!(to[1..=len], from[..]);
            assert_eq!((to[0], to[len + 1]), (0xee, 0xee), "{len}");
            for (start, target) in (0..40).flat_map(|start| (0..40).map(move |target| (start, target))) {
                let mut ours = bytes(120);
                let mut right = ours.clone();
                right.copy_within(start..start + len, target);
                let base = ours.as_mut_ptr();
                // SAFETY: both places lie within the 120 bytes.
                unsafe { memmove(base.add(target), base.add(start), len) };
                assert_eq!(ours, right, "{len} bytes from {start} to {target}");
            }
        }
    }

    #[test]
    fn fills_are_exact() {
        for len in 0..70 {
            let mut memory = bytes(len + 2);
            let (first, last) = (memory[0], memory[len + 1]);
            // SAFETY: there are `len` bytes from the second on.
            unsafe { memset(memory.as_mut_ptr().add(1), 0x1a5, len) };
            assert!(memory[1..=len].iter().all(|b| *b == 0xa5));
            assert_eq!((memory[0], memory[len + 1]), (first, last), "{len}");
        }
    }

    #[test]
    fn comparisons_find_the_first_difference() {
        for len in 0..40 {
            let a = bytes(len);
            // SAFETY: both have `len` bytes.
            assert_eq!(unsafe { (memcmp(a.as_ptr(), a.as_ptr(), len), bcmp(a.as_ptr(), a.as_ptr(), len)) }, (0, 0));
            for at in 0..len {
                let mut b = a.clone();
                b[at] ^= 0x80;
                // What follows the first difference does not count.
                let after = if a[at] < b[at] { 0 } else { 0xff };
                b[at + 1..].fill(after);
                // SAFETY: both have `len` bytes.
                let (order, same) = unsafe { (memcmp(a.as_ptr(), b.as_ptr(), len), bcmp(a.as_ptr(), b.as_ptr(), len)) };
                assert_eq!(order.signum(), a.cmp(&b) as i32, "{len} {at}");
                assert_ne!(same, 0);
            }
        }
    }
}
