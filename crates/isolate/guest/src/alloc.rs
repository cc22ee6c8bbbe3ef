//! The memory of the guest.
//!
//! Until the seal everything comes from a general allocator (dlmalloc) over a `brk` that moves inside the fixed memory. What is freed is
//! filled with zeros: what compiling leaves behind is no part of a function, and two functions have more pages in common. After the boot a
//! heap of its own begins, so that a function does not lie in the gaps of the engine's pages, but side by side.
//! From the seal on, small blocks come from an arena above the snapshot: they lie side by side, so that a request touches few pages,
//! and freed ones are used again. Large blocks, and small ones when the arena is full, are the general allocator's, up to the limit.
//! Blocks of the snapshot are not freed in a request: that would dirty its pages, and the restore brings them back anyway. For the same
//! reason the engine does not count references to them from then on. And nothing of a request lies below the seal: both allocators begin
//! above it, so that an address says whose a block is.

mod arena;

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    sync::atomic::Ordering,
};

use arena::Arena;
use dlmalloc::Dlmalloc;

use crate::host::calls;

const PAGE: usize = 4096;
/// Steps in which the general allocator grows.
const STEP: usize = 64 << 10;
/// Blocks above this size are not the arena's: their space should be joined and split again.
const LARGE: usize = 16 << 10;
/// The arena takes a quarter of what a request may have, and no more than this: what is small goes to the general allocator when it is full,
/// what is large has no other place.
const ARENA: usize = 512 << 10;

/// How much of the memory is in use.
struct Break {
    /// End of the used part; 0 before the first allocation.
    at: usize,
    /// Where it must stop.
    limit: usize,
}

struct State {
    /// Beginning of the request's part; 0 before the seal.
    floor: usize,
    /// Blocks below are never freed: the engine's from the end of the boot on, all of the snapshot's from the seal on.
    kept: usize,
    /// Small blocks of the request, at the floor.
    arena: Arena,
    general: Dlmalloc<Brk>,
}

struct Shared<T>(UnsafeCell<T>);
// SAFETY: the module is built without threads: everything runs on the one that called in.
unsafe impl<T> Sync for Shared<T> {}

static BREAK: Shared<Break> = Shared(UnsafeCell::new(Break { at: 0, limit: 0 }));
static STATE: Shared<State> = Shared(UnsafeCell::new(State {
    floor: 0,
    kept: 0,
    arena: Arena::EMPTY,
    general: Dlmalloc::new_with_allocator(Brk),
}));

/// # Safety
/// The reference must be gone before anything else asks for it.
unsafe fn the_break<'a>() -> &'a mut Break {
    // SAFETY: one thread, and the caller keeps the rule above.
    unsafe { &mut *BREAK.0.get() }
}

/// # Safety
/// The reference must be gone before anything allocates.
unsafe fn state<'a>() -> &'a mut State {
    // SAFETY: one thread, and the caller keeps the rule above.
    unsafe { &mut *STATE.0.get() }
}

unsafe extern "C" {
    static __heap_base: u8;
}

fn end_of_memory() -> usize {
    core::arch::wasm32::memory_size::<0>() << 16
}

/// Pages for the general allocator.
struct Brk;

// SAFETY: `alloc` hands out each address once: `brk` only grows, and stays below the limit.
unsafe impl dlmalloc::Allocator for Brk {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // SAFETY: used in this function alone, which calls nothing that allocates.
        let brk = unsafe { the_break() };
        if brk.at == 0 {
            brk.at = (&raw const __heap_base as usize).next_multiple_of(PAGE);
            brk.limit = end_of_memory();
        }
        let room = (brk.limit - brk.at) & !(PAGE - 1);
        if size > room {
            return (core::ptr::null_mut(), 0, 0);
        }
        let size = size.next_multiple_of(STEP).min(room);
        let start = brk.at;
        brk.at += size;
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

/// Ends the boot: what comes now does not lie among what was before.
pub(crate) fn begin_anew() {
    // SAFETY: nothing here allocates.
    let (state, brk) = unsafe { (state(), the_break()) };
    brk.at = brk.at.next_multiple_of(PAGE);
    state.kept = brk.at;
    state.general = Dlmalloc::new_with_allocator(Brk);
}

/// Ends the preparation: a request may take `extra` bytes above all that is in use now.
pub(crate) fn seal(extra: usize) {
    // SAFETY: nothing here allocates.
    let (state, brk) = unsafe { (state(), the_break()) };
    state.floor = brk.at.next_multiple_of(PAGE);
    state.kept = state.floor;
    brk.limit = state.floor.saturating_add(extra).min(end_of_memory());
    let arena = ((brk.limit - state.floor) / 4).min(ARENA) & !(PAGE - 1);
    state.arena = Arena::new(state.floor, arena);
    brk.at = state.floor + arena;
    // What the preparation freed stays the snapshot's: a request that got it would not be charged for it, and could not give it back.
    state.general = Dlmalloc::new_with_allocator(Brk);
    boa_gc::FROZEN_BELOW.store(state.floor, Ordering::Relaxed);
    boa_engine::string::FROZEN_BELOW.store(state.floor, Ordering::Relaxed);
}

/// End of the used part of the memory.
pub(crate) fn brk() -> usize {
    // SAFETY: as in `seal`.
    unsafe { the_break() }.at
}

/// Bytes taken since the seal.
pub(crate) fn used() -> usize {
    // SAFETY: as in `seal`.
    let state = unsafe { state() };
    state.arena.used() + (brk() - state.arena.end())
}

struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

// SAFETY: blocks come from dlmalloc or from the arena, which never hand out a byte twice before it is given back; each goes back to where
// it came from, told by its address. `null` is never returned: a refused allocation ends the invocation.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: used in this function alone; dlmalloc asks `Brk` for pages, which does not take the state.
        let state = unsafe { state() };
        if state.floor != 0 && layout.size() <= LARGE {
            let block = state.arena.take(layout);
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: the layout is the caller's.
        let block = unsafe { state.general.malloc(layout.size(), layout.align()) };
        if block.is_null() { refuse(layout.size()) } else { block }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let state = unsafe { state() };
        if state.arena.has(block) {
            // SAFETY: the arena gave this block for this layout.
            unsafe { state.arena.give_back(block, layout) };
        } else if block as usize >= state.kept {
            if state.floor == 0 {
                // SAFETY: the block has that many bytes, and nobody uses them any more.
                unsafe { core::ptr::write_bytes(block, 0, layout.size()) };
            }
            // SAFETY: not the arena's, so dlmalloc's; before the seal the floor is 0.
            unsafe { state.general.free(block, layout.size(), layout.align()) };
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let state = unsafe { state() };
        if state.floor != 0 && layout.size() <= LARGE {
            let untouched = state.arena.untouched();
            let block = state.arena.take(layout);
            if !block.is_null() {
                if (block as usize) < untouched {
                    // SAFETY: the block has `size` bytes.
                    unsafe { core::ptr::write_bytes(block, 0, layout.size()) };
                }
                return block;
            }
        }
        // SAFETY: as in `alloc`.
        let block = unsafe { state.general.calloc(layout.size(), layout.align()) };
        if block.is_null() { refuse(layout.size()) } else { block }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let state = unsafe { state() };
        if state.arena.has(block) {
            if state.arena.resize(block, layout, new_size) {
                return block;
            }
        } else if state.floor != 0 && block as usize >= state.kept {
            // SAFETY: dlmalloc's block, see `dealloc`.
            let moved = unsafe { state.general.realloc(block, layout.size(), layout.align(), new_size) };
            return if moved.is_null() { refuse(new_size) } else { moved };
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
pub(crate) fn refuse(size: usize) -> ! {
    calls::out_of_memory(size);
    core::arch::wasm32::unreachable()
}
