//! What a slot's memory holds, and how it comes to hold that again after a run.
//!
//! Why remembering the written pages is sound: a page that was written once stays private to the mapping (it may be swapped out or moved,
//! but never becomes the file's again before we discard it), so that later writes to it make no new pages. A page that was
//! not private becomes so only by a page fault, which the kernel counts for the thread that wrote. All writes to the memory happen on the
//! thread that runs the guest: the guest's own, ours, and those of the kernel on our behalf. So when the thread's count of faults did not move
//! during a run, the list of private pages is complete; when it moved, they are looked up again.

use crate::mapping::{Image, PAGE, discard};
use crate::snapshot::Snapshot;
use crate::written_pages::Finder;
use std::io;
use std::sync::Arc;

/// Pages that may stay private beyond the snapshot's own; past that the mapping is discarded. Copying them takes about 20 µs.
const SPARE: usize = 128;
/// Discarding twice within so many runs means that the function needs its pages: the mark doubles.
const TRIM_INTERVAL: u32 = 64;

/// The content of one slot's memory.
#[derive(Debug)]
pub(crate) struct Residence {
    image: Arc<Image>,
    /// `None`: the booted image.
    snapshot: Option<Arc<Snapshot>>,
    /// By page: 0 for the image's, else one more than the place in the snapshot's list.
    source: Box<[u16]>,
    /// Pages that are private to the mapping, in order; all others show the image.
    private: Vec<u32>,
    spare: usize,
    runs_since_trim: u32,
}

impl Residence {
    /// A memory that shows `image` and was not written yet.
    pub(crate) fn new(image: Arc<Image>) -> Self {
        let pages = image.bytes().len() / PAGE;
        Self {
            image,
            snapshot: None,
            source: vec![0; pages].into(),
            private: Vec::new(),
            spare: SPARE,
            runs_since_trim: 0,
        }
    }

    /// The snapshot that the memory holds.
    pub(crate) fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// Pages that the next restoration copies.
    pub(crate) fn private_pages(&self) -> usize {
        self.private.len()
    }

    /// The content that page `n` must have.
    fn original(&self, n: u32) -> &[u8; PAGE] {
        original(&self.image, self.snapshot.as_deref(), &self.source, n)
    }

    /// Replaces what the memory holds; it must have been restored before.
    pub(crate) fn hold(&mut self, memory: &mut [u8], snapshot: Option<Arc<Snapshot>>) {
        let left = std::mem::replace(&mut self.snapshot, snapshot);
        let left_pages = left.as_deref().map_or(&[][..], Snapshot::pages);
        for (n, _) in left_pages {
            self.source[*n as usize] = 0;
        }
        let entered = self.snapshot.as_deref().map_or(&[][..], Snapshot::pages);
        for (i, (n, _)) in entered.iter().enumerate() {
            // A memory has at most 65,535 pages (checked at the start), and no page is listed twice.
            self.source[*n as usize] = i as u16 + 1;
        }
        let memory = memory.as_chunks_mut::<PAGE>().0;
        for (n, _) in left_pages.iter().filter(|(n, _)| self.source[*n as usize] == 0) {
            memory[*n as usize] = *self.original(*n);
        }
        for (n, page) in entered {
            memory[*n as usize] = *page.bytes();
        }
        let entered = entered.iter().map(|(n, _)| *n);
        self.private.extend(entered);
        self.private.sort_unstable();
        self.private.dedup();
        self.spare = SPARE;
    }

    /// Gives `memory` its content again after a run. `faulted` tells whether the thread had page faults meanwhile.
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
            Some(finder) => !faulted || finder.find(memory, &mut self.private).is_ok(),
        };
        self.runs_since_trim = self.runs_since_trim.saturating_add(1);
        let own = self.snapshot.as_deref().map_or(0, |snapshot| snapshot.pages().len());
        if known && self.private.len() <= own + self.spare {
            let pages = memory.as_chunks_mut::<PAGE>().0;
            for &n in &self.private {
                pages[n as usize] = *original(&self.image, self.snapshot.as_deref(), &self.source, n);
            }
            return Ok(());
        }
        if known {
            self.spare = if self.runs_since_trim < TRIM_INTERVAL { 2 * self.spare } else { SPARE };
            self.runs_since_trim = 0;
        }
        // SAFETY: the caller's promise is the same.
        unsafe { discard(memory) }?;
        let pages = memory.as_chunks_mut::<PAGE>().0;
        self.private.clear();
        for (n, page) in self.snapshot.as_deref().map_or(&[][..], Snapshot::pages) {
            pages[*n as usize] = *page.bytes();
            self.private.push(*n);
        }
        Ok(())
    }

    /// The pages that may have been written since the last restoration: looked up, or all where that is not possible.
    pub(crate) fn written(&self, memory: &[u8], finder: Option<&Finder>) -> Vec<u32> {
        let mut pages = Vec::new();
        match finder.map(|finder| finder.find(memory, &mut pages)) {
            Some(Ok(())) => pages,
            _ => (0..(memory.len() / PAGE) as u32).collect(),
        }
    }

    /// Counts the pages that a run changed, before they are restored.
    pub(crate) fn changed(&self, memory: &[u8], finder: Option<&Finder>) -> usize {
        let pages = memory.as_chunks::<PAGE>().0;
        self.written(memory, finder).into_iter().filter(|n| pages[*n as usize] != *self.original(*n)).count()
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
