//! A request that asks to switch protocols, between the gate that saw it, the adapter that answers it, and the driver
//! that has the connection afterwards.
//!
//! What a viewer sends behind such a request is no request until it is settled. The gate holds it: after a 101 it is the
//! tunnel's, in order. After any other answer it is nothing that may be guessed at, and the connection ends; only a
//! viewer that waited for the answer goes on with its next request.

use crate::counters::Counters;
use crate::flow::InFlight;
use rimward_types::Tunnel;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const NONE: u8 = 0;
const ASKED: u8 = 1;
const DECLINED: u8 = 2;
const AGREED: u8 = 3;

/// Where the switch of one connection stands. All who use it are in the connection's task.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    state: AtomicU8,
    /// The request that asks, from 1.
    number: AtomicU64,
    /// Whether bytes came behind it before it was settled.
    early: AtomicBool,
    switched: Mutex<Option<Switched>>,
}

/// A switch that was agreed to.
#[derive(Debug)]
pub(crate) struct Switched {
    pub(crate) tunnel: Tunnel,
    pub(crate) seat: Seat,
    /// The connection is not idle before the tunnel's end.
    pub(crate) in_flight: InFlight,
}

/// A place among the WebSockets that are open, until dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Counters>);

// === impl Switch ===

impl Switch {
    /// The gate: request `number` asks.
    pub(crate) fn ask(&self, number: u64) {
        self.number.store(number, Ordering::Relaxed);
        self.state.store(ASKED, Ordering::Release);
    }

    /// The gate: bytes came behind it.
    pub(crate) fn came_early(&self) {
        self.early.store(true, Ordering::Release);
    }

    /// The gate: whether it was answered otherwise. Then nothing is asked any more.
    pub(crate) fn take_declined(&self) -> bool {
        let declined = self.state.load(Ordering::Acquire) == DECLINED;
        if declined {
            self.state.store(NONE, Ordering::Release);
        }
        declined
    }

    /// The adapter: whether request `number` asks.
    pub(crate) fn is_asked_by(&self, number: u64) -> bool {
        self.state.load(Ordering::Acquire) == ASKED && self.number.load(Ordering::Relaxed) == number
    }

    /// The adapter: it is answered otherwise. Says whether the connection must end behind the answer.
    pub(crate) fn decline(&self) -> bool {
        self.state.store(DECLINED, Ordering::Release);
        self.early.load(Ordering::Acquire)
    }

    /// The adapter: it is answered with 101.
    pub(crate) fn agree(&self, switched: Switched) {
        *self.switched.lock().unwrap_or_else(PoisonError::into_inner) = Some(switched);
        self.state.store(AGREED, Ordering::Release);
    }

    /// The driver: what was agreed to.
    pub(crate) fn take(&self) -> Option<Switched> {
        if self.state.load(Ordering::Acquire) != AGREED {
            return None;
        }
        self.switched.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

// === impl Seat ===

impl Seat {
    /// A place, unless as many as `limit` are taken.
    pub(crate) fn take(counters: &Arc<Counters>, limit: Option<usize>) -> Option<Self> {
        // Given back when it is dropped, also when there was none.
        let seat = Self(counters.clone());
        let before = counters.websockets_open.fetch_add(1, Ordering::AcqRel);
        limit.is_none_or(|limit| before < limit as u64).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.websockets_open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_was_not_to_be_had_is_not_taken() {
        let counters = Arc::<Counters>::default();
        let first = Seat::take(&counters, Some(1));
        assert!(first.is_some() && Seat::take(&counters, Some(1)).is_none());
        assert_eq!(counters.websockets_open.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(Seat::take(&counters, Some(1)).is_some() && Seat::take(&counters, Some(0)).is_none());
    }

    #[test]
    fn only_the_request_that_asks_is_answered_and_only_once() {
        let switch = Switch::default();
        assert!(!switch.is_asked_by(0));
        switch.ask(2);
        assert!(!switch.is_asked_by(1) && switch.is_asked_by(2) && !switch.take_declined());
        assert!(!switch.decline());
        assert!(!switch.is_asked_by(2) && switch.take_declined() && !switch.take_declined());
        switch.ask(3);
        switch.came_early();
        assert!(switch.decline(), "nothing may come behind it");
    }
}
