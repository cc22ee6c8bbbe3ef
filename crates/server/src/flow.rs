//! What the gate, the driver, the service's adapter and the drain of one connection tell each other.

use crate::interim::Interims;
use crate::open::{Open, millis};
use crate::refusal::Refusal;
use crate::resets::Resets;
use crate::switch::Switch;
use crate::tls::Site;
use futures_util::task::AtomicWaker;
use http::Version;
use rimward_types::Interim;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::Poll;
use std::time::Instant;

/// In `Flow::in_flight`: the connection was given up, and no request is let in.
const GIVEN_UP: u32 = 1 << 31;
/// Milliseconds that a connection of which nobody said that it rests is left alone: its last bytes may be on their way.
const SETTLE: u64 = 50;

/// State of one connection.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Requests given to the adapter.
    calls: AtomicU64,
    /// Requests whose answer has not been sent or dropped.
    in_flight: AtomicU32,
    /// The millisecond since which nothing is asked of it; 0 while something is, or nobody has said so.
    rest: AtomicU64,
    /// Whether bytes wait for the viewer to take them.
    writes: AtomicBool,
    /// Its place among the open connections.
    pub(crate) place: OnceLock<(Weak<Open>, u64)>,
    /// Streams that the viewer has reset.
    resets: Resets,
    /// They were too many: the connection is to end now, and its viewer to be told why.
    flooded: AtomicBool,
    /// The connection is to end after what is in flight.
    stop: AtomicBool,
    /// The connection is to end now.
    cut: AtomicBool,
    /// The rules by which its viewer was let in do not hold any more.
    revoked: AtomicBool,
    /// Wakes the driver for `stop` and `cut`.
    pub(crate) waker: AtomicWaker,
    /// Whether `verdict` has something; spares the lock.
    refused: AtomicBool,
    verdict: Mutex<Option<Verdict>>,
    pub(crate) interims: Interims,
    /// The distribution whose rules let the viewer in, where one asked for its certificate.
    pub(crate) site: OnceLock<Arc<Site>>,
    pub(crate) switch: Switch,
}

/// The gate has replaced the head of a request by a harmless one: this is what to answer.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// Which request, from 1.
    pub(crate) number: u64,
    pub(crate) refusal: Refusal,
    pub(crate) version: Version,
    /// Begin of the request line.
    pub(crate) line: Vec<u8>,
}

impl Flow {
    /// Counts a request that the adapter was given, and says whether it is the refused one. `is_stream`: it can be reset.
    pub(crate) fn begin(self: &Arc<Self>, is_stream: bool) -> (InFlight, Option<Verdict>) {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let given_up = self.in_flight.fetch_add(1, Ordering::AcqRel) & GIVEN_UP != 0;
        self.rest.store(0, Ordering::Release);
        if number == 1
            && let Some((open, id)) = self.place.get()
            && let Some(open) = open.upgrade()
        {
            open.keep(*id);
        }
        let verdict = if self.refused.load(Ordering::Acquire) {
            self.verdict.lock().ok().and_then(|verdict| verdict.clone()).filter(|verdict| verdict.number == number)
        } else {
            None
        };
        (InFlight { flow: self.clone(), number, given_up, unfinished: is_stream }, verdict)
    }

    pub(crate) fn refuse(&self, verdict: Verdict) {
        if let Ok(mut slot) = self.verdict.lock() {
            *slot = Some(verdict);
            self.refused.store(true, Ordering::Release);
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) & !GIVEN_UP == 0
    }

    /// Says that it rests since then.
    pub(crate) fn rest(&self, since: Instant) {
        self.rest.store(millis(since), Ordering::Release);
    }

    /// Whether all requests have ended, and nobody has said since when it rests.
    pub(crate) fn has_ended(&self) -> bool {
        self.rest.load(Ordering::Acquire) == 0 && self.in_flight.load(Ordering::Acquire) == 0 && self.calls() > 0
    }

    /// Says that it does not rest.
    pub(crate) fn stir(&self) {
        self.rest.store(0, Ordering::Release);
    }

    /// Says whether bytes wait for the viewer to take them.
    pub(crate) fn writes(&self, writes: bool) {
        self.writes.store(writes, Ordering::Release);
    }

    /// The millisecond since which it rests, if it does at `now`.
    pub(crate) fn rests_since(&self, now: u64) -> Option<u64> {
        if self.in_flight.load(Ordering::Acquire) != 0 || self.writes.load(Ordering::Acquire) {
            return None;
        }
        match self.rest.load(Ordering::Acquire) {
            0 => {
                let _said_meanwhile = self.rest.compare_exchange(0, now + SETTLE, Ordering::AcqRel, Ordering::Relaxed);
                None
            }
            since => (since <= now).then_some(since),
        }
    }

    /// Ends it now, unless a request is in flight; none is let in any more.
    pub(crate) fn give_up(&self) -> bool {
        let given = self.in_flight.compare_exchange(0, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if given {
            self.cut();
        }
        given
    }

    /// Counts a stream that the viewer has reset, or that is refused for those that it has; past the bound the connection ends.
    pub(crate) fn reset(&self) {
        if self.resets.note(Instant::now()) {
            self.flooded.store(true, Ordering::Release);
            self.waker.wake();
        }
    }

    /// Whether the viewer has reset too many streams.
    pub(crate) fn is_flooded(&self) -> bool {
        self.flooded.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// As [`Flow::stop`], and no request that comes is let in: over HTTP/2 a viewer decides itself when it takes note of the end.
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
        self.stop();
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

/// One request in flight, until dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    flow: Arc<Flow>,
    number: u64,
    given_up: bool,
    /// It is a stream whose answer has not been handed over whole: dropped like this, its viewer has reset it.
    unfinished: bool,
}

impl InFlight {
    /// Whether it came when the connection had been given up: the service must not see it.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Says that the answer was handed over whole, or that its end is not the viewer's doing.
    pub(crate) fn finish(&mut self) {
        self.unfinished = false;
    }

    /// Whether the request asks to switch protocols.
    pub(crate) fn asks_to_switch(&self) -> bool {
        self.flow.switch.is_asked_by(self.number)
    }

    /// Another hold on the connection, which is not idle before both are dropped.
    pub(crate) fn hold(&self) -> InFlight {
        self.flow.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { flow: self.flow.clone(), number: self.number, given_up: false, unfinished: false }
    }

    /// The way back for interim answers, until [`InFlight::final_answer`]. For HTTP/1.1 alone: the HTTP/2 layer cannot
    /// send them.
    pub(crate) fn interim(&self) -> Interim {
        self.flow.interims.open(self.number);
        Interim::to(self.flow.clone(), self.number)
    }

    /// Waits until the interim answers are written; there are no more.
    pub(crate) async fn final_answer(&self) {
        self.flow.interims.close();
        // The gate and this are in one task: whoever of them goes on wakes the other.
        poll_fn(|_| if self.flow.interims.is_waiting() { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.unfinished {
            self.flow.reset();
        }
        self.flow.in_flight.fetch_sub(1, Ordering::Release);
    }
}
