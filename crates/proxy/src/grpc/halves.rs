//! The two halves of a call, on their way through the node.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use rimward_telemetry::GrpcTally;
use rimward_types::{Body, BodyError, RequestId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// UNAVAILABLE: what a gRPC client makes of a connection that breaks, and what 502 and 504 mean to it.
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");

/// The viewer's half: counted.
pub(super) struct Upward {
    body: Body,
    tally: Arc<GrpcTally>,
}

impl Upward {
    pub(super) fn new(body: Body, tally: Arc<GrpcTally>) -> Self {
        Self { body, tally }
    }
}

impl http_body::Body for Upward {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if let Some(Ok(frame)) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.tally.receive(data.len() as u64);
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The origin's half. Where it ends early and the origin did not reset the stream itself, it ends with a status that a gRPC client
/// understands.
pub(super) struct Downward {
    body: Body,
    tally: Arc<GrpcTally>,
    /// Whether what came before is an answer of gRPC, so that trailers of gRPC end it.
    is_grpc: bool,
    id: RequestId,
}

impl Downward {
    pub(super) fn new(body: Body, tally: Arc<GrpcTally>, is_grpc: bool, id: RequestId) -> Self {
        Self { body, tally, is_grpc, id }
    }

    fn end(&mut self, error: BodyError) -> Result<Frame<Bytes>, BodyError> {
        self.tally.cut(error.to_string());
        self.body = Body::Empty;
        let message = match error {
            BodyError::Reset { .. } => return Err(error),
            _ if !self.is_grpc => return Err(error),
            BodyError::TimedOut => "nothing came in time",
            _ => "the origin broke off",
        };
        tracing::warn!(request = %self.id, %error, "a gRPC call was cut off");
        let mut trailers = HeaderMap::new();
        trailers.insert(HeaderName::from_static("grpc-status"), UNAVAILABLE);
        trailers.insert(HeaderName::from_static("grpc-message"), HeaderValue::from_static(message));
        Ok(Frame::trailers(trailers))
    }
}

impl http_body::Body for Downward {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = ready!(Pin::new(&mut this.body).poll_frame(cx));
        Poll::Ready(match polled {
            Some(Err(error)) => Some(this.end(error)),
            other => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
