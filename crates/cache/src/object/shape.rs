//! What heads have in common: the answers of one origin have the same fields in the same order, so that their names, and the
//! table that finds them, are kept once for all.

use crate::key::KeepHash;
use crate::memory::Room;
use http::{HeaderMap, HeaderName, HeaderValue};
use lru::LruCache;
use parking_lot::Mutex;
use rimward_types::ResponseHead;
use std::num::NonZeroUsize;
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
/// The share of the list that shapes have which came once.
const NEW_SHARE: usize = 4;

/// The names of a head's fields, in order, and its reason phrase.
#[derive(Debug)]
pub(super) struct Shape {
    /// The fields, without values. Its index has places for those that are added to an answer.
    template: HeaderMap,
    reason: Option<Box<str>>,
    _room: Room,
}

/// The shapes of what is stored, as many as there is a place for.
///
/// To share a shape is worth something only if it comes again, and an origin that makes names up sends each once. So a shape
/// has its first place among those that are new, where only others that are new can push it out; when it comes again, it has
/// one among those that are used, from which the one goes that was used least recently. What has no place any more is with
/// its objects still; it is made once more for those that come.
pub(crate) struct Shapes {
    known: Mutex<Known>,
    hasher: ahash::RandomState,
    most: usize,
}

/// By the hash of names and reason.
struct Known {
    new: LruCache<u64, Weak<Shape>, KeepHash>,
    used: LruCache<u64, Weak<Shape>, KeepHash>,
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
        let places =
            |count: usize| LruCache::with_hasher(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN), KeepHash);
        let new = most / NEW_SHARE;
        let known = Known { new: places(new), used: places(most - new) };
        Self { known: Mutex::new(known), hasher: ahash::RandomState::new(), most }
    }

    /// Bytes that the list takes from the beginning to the end, with what is left in it of shapes that are gone.
    pub(crate) fn weight(&self) -> usize {
        self.most * FIXED
    }

    /// The shape of `head`; `reserve` gives room for a new one. `None`: there is none.
    pub(super) fn of(&self, head: &ResponseHead, reserve: impl FnOnce(usize) -> Option<Room>) -> Option<Arc<Shape>> {
        let hash = self.hasher.hash_one((&head.reason, names(&head.headers).collect::<Vec<_>>()));
        let known = self.known.lock().find(hash);
        if let Some(shape) = known.filter(|shape| shape.is_of(head)) {
            return Some(shape);
        }
        let shape = Arc::new(make(head, reserve)?);
        self.known.lock().add(hash, &shape);
        Some(shape)
    }
}

impl Known {
    /// Counts as a use.
    fn find(&mut self, hash: u64) -> Option<Arc<Shape>> {
        if let Some(shape) = self.used.get(&hash) {
            return shape.upgrade();
        }
        let shape = self.new.pop(&hash)?;
        let found = shape.upgrade()?;
        self.used.put(hash, shape);
        Some(found)
    }

    /// One that was used before, and whose objects are gone, has its place still.
    fn add(&mut self, hash: u64, shape: &Arc<Shape>) {
        let places = if self.used.contains(&hash) { &mut self.used } else { &mut self.new };
        places.put(hash, Arc::downgrade(shape));
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
    fn an_origin_that_makes_names_up_fills_no_memory_and_takes_no_place_from_others() {
        let (shapes, budget) = (Shapes::new(1 << 20), Budget::new(1 << 20));
        let of = |name: String| {
            let mut head = head(&["etag"]);
            head.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(""));
            shapes.of(&head, |bytes| budget.reserve(bytes)).unwrap()
        };
        let is_shared = |name: &str| Arc::ptr_eq(&of(name.into()), &of(name.into()));
        let early = (of("early".into()), of("early".into()));
        assert!(Arc::ptr_eq(&early.0, &early.1));
        // All of them are in use.
        let kept: Vec<_> = (0..1000).map(|n| of(format!("x-{n}"))).collect();
        assert!(Arc::ptr_eq(&early.0, &of("early".into())));
        assert!(is_shared("late"), "the list is not full for ever");
        // An origin that sends each twice has its place among those in use, and no more.
        for n in 0..1000 {
            assert!(is_shared(&format!("y-{n}")));
            assert!(Arc::ptr_eq(&early.0, &of("early".into())), "what comes again and again stays");
        }
        let known = shapes.known.lock();
        assert!(known.new.len() <= 2 && known.used.len() <= 6);
        drop(known);
        drop((kept, early));
        assert_eq!(budget.held(), 0);
        let back = of("early".into());
        assert!(Arc::ptr_eq(&back, &of("early".into())), "after a time without objects, too");
    }

    #[test]
    fn without_room_there_is_no_new_shape() {
        let shapes = Shapes::new(1 << 20);
        assert!(shapes.of(&head(&["etag"]), |_| None).is_none());
    }
}
