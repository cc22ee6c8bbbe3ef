//! Memory mappings: the booted image as a sealed file in memory, and linear memories that show it copy-on-write.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Bytes of the pages that snapshots are made of. The kernel's pages are this size or a multiple of it.
pub(crate) const PAGE: usize = 4096;

/// One page of zeros.
const ZEROS: [u8; PAGE] = [0; PAGE];

/// Bytes of the kernel's pages.
pub(crate) fn system_page() -> usize {
    // SAFETY: the call has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(PAGE).max(PAGE)
}

/// A range of address space, unmapped when dropped.
#[derive(Debug)]
struct Range {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a range is an address and a length that it alone owns; who may read or write the bytes is up to the types below.
unsafe impl Send for Range {}
// SAFETY: as above; a shared range gives out nothing but its numbers.
unsafe impl Sync for Range {}

impl Range {
    /// Reserves `len` bytes of address space that cannot be accessed.
    fn reserve(len: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: without MAP_FIXED the kernel picks a free range: no mapping of anyone else is touched.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        Self::from_mmap(base, len)
    }

    fn from_mmap(base: *mut libc::c_void, len: usize) -> io::Result<Self> {
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        match NonNull::new(base.cast()) {
            Some(base) => Ok(Self { base, len }),
            None => Err(io::Error::other("mapped at address zero")),
        }
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `reserve` or `from_mmap` and is owned by this value; nothing refers into it any more,
        // because the types below lend its bytes for no longer than they live.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// The content that every linear memory begins with: a file in memory that nobody can write any more.
#[derive(Debug)]
pub(crate) struct Image {
    file: File,
    view: Range,
}

impl Image {
    /// Keeps `bytes`, a whole number of the kernel's pages; pages of zeros stay holes.
    pub(crate) fn try_new(bytes: &[u8]) -> io::Result<Self> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: the name is a C string; the call gives a new descriptor or -1.
        let fd = unsafe { libc::memfd_create(c"rimward-image".as_ptr(), flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, open, and owned by nobody else.
        let file = unsafe { File::from_raw_fd(fd) };
        file.set_len(bytes.len() as u64)?;
        for (n, page) in bytes.chunks(PAGE).enumerate() {
            if page != &ZEROS[..page.len()] {
                file.write_all_at(page, (n * PAGE) as u64)?;
            }
        }
        let seals = libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
        // SAFETY: the descriptor is open; F_ADD_SEALS takes an integer.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // MAP_PRIVATE, because kernels before 6.7 refuse to share a sealed file even for reading.
        // SAFETY: without MAP_FIXED the kernel picks a free range.
        let view = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes.len(), libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        Ok(Self { view: Range::from_mmap(view, bytes.len())?, file })
    }

    /// The content.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `view` maps that many readable bytes for as long as `self` lives, and they never change: the mapping is
        // read-only and the file behind it is sealed against writing and shrinking.
        unsafe { std::slice::from_raw_parts(self.view.base.as_ptr(), self.view.len) }
    }
}

/// A linear memory in a reservation of its own, with everything past its end inaccessible.
#[derive(Debug)]
pub(crate) struct Mapping {
    reservation: Range,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes at the start of a reservation of `reserved` bytes: `image` copy-on-write, or zeros.
    pub(crate) fn try_new(len: usize, reserved: usize, image: Option<&Image>) -> io::Result<Self> {
        if image.is_some_and(|image| image.bytes().len() != len) {
            return Err(io::Error::other("image and memory differ in size"));
        }
        let reservation = Range::reserve(reserved.max(len))?;
        let (source, fd) = match image {
            Some(image) => (0, image.file.as_raw_fd()),
            None => (libc::MAP_ANONYMOUS, -1),
        };
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE | source;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let at: *mut libc::c_void = reservation.base.as_ptr().cast();
        // SAFETY: MAP_FIXED replaces `len` bytes at the start of a reservation that is at least as long and belongs to this value.
        if unsafe { libc::mmap(at, len, protection, flags, fd, 0) } == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Huge pages would turn one written byte into 512 pages to copy back. Kernels without them refuse; that is as good.
        // SAFETY: advice on a range of our own; it does not change content.
        unsafe { libc::madvise(at, len, libc::MADV_NOHUGEPAGE) };
        Ok(Self { reservation, len })
    }

    /// The memory.
    #[cfg(test)]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `len` bytes are mapped readable and writable, for this value alone.
        unsafe { std::slice::from_raw_parts_mut(self.reservation.base.as_ptr(), self.len) }
    }
}

// SAFETY: `as_ptr` stays the same for the life of the value, with `byte_size` bytes readable and writable behind it and the rest of
// the reservation, guard included, inaccessible; the memory does not grow.
unsafe impl LinearMemory for Mapping {
    fn byte_size(&self) -> usize {
        self.len
    }

    fn byte_capacity(&self) -> usize {
        self.len
    }

    fn grow_to(&mut self, _new_size: usize) -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("the memory has a fixed size"))
    }

    fn as_ptr(&self) -> *mut u8 {
        self.reservation.base.as_ptr()
    }
}

/// Gives every page of `memory` the image's content again.
///
/// # Safety
/// `memory` is the whole of a [`Mapping`] with an image.
pub(crate) unsafe fn discard(memory: &mut [u8]) -> io::Result<()> {
    // SAFETY: the caller promises a mapping of ours, exclusively borrowed: replacing its content is a write to it. Private pages go,
    // and the sealed file shows again.
    let done = unsafe { libc::madvise(memory.as_mut_ptr().cast(), memory.len(), libc::MADV_DONTNEED) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the linear memories of an engine: zeros until the image exists, afterwards the image.
#[derive(Debug, Clone, Default)]
pub(crate) struct Creator {
    image: Arc<OnceLock<Arc<Image>>>,
}

impl Creator {
    /// Memories made from now on begin with `image`.
    pub(crate) fn set_image(&self, image: Arc<Image>) -> Result<(), &'static str> {
        self.image.set(image).map_err(|_| "the image is set once")
    }
}

// SAFETY: `new_memory` gives a memory of `minimum` bytes at the start of a reservation of `reserved` bytes, with at least `guard`
// inaccessible bytes after it. It is filled with the image in place of zeros, which is what a data section would do: the
// module has none (`guest_image.rs`).
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _type: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        if maximum != Some(minimum) {
            return Err("the memory must have a fixed size".to_owned());
        }
        let reservation =
            reserved.unwrap_or(minimum).max(minimum).checked_add(guard).ok_or("the reservation is too large")?;
        let memory = Mapping::try_new(minimum, reservation, self.image.get().map(Arc::as_ref));
        Ok(Box::new(memory.map_err(|e| format!("mapping the memory: {e}"))?))
    }
}

#[cfg(test)]
mod tests;
