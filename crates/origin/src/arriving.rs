//! The body of an answer, with the connection that it comes over.

use crate::exchange::with_source;
use crate::pool::{Channel, Pool};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use rimward_types::BodyError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

/// A body that arrives. At its end the connection goes back to the pool; dropped before, it is closed.
pub(crate) struct Arriving {
    pub(crate) incoming: Incoming,
    /// The connection and the leave to use it, until the end.
    pub(crate) lease: Option<Lease>,
    /// Time between two parts.
    pub(crate) read_timeout: Duration,
    /// When all must be here.
    pub(crate) completion: Option<Instant>,
    pub(crate) timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer runs for the part that is awaited now.
    pub(crate) waiting: bool,
}

/// A connection in use.
pub(crate) struct Lease {
    pub(crate) channel: Box<Channel>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) keepalive: Duration,
    pub(crate) permit: OwnedSemaphorePermit,
    /// Leave to become a tunnel, for a handshake.
    pub(crate) tunnel: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Ends the exchange: the connection is kept if it can be.
    pub(crate) fn finish(self) {
        self.pool.keep(self.channel, self.keepalive);
        // After that, so that who waits for leave finds the connection.
        drop(self.permit);
    }
}

impl Arriving {
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let done @ Poll::Ready(_) = Pin::new(&mut self.incoming).poll_frame(cx) {
            return done;
        }
        // It has said that it wants more; now the driver reads, and what it read is there.
        if let Some(lease) = &mut self.lease {
            // The end of the connection shows in the body.
            let _ = Pin::new(&mut lease.channel.driver).poll(cx);
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        if !self.waiting {
            let next = Instant::now() + self.read_timeout;
            let deadline = self.completion.map_or(next, |end| end.min(next));
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(deadline),
                none => *none = Some(Box::pin(sleep_until(deadline))),
            }
            self.waiting = true;
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx).map(|()| BodyError::TimedOut),
            None => Poll::Pending,
        }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.lease = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            match this.poll_incoming(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.waiting = false;
                    if this.incoming.is_end_stream()
                        && let Some(lease) = this.lease.take()
                    {
                        // Nobody may ask again after the last part.
                        lease.finish();
                    }
                    // A body that never stands still ends all the same.
                    if this.lease.is_some() && this.completion.is_some_and(|end| Instant::now() >= end) {
                        return this.fail(BodyError::TimedOut);
                    }
                    // Trailers are not passed on.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Poll::Ready(Some(Err(error))) => return this.fail(BodyError::Origin(with_source(&error))),
                Poll::Ready(None) => {
                    if let Some(lease) = this.lease.take() {
                        lease.finish();
                    }
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    return match this.poll_late(cx) {
                        Poll::Ready(error) => this.fail(error),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
