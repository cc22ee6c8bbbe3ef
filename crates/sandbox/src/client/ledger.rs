//! What the outgoing requests of one invocation took, and whether there is any left. A request that goes on when its
//! invocation is over is charged to that one still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::network::{NetworkLimits, OutgoingCall};

/// Calls that are remembered; a function that is refused over and over need not fill a record.
const REMEMBERED: usize = 100;

/// The outgoing requests of one invocation.
#[derive(Debug)]
pub(crate) struct Ledger {
    limits: NetworkLimits,
    bytes: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<OutgoingCall>,
    started: u32,
    time: Duration,
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Spent {
    #[error("more than {0} requests in one invocation")]
    Calls(u32),
    #[error("the requests of one invocation took longer than {:.1} s", .0.as_secs_f64())]
    Time(Duration),
    #[error("the requests of one invocation moved more than {0} bytes")]
    Bytes(u64),
}

/// One request, from its start to the end of its response's body.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    /// Its place in the list; `None` when it is not remembered.
    index: Option<usize>,
    start: Instant,
    /// When its invocation has no more time for requests.
    pub(super) deadline: Instant,
}

impl Ledger {
    pub(crate) fn new(limits: NetworkLimits) -> Arc<Self> {
        Arc::new(Self { limits, bytes: AtomicU64::new(0), state: Mutex::default() })
    }

    /// What there was; what is on its way is as it is now.
    pub(crate) fn calls(&self) -> Vec<OutgoingCall> {
        self.state.lock().calls.clone()
    }

    /// Whether nothing was asked of it yet.
    pub(crate) fn is_untouched(&self) -> bool {
        let state = self.state.lock();
        state.started == 0 && state.calls.is_empty()
    }

    /// Notes a request that is not let out.
    pub(super) fn refuse(&self, method: &str, authority: &str, why: &str) {
        let mut state = self.state.lock();
        note(&mut state, method, authority, Err(why.to_owned()));
    }

    /// Starts a request.
    pub(super) fn start(self: &Arc<Self>, method: &str, authority: &str) -> Result<Entry, Spent> {
        let mut state = self.state.lock();
        let spent = if state.started >= self.limits.calls {
            Some(Spent::Calls(self.limits.calls))
        } else if state.time >= self.limits.time {
            Some(Spent::Time(self.limits.time))
        } else if self.bytes.load(Ordering::Relaxed) > self.limits.bytes.as_u64() {
            Some(self.out_of_bytes())
        } else {
            None
        };
        if let Some(spent) = spent {
            note(&mut state, method, authority, Err(spent.to_string()));
            return Err(spent);
        }
        state.started += 1;
        let start = Instant::now();
        let deadline = start + (self.limits.time - state.time);
        let index = note(&mut state, method, authority, Err("not answered".to_owned()));
        drop(state);
        Ok(Entry { ledger: self.clone(), index, start, deadline })
    }

    fn out_of_bytes(&self) -> Spent {
        Spent::Bytes(self.limits.bytes.as_u64())
    }
}

fn note(state: &mut State, method: &str, authority: &str, outcome: Result<u16, String>) -> Option<usize> {
    if state.calls.len() >= REMEMBERED {
        return None;
    }
    state.calls.push(OutgoingCall {
        method: method.to_owned(),
        authority: authority.to_owned(),
        outcome,
        time: Duration::ZERO,
        sent: 0,
        received: 0,
    });
    Some(state.calls.len() - 1)
}

impl Entry {
    /// Takes `bytes` of a request's body from what is left.
    pub(super) fn send(&self, bytes: u64) -> Result<(), Spent> {
        self.change(|call| call.sent += bytes);
        self.charge(bytes)
    }

    /// Takes `bytes` of a response's body from what is left.
    pub(super) fn receive(&self, bytes: u64) -> Result<(), Spent> {
        self.change(|call| call.received += bytes);
        self.charge(bytes)
    }

    /// The head of a response came.
    pub(super) fn answered(&self, status: u16) {
        self.change(|call| call.outcome = Ok(status));
    }

    /// It goes no further.
    pub(super) fn failed(&self, why: &str) {
        self.change(|call| call.outcome = Err(why.to_owned()));
    }

    /// Why its invocation has no more time.
    pub(super) fn out_of_time(&self) -> Spent {
        Spent::Time(self.ledger.limits.time)
    }

    fn charge(&self, bytes: u64) -> Result<(), Spent> {
        let before = self.ledger.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.ledger.limits.bytes.as_u64() {
            return Err(self.ledger.out_of_bytes());
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut OutgoingCall)) {
        if let Some(index) = self.index {
            change(&mut self.ledger.state.lock().calls[index]);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let took = self.start.elapsed();
        self.change(|call| call.time = took);
        self.ledger.state.lock().time += took;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use rimward_types::ByteSize;

    fn ledger() -> Arc<Ledger> {
        Ledger::new(NetworkLimits { calls: 2, bytes: ByteSize::bytes(100), time: Duration::from_secs(1) })
    }

    #[test]
    fn requests_are_counted_and_remembered() {
        let ledger = ledger();
        assert!(ledger.is_untouched());
        let first = ledger.start("GET", "a.example:443").unwrap();
        first.answered(204);
        first.receive(10).unwrap();
        drop(first);
        drop(ledger.start("POST", "b.example:80").unwrap());
        assert_eq!(ledger.start("GET", "c.example:80").unwrap_err(), Spent::Calls(2));
        let calls = ledger.calls();
        assert_eq!((calls[0].outcome.clone(), calls[0].received), (Ok(204), 10));
        assert_eq!(calls[1].outcome, Err("not answered".to_owned()));
        assert_eq!(calls[2].outcome, Err("more than 2 requests in one invocation".to_owned()));
    }

    #[test]
    fn bytes_of_both_ways_and_all_requests_count_together() {
        let ledger = ledger();
        let first = ledger.start("POST", "a.example:443").unwrap();
        first.send(60).unwrap();
        let second = ledger.start("POST", "a.example:443").unwrap();
        second.receive(40).unwrap();
        assert_eq!(second.receive(1), Err(Spent::Bytes(100)));
        assert_eq!(first.send(1), Err(Spent::Bytes(100)));
    }

    #[test]
    fn time_of_requests_adds_up() {
        let ledger = ledger();
        let first = ledger.start("GET", "a.example:443").unwrap();
        assert!(first.deadline <= Instant::now() + Duration::from_secs(1));
        drop(first);
        ledger.state.lock().time = Duration::from_secs(1);
        assert_eq!(ledger.start("GET", "a.example:443").unwrap_err(), Spent::Time(Duration::from_secs(1)));
    }

    #[test]
    fn what_is_refused_over_and_over_does_not_pile_up() {
        let ledger = ledger();
        for _ in 0..10 * REMEMBERED {
            ledger.refuse("GET", "evil.example:80", "not granted");
        }
        assert_eq!(ledger.calls().len(), REMEMBERED);
        drop(ledger.start("GET", "a.example:443").unwrap());
        assert_eq!(ledger.calls().len(), REMEMBERED);
    }
}
