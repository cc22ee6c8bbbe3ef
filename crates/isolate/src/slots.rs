//! The slots of a thread. Which function gets which is up to `slots/seats.rs`.

mod seats;

use crate::isolates::Tier;
use crate::machine::Machine;
use crate::slot::{Condition, Slot};
use crate::snapshot::Snapshot;
use crate::ticker::Activity;
use seats::Seats;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

/// Slots for measured runs: made seldom, so one is enough.
const MEASURED: usize = 1;

thread_local! {
    /// One entry for each tier that ran on this thread: one, but for tests.
    static SLOTS: RefCell<Vec<ThreadSlots>> = const { RefCell::new(Vec::new()) };
}

/// The slots of one tier on one thread.
struct ThreadSlots {
    tier: Weak<Tier>,
    activity: Arc<Activity>,
    production: Shelf,
    measured: Shelf,
}

/// Slots that are not running, by seat. There is none while it runs, and after it broke.
struct Shelf {
    seats: Seats,
    #[allow(clippy::vec_box)] // a slot is taken out and put back by every run: the pointer moves, not the slot
    slots: Vec<Option<Box<Slot>>>,
}

/// A slot off its shelf, and the thread's activity. While it runs, a run within the run takes another one.
pub(crate) struct Taken {
    pub(crate) slot: Box<Slot>,
    pub(crate) activity: Arc<Activity>,
    seat: usize,
}

/// Takes the slot that holds `snapshot`, or makes one hold it.
pub(crate) fn take(
    tier: &Arc<Tier>,
    machine: &Machine,
    snapshot: &Arc<Snapshot>,
    measured: bool,
) -> Result<Taken, String> {
    let taken = with_slots(tier, measured, |shelf, activity| (shelf.take(snapshot), activity.clone()));
    let ((seat, kept), activity) = taken.ok_or("the thread is ending")?;
    let mut slot = match kept {
        Some(slot) => slot,
        None => Box::new(Slot::try_new(machine, &tier.ground).map_err(|e| format!("{e:#}"))?),
    };
    slot.hold(snapshot);
    Ok(Taken { slot, activity, seat })
}

/// Puts a slot back for the next event.
pub(crate) fn put(tier: &Arc<Tier>, taken: Taken, condition: Condition, measured: bool) {
    if condition == Condition::Restored {
        // At the end of a thread it is dropped.
        let _ = with_slots(tier, measured, |shelf, _| shelf.slots[taken.seat] = Some(taken.slot));
    }
}

fn with_slots<T>(tier: &Arc<Tier>, measured: bool, work: impl FnOnce(&mut Shelf, &Arc<Activity>) -> T) -> Option<T> {
    let found = SLOTS.try_with(|all| {
        let mut all = all.borrow_mut();
        let own = |slots: &ThreadSlots| std::ptr::eq(slots.tier.as_ptr(), Arc::as_ptr(tier));
        let n = all.iter().position(own).unwrap_or_else(|| {
            all.retain(|slots| slots.tier.strong_count() > 0);
            all.push(ThreadSlots::new(tier));
            all.len() - 1
        });
        let slots = &mut all[n];
        work(if measured { &mut slots.measured } else { &mut slots.production }, &slots.activity)
    });
    found.ok()
}

impl ThreadSlots {
    fn new(tier: &Arc<Tier>) -> Self {
        Self {
            tier: Arc::downgrade(tier),
            activity: tier.ground.ticker.register(),
            production: Shelf::new(tier.slots_per_thread),
            measured: Shelf::new(MEASURED),
        }
    }
}

impl Shelf {
    fn new(most: usize) -> Self {
        Self { seats: Seats::new(most), slots: Vec::new() }
    }

    fn take(&mut self, snapshot: &Arc<Snapshot>) -> (usize, Option<Box<Slot>>) {
        let seat = self.seats.seat(Arc::as_ptr(snapshot).addr());
        if seat == self.slots.len() {
            self.slots.push(None);
        }
        (seat, self.slots[seat].take())
    }
}
