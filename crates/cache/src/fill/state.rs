//! What leader, followers and pump of one fetch share.

use super::OriginFailure;
use super::stream::Filling;
use crate::disk::writing::Readable;
use crate::key::Key;
use crate::memory::{Room, block};
use crate::object::{Face, Stored};
use crate::store::extent::{Extent, Meant};
use bytes::Bytes;
use http::StatusCode;
use parking_lot::Mutex;
use rimward_types::RequestHead;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    joinable: bool,
    /// Purges with a higher number mean what it brings.
    pub(crate) number: u64,
    /// It is written to disk while it arrives.
    spooled: AtomicBool,
    state: Mutex<State>,
    /// Purges since it began that its head may turn out to fall under.
    doubts: Mutex<SmallVec<[Arc<Extent>; 1]>>,
    /// A reader has moved or left; the pump listens.
    moved: Notify,
}

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
    /// Followers that wait for the head.
    waiting: Slots<Option<Waker>>,
    readers: Slots<Reader>,
    pieces: VecDeque<Piece>,
    /// The file that it is written to, and how much of it can be read there: earlier pieces are let go.
    file: Option<(Readable, u64)>,
    /// Bytes that have come.
    arrived: u64,
    /// Length of the whole, when the head told.
    length: Option<u64>,
    end: End,
    /// Pieces are let go when every reader has them: nobody new can read from the beginning.
    is_window: bool,
}

#[derive(Debug)]
struct Reader {
    at: u64,
    waker: Option<Waker>,
}

/// A piece of the body. `room` is empty when the bytes carry it themselves.
#[derive(Debug)]
struct Piece {
    at: u64,
    bytes: Bytes,
    room: Option<Room>,
    /// Copied into memory of its own size.
    is_block: bool,
}

#[derive(Debug)]
enum End {
    Open,
    Complete,
    Broken(String),
}

/// What a follower finds when the wait is over.
pub(crate) enum Found {
    Arriving { face: Arc<Face>, shared: bool, filling: Option<Filling> },
    Ended(Ended),
}

/// What a reader finds.
pub(crate) enum Read {
    Bytes(Bytes),
    /// They are in the file, which has as many.
    InFile(Readable, u64),
    End,
    Broken(String),
}

// === impl Fill ===

impl Fill {
    /// `number`: purges with a higher one mean what it brings.
    pub(crate) fn new(request: Arc<RequestHead>, joinable: bool, number: u64) -> Arc<Self> {
        Arc::new(Self {
            request,
            joinable,
            number,
            spooled: AtomicBool::new(false),
            doubts: Mutex::default(),
            state: Mutex::new(State {
                phase: Phase::Asking,
                waiting: Slots::default(),
                readers: Slots::default(),
                pieces: VecDeque::new(),
                file: None,
                arrived: 0,
                length: None,
                end: End::Open,
                is_window: false,
            }),
            moved: Notify::new(),
        })
    }

    /// Whether a request that comes now may wait for it: its answer must not be one from before a purge.
    pub(crate) fn is_joinable(&self) -> bool {
        self.joinable && self.doubts.lock().is_empty()
    }

    /// Notes a purge that its head may turn out to fall under. False when there were too many to remember.
    pub(crate) fn doubt(&self, extent: &Arc<Extent>) -> bool {
        let mut doubts = self.doubts.lock();
        if doubts.len() < MAX_DOUBTS {
            doubts.push(extent.clone());
            return true;
        }
        false
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
        self.state.lock().waiting.remove(slot);
    }

    /// The body of a fetch that arrives, from the beginning. `None` when its beginning is gone.
    pub(crate) fn attach(self: &Arc<Self>) -> Option<Filling> {
        self.attach_to(&mut self.state.lock())
    }

    fn attach_to(self: &Arc<Self>, state: &mut State) -> Option<Filling> {
        if state.is_window {
            return None;
        }
        let slot = state.readers.add(Reader { at: 0, waker: None });
        Some(Filling::new(self.clone(), slot, state.length))
    }

    /// The head has come. The leader's body is joined at the same moment.
    pub(crate) fn arrive(self: &Arc<Self>, face: Arc<Face>, shared: bool, length: Option<u64>) -> Option<Filling> {
        let mut state = self.state.lock();
        state.phase = Phase::Arriving { face, shared };
        state.length = length;
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
        state.is_window = true;
        state.trim();
    }

    /// Adds bytes of the body.
    pub(crate) fn push(&self, bytes: Bytes, room: Option<Room>) {
        let mut state = self.state.lock();
        let at = state.arrived;
        state.arrived += bytes.len() as u64;
        state.pieces.push_back(Piece { at, bytes, room, is_block: false });
        let wakers = state.wake_readers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The body is complete, or has broken off.
    pub(crate) fn end(&self, broken: Option<String>) {
        let mut state = self.state.lock();
        state.end = match broken {
            None => End::Complete,
            Some(text) => End::Broken(text),
        };
        let wakers = state.wake_readers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Bytes that have come, and those of them that are held.
    pub(crate) fn amounts(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.arrived, state.arrived - state.pieces.front().map_or(state.arrived, |piece| piece.at))
    }

    pub(crate) fn has_readers(&self) -> bool {
        !self.state.lock().readers.is_empty()
    }

    /// Waits until a reader moves or leaves.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Copies the pieces that came last, up to the latest block, into a block of their own. Only the pump calls it, so
    /// that nothing is added meanwhile; readers see either the pieces or the block.
    pub(crate) fn compact(&self) {
        let mut parts = Vec::new();
        let mut room: Option<Room> = None;
        {
            let mut state = self.state.lock();
            for piece in state.pieces.iter_mut().rev().take_while(|piece| !piece.is_block) {
                parts.push(piece.bytes.clone());
                if let Some(held) = piece.room.take() {
                    match &mut room {
                        None => room = Some(held),
                        Some(room) => room.join(held),
                    }
                }
            }
        }
        let Some(room) = room else { return };
        parts.reverse();
        let copied = block(&parts, room);
        let mut state = self.state.lock();
        let first = state.pieces.len() - parts.len();
        let at = state.pieces[first].at;
        state.pieces.truncate(first);
        state.pieces.push_back(Piece { at, bytes: copied, room: None, is_block: true });
    }

    /// The blocks of a complete body.
    pub(crate) fn blocks(&self) -> Vec<Bytes> {
        self.state.lock().pieces.iter().map(|piece| piece.bytes.clone()).collect()
    }

    /// Reads for the reader in `slot`, at most `limit` bytes.
    pub(crate) fn poll_read(&self, slot: usize, at: u64, limit: u64, cx: &Context<'_>) -> Poll<Read> {
        let mut state = self.state.lock();
        if at < state.arrived {
            let index = state.pieces.partition_point(|piece| piece.at <= at).saturating_sub(1);
            let Some(piece) = state.pieces.get(index).filter(|piece| piece.at <= at) else {
                if let Some((file, length)) = state.file.as_ref().filter(|(_, length)| at < *length) {
                    return Poll::Ready(Read::InFile(file.clone(), *length));
                }
                return Poll::Ready(Read::Broken("its beginning is gone".to_owned()));
            };
            let from = (at - piece.at) as usize;
            let to = piece.bytes.len().min(from.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)));
            let bytes = piece.bytes.slice(from..to);
            state.readers.set(slot, Reader { at: at + bytes.len() as u64, waker: None });
            state.trim();
            drop(state);
            self.moved.notify_one();
            return Poll::Ready(Read::Bytes(bytes));
        }
        match &state.end {
            End::Complete => Poll::Ready(Read::End),
            End::Broken(text) => Poll::Ready(Read::Broken(text.clone())),
            End::Open => {
                state.readers.set(slot, Reader { at, waker: Some(cx.waker().clone()) });
                Poll::Pending
            }
        }
    }

    /// The reader in `slot` goes on at `at`.
    pub(crate) fn seek(&self, slot: usize, at: u64) {
        let mut state = self.state.lock();
        state.readers.set(slot, Reader { at, waker: None });
        state.trim();
        drop(state);
        self.moved.notify_one();
    }

    /// So much of it can be read from its file.
    pub(crate) fn filed(&self, file: Readable, length: u64) {
        let mut state = self.state.lock();
        state.file = Some((file, length));
        state.trim();
        drop(state);
        self.moved.notify_one();
    }

    /// The reader in `slot` leaves.
    pub(crate) fn detach(&self, slot: usize) {
        let mut state = self.state.lock();
        state.readers.remove(slot);
        state.trim();
        drop(state);
        self.moved.notify_one();
    }
}

// === impl State ===

impl State {
    fn wake_waiting(&mut self) -> Vec<Waker> {
        self.waiting.iter_mut().filter_map(Option::take).collect()
    }

    fn wake_readers(&mut self) -> Vec<Waker> {
        self.readers.iter_mut().filter_map(|reader| reader.waker.take()).collect()
    }

    /// Lets go of what is in the file, or, once the fill is a window, of what every reader has.
    fn trim(&mut self) {
        // What is in the file may be read there by whoever comes.
        let slowest = match (self.is_window, &self.file) {
            (true, _) => self.readers.iter_mut().map(|reader| reader.at).min().unwrap_or(self.arrived),
            (false, Some((_, length))) => *length,
            (false, None) => return,
        };
        while self.pieces.front().is_some_and(|piece| piece.at + piece.bytes.len() as u64 <= slowest) {
            self.pieces.pop_front();
        }
    }
}

/// Values with a number each; numbers are used again.
#[derive(Debug)]
struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    fn add(&mut self, value: T) -> usize {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(value);
                slot
            }
            None => {
                self.slots.push(Some(value));
                self.slots.len() - 1
            }
        }
    }

    fn set(&mut self, slot: usize, value: T) {
        self.slots[slot] = Some(value);
    }

    fn remove(&mut self, slot: usize) {
        if self.slots[slot].take().is_some() {
            self.free.push(slot);
        }
    }

    fn is_empty(&self) -> bool {
        self.slots.len() == self.free.len()
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests;
