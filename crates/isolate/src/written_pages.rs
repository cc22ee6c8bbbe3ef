//! Finds the pages of a copy-on-write mapping that were written.
//!
//! A page of a private file mapping that was written is anonymous memory of ours; one that was only read is the file's.
//! `PAGEMAP_SCAN` (Linux 6.7) lists the former in one call; reading `/proc/self/pagemap` gives the same answer page by page.

use crate::mapping::{Image, Mapping, PAGE, system_page};
use crate::start::Restore;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use wasmtime::LinearMemory;

/// A way to find written pages.
#[derive(Debug)]
pub(crate) enum Finder {
    /// `PAGEMAP_SCAN` on this file.
    Scan(File),
    /// Reads this file.
    Read(File),
}

/// One entry of `/proc/self/pagemap` (`Documentation/admin-guide/mm/pagemap.rst`).
const ENTRY: usize = 8;
const ENTRY_PRESENT: u64 = 1 << 63;
const ENTRY_SWAPPED: u64 = 1 << 62;
const ENTRY_FILE: u64 = 1 << 61;

/// Categories of `PAGEMAP_SCAN` (`linux/fs.h`).
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
/// `_IOWR('f', 16, struct pm_scan_arg)`
const PAGEMAP_SCAN: u64 = 0xc060_6610;

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
        let scan = || Self::open(Self::Scan);
        let read = || Self::open(Self::Read);
        match wanted {
            Restore::Auto => Ok(scan().or_else(read)),
            Restore::Scan => scan().map(Some).ok_or(wanted),
            Restore::Read => read().map(Some).ok_or(wanted),
            Restore::Remap => Ok(None),
        }
    }

    fn open(way: fn(File) -> Self) -> Option<Self> {
        let finder = way(File::open("/proc/self/pagemap").ok()?);
        finder.tells_writes_from_reads().unwrap_or(false).then_some(finder)
    }

    /// Tries the way out on a mapping in which one page was read and two were written.
    fn tells_writes_from_reads(&self) -> io::Result<bool> {
        let page = system_page();
        let image = Image::try_new(&vec![1; 8 * page])?;
        let mapping = Mapping::try_new(8 * page, 8 * page, Some(&image))?;
        let base = mapping.as_ptr();
        // SAFETY: the mapping has eight readable and writable pages, and nobody else knows of it.
        let memory = unsafe { std::slice::from_raw_parts_mut(base, 8 * page) };
        std::hint::black_box(memory[page]);
        memory[3 * page] = 2;
        memory[6 * page] = 2;
        std::hint::black_box(&memory);
        let mut found = Vec::new();
        self.find(memory, &mut found)?;
        let parts = (page / PAGE) as u32;
        Ok(found.into_iter().eq((3 * parts..4 * parts).chain(6 * parts..7 * parts)))
    }

    /// Lists the written pages of `memory` in `pages`, in order, numbered from its start. `memory` begins at a page of the kernel.
    pub(crate) fn find(&self, memory: &[u8], pages: &mut Vec<u32>) -> io::Result<()> {
        pages.clear();
        match self {
            Self::Scan(file) => scan(file, memory, pages),
            Self::Read(file) => read(file, memory, pages),
        }
    }
}

fn scan(file: &File, memory: &[u8], pages: &mut Vec<u32>) -> io::Result<()> {
    let base = memory.as_ptr() as u64;
    let end = base + memory.len() as u64;
    let mut start = base;
    let mut regions = [Region::default(); REGIONS];
    while start < end {
        let mut arguments = ScanArguments {
            size: size_of::<ScanArguments>() as u64,
            flags: 0,
            start,
            end,
            walk_end: 0,
            vec: regions.as_mut_ptr() as u64,
            vec_len: REGIONS as u64,
            max_pages: 0,
            // Written: present or swapped out, and neither the file's page nor the shared page of zeros.
            category_inverted: IS_FILE | IS_ZERO,
            category_mask: IS_FILE | IS_ZERO,
            category_any_of: IS_PRESENT | IS_SWAPPED,
            return_mask: 0,
        };
        // SAFETY: the arguments have the layout of `pm_scan_arg` and say their size; `vec` points to `vec_len` regions of our own,
        // which outlive the call. The call reads page tables and writes nothing else.
        let found = unsafe { libc::ioctl(file.as_raw_fd(), PAGEMAP_SCAN as _, &raw mut arguments) };
        if found < 0 {
            return Err(io::Error::last_os_error());
        }
        for region in regions.iter().take(found as usize) {
            let first = region.start.clamp(base, end) - base;
            let last = region.end.clamp(base, end) - base;
            pages.extend((first / PAGE as u64) as u32..(last / PAGE as u64) as u32);
        }
        if arguments.walk_end <= start {
            return Err(io::Error::other("the scan did not advance"));
        }
        start = arguments.walk_end;
    }
    Ok(())
}

fn read(file: &File, memory: &[u8], pages: &mut Vec<u32>) -> io::Result<()> {
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
    use crate::start::Restore;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn remapping_needs_no_finder() {
        assert!(Finder::detect(Restore::Remap).unwrap().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn both_ways_find_exactly_the_pages_written(
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
            let mut pages = Vec::new();
            for finder in [Finder::detect(Restore::Scan), Finder::detect(Restore::Read)] {
                // A kernel without the call is no failure of ours.
                if let Ok(Some(finder)) = finder {
                    finder.find(memory, &mut pages).unwrap();
                    prop_assert!(pages.iter().copied().eq(expected.iter().copied()));
                }
            }
        }
    }
}
