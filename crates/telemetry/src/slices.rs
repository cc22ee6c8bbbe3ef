//! What an answer took from slices. Most of them come while it is sent, when its record lies by for the end.

use crate::record::{HookRecord, OriginRecord};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// Attempts at origins, and runs of functions, that are told one by one; what came later is in the sums alone.
const MOST_TOLD: usize = 32;

/// The slices of one answer; shared by the record and by who gets them.
#[derive(Debug, Default)]
pub struct SliceTally(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    sums: SliceSums,
    hooks: Vec<HookRecord>,
    origins: Vec<OriginRecord>,
}

/// What the slices of an answer come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SliceSums {
    /// Slices that were asked for, those ahead of the viewer among them.
    pub count: u32,
    /// Those for which an origin was asked.
    pub misses: u32,
    /// Those that could not be had.
    pub failed: u32,
    /// Bytes of those for which an origin was asked, as their heads tell.
    pub bytes: u64,
    /// Time until the heads were there, of all together.
    #[serde(rename = "us", serialize_with = "micros")]
    pub time: Duration,
    /// The longest of them.
    #[serde(rename = "slowest_us", serialize_with = "micros")]
    pub slowest: Duration,
}

/// One slice.
#[derive(Debug, Default)]
pub struct SliceNote {
    /// Its length; `None`: it could not be had.
    pub length: Option<u64>,
    /// Time until its head was there.
    pub time: Duration,
    /// Functions that ran for it.
    pub hooks: Vec<HookRecord>,
    /// Origins that were asked for it.
    pub origins: Vec<OriginRecord>,
}

fn micros<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).serialize(serializer)
}

impl SliceTally {
    /// Adds a slice.
    pub fn note(&self, note: SliceNote) {
        let mut told = self.0.lock();
        let sums = &mut told.sums;
        sums.count += 1;
        sums.time += note.time;
        sums.slowest = sums.slowest.max(note.time);
        match note.length {
            None => sums.failed += 1,
            Some(length) if !note.origins.is_empty() => sums.bytes += length,
            Some(_) => {}
        }
        if !note.origins.is_empty() {
            sums.misses += 1;
        }
        let (hooks, origins) = (MOST_TOLD - told.hooks.len(), MOST_TOLD - told.origins.len());
        told.hooks.extend(note.hooks.into_iter().take(hooks));
        told.origins.extend(note.origins.into_iter().take(origins));
    }

    /// What they come to so far.
    pub fn sums(&self) -> SliceSums {
        self.0.lock().sums
    }

    /// The functions and origins that were noted, once.
    pub fn take(&self) -> (Vec<HookRecord>, Vec<OriginRecord>) {
        let mut told = self.0.lock();
        (std::mem::take(&mut told.hooks), std::mem::take(&mut told.origins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(length: Option<u64>, ms: u64, origins: usize) -> SliceNote {
        let asked =
            OriginRecord { origin: "app".into(), status: Some(206), attempts: 1, time: Duration::ZERO, error: None };
        SliceNote { length, time: Duration::from_millis(ms), hooks: Vec::new(), origins: vec![asked; origins] }
    }

    #[test]
    fn slices_are_summed_up_and_what_is_told_one_by_one_is_bounded() {
        let tally = SliceTally::default();
        for slice in [note(Some(100), 3, 0), note(Some(50), 7, 1), note(None, 1, 2)] {
            tally.note(slice);
        }
        let (time, slowest) = (Duration::from_millis(11), Duration::from_millis(7));
        assert_eq!(tally.sums(), SliceSums { count: 3, misses: 2, failed: 1, bytes: 50, time, slowest });
        assert_eq!(tally.take().1.len(), 3);
        (0..100).for_each(|_| tally.note(note(Some(1), 1, 1)));
        assert_eq!((tally.take().1.len(), tally.sums().misses), (MOST_TOLD, 102));
        let told = serde_json::to_value(tally.sums()).expect("it is told");
        assert_eq!(told["slowest_us"], 7000);
    }
}
