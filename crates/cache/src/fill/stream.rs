//! A body that is read while it arrives, by each reader at its own pace: from memory, or from the file that it is
//! written to, where the reader is behind.

use super::arrival::Read;
use super::state::Fill;
use crate::disk::Unreadable;
use crate::disk::writing::Readable;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rimward_types::BodyError;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Bytes read from the file at once.
const PIECE: u64 = 64 << 10;
/// Where there is no memory or no place in the queue, reading is tried again so often, so long.
const PATIENCE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, Unreadable>> + Send>>;

/// One reader of a fill.
pub(crate) struct Filling {
    fill: Arc<Fill>,
    slot: usize,
    /// Length of the whole, when it is known.
    length: Option<u64>,
    at: u64,
    /// Behind the last byte that this reader wants.
    end: Option<u64>,
    reading: Option<Reading>,
}

impl Filling {
    pub(super) fn new(fill: Arc<Fill>, slot: usize, length: Option<u64>) -> Self {
        Self { fill, slot, length, at: 0, end: length, reading: None }
    }

    /// The fetch that brings it.
    pub(crate) fn fill(&self) -> Weak<Fill> {
        Arc::downgrade(&self.fill)
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

    fn poll_file(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        Poll::Ready(Some(match read {
            Ok(bytes) => {
                self.at += bytes.len() as u64;
                self.fill.seek(self.slot, self.at);
                Ok(Frame::data(bytes))
            }
            Err(error) => Err(BodyError::Stored(error.to_string())),
        }))
    }
}

async fn read(file: Readable, length: u64, at: u64, most: u64) -> Result<Bytes, Unreadable> {
    for _ in 0..PATIENCE {
        if let Some(bytes) = file.read(length, at, most).await? {
            return Ok(bytes);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Unreadable::Busy)
}

impl Filling {
    /// Goes on with bytes `start..end`.
    pub(crate) fn turn_to(&mut self, start: u64, end: u64) {
        self.reading = None;
        self.at = start;
        self.end = Some(end);
        self.fill.seek(self.slot, start);
    }
}

impl http_body::Body for Filling {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.reading.is_some() {
            return self.poll_file(cx);
        }
        let limit = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        if limit == 0 {
            return Poll::Ready(None);
        }
        match ready!(self.fill.poll_read(self.slot, self.at, limit, cx)) {
            Read::Bytes(bytes) => {
                self.at += bytes.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Read::InFile(file, length) => {
                self.reading = Some(Box::pin(read(file, length, self.at, limit.min(PIECE))));
                self.poll_file(cx)
            }
            Read::End => Poll::Ready(None),
            Read::Broken(text) => Poll::Ready(Some(Err(BodyError::Origin(text)))),
        }
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

impl std::fmt::Debug for Filling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filling").field("slot", &self.slot).field("at", &self.at).finish_non_exhaustive()
    }
}
