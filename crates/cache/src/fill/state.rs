//! What leader, followers and pump of one fetch share.

use super::OriginFailure;
use super::arrival::{Arrival, Read};
use super::slots::Slots;
use super::stream::Filling;
use crate::disk::writing::Readable;
use crate::key::Key;
use crate::memory::{Hold, Room, block};
use crate::object::{Face, Stored};
use crate::store::extent::{Extent, Meant};
use bytes::Bytes;
use http::StatusCode;
use parking_lot::Mutex;
use rimward_types::RequestHead;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

/// Purges by tag that a fetch remembers while its head is not known; after one more its answer is not stored.
const MAX_DOUBTS: usize = 64;

/// A fetch in flight.
#[derive(Debug)]
pub(crate) struct Fill {
    /// The leader's request.
    pub(crate) request: Arc<RequestHead>,
    /// Whether others may wait for it.
    joinable: AtomicBool,
    /// Purges with a higher number mean what it brings.
    pub(crate) number: u64,
    /// It is written to disk while it arrives.
    spooled: AtomicBool,
    state: Mutex<State>,
    /// Purges since it began that its head may turn out to fall under.
    doubts: Mutex<SmallVec<[Arc<Extent>; 1]>>,
    /// A reader has moved or left; the pump listens.
    moved: Notify,
    /// The last who waited for the head, or read the body, has left.
    left: Notify,
}

/// Somebody will read what a fetch brings later: until this is dropped, it goes on for them, and keeps nothing for them that
/// it would not keep otherwise.
#[derive(Debug)]
pub struct Wanted(Weak<Fill>);

/// How far the fetch has come.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    /// The head is not known.
    Asking,
    /// The body arrives, or has arrived. `shared`: it may answer others than the leader.
    Arriving { face: Arc<Face>, shared: bool },
    /// There is no body to wait for.
    Ended(Ended),
}

/// How a fetch ended for those who wait.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// The leader left.
    Abandoned,
    /// The answer is for the leader alone.
    Alone,
    /// The origin did not answer.
    Failed(OriginFailure),
    /// An answer that is complete.
    Answer { stored: Stored, kind: AnswerKind, shared: bool },
}

/// What kind of answer followers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerKind {
    /// A new response.
    New,
    /// What was stored, confirmed.
    Refreshed,
    /// What was stored, since the origin failed; with the status it answered, if any.
    Stale(Option<StatusCode>),
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// What is stored of it is held for those who read it.
    hold: Option<Hold>,
    /// Followers that wait for the head.
    waiting: Slots<Option<Waker>>,
    /// Whether the leader's viewer waits for the head.
    is_attended: bool,
    /// Those who will read it later.
    wanted: usize,
    body: Arrival,
}

/// What a follower finds when the wait is over.
pub(crate) enum Found {
    Arriving { face: Arc<Face>, shared: bool, filling: Option<Filling> },
    Ended(Ended),
}

// === impl Wanted ===

impl Wanted {
    pub(crate) fn new(fill: &Weak<Fill>) -> Self {
        if let Some(fill) = fill.upgrade() {
            fill.state.lock().wanted += 1;
        }
        Self(fill.clone())
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if let Some(fill) = self.0.upgrade() {
            fill.state.lock().wanted -= 1;
            fill.left.notify_one();
        }
    }
}

// === impl Fill ===

impl Fill {
    /// `number`: purges with a higher one mean what it brings.
    pub(crate) fn new(request: Arc<RequestHead>, joinable: bool, number: u64) -> Arc<Self> {
        Arc::new(Self {
            request,
            joinable: AtomicBool::new(joinable),
            number,
            spooled: AtomicBool::new(false),
            doubts: Mutex::default(),
            state: Mutex::new(State {
                phase: Phase::Asking,
                hold: None,
                waiting: Slots::default(),
                is_attended: false,
                wanted: 0,
                body: Arrival::default(),
            }),
            moved: Notify::new(),
            left: Notify::new(),
        })
    }

    /// Whether a request that comes now may wait for it: its answer must not be one from before a purge.
    pub(crate) fn is_joinable(&self) -> bool {
        self.joinable.load(Ordering::SeqCst) && self.doubts.lock().is_empty()
    }

    /// Others may wait for it from now on.
    pub(crate) fn let_join(&self) {
        self.joinable.store(true, Ordering::SeqCst);
    }

    /// Notes a purge that its head may turn out to fall under. False when there were too many to remember.
    pub(crate) fn doubt(&self, extent: &Arc<Extent>) -> bool {
        let mut doubts = self.doubts.lock();
        if doubts.contains(extent) {
            return true;
        }
        if doubts.len() < MAX_DOUBTS {
            doubts.push(extent.clone());
            return true;
        }
        false
    }

    /// Notes the purges that `other` has noted. False when there were too many to remember.
    pub(crate) fn doubt_as_much_as(&self, other: &Fill) -> bool {
        let noted = other.doubts.lock().clone();
        noted.iter().all(|extent| self.doubt(extent))
    }

    /// Whether a purge since it began means the answer with this face.
    pub(crate) fn is_purged(&self, key: &Key, face: &Face) -> bool {
        self.doubts.lock().iter().any(|extent| extent.means(key, Some(&face.tags)) == Meant::Yes)
    }

    pub(crate) fn is_spooled(&self) -> bool {
        self.spooled.load(Ordering::SeqCst)
    }

    /// It is written to disk from now on.
    pub(crate) fn spool(&self) {
        self.spooled.store(true, Ordering::SeqCst);
    }

    /// The head, once it has come.
    pub(crate) fn face(&self) -> Option<Arc<Face>> {
        match &self.state.lock().phase {
            Phase::Arriving { face, .. } => Some(face.clone()),
            Phase::Asking | Phase::Ended(_) => None,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state.lock().phase.clone()
    }

    /// Waits for the head; `slot` is the follower's place. A body is joined at the same moment, so that none of it is missed.
    pub(crate) fn poll_found(self: &Arc<Self>, slot: &mut Option<usize>, cx: &Context<'_>) -> Poll<Found> {
        let mut state = self.state.lock();
        let found = match &state.phase {
            Phase::Asking => {
                let waker = Some(cx.waker().clone());
                match slot {
                    Some(slot) => state.waiting.set(*slot, waker),
                    None => *slot = Some(state.waiting.add(waker)),
                }
                return Poll::Pending;
            }
            Phase::Arriving { face, shared } => Found::Arriving { face: face.clone(), shared: *shared, filling: None },
            Phase::Ended(ended) => Found::Ended(ended.clone()),
        };
        if let Some(slot) = slot.take() {
            state.waiting.remove(slot);
        }
        Poll::Ready(match found {
            Found::Arriving { face, shared: true, .. } => {
                Found::Arriving { face, shared: true, filling: self.attach_to(&mut state) }
            }
            other => other,
        })
    }

    /// A follower leaves.
    pub(crate) fn leave(&self, slot: usize) {
        let mut state = self.state.lock();
        state.waiting.remove(slot);
        let is_deserted = state.is_deserted();
        drop(state);
        if is_deserted {
            self.left.notify_one();
        }
    }

    /// The leader's viewer waits for the head, or does so no more.
    pub(crate) fn attend(&self, attends: bool) {
        self.state.lock().is_attended = attends;
        if !attends {
            self.left.notify_one();
        }
    }

    /// Whether somebody will read it later.
    pub(crate) fn is_wanted(&self) -> bool {
        self.state.lock().wanted > 0
    }

    /// Waits until there is nobody who waits for the head, or who reads the body. One waits for this at a time.
    pub(crate) async fn deserted(&self) {
        while !self.state.lock().is_deserted() {
            self.left.notified().await;
        }
    }

    /// The body of a fetch that arrives, from the beginning. `None` when its beginning is gone.
    pub(crate) fn attach(self: &Arc<Self>) -> Option<Filling> {
        self.attach_to(&mut self.state.lock())
    }

    fn attach_to(self: &Arc<Self>, state: &mut State) -> Option<Filling> {
        let slot = state.body.attach()?;
        Some(Filling::new(self.clone(), slot, state.body.length))
    }

    /// The head has come. The leader's body is joined at the same moment.
    pub(crate) fn arrive(self: &Arc<Self>, face: Arc<Face>, shared: bool, length: Option<u64>) -> Option<Filling> {
        let mut state = self.state.lock();
        state.phase = Phase::Arriving { face, shared };
        state.body.length = length;
        let filling = self.attach_to(&mut state);
        let wakers = state.wake_waiting();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        filling
    }

    /// The fetch is over for those who wait for its head; later calls change nothing.
    pub(crate) fn finish(&self, ended: Ended) {
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Asking) {
            return;
        }
        state.phase = Phase::Ended(ended);
        let wakers = state.wake_waiting();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Nobody new may join. Pieces are let go from now on.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Ended(Ended::Alone);
        state.body.close();
    }

    /// Adds bytes of the body.
    pub(crate) fn push(&self, bytes: Bytes, room: Option<Room>) {
        let wakers = self.state.lock().body.push(bytes, room);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The body is complete, or has broken off.
    pub(crate) fn end(&self, broken: Option<String>) {
        let wakers = self.state.lock().body.end(broken);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// It is complete, and held for its readers until the last of them leaves.
    pub(crate) fn hold(&self, hold: Hold) {
        self.state.lock().hold = Some(hold);
    }

    /// Bytes that have come, and those of them that are held.
    pub(crate) fn amounts(&self) -> (u64, u64) {
        self.state.lock().body.amounts()
    }

    pub(crate) fn has_readers(&self) -> bool {
        self.state.lock().body.has_readers()
    }

    /// Whether somebody has all that came and waits.
    pub(crate) fn is_starved(&self) -> bool {
        self.state.lock().body.is_starved()
    }

    /// Lets go of those who hold up others: they get no more of it.
    pub(crate) fn leave_behind(&self) {
        self.state.lock().body.leave_behind();
    }

    /// Waits until a reader moves or leaves.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Copies the pieces that came last, up to the latest block, into a block of their own. Only the pump calls it, so
    /// that nothing is added meanwhile; readers see either the pieces or the block.
    pub(crate) fn compact(&self) {
        let (parts, room) = self.state.lock().body.take_loose();
        let Some(room) = room else { return };
        let copied = block(&parts, room);
        self.state.lock().body.replace_last(parts.len(), copied);
    }

    /// The blocks of a complete body.
    pub(crate) fn blocks(&self) -> Vec<Bytes> {
        self.state.lock().body.blocks()
    }

    /// Reads for the reader in `slot`, at most `limit` bytes.
    pub(crate) fn poll_read(&self, slot: usize, at: u64, limit: u64, cx: &Context<'_>) -> Poll<Read> {
        let read = self.state.lock().body.poll_read(slot, at, limit, cx);
        if matches!(read, Poll::Ready(Read::Bytes(_))) {
            self.moved.notify_one();
        }
        read
    }

    /// The reader in `slot` goes on at `at`.
    pub(crate) fn seek(&self, slot: usize, at: u64) {
        self.state.lock().body.seek(slot, at);
        self.moved.notify_one();
    }

    /// So much of it can be read from its file.
    pub(crate) fn filed(&self, file: Readable, length: u64) {
        self.state.lock().body.filed(file, length);
        self.moved.notify_one();
    }

    /// The reader in `slot` leaves.
    pub(crate) fn detach(&self, slot: usize) {
        let mut state = self.state.lock();
        state.body.detach(slot);
        let is_deserted = state.is_deserted();
        drop(state);
        self.moved.notify_one();
        if is_deserted {
            self.left.notify_one();
        }
    }
}

// === impl State ===

impl State {
    fn is_deserted(&self) -> bool {
        !self.is_attended && self.waiting.is_empty() && self.wanted == 0 && !self.body.has_readers()
    }

    fn wake_waiting(&mut self) -> Vec<Waker> {
        self.waiting.iter_mut().filter_map(Option::take).collect()
    }
}

#[cfg(test)]
mod tests;
