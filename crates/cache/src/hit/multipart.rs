//! Several ranges in one answer: `multipart/byteranges` (RFC 9110 sections 14.6 and 15.3.7.2).

use super::{Blocks, Source, content_range};
use crate::fill::stream::Filling;
use crate::memory::Grip;
use crate::object::Content;
use crate::policy::range::Span;
use crate::slice::SliceBody;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Frame, SizeHint};
use rimward_types::{Body, BodyError, ResponseHead};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// Keyed at random for each process: nobody can write a body that holds a boundary of ours.
static BOUNDARIES: LazyLock<ahash::RandomState> = LazyLock::new(ahash::RandomState::new);
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The parts of an answer, each with the lines before it.
pub(super) struct Multipart {
    boundary: String,
    parts: VecDeque<(Bytes, Span)>,
    end: Bytes,
    length: u64,
}

impl Multipart {
    /// The parts `spans` of a representation of `whole` bytes. `None` where the whole is the better answer: it is not
    /// longer, or it is coded, which a message of parts cannot say of each of them.
    pub(super) fn try_new(spans: &[Span], headers: &HeaderMap, whole: u64) -> Option<Self> {
        if headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let boundary = format!("{:016x}{:016x}", BOUNDARIES.hash_one((number, 0)), BOUNDARIES.hash_one((number, 1)));
        let parts: VecDeque<_> = spans.iter().map(|span| (before(*span, headers, whole, &boundary), *span)).collect();
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let length =
            parts.iter().map(|(before, span)| before.len() as u64 + span.length()).sum::<u64>() + end.len() as u64;
        (length < whole).then_some(Self { boundary, parts, end, length })
    }

    /// Makes the head of the whole that of these parts.
    pub(super) fn describe(&self, head: &mut ResponseHead) {
        head.status = StatusCode::PARTIAL_CONTENT;
        head.reason = None;
        if let Ok(value) = HeaderValue::try_from(format!("multipart/byteranges; boundary={}", self.boundary)) {
            head.headers.insert(CONTENT_TYPE, value);
        }
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(self.length));
    }

    /// The body, read from `source`.
    pub(super) fn body(self, source: Source<'_>) -> Body {
        let source = match source {
            Source::Stored(Content::Blocks(pieces)) => Reading::Pieces(pieces.grip(), Body::Empty),
            Source::Stored(content) => Reading::Stored(content.clone(), Body::Empty),
            Source::Filling(filling) => Reading::Filling(filling),
            Source::Slices(body) => Reading::Slices(body),
        };
        Body::stream(Parts { parts: self.parts, end: Some(self.end), left: self.length, source, is_inside: false })
    }
}

/// The delimiter and the header of a part. The first delimiter has no line before it, which the grammar lets out.
fn before(span: Span, headers: &HeaderMap, whole: u64, boundary: &str) -> Bytes {
    let mut text = format!("\r\n--{boundary}\r\n").into_bytes();
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        text.extend_from_slice(b"Content-Type: ");
        text.extend_from_slice(kind.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("Content-Range: {}\r\n\r\n", content_range(span, whole)).as_bytes());
    text.into()
}

/// Where parts are read from.
enum Reading {
    /// What is stored, and the part that is read now.
    Stored(Content, Body),
    /// The same in pieces.
    Pieces(Grip, Body),
    /// A body that arrives; its one reader goes from part to part.
    Filling(Filling),
    /// An object in slices.
    Slices(Box<SliceBody>),
}

struct Parts {
    parts: VecDeque<(Bytes, Span)>,
    end: Option<Bytes>,
    /// Bytes that are still to come.
    left: u64,
    source: Reading,
    /// Whether the source stands in a part.
    is_inside: bool,
}

impl Parts {
    fn turn_to(&mut self, span: Span) {
        self.is_inside = true;
        match &mut self.source {
            Reading::Stored(content, body) => *body = Source::Stored(content).body(span.start, Some(span.end)),
            Reading::Pieces(grip, body) => *body = Body::stream(Blocks::new(grip.clone(), span.start, span.end)),
            Reading::Filling(filling) => filling.turn_to(span.start, span.end),
            Reading::Slices(body) => body.turn_to(span.start, span.end),
        }
    }

    fn send(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.is_inside {
            let frame = match &mut this.source {
                Reading::Stored(_, body) | Reading::Pieces(_, body) => ready!(Pin::new(body).poll_frame(cx)),
                Reading::Filling(filling) => ready!(Pin::new(filling).poll_frame(cx)),
                Reading::Slices(body) => ready!(Pin::new(&mut **body).poll_frame(cx)),
            };
            match frame {
                Some(Ok(frame)) => return this.send(frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.is_inside = false,
            }
        }
        if let Some((before, span)) = this.parts.pop_front() {
            this.turn_to(span);
            return this.send(before);
        }
        match this.end.take() {
            Some(end) => this.send(end),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
