//! A function, as the pages in which it differs from the booted engine.

use crate::budget::Counting;
use crate::mapping::PAGE;
use crate::page_store::{Page, PageStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A function's memory, sparse.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Number of the page and its content, in order.
    pages: Box<[(u32, Arc<Page>)]>,
    /// Values of the mutable globals, in the order of [`crate::guest_image::GuestImage`].
    globals: Box<[i32]>,
    /// Whether the last run was quick, on any thread. All threads read it, and so it is written only when it changes.
    quick: AtomicBool,
}

impl Snapshot {
    /// Takes those of the `written` pages of `memory` that differ from `image`.
    pub(crate) fn take(
        memory: &[u8],
        image: &[u8],
        written: impl IntoIterator<Item = u32>,
        globals: Box<[i32]>,
        store: &PageStore,
    ) -> Self {
        let (memory, image) = (memory.as_chunks::<PAGE>().0, image.as_chunks::<PAGE>().0);
        let differs = |n: &u32| memory[*n as usize] != image[*n as usize];
        let pages = written.into_iter().filter(differs).map(|n| (n, store.intern(&memory[n as usize]))).collect();
        Self { pages, globals, quick: AtomicBool::new(false) }
    }

    /// The pages that differ.
    pub(crate) fn pages(&self) -> &[(u32, Arc<Page>)] {
        &self.pages
    }

    /// Values of the mutable globals.
    pub(crate) fn globals(&self) -> &[i32] {
        &self.globals
    }

    /// From when on the next run is counted: nothing is known of a function that did not run yet.
    pub(crate) fn counting(&self) -> Counting {
        if self.quick.load(Ordering::Relaxed) { Counting::FirstLook } else { Counting::Begin }
    }

    /// Keeps that for the next run.
    pub(crate) fn count_from(&self, counting: Counting) {
        let quick = counting == Counting::FirstLook;
        if self.quick.load(Ordering::Relaxed) != quick {
            self.quick.store(quick, Ordering::Relaxed);
        }
    }
}
