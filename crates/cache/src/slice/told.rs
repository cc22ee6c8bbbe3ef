//! What the head of a slice tells of the whole object.

use super::Slice;
use crate::key::Key;
use crate::tag::Tag;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use http::{HeaderValue, StatusCode};
use rimward_types::ResponseHead;

/// Length and identity of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// Bytes of the whole.
    pub(crate) total: u64,
    /// A strong entity tag: parts are put together only if they have the same (RFC 9110 section 15.3.7.3).
    pub(crate) etag: HeaderValue,
}

impl Told {
    /// Reads the head of a 206 that should be `slice`. `None`: it is other bytes than were asked for, or does not tell how
    /// many there are, or has no strong entity tag.
    pub(crate) fn of(slice: Slice, head: &ResponseHead) -> Option<Self> {
        let etag = head.headers.get(ETAG).filter(|etag| is_strong(etag))?.clone();
        let mut lines = head.headers.get_all(CONTENT_RANGE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        let (first, last, total) = parse(line.to_str().ok()?)?;
        let is_it = first == slice.first() && last < total && last == slice.end().min(total) - 1;
        is_it.then_some(Self { total, etag })
    }

    /// Bytes of `slice`.
    pub(crate) fn length_of(&self, slice: Slice) -> u64 {
        slice.end().min(self.total).saturating_sub(slice.first())
    }

    /// The tag of all slices of `object` that tell the same.
    pub(crate) fn generation(&self, object: &Key) -> Tag {
        Tag::of_generation(object.as_bytes(), self.etag.as_bytes(), self.total)
    }

    /// Makes the head of a slice that of the whole.
    pub(crate) fn describe_whole(&self, head: &mut ResponseHead) {
        head.status = StatusCode::OK;
        head.reason = None;
        head.headers.remove(CONTENT_RANGE);
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(self.total));
    }
}

/// A strong entity tag (RFC 9110 section 8.8.3).
fn is_strong(etag: &HeaderValue) -> bool {
    matches!(etag.as_bytes(), [b'"', inner @ .., b'"'] if !inner.contains(&b'"'))
}

/// `bytes first-last/total` (RFC 9110 section 14.4).
fn parse(text: &str) -> Option<(u64, u64, u64)> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, total) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
    unit.eq_ignore_ascii_case("bytes").then_some((number(first)?, number(last)?, number(total)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(index: u64, range: &str, etag: &str) -> Option<u64> {
        let mut head = ResponseHead::new(StatusCode::PARTIAL_CONTENT);
        head.headers.insert(CONTENT_RANGE, HeaderValue::from_str(range).expect("a header value"));
        head.headers.insert(ETAG, HeaderValue::from_str(etag).expect("a header value"));
        Told::of(Slice { size: 100, index }, &head).map(|told| told.total)
    }

    #[test]
    fn a_slice_is_just_the_bytes_that_were_asked_for() {
        // RFC 9110 section 14.4
        for (index, range, expected) in [
            (0, "bytes 0-99/1000", Some(1000)),
            (2, "Bytes 200-299/1000", Some(1000)),
            (9, "bytes 900-949/950", Some(950)),
            (0, "bytes 0-0/1", Some(1)),
            (0, "bytes 0-98/1000", None),
            (0, "bytes 0-100/1000", None),
            (1, "bytes 0-99/1000", None),
            (0, "bytes 0-99/*", None),
            (0, "bytes 0-99/99", None),
            (9, "bytes 900-999/950", None),
            (0, "bytes */1000", None),
            (0, "bytes +0-99/1000", None),
            (0, "lines 0-99/1000", None),
        ] {
            assert_eq!(told(index, range, "\"a\""), expected, "{range}");
        }
    }

    #[test]
    fn only_a_strong_entity_tag_joins_slices() {
        // RFC 9110 section 15.3.7.3
        assert!(told(0, "bytes 0-99/1000", "\"\"").is_some());
        for weak in ["W/\"a\"", "a", "\"a", "\"a\" \"b\""] {
            assert!(told(0, "bytes 0-99/1000", weak).is_none(), "{weak}");
        }
    }
}
