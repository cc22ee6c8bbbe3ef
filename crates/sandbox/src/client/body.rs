//! Bodies on their way out and in: counted, and not waited for without end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::ledger::Entry;
use super::told;

/// A request's body.
pub(super) struct Outbound {
    body: WasiBody,
    entry: Arc<Entry>,
}

impl Outbound {
    pub(super) fn new(body: WasiBody, entry: Arc<Entry>) -> Self {
        Self { body, entry }
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(spent) = self.entry.send(data.len() as u64)
        {
            return Poll::Ready(Some(Err(told(spent))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. It fails when no byte comes for too long, when its invocation has no time or bytes left, and
/// counts as on its way until its end.
pub(super) struct Incoming {
    body: hyper::body::Incoming,
    between: Duration,
    late: Pin<Box<Sleep>>,
    entry: Arc<Entry>,
    _permit: OwnedSemaphorePermit,
}

impl Incoming {
    pub(super) fn new(
        body: hyper::body::Incoming,
        between: Duration,
        entry: Arc<Entry>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let late = Box::pin(tokio::time::sleep_until(next(between, &entry)));
        Self { body, between, late, entry, _permit: permit }
    }
}

/// When the next byte must be there.
fn next(between: Duration, entry: &Entry) -> Instant {
    (Instant::now() + between).min(entry.deadline.into())
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                if let Err(spent) = self.entry.receive(bytes as u64) {
                    return Poll::Ready(Some(Err(told(spent))));
                }
                // A response that trickles is bounded too: each byte is early enough, and all of them are not.
                if Instant::now() >= self.entry.deadline.into() {
                    return Poll::Ready(Some(Err(told(self.entry.out_of_time()))));
                }
                let next = next(self.between, &self.entry);
                self.late.as_mut().reset(next);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => Poll::Ready(end.map(|frame| frame.map_err(Error::Hyper))),
            Poll::Pending => self.late.as_mut().poll(cx).map(|()| {
                let late = Instant::now() >= self.entry.deadline.into();
                Some(Err(if late { told(self.entry.out_of_time()) } else { Error::ConnectionReadTimeout }))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
