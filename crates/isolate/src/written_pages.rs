//! Finds the pages of a copy-on-write mapping that were written.
//!
//! A page of a private file mapping that was written is anonymous memory of ours; one that was only read is the file's.
//! `PAGEMAP_SCAN` (Linux 6.7) lists the former in one call; reading `/proc/self/pagemap` gives the same answer page by page.
//!
//! The pages of a function's own snapshot are anonymous from the moment they are put there. To tell which of them a run writes, they are
//! protected now and then with a `userfaultfd` in its asynchronous mode (Linux 6.7): the kernel lifts the protection of a page at the first
//! write to it, by itself, and counts a page fault.

use crate::mapping::{Image, Mapping, PAGE, system_page};
use crate::page_set::PageSet;
use crate::start::Restore;
use crate::thread_clock::page_faults;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use wasmtime::LinearMemory;

/// A way to find written pages.
#[derive(Debug)]
pub(crate) enum Finder {
    /// `PAGEMAP_SCAN` on this file, and protection where the kernel has it.
    Scan(File, Option<Protector>),
    /// Reads this file.
    Read(File),
}

/// A `userfaultfd` in asynchronous mode.
#[derive(Debug)]
pub(crate) struct Protector(OwnedFd);

/// One entry of `/proc/self/pagemap` (`Documentation/admin-guide/mm/pagemap.rst`).
const ENTRY: usize = 8;
const ENTRY_PRESENT: u64 = 1 << 63;
const ENTRY_SWAPPED: u64 = 1 << 62;
const ENTRY_FILE: u64 = 1 << 61;

/// Categories of `PAGEMAP_SCAN` (`linux/fs.h`).
const IS_WRITTEN: u64 = 1 << 1;
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
/// `_IOWR('f', 16, struct pm_scan_arg)`
const PAGEMAP_SCAN: u64 = 0xc060_6610;
/// Protects what it finds, and fails where it cannot.
const PROTECT: u64 = (1 << 0) | (1 << 1);

/// `linux/userfaultfd.h`
const UFFD_USER_MODE_ONLY: libc::c_int = 1;
const UFFD_API: u64 = 0xaa;
const UFFD_FEATURE_WP_ASYNC: u64 = 1 << 15;
const UFFDIO_REGISTER_MODE_WP: u64 = 1 << 1;
/// `_IOWR(0xaa, 0x3f, struct uffdio_api)`
const UFFDIO_API: u64 = 0xc018_aa3f;
/// `_IOWR(0xaa, 0x00, struct uffdio_register)`
const UFFDIO_REGISTER: u64 = 0xc020_aa00;

/// `struct uffdio_api`
#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_register`
#[repr(C)]
struct Register {
    start: u64,
    len: u64,
    mode: u64,
    ioctls: u64,
}

/// `struct pm_scan_arg`
#[repr(C)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_any_of: u64,
    return_mask: u64,
}

/// `struct page_region`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// Regions that one call returns at most; usual requests write about 15.
const REGIONS: usize = 128;

impl Finder {
    /// The way that was asked for, tried out; `Ok(None)` means to remap.
    pub(crate) fn detect(wanted: Restore) -> Result<Option<Self>, Restore> {
        let watch = || Self::tried(Self::Scan(pagemap()?, Some(Protector::open()?)));
        let scan = || Self::tried(Self::Scan(pagemap()?, None));
        let read = || Self::tried(Self::Read(pagemap()?));
        match wanted {
            Restore::Auto => Ok(watch().or_else(scan).or_else(read)),
            Restore::Watch => watch().map(Some).ok_or(wanted),
            Restore::Scan => scan().map(Some).ok_or(wanted),
            Restore::Read => read().map(Some).ok_or(wanted),
            Restore::Remap => Ok(None),
        }
    }

    fn tried(self) -> Option<Self> {
        self.tells_writes_from_reads().unwrap_or(false).then_some(self)
    }

    /// Tries the way out on a mapping in which one page was read and two were written, one of them before a protection.
    fn tells_writes_from_reads(&self) -> io::Result<bool> {
        let page = system_page();
        let image = Image::try_new(&vec![1; 8 * page])?;
        let mapping = Mapping::try_new(8 * page, 8 * page, Some(&image))?;
        let base = mapping.as_ptr();
        // SAFETY: the mapping has eight readable and writable pages, and nobody else knows of it.
        let memory = unsafe { std::slice::from_raw_parts_mut(base, 8 * page) };
        std::hint::black_box(memory[page]);
        let parts = (page / PAGE) as u32;
        let range = |n: u32| n * parts..(n + 1) * parts;
        let mut found = PageSet::new(8 * page / PAGE);
        memory[3 * page] = 2;
        memory[6 * page] = 2;
        std::hint::black_box(&memory);
        self.find(memory, &mut found)?;
        if !found.iter().eq(range(3).chain(range(6))) {
            return Ok(false);
        }
        if !self.can_protect() {
            return Ok(true);
        }
        self.watch(memory)?;
        self.protect(memory)?;
        let faults = page_faults();
        memory[2 * page] = 2;
        memory[6 * page] = 3;
        std::hint::black_box(&memory);
        let counted = page_faults() - faults >= 2;
        self.find(memory, &mut found)?;
        Ok(counted && found.iter().eq(range(2).chain(range(6))))
    }

    /// Puts the written pages of `memory` in `pages`, and nothing else; they are numbered from its start. `memory` begins at a page of
    /// the kernel. After [`Finder::protect`], those written since.
    pub(crate) fn find(&self, memory: &[u8], pages: &mut PageSet) -> io::Result<()> {
        pages.clear();
        match self {
            Self::Scan(file, _) => scan(file, memory, pages),
            Self::Read(file) => read(file, memory, pages),
        }
    }

    /// Whether [`Finder::protect`] is to be had.
    pub(crate) fn can_protect(&self) -> bool {
        matches!(self, Self::Scan(_, Some(_)))
    }

    /// Prepares a mapping for [`Finder::protect`]; once, for as long as it is mapped.
    pub(crate) fn watch(&self, memory: &[u8]) -> io::Result<()> {
        let Self::Scan(_, Some(protector)) = self else { return Err(io::ErrorKind::Unsupported.into()) };
        let (start, len) = (memory.as_ptr() as u64, memory.len() as u64);
        let mut arguments = Register { start, len, mode: UFFDIO_REGISTER_MODE_WP, ioctls: 0 };
        // SAFETY: the arguments have the layout of `uffdio_register`. The range is memory of ours; in asynchronous mode registering it
        // changes nothing that a program can see but what `find` reports.
        let done = unsafe { libc::ioctl(protector.0.as_raw_fd(), UFFDIO_REGISTER as _, &raw mut arguments) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Makes [`Finder::find`] forget the pages written so far. The first write to each of them is a page fault again.
    pub(crate) fn protect(&self, memory: &[u8]) -> io::Result<()> {
        let Self::Scan(file, Some(_)) = self else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut arguments = ScanArguments::written(memory);
        arguments.flags = PROTECT;
        walk(file, &mut arguments).map(|_| ())
    }
}

impl Protector {
    /// `None` where the kernel has no asynchronous mode, or does not let us.
    fn open() -> Option<Self> {
        // SAFETY: the call takes flags and gives a new descriptor or -1.
        let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | UFFD_USER_MODE_ONLY) };
        let fd = libc::c_int::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: the descriptor is new, open, and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut arguments = Api { api: UFFD_API, features: UFFD_FEATURE_WP_ASYNC, ioctls: 0 };
        // SAFETY: the arguments have the layout of `uffdio_api`.
        let done = unsafe { libc::ioctl(fd.as_raw_fd(), UFFDIO_API as _, &raw mut arguments) };
        (done == 0).then_some(Self(fd))
    }
}

fn pagemap() -> Option<File> {
    File::open("/proc/self/pagemap").ok()
}

impl ScanArguments {
    /// Asks for the written pages of `memory`, and has nowhere to put them yet.
    fn written(memory: &[u8]) -> Self {
        let start = memory.as_ptr() as u64;
        Self {
            size: size_of::<Self>() as u64,
            flags: 0,
            start,
            end: start + memory.len() as u64,
            walk_end: 0,
            vec: 0,
            vec_len: 0,
            max_pages: 0,
            // Present or swapped out, not protected, and neither the file's page nor the shared page of zeros.
            category_inverted: IS_FILE | IS_ZERO,
            category_mask: IS_FILE | IS_ZERO | IS_WRITTEN,
            category_any_of: IS_PRESENT | IS_SWAPPED,
            return_mask: 0,
        }
    }
}

/// Makes one call and gives the number of regions found.
fn walk(file: &File, arguments: &mut ScanArguments) -> io::Result<usize> {
    // SAFETY: the arguments have the layout of `pm_scan_arg` and say their size; `vec` is null or points to `vec_len` regions of the
    // caller's, which outlive the call. The call reads page tables, and with `PROTECT` takes away the right to write at once.
    let found = unsafe { libc::ioctl(file.as_raw_fd(), PAGEMAP_SCAN as _, std::ptr::from_mut(arguments)) };
    usize::try_from(found).map_err(|_| io::Error::last_os_error())
}

fn scan(file: &File, memory: &[u8], pages: &mut PageSet) -> io::Result<()> {
    let mut arguments = ScanArguments::written(memory);
    let (base, end) = (arguments.start, arguments.end);
    let mut regions = [Region::default(); REGIONS];
    while arguments.start < end {
        arguments.vec = regions.as_mut_ptr() as u64;
        arguments.vec_len = REGIONS as u64;
        let found = walk(file, &mut arguments)?;
        for region in regions.iter().take(found) {
            let first = region.start.clamp(base, end) - base;
            let last = region.end.clamp(base, end) - base;
            pages.extend((first / PAGE as u64) as u32..(last / PAGE as u64) as u32);
        }
        if arguments.walk_end <= arguments.start {
            return Err(io::Error::other("the scan did not advance"));
        }
        arguments.start = arguments.walk_end;
    }
    Ok(())
}

fn read(file: &File, memory: &[u8], pages: &mut PageSet) -> io::Result<()> {
    let page = system_page();
    let first = memory.as_ptr() as usize / page;
    let parts = (page / PAGE) as u32;
    let mut entries = vec![0; memory.len() / page * ENTRY];
    file.read_exact_at(&mut entries, (first * ENTRY) as u64)?;
    for (n, entry) in entries.as_chunks::<ENTRY>().0.iter().enumerate() {
        let entry = u64::from_ne_bytes(*entry);
        if entry & (ENTRY_PRESENT | ENTRY_SWAPPED) != 0 && entry & ENTRY_FILE == 0 {
            let n = n as u32 * parts;
            pages.extend(n..n + parts);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Finder;
    use crate::mapping::{Image, Mapping, PAGE, system_page};
    use crate::page_set::PageSet;
    use crate::start::Restore;
    use crate::thread_clock::page_faults;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn remapping_needs_no_finder() {
        assert!(Finder::detect(Restore::Remap).unwrap().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn all_ways_find_exactly_the_pages_written(
            written in proptest::collection::btree_set(0usize..700, 0..500),
            read in proptest::collection::btree_set(0usize..700, 0..50),
        ) {
            let page = system_page();
            let image = Image::try_new(&vec![7; 700 * page]).unwrap();
            let mut mapping = Mapping::try_new(700 * page, 700 * page, Some(&image)).unwrap();
            let memory = mapping.bytes_mut();
            for n in &read {
                std::hint::black_box(memory[n * page]);
            }
            for n in &written {
                memory[n * page + 1] = 7;
            }
            let parts = page / PAGE;
            let expected: BTreeSet<u32> = written.iter().flat_map(|n| n * parts..(n + 1) * parts).map(|n| n as u32).collect();
            let mut pages = PageSet::new(memory.len() / PAGE);
            for finder in [Finder::detect(Restore::Watch), Finder::detect(Restore::Scan), Finder::detect(Restore::Read)] {
                // A kernel without the call is no failure of ours.
                if let Ok(Some(finder)) = finder {
                    finder.find(memory, &mut pages).unwrap();
                    prop_assert!(pages.iter().eq(expected.iter().copied()));
                }
            }
        }
    }
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn protected_pages_are_found_when_they_are_written_again_and_the_thread_counts_it(
            before in proptest::collection::btree_set(0usize..700, 0..300),
            after in proptest::collection::btree_set(0usize..700, 1..300),
        ) {
            let Ok(Some(finder)) = Finder::detect(Restore::Watch) else { return Ok(()) };
            let page = system_page();
            let image = Image::try_new(&vec![7; 700 * page]).unwrap();
            let mut mapping = Mapping::try_new(700 * page, 700 * page, Some(&image)).unwrap();
            let memory = mapping.bytes_mut();
            finder.watch(memory).unwrap();
            for n in &before {
                memory[n * page] = 1;
            }
            finder.protect(memory).unwrap();
            let mut pages = PageSet::new(memory.len() / PAGE);
            finder.find(memory, &mut pages).unwrap();
            prop_assert_eq!(pages.len(), 0);
            let faults = page_faults();
            for n in &after {
                memory[n * page + 1] = 2;
            }
            std::hint::black_box(&memory);
            prop_assert!(page_faults() - faults >= after.len() as u64);
            let parts = page / PAGE;
            let expected: BTreeSet<u32> = after.iter().flat_map(|n| n * parts..(n + 1) * parts).map(|n| n as u32).collect();
            finder.find(memory, &mut pages).unwrap();
            prop_assert!(pages.iter().eq(expected));
        }
    }
}
