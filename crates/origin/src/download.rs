//! The origin's half of a call: data, then trailers.

use crate::exchange::with_source;
use crate::fields::remove_hop_by_hop;
use crate::http2_error::Http2Error;
use crate::multiplex::Seat;
use crate::pace::Pace;
use crate::upload::Progress;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use rimward_types::BodyError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};

/// A half that arrives. Dropped before its end, the origin's stream is reset, and the viewer's half broken off.
pub(crate) struct Download {
    /// The stream and the place for it, until the end.
    arriving: Option<(Incoming, Seat)>,
    progress: Progress,
    pace: Pace,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Download {
    pub(crate) fn new(incoming: Incoming, seat: Seat, progress: Progress, pace: Pace) -> Self {
        Self { arriving: Some((incoming, seat)), progress, pace, timer: None }
    }

    fn complete(&mut self) {
        self.progress.answered();
        self.arriving = None;
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.progress.abandoned();
        self.arriving = None;
        Poll::Ready(Some(Err(error)))
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        loop {
            let (now, standing) = (Instant::now(), self.progress.standing());
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(self.pace.next_look(now, standing))));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if now >= self.pace.deadline(standing).0 {
                return Poll::Ready(BodyError::TimedOut);
            }
            timer.as_mut().reset(self.pace.next_look(now, standing));
        }
    }
}

impl http_body::Body for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some((incoming, _)) = &mut this.arriving else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        let is_whole = incoming.is_end_stream();
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                this.progress.moves();
                if let Some(trailers) = frame.trailers_mut() {
                    // RFC 9110 section 6.5.1: what frames or routes a message is no trailer.
                    remove_hop_by_hop(trailers);
                    trailers.remove(CONTENT_LENGTH);
                    trailers.remove(HOST);
                }
                if frame.is_trailers() || is_whole {
                    this.complete();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => this.fail(match Http2Error::of(&error) {
                Http2Error::Refused | Http2Error::Reset => BodyError::Reset { side: "origin", source: Box::new(error) },
                _ => BodyError::Origin(with_source(&error)),
            }),
            // The HTTP/2 layer takes a reset without error for an end.
            Poll::Ready(None) if !is_whole => {
                this.fail(BodyError::Origin("it reset the stream without an error".to_owned()))
            }
            Poll::Ready(None) => {
                this.complete();
                Poll::Ready(None)
            }
            Poll::Pending => match this.poll_late(cx) {
                Poll::Ready(error) => this.fail(error),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.arriving.as_ref().is_none_or(|(incoming, _)| incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.arriving.as_ref().map_or_else(SizeHint::default, |(incoming, _)| incoming.size_hint())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.arriving.is_some() {
            self.progress.abandoned();
        }
    }
}
