//! The bytes of an answer, a slice after the other. While one is sent, the next one is asked for; while one is waited for,
//! the one after it too, and no more: a viewer who reads on waits for the origin as little as two fetches at a time allow, and
//! one who reads slowly, or leaves, has cost it a single slice.
//!
//! A slice that has come before its turn is let go where it can be found again: a viewer who is slow to come to it holds none
//! of the cache's memory by it, and is no reader whom those who read it too would have to wait for.

use super::{GetSlice, GettingSlice, Had, Missing, Slice, Slices, Told, Turn};
use crate::hit::Hit;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use rimward_types::{Body, BodyError, Timestamp};
use smallvec::SmallVec;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Bytes `at..end` of an object in slices.
pub(crate) struct SliceBody {
    slices: Slices,
    told: Told,
    /// When the origin told it.
    received: Timestamp,
    get: Arc<dyn GetSlice>,
    at: u64,
    end: u64,
    /// The slice that is read: its place in the object, and what of it is still to come.
    open: Option<Open>,
    /// Slices that were asked for: that which is needed now, or the one after it, or both.
    asked: SmallVec<[Asked; 2]>,
    /// The slice that was asked for a second time, since the first answer was an old one or broke off.
    retried: Option<u64>,
}

struct Asked {
    index: u64,
    /// Whether it was not needed yet.
    ahead: bool,
    answer: MaybeDone,
}

enum MaybeDone {
    Getting(GettingSlice),
    Got(Result<Had, Missing>),
}

impl Asked {
    /// Goes on getting it; true once it is there.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let MaybeDone::Getting(getting) = &mut self.answer {
            let Poll::Ready(got) = getting.as_mut().poll(cx) else { return false };
            self.answer = MaybeDone::Got(got);
        }
        true
    }
}

struct Open {
    index: u64,
    /// Where in the object the body stands.
    at: u64,
    body: Body,
}

impl SliceBody {
    /// All of it, with `body` of the slice `scout` at hand, which the origin gave, or confirmed, at `received`.
    pub(super) fn new(
        slices: Slices,
        told: Told,
        received: Timestamp,
        scout: u64,
        body: Body,
        get: Arc<dyn GetSlice>,
    ) -> Self {
        let at = Slice { size: slices.size(), index: scout }.first();
        let (end, open) = (told.total, Some(Open { index: scout, at, body }));
        Self { slices, told, received, get, at: 0, end, open, asked: SmallVec::new(), retried: None }
    }

    /// Bytes of the whole object.
    pub(crate) fn total(&self) -> u64 {
        self.told.total
    }

    /// Goes on with bytes `start..end`.
    pub(crate) fn turn_to(&mut self, start: u64, end: u64) {
        self.at = start;
        self.end = end.min(self.told.total);
        // What was read of a slice cannot be read again.
        if self.open.as_ref().is_some_and(|open| open.at > start) {
            self.open = None;
        }
    }

    fn slice(&self, index: u64) -> Slice {
        Slice { size: self.slices.size(), index }
    }

    /// Asks for a slice, unless that was done, and goes on getting it; true once it is there. What was asked for and is neither
    /// `needed` next nor the one behind it is let go.
    fn ask(&mut self, index: u64, needed: u64, cx: &mut Context<'_>) -> bool {
        self.asked.retain(|asked| (needed..=needed + 1).contains(&asked.index));
        let at = self.asked.iter().position(|asked| asked.index == index);
        let is_ahead = index > self.at / self.slices.size();
        let at = at.unwrap_or_else(|| self.begin_asking(index, if is_ahead { Turn::Ahead } else { Turn::Now }));
        self.asked[at].poll(cx)
    }

    /// Asks for a slice; tells its place in the list.
    fn begin_asking(&mut self, index: u64, turn: Turn) -> usize {
        let answer = MaybeDone::Getting(self.get.get(index, turn));
        self.asked.push(Asked { index, ahead: turn == Turn::Ahead, answer });
        self.asked.len() - 1
    }

    /// True the first time that it is asked of a slice.
    fn may_retry(&mut self, index: u64) -> bool {
        self.retried.replace(index) != Some(index)
    }

    /// Opens a slice that has come, if it is one of the same object. An old one is removed, to be asked for again.
    fn take(&mut self, index: u64, hit: Hit) -> Result<(), BodyError> {
        let slice = self.slice(index);
        let is_slice = hit.head.status == StatusCode::PARTIAL_CONTENT;
        let told = Told::of(slice, &hit.head).filter(|_| is_slice);
        if told.as_ref() == Some(&self.told) {
            self.open = Some(Open { index, at: slice.first(), body: hit.body });
            return Ok(());
        }
        // It has no such slice any more, though it had when it was begun, or had none then.
        let is_shorter = hit.head.status == StatusCode::RANGE_NOT_SATISFIABLE;
        if !is_slice && !is_shorter {
            // An error that is stored in its place says nothing of the others.
            return Err(BodyError::Origin(format!("slice {index} was answered with {}", hit.head.status)));
        }
        // One of two is of another object. What was stored before the origin told of this one is the older of them.
        let is_old = hit.status.forward.is_none() && hit.received <= self.received;
        if is_old && self.may_retry(index) {
            match &told {
                Some(told) => self.slices.discard(told),
                None => self.slices.remove(index),
            }
            return Ok(());
        }
        Err(self.has_changed())
    }

    /// The origin has another object now: the slices of this one are of no use to anybody.
    fn has_changed(&self) -> BodyError {
        self.slices.discard(&self.told);
        BodyError::Origin("the object has changed while it was sent in slices".to_owned())
    }

    /// Opens slice `index`, once it has come.
    fn poll_open(&mut self, index: u64, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        self.open = None;
        while self.open.is_none() {
            if !self.ask(index, index, cx) {
                if self.slice(index).end() < self.end {
                    self.ask(index + 1, index, cx);
                }
                return Poll::Pending;
            }
            let Some(at) = self.asked.iter().position(|asked| asked.index == index) else { continue };
            let Asked { ahead, answer, .. } = self.asked.remove(at);
            let MaybeDone::Got(got) = answer else { continue };
            match got {
                Ok(Had::Held(hit)) => self.take(index, *hit)?,
                Ok(Had::LetGo(wanted)) => {
                    self.begin_asking(index, Turn::Again);
                    drop(wanted);
                }
                // That was then, and a slow viewer comes to it minutes later: it is asked for again, now that it is needed.
                Err(_) if ahead => {}
                Err(Missing::Gone) => return Poll::Ready(Err(self.has_changed())),
                Err(Missing::Failed(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing comes behind it.
    fn break_off(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.end = self.at;
        Poll::Ready(Some(Err(error)))
    }
}

impl http_body::Body for SliceBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            if this.at >= this.end {
                return Poll::Ready(None);
            }
            let index = this.at / this.slices.size();
            let behind = this.slice(index).end();
            if this.open.as_ref().is_none_or(|open| open.index != index)
                && let Err(error) = ready!(this.poll_open(index, cx))
            {
                return this.break_off(error);
            }
            if behind < this.end {
                // What it comes to counts when its turn has come.
                this.ask(index + 1, index + 1, cx);
            }
            let Some(open) = &mut this.open else { continue };
            let frame = match ready!(Pin::new(&mut open.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                // Its fetch has broken off: what is left of it may be had from another.
                Some(Err(_)) if this.may_retry(index) => {
                    this.open = None;
                    continue;
                }
                Some(Err(error)) => return this.break_off(error),
                None => {
                    this.slices.discard(&this.told);
                    return this.break_off(BodyError::Origin("a slice has ended too early".to_owned()));
                }
            };
            let Ok(bytes) = frame.into_data() else { continue };
            let (from, to) = (open.at, open.at + bytes.len() as u64);
            open.at = to;
            // What is behind its end is of the next one.
            let (first, last) = (this.at.max(from), this.end.min(to).min(behind));
            if first < last {
                this.at = last;
                let part = bytes.slice((first - from) as usize..(last - from) as usize);
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
