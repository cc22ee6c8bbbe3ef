#![allow(clippy::unwrap_used)]
use super::Residence;
use crate::mapping::{Image, Mapping, PAGE};
use crate::page_store::PageStore;
use crate::snapshot::Snapshot;
use crate::start::Restore;
use crate::thread_clock::page_faults;
use crate::written_pages::Finder;
use proptest::prelude::*;
use std::sync::Arc;

/// Pages of the memory under test: a multiple of the kernel's on all machines.
const PAGES: usize = 1024;

fn image() -> Arc<Image> {
    let bytes: Vec<u8> =
        (0..PAGES * PAGE).map(|n| if (n / PAGE).is_multiple_of(3) { 0 } else { (n / 7) as u8 }).collect();
    Arc::new(Image::try_new(&bytes).unwrap())
}

fn snapshot(image: &Image, pages: &[u32], store: &PageStore) -> Arc<Snapshot> {
    let mut memory = image.bytes().to_vec();
    for n in pages {
        memory[*n as usize * PAGE..][..5].copy_from_slice(b"hello");
    }
    Arc::new(Snapshot::take(&memory, image.bytes(), 0..PAGES as u32, [].into(), store))
}

#[derive(Debug, Clone)]
enum Step {
    Run(Vec<(usize, u8)>),
    Hold(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((0..PAGES * PAGE, any::<u8>()), 0..400).prop_map(Step::Run),
        // Few pages, often the same: the list is used again.
        4 => proptest::collection::vec((0..4 * PAGE, any::<u8>()), 0..40).prop_map(Step::Run),
        1 => (0usize..4).prop_map(Step::Hold),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn restoring_gives_every_byte_back(steps in proptest::collection::vec(step(), 1..40)) {
        let image = image();
        let store = PageStore::default();
        let snapshots = [
            None,
            Some(snapshot(&image, &[0, 1, 2, 900], &store)),
            Some(snapshot(&image, &[1, 3, 500], &store)),
            Some(snapshot(&image, &(0..300).collect::<Vec<_>>(), &store)),
        ];
        for wanted in [Restore::Watch, Restore::Scan, Restore::Read, Restore::Remap] {
            let Ok(finder) = Finder::detect(wanted) else { continue };
            let mut mapping = Mapping::try_new(PAGES * PAGE, PAGES * PAGE, Some(&image)).unwrap();
            let memory = mapping.bytes_mut();
            let mut residence = Residence::new(image.clone(), memory, finder.as_ref());
            let mut expected = image.bytes().to_vec();
            for step in &steps {
                match step {
                    Step::Run(writes) => {
                        let before = page_faults();
                        for (at, value) in writes {
                            memory[*at] = *value;
                        }
                        std::hint::black_box(&memory);
                        let faulted = page_faults() != before;
                        // SAFETY: the slice is the whole mapping.
                        unsafe { residence.restore(memory, finder.as_ref(), faulted) }.unwrap();
                    }
                    Step::Hold(n) => {
                        residence.hold(memory, snapshots[*n].clone());
                        expected.copy_from_slice(image.bytes());
                        for (page, content) in snapshots[*n].iter().flat_map(|s| s.pages()) {
                            expected[*page as usize * PAGE..][..PAGE].copy_from_slice(content.bytes());
                        }
                    }
                }
                prop_assert!(memory == expected, "{wanted:?}");
                prop_assert_eq!(residence.first_difference(memory), None);
            }
        }
    }
}

#[test]
fn a_run_on_known_pages_makes_no_faults_and_is_restored_without_a_look() {
    let image = image();
    let Ok(finder) = Finder::detect(Restore::Auto) else { return };
    let mut mapping = Mapping::try_new(PAGES * PAGE, PAGES * PAGE, Some(&image)).unwrap();
    let memory = mapping.bytes_mut();
    let mut residence = Residence::new(image.clone(), memory, finder.as_ref());
    memory[7] = 1;
    // SAFETY: the slice is the whole mapping.
    unsafe { residence.restore(memory, finder.as_ref(), true) }.unwrap();
    memory[8] = 1;
    // SAFETY: as above.
    unsafe { residence.restore(memory, finder.as_ref(), false) }.unwrap();
    assert_eq!(memory, image.bytes());
}

#[test]
fn a_byte_that_was_not_restored_is_found() {
    let image = image();
    let store = PageStore::default();
    let mut mapping = Mapping::try_new(PAGES * PAGE, PAGES * PAGE, Some(&image)).unwrap();
    let memory = mapping.bytes_mut();
    let mut residence = Residence::new(image.clone(), memory, None);
    residence.hold(memory, Some(snapshot(&image, &[1, 3], &store)));
    for at in [0, PAGE + 4, 3 * PAGE + 5, PAGES * PAGE - 1] {
        memory[at] ^= 1;
        assert_eq!(residence.first_difference(memory), Some((at / PAGE) as u32));
        memory[at] ^= 1;
        assert_eq!(residence.first_difference(memory), None);
    }
}

#[test]
fn pages_past_the_mark_are_given_back_to_the_system() {
    let image = image();
    let Ok(Some(finder)) = Finder::detect(Restore::Auto) else { return };
    let mut mapping = Mapping::try_new(PAGES * PAGE, PAGES * PAGE, Some(&image)).unwrap();
    let memory = mapping.bytes_mut();
    let mut residence = Residence::new(image, memory, Some(&finder));
    memory.fill(1);
    // SAFETY: the slice is the whole mapping.
    unsafe { residence.restore(memory, Some(&finder), true) }.unwrap();
    assert_eq!(residence.copied(), 0);
    memory[0] = 1;
    // SAFETY: as above.
    unsafe { residence.restore(memory, Some(&finder), true) }.unwrap();
    assert!(residence.copied() as usize <= crate::mapping::system_page() / PAGE);
}

#[test]
fn pages_of_the_snapshot_that_are_not_written_are_soon_not_copied() {
    let image = image();
    let Ok(Some(finder)) = Finder::detect(Restore::Watch) else { return };
    let mut mapping = Mapping::try_new(PAGES * PAGE, PAGES * PAGE, Some(&image)).unwrap();
    let memory = mapping.bytes_mut();
    let mut residence = Residence::new(image.clone(), memory, Some(&finder));
    let store = PageStore::default();
    let snapshots = [snapshot(&image, &(0..100).collect::<Vec<_>>(), &store), snapshot(&image, &[7, 200], &store)];
    for turn in 0..4 {
        residence.hold(memory, Some(snapshots[turn % 2].clone()));
        for run in 0..2 * super::PROTECT_AFTER {
            let before = page_faults();
            memory[300 * PAGE + run as usize] = 1;
            memory[7 * PAGE] = 1;
            std::hint::black_box(&memory);
            // SAFETY: the slice is the whole mapping.
            unsafe { residence.restore(memory, Some(&finder), page_faults() != before) }.unwrap();
            assert_eq!(residence.first_difference(memory), None);
        }
        assert!(residence.copied() as usize <= 2 * (crate::mapping::system_page() / PAGE), "{}", residence.copied());
    }
}
