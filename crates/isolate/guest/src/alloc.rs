//! The memory of the guest.
//!
//! Until the seal everything comes from a general allocator (dlmalloc) over a `brk` that moves inside the fixed memory. From the seal on,
//! blocks come from fresh pages above the snapshot: small ones lie side by side, so that a request touches few pages, and freed ones are used
//! again. Blocks of the snapshot are not freed in a request: that would dirty its pages, and the restore brings them back anyway.

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};

use crate::host::calls;

const PAGE: usize = 4096;
/// Steps of the general allocator's growth.
const STEP: usize = 64 << 10;

/// Blocks up to this size have a class every 16 bytes.
const SMALL: usize = 1024;
const SMALL_CLASSES: usize = SMALL / 16;
/// Above it there are four classes for each doubling, up to 2^24 bytes.
const CLASSES: usize = SMALL_CLASSES + 4 * 14 + 1;

struct State {
    /// End of the used part of the memory; 0 before the first allocation.
    brk: usize,
    /// Beginning of the request's part; 0 before the seal.
    floor: usize,
    /// Where the next fresh block goes.
    fresh: usize,
    /// End of all that was ever handed out since the seal; 0 before it.
    touched: usize,
    /// End of what the request may take.
    limit: usize,
    /// Freed blocks of the request by class, each holding the address of the next.
    free: [usize; CLASSES],
}

struct Shared<T>(UnsafeCell<T>);
// SAFETY: the module is built without threads: everything runs on the one that called in.
unsafe impl<T> Sync for Shared<T> {}

static STATE: Shared<State> =
    Shared(UnsafeCell::new(State { brk: 0, floor: 0, fresh: 0, touched: 0, limit: 0, free: [0; CLASSES] }));
static GENERAL: Shared<dlmalloc::Dlmalloc<Brk>> = Shared(UnsafeCell::new(dlmalloc::Dlmalloc::new_with_allocator(Brk)));

/// # Safety
/// The reference must be gone before anything allocates through another one.
unsafe fn state() -> &'static mut State {
    // SAFETY: one thread (see `Shared`), and the caller keeps no second reference.
    unsafe { &mut *STATE.0.get() }
}

unsafe extern "C" {
    static __heap_base: u8;
}

/// Pages for the general allocator.
struct Brk;

// SAFETY: `alloc` hands out each address once: `brk` only grows, and stays within the memory.
unsafe impl dlmalloc::Allocator for Brk {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // SAFETY: no other reference to the state lives across this call.
        let state = unsafe { state() };
        if state.brk == 0 {
            state.brk = (&raw const __heap_base as usize).next_multiple_of(PAGE);
        }
        let size = size.next_multiple_of(STEP);
        let end = core::arch::wasm32::memory_size::<0>() << 16;
        if size > end - state.brk {
            return (core::ptr::null_mut(), 0, 0);
        }
        let start = state.brk;
        state.brk += size;
        (start as *mut u8, size, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        core::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        STEP
    }
}

/// Ends the preparation: the request's part begins at the next page and has `extra` bytes.
pub(crate) fn seal(extra: usize) {
    let end = core::arch::wasm32::memory_size::<0>() << 16;
    // SAFETY: nothing allocates while the reference lives.
    let state = unsafe { state() };
    state.floor = state.brk.next_multiple_of(PAGE);
    state.fresh = state.floor;
    state.touched = state.floor;
    state.limit = (state.floor + extra.min(end)).min(end);
}

/// End of the used part of the memory.
pub(crate) fn brk() -> usize {
    // SAFETY: as in `seal`.
    let state = unsafe { state() };
    state.brk.max(state.fresh)
}

/// Bytes taken since the seal.
pub(crate) fn used() -> usize {
    // SAFETY: as in `seal`.
    let state = unsafe { state() };
    state.fresh - state.floor
}

/// Class of a size and the size of all blocks of that class.
fn class(size: usize) -> (usize, usize) {
    if size <= SMALL {
        let class = size.max(1).div_ceil(16) - 1;
        return (class, (class + 1) * 16);
    }
    // 2^n < size <= 2^(n+1), in quarters of 2^n.
    let n = (size - 1).ilog2() as usize;
    let quarter = 1 << (n - 2);
    let step = (size - (1 << n)).div_ceil(quarter);
    let class = SMALL_CLASSES + (n - 10) * 4 + step - 1;
    (class, (1 << n) + step * quarter)
}

impl State {
    fn take(&mut self, layout: Layout) -> *mut u8 {
        if layout.size() > self.limit - self.floor || layout.align() > 16 {
            return self.take_odd(layout);
        }
        let (class, size) = class(layout.size());
        let block = self.free[class];
        if block != 0 {
            // SAFETY: `give_back` put a block of this class there, whose first word is the next one's address.
            self.free[class] = unsafe { *(block as *const usize) };
            return block as *mut u8;
        }
        if size <= self.limit - self.fresh {
            let block = self.fresh;
            self.advance(block + size);
            return block as *mut u8;
        }
        self.take_larger(class)
    }

    fn advance(&mut self, fresh: usize) {
        self.fresh = fresh;
        self.touched = self.touched.max(fresh);
    }

    /// The fresh part is used up: a freed block of a larger class will do.
    #[cold]
    fn take_larger(&mut self, class: usize) -> *mut u8 {
        let Some(class) = (class + 1..CLASSES).find(|&c| self.free[c] != 0) else { return core::ptr::null_mut() };
        let block = self.free[class];
        // SAFETY: as in `take`. The block comes back in its smaller class, which is sound: it is at least that large.
        self.free[class] = unsafe { *(block as *const usize) };
        block as *mut u8
    }

    /// Blocks with an unusual alignment (the bytes of array buffers) are always fresh; given back, they serve as any other.
    #[cold]
    fn take_odd(&mut self, layout: Layout) -> *mut u8 {
        if layout.size() > self.limit - self.floor {
            return core::ptr::null_mut();
        }
        let start = self.fresh.next_multiple_of(layout.align());
        match start.checked_add(class(layout.size()).1) {
            Some(end) if end <= self.limit => {
                self.advance(end);
                start as *mut u8
            }
            _ => core::ptr::null_mut(),
        }
    }

    fn give_back(&mut self, block: usize, layout: Layout) {
        let (class, size) = class(layout.size());
        if block + size == self.fresh {
            self.fresh = block;
            return;
        }
        // SAFETY: the block is free, at least 16 bytes long and aligned to 16.
        unsafe { *(block as *mut usize) = self.free[class] };
        self.free[class] = block;
    }
}

struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

// SAFETY: blocks come from dlmalloc or from `State`, which never hands out a byte twice before it is given back; each goes back to where it
// came from, told by its address. `null` is never returned: a refused allocation ends the invocation.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread; the reference ends with `take`.
        let state = unsafe { state() };
        let block = if state.floor != 0 {
            state.take(layout)
        } else {
            // SAFETY: one thread, and dlmalloc calls back into `Brk` alone.
            unsafe { (*GENERAL.0.get()).malloc(layout.size(), layout.align()) }
        };
        if block.is_null() { refuse(layout.size()) } else { block }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let state = unsafe { state() };
        if state.floor == 0 {
            // SAFETY: before the seal all blocks are dlmalloc's.
            unsafe { (*GENERAL.0.get()).free(block, layout.size(), layout.align()) }
        } else if block as usize >= state.floor {
            state.give_back(block as usize, layout);
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let untouched = unsafe { state() }.touched;
        // SAFETY: the caller keeps `alloc`'s contract, which is the same.
        let block = unsafe { self.alloc(layout) };
        // Above all blocks there ever were the memory is zero: large arrays stay untouched pages.
        if (block as usize) < untouched || untouched == 0 {
            // SAFETY: the block has `size` bytes.
            unsafe { core::ptr::write_bytes(block, 0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let state = unsafe { state() };
        if state.floor == 0 {
            // SAFETY: before the seal all blocks are dlmalloc's.
            let moved = unsafe { (*GENERAL.0.get()).realloc(block, layout.size(), layout.align(), new_size) };
            return if moved.is_null() { refuse(new_size) } else { moved };
        }
        let at = block as usize;
        if at >= state.floor && layout.align() <= 16 {
            let (old, new) = (class(layout.size()).1, class(new_size).1);
            if old == new {
                return block;
            }
            if at + old == state.fresh && new <= state.limit - at {
                state.advance(at + new);
                return block;
            }
        }
        // SAFETY: the caller keeps the contract; alignment and size make a valid layout, as `GlobalAlloc::realloc` demands.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            core::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
            self.dealloc(block, layout);
            moved
        }
    }
}

/// Tells the host and ends the invocation.
#[cold]
fn refuse(size: usize) -> ! {
    calls::out_of_memory(size);
    core::arch::wasm32::unreachable()
}
