//! The connections that are open, and which of them gives up its place.
//!
//! Two orders are kept: connections that have not made a request, by arrival, and those that have, by the time since
//! which they rest. The second is kept lazily: a request costs nothing here, and a place in it is brought up to date
//! when it is looked at. So each request costs at most one look later, and an accept takes a bounded number of looks.

mod address;

use crate::flow::Flow;
use address::Network;
use rimward_config::Networks;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Places that are looked at for one that can be given up, at most.
const LOOKS: usize = 64;
/// Connections that were given up and are not gone yet, at most.
const LEAVING: usize = 64;
/// Connections that one that comes ends early, at most, while most places are taken.
const ENDED_EARLY: usize = 2;
/// The part of their time that idle connections get then: a quarter.
const CROWDED: u32 = 4;

/// The connections that are open.
#[derive(Default)]
pub(crate) struct Open {
    state: Mutex<State>,
    pub(crate) turned_away: AtomicU64,
    closed: Notify,
}

#[derive(Default)]
struct State {
    flows: HashMap<u64, Entry>,
    next: u64,
    /// Without a request so far; the ids are in the order of arrival.
    silent: BTreeSet<u64>,
    /// With requests, by the millisecond since which they rest, at the latest known.
    kept: BTreeSet<(u64, u64)>,
    networks: HashMap<Network, usize>,
    /// Given up, and not gone.
    leaving: usize,
}

struct Entry {
    flow: Arc<Flow>,
    network: Network,
    arrived: u64,
    /// Its place in `kept`, once it is there.
    kept: Option<u64>,
    is_leaving: bool,
}

/// How many may be open, and for how long they may be idle.
#[derive(Debug, Clone)]
pub(crate) struct Bounds<'a> {
    /// Connections.
    pub(crate) connections: usize,
    /// Of one address (an IPv6 network of 64 bits), but for those of `many`.
    pub(crate) per_address: Option<usize>,
    pub(crate) many: &'a Networks,
    /// A connection that is kept.
    pub(crate) idle: Duration,
    /// Until the first head is complete.
    pub(crate) head_timeout: Duration,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken, and none can be given up.
    All,
    /// The address has as many as it may.
    Address,
}

/// The milliseconds at `at`, from 1; comparable within the process.
pub(crate) fn millis(at: Instant) -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    1 + u64::try_from(at.saturating_duration_since(*START).as_millis()).unwrap_or(u64::MAX - 1)
}

impl Open {
    /// Takes a place at `now`, where need be that of the connection that is idle the longest: first of those that are
    /// kept, then of those that have not made a request. Gives its id, and how many others were given up.
    pub(crate) fn enter(
        self: &Arc<Self>,
        flow: &Arc<Flow>,
        peer: IpAddr,
        bounds: &Bounds<'_>,
        now: Instant,
    ) -> Result<(u64, u64), Full> {
        let now = millis(now);
        let network = Network::of(peer);
        let mut state = self.lock();
        let state = &mut *state;
        let of_address = state.networks.get(&network).copied().unwrap_or_default();
        if bounds.per_address.is_some_and(|most| of_address >= most) && !bounds.many.contains(peer) {
            return Err(Full::Address);
        }
        let mut given_up = 0;
        if state.staying() >= bounds.connections {
            if !state.give_up(now, |_, _| true) {
                return Err(Full::All);
            }
            given_up += 1;
        } else if state.staying() >= bounds.connections - bounds.connections / 5 {
            let is_late = |class: Class, waited: Duration| {
                let time = if class == Class::Kept { bounds.idle } else { bounds.head_timeout.min(bounds.idle) };
                waited >= time / CROWDED
            };
            while given_up < ENDED_EARLY && state.give_up(now, is_late) {
                given_up += 1;
            }
        }
        let id = state.next;
        state.next += 1;
        let _first = flow.place.set((Arc::downgrade(self), id));
        *state.networks.entry(network).or_default() += 1;
        state.silent.insert(id);
        state.flows.insert(id, Entry { flow: flow.clone(), network, arrived: now, kept: None, is_leaving: false });
        Ok((id, given_up as u64))
    }

    /// Gives up an idle connection, where there is one, because the system has no more to give.
    pub(crate) fn give_up_one(&self, now: Instant) -> bool {
        self.lock().give_up(millis(now), |_, _| true)
    }

    /// The connection has made its first request.
    pub(crate) fn keep(&self, id: u64) {
        let now = millis(Instant::now());
        let mut state = self.lock();
        let state = &mut *state;
        if state.silent.remove(&id)
            && let Some(entry) = state.flows.get_mut(&id)
        {
            entry.kept = Some(now);
            state.kept.insert((now, id));
        }
    }

    pub(crate) fn leave(&self, id: u64) {
        let mut state = self.lock();
        let state = &mut *state;
        if let Some(entry) = state.flows.remove(&id) {
            state.silent.remove(&id);
            if let Some(since) = entry.kept {
                state.kept.remove(&(since, id));
            }
            state.leaving -= usize::from(entry.is_leaving);
            if let Some(count) = state.networks.get_mut(&entry.network) {
                *count -= 1;
                if *count == 0 {
                    state.networks.remove(&entry.network);
                }
            }
        }
        self.closed.notify_waiters();
    }

    pub(crate) fn each(&self, mut act: impl FnMut(&Arc<Flow>)) {
        self.lock().flows.values().for_each(|entry| act(&entry.flow));
    }

    /// Ready when no connection is open.
    pub(crate) async fn empty(&self) {
        loop {
            let closed = self.closed.notified();
            if self.lock().flows.is_empty() {
                return;
            }
            closed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a connection is, as to giving it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Kept,
    Silent,
}

impl State {
    /// Connections, without those that were given up.
    fn staying(&self) -> usize {
        self.flows.len() - self.leaving
    }

    /// Gives up the connection that is idle the longest, if `may` says so of its class and the time that it waited.
    fn give_up(&mut self, now: u64, may: impl Fn(Class, Duration) -> bool) -> bool {
        if self.leaving >= LEAVING {
            return false;
        }
        let waited = |since: u64| Duration::from_millis(now.saturating_sub(since));
        for _ in 0..LOOKS {
            let Some(&(known, id)) = self.kept.first() else { break };
            // What was found busy is behind this moment, and so is all that follows.
            if known > now || !may(Class::Kept, waited(known)) {
                break;
            }
            let Some(entry) = self.flows.get_mut(&id) else { break };
            self.kept.remove(&(known, id));
            entry.kept = match entry.flow.rests_since(now) {
                Some(since) if since <= known && entry.flow.give_up() => None,
                Some(since) if since > known => Some(since),
                _ => Some(now + 1),
            };
            match entry.kept {
                Some(since) => {
                    self.kept.insert((since, id));
                }
                None => {
                    entry.is_leaving = true;
                    self.leaving += 1;
                    return true;
                }
            }
        }
        let Some(&id) = self.silent.first() else { return false };
        let Some(entry) = self.flows.get_mut(&id) else { return false };
        if !may(Class::Silent, waited(entry.arrived)) || !entry.flow.give_up() {
            return false;
        }
        entry.is_leaving = true;
        self.silent.remove(&id);
        self.leaving += 1;
        true
    }
}

#[cfg(test)]
mod tests;
