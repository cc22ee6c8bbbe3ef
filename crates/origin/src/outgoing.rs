//! A request's body on its way to an origin.

use crate::stream::Traffic;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rimward_types::{Body, BodyError};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// A body that notes whether it waits for the viewer or has failed, so that neither is laid to the origin.
pub(crate) struct Outgoing {
    body: Body,
    traffic: Arc<Traffic>,
    /// Whether anything was taken from it: then it cannot be sent again.
    begun: bool,
}

impl Outgoing {
    pub(crate) fn new(body: Body, traffic: Arc<Traffic>) -> Self {
        Self { body, traffic, begun: false }
    }

    /// The body, if it is whole.
    pub(crate) fn into_whole(self) -> Option<Body> {
        (!self.begun).then_some(self.body)
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.begun = true;
        loop {
            let polled = Pin::new(&mut this.body).poll_frame(cx);
            this.traffic.waits_for_viewer.store(polled.is_pending(), Ordering::Relaxed);
            match &polled {
                // Trailers are not passed on.
                Poll::Ready(Some(Ok(frame))) if !frame.is_data() => {}
                Poll::Ready(Some(Err(_))) => {
                    this.traffic.viewer_failed.store(true, Ordering::Relaxed);
                    return polled;
                }
                _ => return polled,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
