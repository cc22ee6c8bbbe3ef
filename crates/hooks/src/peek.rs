//! The beginning of a body, read ahead for a function, without losing a byte of it for the origin.

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use rimward_types::{Body, BodyError};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What was read ahead.
pub(crate) struct Peeked {
    /// At most as many bytes as were asked for.
    pub(crate) view: Bytes,
    /// Whether the body has more.
    pub(crate) truncated: bool,
    /// The whole body, to be sent on.
    pub(crate) body: Body,
}

/// Reads up to `limit` bytes.
///
/// # Errors
/// What the body gave.
pub(crate) async fn peek(mut body: Body, limit: usize) -> Result<Peeked, BodyError> {
    let mut read = BytesMut::new();
    let mut ended = false;
    while read.len() <= limit && !ended {
        match body.frame().await {
            None => ended = true,
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    read.extend_from_slice(&data);
                }
            }
        }
    }
    let read = read.freeze();
    let view = read.slice(..read.len().min(limit));
    let truncated = read.len() > limit;
    let body = if ended { read.into() } else { Body::stream(Resumed { read: Some(read), rest: body }) };
    Ok(Peeked { view, truncated, body })
}

/// A body whose first bytes were read already.
struct Resumed {
    read: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Resumed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.read.take() {
            Some(read) if !read.is_empty() => Poll::Ready(Some(Ok(Frame::data(read)))),
            _ => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.size_hint();
        let read = self.read.as_ref().map_or(0, Bytes::len) as u64;
        match rest.exact() {
            Some(rest) => SizeHint::with_exact(rest + read),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http_body_util::StreamBody;

    fn chunks(chunks: &'static [&'static [u8]]) -> Body {
        let frames = chunks.iter().map(|c| Ok(Frame::data(Bytes::from_static(c))));
        Body::stream(StreamBody::new(futures_util::stream::iter(frames)))
    }

    #[tokio::test]
    async fn a_short_body_is_seen_whole() {
        let peeked = peek(chunks(&[b"ab", b"cd"]), 4).await.unwrap();
        assert_eq!((&peeked.view[..], peeked.truncated), (&b"abcd"[..], false));
        assert_eq!(peeked.body.collect(100).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_long_body_is_cut_for_the_function_and_whole_for_the_origin() {
        let peeked = peek(chunks(&[b"ab", b"cd", b"ef"]), 3).await.unwrap();
        assert_eq!((&peeked.view[..], peeked.truncated), (&b"abc"[..], true));
        assert_eq!(peeked.body.collect(100).await.unwrap(), "abcdef");
    }
}
