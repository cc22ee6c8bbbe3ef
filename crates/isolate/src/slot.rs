//! An instance that holds a function, and gives every event the same fresh state.

use crate::budget::Counting;
use crate::cost::{Cost, utilization};
use crate::failure::Failure;
use crate::function::Run;
use crate::guest::{Guest, Terms};
use crate::machine::{Ground, Machine};
use crate::residence::Residence;
use crate::snapshot::Snapshot;
use crate::source::Limits;
use crate::thread_clock::faulted_since_last;
use crate::ticker::Activity;
use std::sync::Arc;

/// A slot. Must stay on one thread while it holds a function: see `residence.rs`.
pub(crate) struct Slot {
    pub(crate) guest: Guest,
    pub(crate) residence: Residence,
    pub(crate) ground: Arc<Ground>,
}

/// A slot whose memory could not be restored must be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Condition {
    /// As new.
    Restored,
    /// Not to be used again.
    Broken,
}

/// One event for a slot.
pub(crate) struct Job<'a> {
    /// The event.
    pub(crate) event: &'a [u8],
    /// What the run may use.
    pub(crate) terms: Terms,
    /// The function's limits.
    pub(crate) limits: Limits,
    /// Whether the cost is taken exactly.
    pub(crate) measured: bool,
}

impl Slot {
    /// Makes an instance that shows the booted image.
    pub(crate) fn try_new(machine: &Machine, ground: &Arc<Ground>) -> wasmtime::Result<Self> {
        let mut guest = machine.instantiate(&ground.global_names)?;
        guest.set_globals(&ground.globals);
        let residence = Residence::new(ground.image.clone(), guest.memory(), ground.finder.as_ref());
        Ok(Self { guest, residence, ground: ground.clone() })
    }

    /// Makes the slot hold `snapshot`.
    pub(crate) fn hold(&mut self, snapshot: &Arc<Snapshot>) {
        if !self.residence.snapshot().is_some_and(|held| Arc::ptr_eq(held, snapshot)) {
            self.residence.hold(self.guest.memory_mut(), Some(snapshot.clone()));
            self.guest.set_globals(snapshot.globals());
        }
    }

    /// Runs one event and restores the slot.
    pub(crate) fn run<R>(
        &mut self,
        job: Job<'_>,
        activity: &Arc<Activity>,
        read: impl FnOnce(&[u8]) -> R,
    ) -> (Run<R>, Condition) {
        let ground = self.ground.clone();
        let running = ground.ticker.enter(activity);
        let counting = self.residence.snapshot().map_or(Counting::Begin, |snapshot| snapshot.counting());
        self.guest.begin(job.terms, counting);
        let place = self.guest.handle(ground.event_buffer, job.event);
        let time = self.guest.used();
        let counting = self.guest.counting_after(time);
        if let Some(snapshot) = self.residence.snapshot() {
            snapshot.count_from(counting);
        }
        // Faults before the run, since the thread's last one, count too: then pages are looked up in vain. Asked before the reply is read:
        // what the reader does is its own affair, and it cannot write to the memory.
        let faulted = faulted_since_last();
        drop(running);
        let result = match place.and_then(|place| self.guest.reply(place)) {
            Ok(reply) => Ok(read(reply)),
            Err(Failure::Memory { .. }) => Err(Failure::Memory { limit: job.limits.memory }),
            Err(Failure::Time { .. }) => Err(Failure::Time { limit: job.limits.time }),
            Err(failure) => Err(failure),
        };
        let fuel = if job.measured { self.guest.fuel() } else { None };
        let changed = job.measured.then(|| self.residence.changed(self.guest.memory(), ground.finder.as_ref()) as u32);
        let kv = self.guest.kv_reads();
        let logs = self.guest.end();
        let condition = self.restore(faulted);
        let copied = self.residence.copied();
        let dirty_pages = changed.unwrap_or(copied);
        let cost = Cost { time, fuel, dirty_pages, utilization: utilization(time, job.limits.time), kv };
        (Run { result, logs, cost }, condition)
    }

    /// Gives the memory and the globals their content again.
    pub(crate) fn restore(&mut self, faulted: bool) -> Condition {
        let ground = &self.ground;
        let globals = self.residence.snapshot().map_or(&ground.globals[..], |snapshot| snapshot.globals());
        self.guest.set_globals(globals);
        // SAFETY: the guest's memory is a whole mapping made by the creator after the image was set, with that image.
        let restored = unsafe { self.residence.restore(self.guest.memory_mut(), ground.finder.as_ref(), faulted) };
        if restored.is_err() {
            return Condition::Broken;
        }
        if ground.verify {
            let difference = self.residence.first_difference(self.guest.memory());
            assert_eq!(difference, None, "a page was not restored");
            let globals = self.residence.snapshot().map_or(&ground.globals[..], |snapshot| snapshot.globals());
            assert_eq!(self.guest.globals()[..], *globals, "a global was not restored");
        }
        Condition::Restored
    }
}
