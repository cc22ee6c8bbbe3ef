//! A body that is read while it arrives, by each reader at its own pace.

use super::state::{Fill, Read};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rimward_types::BodyError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// One reader of a fill.
#[derive(Debug)]
pub(crate) struct Filling {
    fill: Arc<Fill>,
    slot: usize,
    /// Length of the whole, when it is known.
    length: Option<u64>,
    at: u64,
    /// Behind the last byte that this reader wants.
    end: Option<u64>,
}

impl Filling {
    pub(super) fn new(fill: Arc<Fill>, slot: usize, length: Option<u64>) -> Self {
        Self { fill, slot, length, at: 0, end: length }
    }

    /// Length of the whole, when it is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Reads bytes `start..end` alone.
    pub(crate) fn part(mut self, start: u64, end: Option<u64>) -> Self {
        self.at = start;
        self.end = end.or(self.end);
        self.fill.seek(self.slot, start);
        self
    }
}

impl Filling {
    /// Goes on with bytes `start..end`.
    pub(crate) fn turn_to(&mut self, start: u64, end: u64) {
        self.at = start;
        self.end = Some(end);
        self.fill.seek(self.slot, start);
    }
}

impl http_body::Body for Filling {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let limit = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        if limit == 0 {
            return Poll::Ready(None);
        }
        self.fill.poll_read(self.slot, self.at, limit, cx).map(|read| match read {
            Read::Bytes(bytes) => {
                self.at += bytes.len() as u64;
                Some(Ok(Frame::data(bytes)))
            }
            Read::End => None,
            Read::Broken(text) => Some(Err(BodyError::Origin(text))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.end.is_some_and(|end| self.at >= end)
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            Some(end) => SizeHint::with_exact(end.saturating_sub(self.at)),
            None => SizeHint::default(),
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.fill.detach(self.slot);
    }
}
