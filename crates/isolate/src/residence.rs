//! What a slot's memory holds, and how it comes to hold that again after a run.
//!
//! Why remembering the written pages is sound: a page that was written once stays private to the mapping (it may be swapped out or moved,
//! but never becomes the file's again before we discard it), so that later writes to it make no new pages. A page that was
//! not private becomes so only by a page fault, which the kernel counts for the thread that wrote. All writes to the memory happen on the
//! thread that runs the guest: the guest's own, ours, and those of the kernel on our behalf. So when the thread's count of faults did not move
//! since its last run, the list of private pages is complete; when it moved, they are looked up again.
//!
//! The pages of the snapshot itself are private from the moment they are put there, written to or not, and would all be copied back after
//! every run. Where the kernel can protect them (`written_pages.rs`), that is done now and then: from then on, writing to one is a fault
//! too, and the list holds the pages written since. All the above holds for *written since* in place of *private*.
//!
//! A switch to another function copies the pages in which the two differ, and leaves the protection of all others: functions have most of
//! their pages in common, and write to the same ones.

use crate::mapping::{Image, PAGE, discard};
use crate::page_set::PageSet;
use crate::snapshot::Snapshot;
use crate::written_pages::Finder;
use std::io;
use std::sync::Arc;

/// Pages that may stay private beyond the snapshot's own; past that the mapping is discarded. Copying them takes about 20 µs.
const SPARE: usize = 128;
/// Discarding again within so many runs means that the function needs its pages: the mark doubles.
const TRIM_INTERVAL: u32 = 64;

/// Runs of one function after which its pages are protected: a slot that is switched all the time does not pay for it.
const PROTECT_AFTER: u32 = 8;
/// Runs after which that is done again, whatever was run: pages that are written seldom leave the list. It costs such a run some 10 µs.
const PROTECT_AGAIN: u32 = 1024;

/// The content of one slot's memory.
#[derive(Debug)]
pub(crate) struct Residence {
    image: Arc<Image>,
    /// `None`: the booted image.
    snapshot: Option<Arc<Snapshot>>,
    /// By page: 0 for the image's, else one more than the place in the snapshot's list.
    source: Box<[u16]>,
    /// Pages that can be written without a fault; all others are as they must be.
    writable: PageSet,
    /// Pages that were found to be private since the memory was made or discarded.
    private: PageSet,
    spare: usize,
    /// Runs since the memory was last filled: by another function, or after it was discarded.
    runs: u32,
    /// Runs until the pages are protected.
    protect_in: u32,
    /// Pages that the last restoration copied.
    copied: u32,
    watched: bool,
}

impl Residence {
    /// `memory` shows `image` and was not written yet.
    pub(crate) fn new(image: Arc<Image>, memory: &[u8], finder: Option<&Finder>) -> Self {
        let pages = image.bytes().len() / PAGE;
        // Where it fails, more is copied.
        let watched = finder.is_some_and(|finder| finder.can_protect() && finder.watch(memory).is_ok());
        Self {
            image,
            snapshot: None,
            source: vec![0; pages].into(),
            writable: PageSet::new(pages),
            private: PageSet::new(pages),
            spare: SPARE,
            runs: 0,
            protect_in: PROTECT_AFTER,
            copied: 0,
            watched,
        }
    }

    /// The snapshot that the memory holds.
    pub(crate) fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// Pages that the last restoration copied.
    pub(crate) fn copied(&self) -> u32 {
        self.copied
    }

    /// The content that page `n` must have.
    fn original(&self, n: u32) -> &[u8; PAGE] {
        original(&self.image, self.snapshot.as_deref(), &self.source, n)
    }

    /// Replaces what the memory holds; it must have been restored before. Writing to a protected page is a fault, once.
    pub(crate) fn hold(&mut self, memory: &mut [u8], snapshot: Option<Arc<Snapshot>>) {
        let left = std::mem::replace(&mut self.snapshot, snapshot);
        let left_pages = left.as_deref().map_or(&[][..], Snapshot::pages);
        let entered = self.snapshot.as_deref().map_or(&[][..], Snapshot::pages);
        let memory = memory.as_chunks_mut::<PAGE>().0;
        for (n, page) in entered {
            let there = left_pages.get((self.source[*n as usize] as usize).wrapping_sub(1));
            // Functions have most of their pages in common, and then share them.
            if there.is_none_or(|(_, there)| !Arc::ptr_eq(there, page)) {
                memory[*n as usize] = *page.bytes();
                self.writable.insert(*n);
            }
        }
        for (n, _) in left_pages {
            self.source[*n as usize] = 0;
        }
        for (i, (n, _)) in entered.iter().enumerate() {
            // A memory has at most 65,535 pages (checked at the start), and no page is listed twice.
            self.source[*n as usize] = i as u16 + 1;
        }
        for (n, _) in left_pages.iter().filter(|(n, _)| self.source[*n as usize] == 0) {
            memory[*n as usize] = *original(&self.image, None, &self.source, *n);
            self.writable.insert(*n);
        }
        self.private.unite(&self.writable);
        self.spare = SPARE;
        self.runs = 0;
    }

    /// Gives `memory` its content again after a run. `faulted` tells whether the thread had page faults since the restoration before.
    ///
    /// # Safety
    /// `memory` is the whole of a [`crate::mapping::Mapping`] with this residence's image.
    pub(crate) unsafe fn restore(
        &mut self,
        memory: &mut [u8],
        finder: Option<&Finder>,
        faulted: bool,
    ) -> io::Result<()> {
        let known = match finder {
            // Without the list, and when it cannot be had this once, everything goes.
            None => false,
            Some(finder) => !faulted || finder.find(memory, &mut self.writable).is_ok(),
        };
        if faulted {
            self.private.unite(&self.writable);
        }
        self.runs = self.runs.saturating_add(1);
        let own = self.snapshot.as_deref().map_or(0, |snapshot| snapshot.pages().len());
        if !known || self.private.len() > own + self.spare {
            self.spare = if known && self.runs < TRIM_INTERVAL { 2 * self.spare } else { SPARE };
            // SAFETY: the caller's promise is the same.
            return unsafe { self.refill(memory) };
        }
        let pages = memory.as_chunks_mut::<PAGE>().0;
        self.copied = 0;
        for n in self.writable.iter() {
            pages[n as usize] = *original(&self.image, self.snapshot.as_deref(), &self.source, n);
            self.copied += 1;
        }
        self.protect_in = self.protect_in.saturating_sub(1);
        if self.watched && (self.protect_in == 0 || self.runs == PROTECT_AFTER) {
            self.watched = finder.is_some_and(|finder| finder.protect(memory).is_ok());
            if self.watched {
                self.writable.clear();
            }
            self.protect_in = PROTECT_AGAIN;
        }
        Ok(())
    }

    /// Discards all private pages and puts the snapshot's there again.
    ///
    /// # Safety
    /// As [`Residence::restore`].
    unsafe fn refill(&mut self, memory: &mut [u8]) -> io::Result<()> {
        // SAFETY: the caller's promise is the same.
        unsafe { discard(memory) }?;
        let pages = memory.as_chunks_mut::<PAGE>().0;
        self.writable.clear();
        for (n, page) in self.snapshot.as_deref().map_or(&[][..], Snapshot::pages) {
            pages[*n as usize] = *page.bytes();
            self.writable.insert(*n);
        }
        self.private.clone_from(&self.writable);
        self.copied = self.writable.len() as u32;
        self.runs = 0;
        self.protect_in = PROTECT_AFTER;
        Ok(())
    }

    /// The pages that may have been written since the last restoration, and perhaps more: looked up, or all where that is not possible.
    pub(crate) fn written(&self, memory: &[u8], finder: Option<&Finder>) -> PageSet {
        let all = memory.len() / PAGE;
        let mut pages = PageSet::new(all);
        if finder.is_none_or(|finder| finder.find(memory, &mut pages).is_err()) {
            pages.extend(0..all as u32);
        }
        pages
    }

    /// Counts the pages that a run changed, before they are restored.
    pub(crate) fn changed(&self, memory: &[u8], finder: Option<&Finder>) -> usize {
        let pages = memory.as_chunks::<PAGE>().0;
        self.written(memory, finder).iter().filter(|n| pages[*n as usize] != *self.original(*n)).count()
    }

    /// The first page that is not what it must be.
    pub(crate) fn first_difference(&self, memory: &[u8]) -> Option<u32> {
        let pages = memory.as_chunks::<PAGE>().0;
        (0..pages.len() as u32).find(|n| pages[*n as usize] != *self.original(*n))
    }
}

fn original<'a>(image: &'a Image, snapshot: Option<&'a Snapshot>, source: &[u16], n: u32) -> &'a [u8; PAGE] {
    match (source[n as usize], snapshot) {
        (place @ 1.., Some(snapshot)) => snapshot.pages()[place as usize - 1].1.bytes(),
        _ => &image.bytes().as_chunks::<PAGE>().0[n as usize],
    }
}

#[cfg(test)]
mod tests;
