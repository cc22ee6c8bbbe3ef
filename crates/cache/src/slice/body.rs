//! The bytes of an answer, a slice after the other. While one is sent, the next one is asked for; while one is waited for,
//! the one after it too, and no more: a viewer who reads on waits for the origin as little as two fetches at a time allow, and
//! one who reads slowly, or leaves, has cost it a single slice.

use super::{GetSlice, Slice, Slices, Told};
use crate::hit::Hit;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use rimward_types::{Body, BodyError};
use smallvec::SmallVec;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

type Getting = Pin<Box<dyn Future<Output = Result<Hit, BodyError>> + Send>>;

/// Bytes `at..end` of an object in slices.
pub(crate) struct SliceBody {
    slices: Slices,
    told: Told,
    get: Arc<dyn GetSlice>,
    at: u64,
    end: u64,
    /// The slice that is read: its place in the object, and what of it is still to come.
    open: Option<Open>,
    /// Slices that were asked for: that which is needed now, or the one after it, or both.
    asked: SmallVec<[Asked; 2]>,
}

struct Asked {
    index: u64,
    /// Whether it was not needed yet.
    ahead: bool,
    answer: MaybeDone,
}

enum MaybeDone {
    Getting(Getting),
    Got(Box<Result<Hit, BodyError>>),
}

impl Asked {
    /// Goes on getting it; true once it is there.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> bool {
        if let MaybeDone::Getting(getting) = &mut self.answer {
            let Poll::Ready(got) = getting.as_mut().poll(cx) else { return false };
            self.answer = MaybeDone::Got(Box::new(got));
        }
        true
    }

    fn take(self) -> Option<Result<Hit, BodyError>> {
        match self.answer {
            MaybeDone::Got(got) => Some(*got),
            MaybeDone::Getting(_) => None,
        }
    }
}

struct Open {
    index: u64,
    /// Where in the object the body stands.
    at: u64,
    body: Body,
}

impl SliceBody {
    /// All of it, with `body` of the slice `scout` at hand.
    pub(super) fn new(slices: Slices, told: Told, scout: u64, body: Body, get: Arc<dyn GetSlice>) -> Self {
        let at = Slice { size: slices.size(), index: scout }.first();
        let end = told.total;
        Self { slices, told, get, at: 0, end, open: Some(Open { index: scout, at, body }), asked: SmallVec::new() }
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
        let at = self.asked.iter().position(|asked| asked.index == index).unwrap_or_else(|| {
            let answer = MaybeDone::Getting(self.get.get(index));
            self.asked.push(Asked { index, ahead: index > self.at / self.slices.size(), answer });
            self.asked.len() - 1
        });
        self.asked[at].poll_ahead(cx)
    }

    /// Takes a slice that has come, if it is one of the same object.
    fn take(&mut self, index: u64, hit: Hit) -> Result<(), BodyError> {
        let slice = self.slice(index);
        let is_slice = hit.head.status == StatusCode::PARTIAL_CONTENT;
        if is_slice && Told::of(slice, &hit.head).as_ref() == Some(&self.told) {
            self.open = Some(Open { index, at: slice.first(), body: hit.body });
            return Ok(());
        }
        // It has no such slice any more, though it had when it was begun.
        let is_shorter = hit.head.status == StatusCode::RANGE_NOT_SATISFIABLE;
        if is_slice || is_shorter {
            self.slices.discard();
            return Err(BodyError::Origin("the object has changed while it was sent in slices".to_owned()));
        }
        // An error that is stored in its place says nothing of the others.
        Err(BodyError::Origin(format!("slice {index} was answered with {}", hit.head.status)))
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
            if this.open.as_ref().is_none_or(|open| open.index != index) {
                this.open = None;
                if !this.ask(index, index, cx) {
                    if behind < this.end {
                        this.ask(index + 1, index, cx);
                    }
                    return Poll::Pending;
                }
                let Some(at) = this.asked.iter().position(|asked| asked.index == index) else { continue };
                let asked = this.asked.remove(at);
                let ahead = asked.ahead;
                match asked.take() {
                    // That was then, and a slow viewer comes to it minutes later: it is asked for again, now that it is needed.
                    Some(Err(_)) if ahead => continue,
                    Some(got) => {
                        if let Err(error) = got.and_then(|hit| this.take(index, hit)) {
                            this.end = this.at;
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    None => continue,
                }
            }
            if behind < this.end {
                // What it comes to counts when its turn has come.
                this.ask(index + 1, index + 1, cx);
            }
            let Some(open) = &mut this.open else { continue };
            let frame = match ready!(Pin::new(&mut open.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    this.end = this.at;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.end = this.at;
                    this.slices.discard();
                    let error = BodyError::Origin("a slice has ended too early".to_owned());
                    return Poll::Ready(Some(Err(error)));
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
