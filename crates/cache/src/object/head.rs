//! A stored head in little memory: the values of its fields in one piece, and a [`Shape`], which it shares with others.

use super::shape::{Shape, Shapes};
use crate::memory::Room;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use rimward_types::ResponseHead;
use std::sync::Arc;

/// What a value takes besides its bytes: its end.
const END: usize = size_of::<u32>();
/// In the end of a value that must not be indexed by compression of heads (RFC 7541 section 7.1.3).
const SENSITIVE: u32 = 1 << 31;
/// In the end of a value that is ASCII, as nearly all are.
const ASCII: u32 = 1 << 30;
const MARKS: u32 = SENSITIVE | ASCII;
/// What the values take besides themselves: their owner.
const OWNER: usize = 32;

/// The head of a stored response.
#[derive(Debug)]
pub(crate) struct KeptHead {
    shape: Arc<Shape>,
    /// Where each value ends, counted from the first, then the values. Copies: as they come, values are slices of a
    /// connection's read buffer, and would keep all of it.
    packed: Bytes,
    status: StatusCode,
}

impl KeptHead {
    /// Bytes that the head takes, without what it shares.
    pub(crate) fn weight(head: &ResponseHead) -> usize {
        OWNER + head.headers.values().map(|value| value.len() + END).sum::<usize>()
    }

    /// `reserve` gives room for what is not shared yet. `None`: there is none, or it has 1 GB of fields.
    pub(crate) fn try_new(
        head: &ResponseHead,
        shapes: &Shapes,
        reserve: impl FnOnce(usize) -> Option<Room>,
    ) -> Option<Self> {
        let shape = shapes.of(head, reserve)?;
        let mut packed = Vec::with_capacity(head.headers.values().map(|value| value.len() + END).sum());
        let mut end = 0u32;
        for value in head.headers.values() {
            end = u32::try_from(value.len())
                .ok()
                .and_then(|length| end.checked_add(length))
                .filter(|end| *end < ASCII)?;
            let sensitive = if value.is_sensitive() { SENSITIVE } else { 0 };
            let ascii = if value.as_bytes().is_ascii() { ASCII } else { 0 };
            packed.extend_from_slice(&(end | sensitive | ascii).to_le_bytes());
        }
        head.headers.values().for_each(|value| packed.extend_from_slice(value.as_bytes()));
        Some(Self { shape, packed: packed.into(), status: head.status })
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The head as it was.
    pub(crate) fn unpacked(&self) -> ResponseHead {
        // The names are in their places already, and the index has places for those that are added to an answer.
        let mut headers = self.shape.template().clone();
        headers.values_mut().zip(self.values()).for_each(|(place, value)| *place = value);
        ResponseHead { status: self.status, reason: self.shape.reason().map(Into::into), headers }
    }

    /// The first value of a field.
    pub(crate) fn get(&self, name: &HeaderName) -> Option<HeaderValue> {
        self.fields().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        self.shape.reason()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&HeaderName, HeaderValue)> {
        self.shape.template().iter().map(|(name, _)| name).zip(self.values())
    }

    fn values(&self) -> impl Iterator<Item = HeaderValue> {
        let count = self.shape.template().len();
        let (ends, _) = self.packed.as_chunks::<END>();
        let first = count * END;
        let mut from = first;
        ends.iter().take(count).map(move |end| {
            let end = u32::from_le_bytes(*end);
            let to = first + (end & !MARKS) as usize;
            let bytes = self.packed.slice(from..to);
            from = to;
            value(bytes, end & MARKS)
        })
    }
}

/// `bytes`, which were a field's value before, with what its end is marked by.
fn value(bytes: Bytes, marks: u32) -> HeaderValue {
    if marks == ASCII {
        // SAFETY: what is asked for is valid UTF-8, which ASCII is. `packed` is made in `try_new` alone and never changed:
        // the ends that it begins with cut what follows just where one value was copied behind the other, and `ASCII` is
        // set where one was found to be so. Each was a `HeaderValue`, so that its bytes are those that a value may have.
        return unsafe { HeaderValue::from_maybe_shared_unchecked(bytes) };
    }
    let mut value = HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(marks & SENSITIVE != 0);
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::memory::Budget;
    use proptest::prelude::*;

    fn head(fields: &[(String, Vec<u8>, bool)]) -> ResponseHead {
        let mut head = ResponseHead::new(StatusCode::OK);
        for (name, value, sensitive) in fields {
            let mut value = HeaderValue::from_bytes(value).unwrap();
            value.set_sensitive(*sensitive);
            head.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
        head
    }

    proptest! {
        #[test]
        fn a_head_comes_out_as_it_was(
            // Few names, so that some come several times, between others.
            fields in prop::collection::vec(
                ("etag|set-cookie|x-[ab]|date", prop::collection::vec(0x20u8..0xff, 0..20), any::<bool>())
                    .prop_map(|(name, value, sensitive)| {
                        (name, value.into_iter().filter(|byte| *byte != 0x7f).collect::<Vec<u8>>(), sensitive)
                    }),
                0..12,
            ),
            reason in prop::option::of("[a-z]{0,5}"),
        ) {
            let mut head = head(&fields);
            head.reason = reason.map(Into::into);
            let (shapes, budget) = (Shapes::new(1 << 20), Budget::new(1 << 20));
            let kept = || KeptHead::try_new(&head, &shapes, |bytes| budget.reserve(bytes)).unwrap();
            for kept in [kept(), kept()] {
                let back = kept.unpacked();
                let told = |head: &ResponseHead| {
                    let fields = head.headers.iter();
                    fields.map(|(name, value)| (name.clone(), value.clone(), value.is_sensitive())).collect::<Vec<_>>()
                };
                prop_assert_eq!(told(&back), told(&head), "in the same order, too");
                prop_assert_eq!((back.status, &back.reason), (head.status, &head.reason));
                for name in head.headers.keys() {
                    prop_assert_eq!(kept.get(name), head.headers.get(name).cloned());
                }
            }
        }
    }
}
