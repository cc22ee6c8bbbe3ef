//! What the gate, the driver, the service's adapter and the drain of one connection tell each other.

use crate::interim::Interims;
use crate::refusal::Refusal;
use crate::switch::Switch;
use crate::tls::Site;
use futures_util::task::AtomicWaker;
use http::Version;
use rimward_types::Interim;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;

/// State of one connection.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Requests given to the adapter.
    calls: AtomicU64,
    /// Requests whose answer has not been sent or dropped.
    in_flight: AtomicU32,
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
    /// Counts a request that the adapter was given, and says whether it is the refused one.
    pub(crate) fn begin(self: &Arc<Self>) -> (InFlight, Option<Verdict>) {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let verdict = if self.refused.load(Ordering::Acquire) {
            self.verdict.lock().ok().and_then(|verdict| verdict.clone()).filter(|verdict| verdict.number == number)
        } else {
            None
        };
        (InFlight { flow: self.clone(), number }, verdict)
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
        self.in_flight.load(Ordering::Acquire) == 0
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
}

impl InFlight {
    /// Whether the request asks to switch protocols.
    pub(crate) fn asks_to_switch(&self) -> bool {
        self.flow.switch.is_asked_by(self.number)
    }

    /// Another hold on the connection, which is not idle before both are dropped.
    pub(crate) fn hold(&self) -> InFlight {
        self.flow.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { flow: self.flow.clone(), number: self.number }
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
        self.flow.in_flight.fetch_sub(1, Ordering::Release);
    }
}
