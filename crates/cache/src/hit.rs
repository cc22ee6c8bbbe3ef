//! An answer made from what is stored: conditions, ranges and `Age`.

use crate::disk::body::FileBody;
use crate::fill::state::Fill;
use crate::fill::stream::Filling;
use crate::memory::Grip;
use crate::object::{Content, Face, Stored};
use crate::policy::admit::Terms;
use crate::policy::directives::MAX_SECONDS;
use crate::policy::range::{self, Ranges, Span};
use crate::policy::validate::{self, Outcome, Validators};
use crate::policy::{age, fields};
use crate::slice::SliceBody;
use crate::status::{CacheResult, CacheStatus};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, AGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use http::{HeaderValue, Method, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use rimward_types::{Body, BodyError, RequestHead, ResponseHead, Timestamp};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

mod multipart;

use multipart::Multipart;

/// An answer that can be sent: conditions and ranges of the request are applied, `Age` is set.
#[derive(Debug)]
pub struct Hit {
    /// Head.
    pub head: ResponseHead,
    /// Body; empty for HEAD, 304 and 416. It may still be arriving.
    pub body: Body,
    /// For `Cache-Status`.
    pub status: CacheStatus,
    /// For `X-Cache` and the log.
    pub result: CacheResult,
    /// The body is on disk alone, and nobody has looked yet whether it can be read.
    is_unread: bool,
    /// When the origin gave it, or confirmed it last.
    pub(crate) received: Timestamp,
    /// The fetch that brings it, while it arrives.
    pub(crate) fill: Weak<Fill>,
}

impl Hit {
    /// Whether [`Hit::checked`] has nothing to do.
    pub fn is_at_hand(&self) -> bool {
        !self.is_unread
    }

    /// Reads the beginning of a body that is on disk alone, before a head promises it.
    ///
    /// # Errors
    /// Why it cannot be read. A file that is gone or damaged is not found again; for any other reason,
    /// [`crate::Cache::begin_past_disk`] asks the origin.
    pub async fn checked(mut self) -> Result<Self, BodyError> {
        if !std::mem::take(&mut self.is_unread) {
            return Ok(self);
        }
        // Parts begin with a line that is not in the file.
        let needed = if is_multipart(&self.head) { 2 } else { 1 };
        let mut rest = std::mem::take(&mut self.body);
        let mut read = VecDeque::new();
        while read.len() < needed
            && let Some(frame) = rest.frame().await
        {
            read.extend(frame?.into_data());
        }
        self.body = Body::stream(Begun { read, rest });
        Ok(self)
    }

    /// A hit on something stored.
    pub(crate) fn of(stored: &Stored, request: &RequestHead, now: Timestamp) -> Self {
        Self::with(stored, request, now, CacheStatus::hit(stored.face.ttl(now)), CacheResult::Hit)
    }

    /// An answer from something stored, with a status of its own.
    pub(crate) fn with(
        stored: &Stored,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
        result: CacheResult,
    ) -> Self {
        let head = aged(&stored.face, now);
        let hit = answer(head, Source::Stored(&stored.content), request, now, status, result);
        Self { received: stored.face.terms.received, ..hit }
    }

    /// The leader's answer, with the origin's own head.
    pub(crate) fn first(
        head: ResponseHead,
        content: &Content,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
    ) -> Self {
        answer(head, Source::Stored(content), request, now, status, CacheResult::Miss)
    }

    /// A stored body with a head that is not kept.
    pub(crate) fn passing(
        mut head: ResponseHead,
        terms: &Terms,
        content: &Content,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
    ) -> Self {
        fields::for_storing(&mut head.headers, &terms.dropped, terms.received);
        tell_age(&mut head, terms, now);
        answer(head, Source::Stored(content), request, now, status, CacheResult::RefreshHit)
    }

    /// An answer from a fetch that is still arriving, for the one who began it.
    pub(crate) fn arriving(
        head: ResponseHead,
        filling: Filling,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
    ) -> Self {
        let fill = filling.fill();
        Self { fill, ..answer(head, Source::Filling(filling), request, now, status, CacheResult::Miss) }
    }

    /// An answer from a fetch that is still arriving, for another.
    pub(crate) fn joining(
        face: &Face,
        filling: Filling,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
    ) -> Self {
        let fill = filling.fill();
        let hit = answer(aged(face, now), Source::Filling(filling), request, now, status, CacheResult::Hit);
        Self { received: face.terms.received, fill, ..hit }
    }

    /// An answer from slices. `head` is that of the whole.
    pub(crate) fn of_slices(
        head: ResponseHead,
        body: SliceBody,
        request: &RequestHead,
        now: Timestamp,
        status: CacheStatus,
        result: CacheResult,
    ) -> Self {
        answer(head, Source::Slices(Box::new(body)), request, now, status, result)
    }
}

/// The stored head with its `Age`.
fn aged(face: &Face, now: Timestamp) -> ResponseHead {
    let mut head = face.head.unpacked();
    tell_age(&mut head, &face.terms, now);
    head
}

/// Tells in a head that has a place for it how old it is (RFC 9111 section 5.1).
fn tell_age(head: &mut ResponseHead, terms: &Terms, now: Timestamp) {
    // More than 2^31 seconds are told as 2^31 (RFC 9111 section 1.2.2).
    let age = age::current(terms.initial_age, terms.received, now).as_secs().min(u64::from(MAX_SECONDS));
    // An insertion would make room for one more, though the place is there.
    if let Some(place) = head.headers.get_mut(AGE) {
        *place = decimal(age);
    }
}

/// A number as a field value, with one allocation; the conversion of the `http` crate takes two.
fn decimal(mut number: u64) -> HeaderValue {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    HeaderValue::from_bytes(&digits[first..]).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// Where the bytes come from.
enum Source<'a> {
    Stored(&'a Content),
    Filling(Filling),
    Slices(Box<SliceBody>),
}

impl Source<'_> {
    fn length(&self) -> Option<u64> {
        match self {
            Source::Stored(content) => Some(content.length()),
            Source::Filling(filling) => filling.length(),
            Source::Slices(body) => Some(body.total()),
        }
    }

    /// Bytes `start..end`; `end` may be behind what there is.
    fn body(self, start: u64, end: Option<u64>) -> Body {
        match self {
            Source::Stored(Content::Whole(bytes)) => {
                let length = bytes.len();
                let end = end.map_or(length, |end| (end as usize).min(length));
                bytes.slice((start as usize).min(end)..end).into()
            }
            Source::Stored(Content::Blocks(pieces)) => {
                let end = end.map_or(pieces.length(), |end| end.min(pieces.length()));
                Body::stream(Blocks::new(pieces.grip(), start, end))
            }
            Source::Stored(Content::Filed(object)) => {
                let end = end.unwrap_or(object.length());
                Body::stream(FileBody::new(object.clone(), start, end))
            }
            Source::Filling(filling) => Body::stream(filling.part(start, end)),
            Source::Slices(mut body) => {
                body.turn_to(start, end.unwrap_or(body.total()));
                Body::stream(*body)
            }
        }
    }
}

fn answer(
    mut head: ResponseHead,
    source: Source<'_>,
    request: &RequestHead,
    now: Timestamp,
    status: CacheStatus,
    result: CacheResult,
) -> Hit {
    let asked = &request.headers;
    let result = result.with_status(head.status);
    let is_on_disk = matches!(source, Source::Stored(Content::Filed(_)));
    let hit = |head, body| {
        let is_unread = is_on_disk && matches!(body, Body::Stream(_));
        Hit { head, body, status, result, is_unread, received: now, fill: Weak::new() }
    };
    // Most requests have no conditions, and need no validators.
    let has_conditions = validate::has_conditions(asked);
    let validators = if has_conditions { Validators::of(&head.headers, now) } else { Validators::default() };
    if has_conditions && (request.method == Method::GET || request.method == Method::HEAD) {
        match validate::evaluate(asked, head.status, &validators, now) {
            Outcome::NotModified => return hit(not_modified(head), Body::Empty),
            Outcome::Failed => {
                return Hit { result: CacheResult::Error, ..hit(precondition_failed(head), Body::Empty) };
            }
            Outcome::Proceed => {}
        }
    }
    if request.method == Method::HEAD {
        return hit(head, Body::Empty);
    }
    if request.method == Method::GET && head.status == StatusCode::OK && asked.contains_key(RANGE) {
        let ranges = match source.length() {
            Some(length) if validate::range_applies(asked, &validators, now) => {
                Some((range::ranges(asked, length), length))
            }
            // The length is not known before the end: the whole is a good answer to any range.
            _ => None,
        };
        match ranges {
            Some((Ranges::One(span), length)) => {
                partial(&mut head, span, length);
                return hit(head, source.body(span.start, Some(span.end)));
            }
            Some((Ranges::Several(spans), length)) => {
                if let Some(parts) = Multipart::try_new(&spans, &head.headers, length) {
                    parts.describe(&mut head);
                    return hit(head, parts.body(source));
                }
            }
            Some((Ranges::Unsatisfiable, length)) => {
                let head = unsatisfiable(head, length);
                return Hit { result: CacheResult::Error, ..hit(head, Body::Empty) };
            }
            Some((Ranges::Whole, _)) | None => {}
        }
    }
    hit(head, source.body(0, None))
}

/// A 304 keeps what the 200 would say of caching and leaves out what describes the body (RFC 9110 section 15.4.5).
fn not_modified(mut head: ResponseHead) -> ResponseHead {
    head.status = StatusCode::NOT_MODIFIED;
    head.reason = None;
    for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_RANGE] {
        head.headers.remove(name);
    }
    head
}

/// 412 (RFC 9110 section 15.5.13).
fn precondition_failed(head: ResponseHead) -> ResponseHead {
    let mut head = not_modified(head);
    head.status = StatusCode::PRECONDITION_FAILED;
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(0u64));
    head
}

/// 206 (RFC 9110 section 15.3.7).
fn partial(head: &mut ResponseHead, span: Span, length: u64) {
    head.status = StatusCode::PARTIAL_CONTENT;
    head.reason = None;
    if let Ok(value) = HeaderValue::try_from(content_range(span, length)) {
        head.headers.insert(CONTENT_RANGE, value);
    }
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(span.length()));
}

/// The value of `Content-Range` (RFC 9110 section 14.4).
fn content_range(span: Span, length: u64) -> String {
    format!("bytes {}-{}/{length}", span.start, span.end - 1)
}

/// 416 (RFC 9110 section 15.5.17).
fn unsatisfiable(head: ResponseHead, length: u64) -> ResponseHead {
    let mut head = not_modified(head);
    head.status = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{length}")) {
        head.headers.insert(CONTENT_RANGE, value);
    }
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(0u64));
    head.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    head
}

/// Whether it is the head of several parts.
fn is_multipart(head: &ResponseHead) -> bool {
    head.status == StatusCode::PARTIAL_CONTENT && !head.headers.contains_key(CONTENT_RANGE)
}

/// A body of which the beginning was read.
struct Begun {
    read: VecDeque<Bytes>,
    rest: Body,
}

impl http_body::Body for Begun {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.read.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        match self.rest.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(read + rest),
            None => SizeHint::default(),
        }
    }
}

/// A body of blocks, from `at` to `end`.
struct Blocks {
    grip: Grip,
    next: usize,
    /// Bytes to leave out at the beginning of the next block.
    skip: u64,
    left: u64,
}

impl Blocks {
    fn new(grip: Grip, start: u64, end: u64) -> Self {
        let mut next = 0;
        let mut skip = start;
        while let Some(block) = grip.block(next)
            && block.len() as u64 <= skip
        {
            skip -= block.len() as u64;
            next += 1;
        }
        Self { grip, next, skip, left: end.saturating_sub(start) }
    }
}

impl http_body::Body for Blocks {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let Some(block) = this.grip.block(this.next) else { return Poll::Ready(None) };
        let end = (this.skip + this.left).min(block.len() as u64);
        let bytes = block.slice(this.skip as usize..end as usize);
        this.next += 1;
        this.skip = 0;
        this.left -= bytes.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests;
