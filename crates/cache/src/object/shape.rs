//! What heads have in common: the answers of one origin have the same fields in the same order, so that their names, and the
//! table that finds them, are kept once for all.

use crate::memory::Room;
use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use rimward_types::ResponseHead;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Fields that are added to an answer on its way to the viewer: `X-Cache`, `Via`, `Cache-Status`, ids.
const ADDED_FIELDS: usize = 8;
/// What a field takes in a map of fields, and what the map has an index of for each place.
const FIELD: usize = 104;
const PLACE: usize = 4;
/// What a shape takes itself, in the list too.
const FIXED: usize = 256;

/// Memory for which one shape is remembered, a thousandth for the list, and the most that are: other heads have one of their own.
const MEMORY_PER_SHAPE: usize = 256 << 10;
const MOST: usize = 1024;

/// The names of a head's fields, in order, and its reason phrase.
#[derive(Debug)]
pub(super) struct Shape {
    /// The fields, without values. Its index has places for those that are added to an answer.
    template: HeaderMap,
    reason: Option<Box<str>>,
    _room: Room,
}

/// The shapes of what is stored.
pub(crate) struct Shapes {
    known: Mutex<HashMap<u64, Weak<Shape>>>,
    hasher: ahash::RandomState,
    most: usize,
}

impl Shape {
    pub(super) fn template(&self) -> &HeaderMap {
        &self.template
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    fn is_of(&self, head: &ResponseHead) -> bool {
        self.reason == head.reason && names(&self.template).eq(names(&head.headers))
    }
}

impl Shapes {
    /// For a cache of `memory` bytes.
    pub(crate) fn new(memory: usize) -> Self {
        let most = (memory / MEMORY_PER_SHAPE).clamp(8, MOST);
        Self { known: Mutex::new(HashMap::with_capacity(most)), hasher: ahash::RandomState::new(), most }
    }

    /// Bytes that the list takes from the beginning to the end, with what is left in it of shapes that are gone.
    pub(crate) fn weight(&self) -> usize {
        self.most * FIXED
    }

    /// The shape of `head`; `reserve` gives room for a new one. `None`: there is none.
    pub(super) fn of(&self, head: &ResponseHead, reserve: impl FnOnce(usize) -> Option<Room>) -> Option<Arc<Shape>> {
        let hash = self.hasher.hash_one((&head.reason, names(&head.headers).collect::<Vec<_>>()));
        let known = self.known.lock().get(&hash).and_then(Weak::upgrade);
        if let Some(shape) = known.filter(|shape| shape.is_of(head)) {
            return Some(shape);
        }
        let shape = Arc::new(make(head, reserve)?);
        let mut known = self.known.lock();
        if known.len() >= self.most {
            known.retain(|_, shape| shape.strong_count() > 0);
        }
        if known.len() < self.most {
            known.insert(hash, Arc::downgrade(&shape));
        }
        Some(shape)
    }
}

fn make(head: &ResponseHead, reserve: impl FnOnce(usize) -> Option<Room>) -> Option<Shape> {
    let ResponseHead { reason, headers, .. } = head;
    let texts =
        names(headers).map(|name| name.as_str().len()).sum::<usize>() + reason.as_ref().map_or(0, |text| text.len());
    let places = ((headers.len() + ADDED_FIELDS) * 2).next_power_of_two();
    let room = reserve(FIXED + texts + FIELD * headers.len() + PLACE * places)?;
    let mut template = HeaderMap::try_with_capacity(headers.len() + ADDED_FIELDS).ok()?;
    for name in names(headers) {
        template.append(name.clone(), HeaderValue::from_static(""));
    }
    // A clone takes the index as it is, and entries without room to spare.
    Some(Shape { template: template.clone(), reason: reason.clone(), _room: room })
}

fn names(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    headers.iter().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::memory::Budget;
    use http::StatusCode;

    fn head(names: &[&'static str]) -> ResponseHead {
        let mut head = ResponseHead::new(StatusCode::OK);
        for name in names {
            head.headers.append(*name, HeaderValue::from_static("a value"));
        }
        head
    }

    #[test]
    fn heads_with_the_same_fields_in_the_same_order_share_their_names() {
        let (shapes, budget) = (Shapes::new(1 << 20), Budget::new(1 << 20));
        let of = |names: &[&'static str]| shapes.of(&head(names), |bytes| budget.reserve(bytes)).unwrap();
        let first = of(&["etag", "x-a"]);
        let held = budget.held();
        assert!(Arc::ptr_eq(&first, &of(&["etag", "x-a"])));
        assert_eq!(budget.held(), held, "it is counted once");
        for other in [&["x-a", "etag"][..], &["etag"], &["etag", "x-a", "x-a"]] {
            assert!(!Arc::ptr_eq(&first, &of(other)));
        }
        drop(first);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn an_origin_that_makes_names_up_fills_no_memory() {
        let (shapes, budget) = (Shapes::new(1 << 20), Budget::new(1 << 20));
        let of = |name: String| {
            let mut head = head(&["etag"]);
            head.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(""));
            shapes.of(&head, |bytes| budget.reserve(bytes)).unwrap()
        };
        let kept: Vec<_> = (0..20).map(|n| of(format!("x-{n}"))).collect();
        assert_eq!(shapes.known.lock().len(), 8);
        drop(kept);
        (0..1000).for_each(|n| drop(of(format!("y-{n}"))));
        assert!(shapes.known.lock().len() <= 8);
        assert!(Arc::ptr_eq(&of("y-999".into()), &of("y-999".into())) || budget.held() == 0);
    }

    #[test]
    fn without_room_there_is_no_new_shape() {
        let shapes = Shapes::new(1 << 20);
        assert!(shapes.of(&head(&["etag"]), |_| None).is_none());
    }
}
