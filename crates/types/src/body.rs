//! Bodies.

use crate::Tunnel;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Why a body ended early. The text is for the record; a viewer sees a cut connection.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The origin closed, reset or framed the body wrongly.
    #[error("origin body ended early: {0}")]
    Origin(String),
    /// The viewer closed, reset or framed the body wrongly.
    #[error("viewer body ended early: {0}")]
    Viewer(String),
    /// An HTTP/2 stream was reset by the peer. The source knows the code; what is made of this body is reset with the same.
    #[error("{side} reset the stream: {source}")]
    Reset {
        /// `viewer` or `origin`.
        side: &'static str,
        /// The HTTP/2 layer's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What the cache has stored cannot be read.
    #[error("stored body could not be read: {0}")]
    Stored(String),
    /// No byte came for the time allowed.
    #[error("no byte of the body came in time")]
    TimedOut,
    /// The body is larger than the limit in bytes.
    #[error("body is larger than {0} bytes")]
    TooLarge(u64),
}

/// The body of a message.
#[derive(Default)]
pub enum Body {
    /// No body.
    #[default]
    Empty,
    /// A body that is in memory.
    Full(Bytes),
    /// A body that arrives while it is sent.
    Stream(UnsyncBoxBody<Bytes, BodyError>),
    /// No body: the answer is 101, and after it the connection is the tunnel's.
    Tunnel(Tunnel),
}

impl Body {
    /// Wraps a stream.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static,
    {
        Self::Stream(UnsyncBoxBody::new(body))
    }

    /// Length in bytes, where it is known before sending.
    pub fn len(&self) -> Option<u64> {
        http_body::Body::size_hint(self).exact()
    }

    /// Whether it is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Collects the body, up to `limit` bytes.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] past `limit`; else what the stream gave.
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, BodyError> {
        use http_body_util::BodyExt;
        let mut parts: Vec<Bytes> = Vec::new();
        let mut total = 0u64;
        while let Some(frame) = self.frame().await {
            if let Ok(data) = frame?.into_data() {
                total += data.len() as u64;
                if total > limit {
                    return Err(BodyError::TooLarge(limit));
                }
                parts.push(data);
            }
        }
        Ok(match parts.len() {
            0 => Bytes::new(),
            1 => parts.swap_remove(0),
            _ => parts.concat().into(),
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Body::Stream(_) => f.write_str("Stream"),
            Body::Tunnel(_) => f.write_str("Tunnel"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Body::Empty } else { Body::Full(bytes) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Body::Empty | Body::Tunnel(_) => Poll::Ready(None),
            Body::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Body::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Body::Stream(stream) => Pin::new(stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Empty | Body::Tunnel(_) => true,
            Body::Full(bytes) => bytes.is_empty(),
            Body::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty | Body::Tunnel(_) => SizeHint::with_exact(0),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Stream(stream) => stream.size_hint(),
        }
    }
}
