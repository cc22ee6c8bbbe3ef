//! Small blocks, side by side.
//!
//! A block has one of few sizes. A freed one waits in the list of its size; a new one is the list's first, or comes from the fresh part.

use std::alloc::Layout;

/// Blocks up to this size have a class every 16 bytes.
const SMALL: usize = 1024;
const SMALL_CLASSES: usize = SMALL / 16;
/// Above it there are four classes for each doubling, up to 2^15 bytes.
const CLASSES: usize = SMALL_CLASSES + 4 * 5;
/// All blocks begin at multiples of this.
const ALIGN: usize = 16;

/// A part of the memory and its blocks.
pub(super) struct Arena {
    start: usize,
    end: usize,
    /// Where the next fresh block goes.
    fresh: usize,
    /// End of all that was ever handed out: the memory above is zero.
    touched: usize,
    /// Freed blocks by class, each holding the address of the next.
    free: [usize; CLASSES],
}

/// Class of a size and the size of all blocks of that class.
fn class(size: usize) -> (usize, usize) {
    if size <= SMALL {
        let class = size.max(1).div_ceil(ALIGN) - 1;
        return (class, (class + 1) * ALIGN);
    }
    // 2^n < size <= 2^(n+1), in quarters of 2^n.
    let n = (size - 1).ilog2() as usize;
    let quarter = 1 << (n - 2);
    let step = (size - (1 << n)).div_ceil(quarter);
    (SMALL_CLASSES + (n - 10) * 4 + step - 1, (1 << n) + step * quarter)
}

impl Arena {
    /// An arena without room.
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, fresh: 0, touched: 0, free: [0; CLASSES] };

    /// An arena of `size` bytes of zeros at `start`, a multiple of a page.
    pub(super) fn new(start: usize, size: usize) -> Self {
        Self { start, end: start + size, fresh: start, touched: start, ..Self::EMPTY }
    }

    /// Whether the block lies in the arena.
    #[inline]
    pub(super) fn has(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.start) < self.end - self.start
    }

    /// Where the arena ends.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Bytes in use or in lists.
    pub(super) fn used(&self) -> usize {
        self.fresh - self.start
    }

    /// Blocks at or above this address were never used.
    pub(super) fn untouched(&self) -> usize {
        self.touched
    }

    /// A block for a layout of at most 2^15 bytes; null when there is none.
    #[inline]
    pub(super) fn take(&mut self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            return self.take_aligned(layout);
        }
        let (class, size) = class(layout.size());
        let block = self.free[class];
        if block != 0 {
            // SAFETY: `give_back` put a block of this class there, whose first word is the next one's address.
            self.free[class] = unsafe { *(block as *const usize) };
            return block as *mut u8;
        }
        self.advance(self.fresh, size)
    }

    /// The bytes of array buffers want a larger alignment. They are always fresh; given back, they serve as any other block.
    #[cold]
    fn take_aligned(&mut self, layout: Layout) -> *mut u8 {
        self.advance(self.fresh.next_multiple_of(layout.align()), class(layout.size()).1)
    }

    #[inline]
    fn advance(&mut self, start: usize, size: usize) -> *mut u8 {
        if start + size > self.end {
            return core::ptr::null_mut();
        }
        self.fresh = start + size;
        self.touched = self.touched.max(self.fresh);
        start as *mut u8
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The arena must have given the block for this layout, and nobody may use it any more.
    #[inline]
    pub(super) unsafe fn give_back(&mut self, block: *mut u8, layout: Layout) {
        let (class, size) = class(layout.size());
        if block as usize + size == self.fresh {
            self.fresh = block as usize;
            return;
        }
        // SAFETY: the block is free, at least 16 bytes long and aligned to 16.
        unsafe { *block.cast::<usize>() = self.free[class] };
        self.free[class] = block as usize;
    }

    /// Makes a block larger or smaller where it lies, if that is possible.
    pub(super) fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> bool {
        if new_size > super::LARGE {
            return false;
        }
        let (old, new) = (class(layout.size()).1, class(new_size).1);
        if old == new {
            return true;
        }
        let last = block as usize + old == self.fresh;
        last && !self.advance(block as usize, new).is_null()
    }
}
