//! The slots of a thread.

use crate::isolates::Tier;
use crate::machine::Machine;
use crate::slot::{Condition, Slot};
use crate::snapshot::Snapshot;
use crate::ticker::Activity;
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

/// Slots that are not running, the one used last at the end.
struct Shelf {
    #[allow(clippy::vec_box)] // a slot is taken out and put back by every run: the pointer moves, not the slot
    slots: Vec<Box<Slot>>,
    most: usize,
}

/// A slot off its shelf, and the thread's activity. While it runs, a run within the run takes another one.
pub(crate) struct Taken {
    pub(crate) slot: Box<Slot>,
    pub(crate) activity: Arc<Activity>,
}

/// Takes the slot that holds `snapshot`, or makes one hold it.
pub(crate) fn take(
    tier: &Arc<Tier>,
    machine: &Machine,
    snapshot: &Arc<Snapshot>,
    measured: bool,
) -> Result<Taken, String> {
    let (kept, activity) = with_slots(tier, measured, |shelf, activity| (shelf.take(snapshot), activity.clone()))
        .ok_or("the thread is ending")?;
    let mut slot = match kept {
        Some(slot) => slot,
        None => Box::new(Slot::try_new(machine, &tier.ground).map_err(|e| format!("{e:#}"))?),
    };
    slot.hold(snapshot);
    Ok(Taken { slot, activity })
}

/// Puts a slot back for the next event.
pub(crate) fn put(tier: &Arc<Tier>, taken: Taken, condition: Condition, measured: bool) {
    if condition == Condition::Restored {
        // At the end of a thread it is dropped.
        let _ = with_slots(tier, measured, |shelf, _| shelf.put(taken.slot));
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
            production: Shelf { slots: Vec::new(), most: tier.slots_per_thread },
            measured: Shelf { slots: Vec::new(), most: MEASURED },
        }
    }
}

impl Shelf {
    fn take(&mut self, snapshot: &Arc<Snapshot>) -> Option<Box<Slot>> {
        match self.slots.iter().rposition(|slot| slot.holds(snapshot)) {
            Some(n) => Some(self.slots.remove(n)),
            None if self.slots.len() < self.most => None,
            None => Some(self.slots.remove(0)),
        }
    }

    fn put(&mut self, slot: Box<Slot>) {
        if self.slots.len() >= self.most {
            self.slots.remove(0);
        }
        self.slots.push(slot);
    }
}
