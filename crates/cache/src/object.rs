//! What is stored: a face (head, terms, validators) and a content (bytes).

use crate::disk::{ObjectFile, Parts};
use crate::key::Key;
use crate::memory::{Pieces, Room};
use crate::policy::admit::Terms;
use crate::policy::validate::Validators;
use crate::policy::vary::{Names, Selecting};
use crate::policy::{fields, reuse, vary};
use crate::rules::Rules;
use crate::store::{Store, tags};
use crate::tag::Tag;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{DATE, ETAG, LAST_MODIFIED};
use rimward_types::{ResponseHead, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

mod head;
mod shape;

pub(crate) use head::KeptHead;
pub(crate) use shape::Shapes;

/// What one stored response takes besides its bytes and fields: key, list and table slots, terms. `tests/memory.rs`
/// holds it against the allocator.
const FIXED_WEIGHT: usize = 704;
/// What a selecting field takes besides its value.
const FIELD_WEIGHT: usize = 192;

/// Everything of a stored response but its bytes.
#[derive(Debug)]
pub(crate) struct Face {
    /// Ready to be sent, save for `Age`.
    pub(crate) head: KeptHead,
    pub(crate) terms: Terms,
    pub(crate) selecting: Selecting,
    /// What it can be purged by.
    pub(crate) tags: Box<[Tag]>,
    /// Purged softly: it must be validated.
    expired: AtomicBool,
    /// Served stale without asking the origin until then (milliseconds since the epoch).
    rested: AtomicU64,
    /// The number of its file; 0: none.
    file: AtomicU64,
    /// Hits.
    uses: AtomicU32,
    room: Room,
}

impl Face {
    /// In the place of a file's number while it is written.
    pub(crate) const BEING_FILED: u64 = u64::MAX;

    /// Makes the face of a response to a request with `request` headers. `head` is without hop-by-hop fields. `None`: there
    /// is no memory for what it should share with others.
    pub(crate) fn try_new(
        mut head: ResponseHead,
        request: &HeaderMap,
        terms: Terms,
        tags: Box<[Tag]>,
        rules: &Rules,
        store: &Store,
        room: Room,
    ) -> Option<Self> {
        fields::for_storing(&mut head.headers, &terms.dropped, terms.received);
        let selecting = match vary::names(&head.headers) {
            Names::These(names) if rules.profile.table().vary => Selecting::of(&names, request, &head.headers),
            _ => Selecting::default(),
        };
        Self::from_parts(Parts { head, terms, selecting, tags, expired: false }, 0, store, room)
    }

    /// From what was written down.
    pub(crate) fn from_parts(parts: Parts, file: u64, store: &Store, room: Room) -> Option<Self> {
        let Parts { head, terms, selecting, tags, expired } = parts;
        Some(Self {
            head: KeptHead::try_new(&head, store.shapes(), |bytes| store.reserve(bytes))?,
            terms,
            selecting,
            tags,
            expired: AtomicBool::new(expired),
            rested: AtomicU64::new(0),
            file: AtomicU64::new(file),
            uses: AtomicU32::new(0),
            room,
        })
    }

    pub(crate) fn validators(&self) -> Validators {
        let field = |name| self.head.get(&name);
        Validators::from_fields(field(ETAG), field(LAST_MODIFIED), field(DATE).as_ref(), self.terms.received)
    }

    /// The number of its file; 0 when it has none, and [`Face::BEING_FILED`] while it is written.
    pub(crate) fn file(&self) -> u64 {
        self.file.load(Ordering::Relaxed)
    }

    pub(crate) fn set_file(&self, file: u64) {
        self.file.store(file, Ordering::Relaxed);
    }

    /// Counts a hit; tells how many there were before.
    pub(crate) fn count_use(&self) -> u32 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }

    /// Seconds of freshness that remain, none after a soft purge: for `Cache-Status`.
    pub(crate) fn ttl(&self, now: Timestamp) -> i64 {
        let ttl = reuse::ttl(&self.terms, now);
        if self.is_expired() { ttl.min(0) } else { ttl }
    }

    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    /// Whether the origin has failed a moment ago and is left in peace.
    pub(crate) fn is_resting(&self, now: Timestamp) -> bool {
        now.as_millis() < self.rested.load(Ordering::Relaxed)
    }

    pub(crate) fn rest_until(&self, then: Timestamp) {
        self.rested.store(then.as_millis(), Ordering::Relaxed);
    }

    pub(crate) fn weight(&self) -> usize {
        self.room.bytes()
    }
}

/// Bytes that a face for `head` takes in the store, key included.
pub(crate) fn face_weight(head: &ResponseHead, request: &HeaderMap, key: &Key, tags: &[Tag]) -> usize {
    // The selecting fields are kept too; at most all that the request has.
    let selecting = match vary::names(&head.headers) {
        Names::These(names) => {
            names.iter().flat_map(|name| request.get_all(name)).map(|value| 2 * value.len() + FIELD_WEIGHT).sum()
        }
        Names::Star => 0,
    };
    let tags = tags::weight(tags, key.distribution_prefix().len());
    FIXED_WEIGHT + key.as_bytes().len() + KeptHead::weight(head) + selecting + tags
}

/// The bytes of a stored response.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// In one piece; may be empty.
    Whole(Bytes),
    /// In pieces.
    Blocks(Arc<Pieces>),
    /// On disk.
    Filed(Arc<ObjectFile>),
}

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Content::Whole(bytes) => bytes.len() as u64,
            Content::Blocks(pieces) => pieces.length(),
            Content::Filed(object) => object.length(),
        }
    }

    /// Whether the body is on disk and not in memory.
    pub(crate) fn is_on_disk_alone(&self) -> bool {
        matches!(self, Content::Filed(_))
    }

    /// Bytes that it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        match self {
            Content::Filed(_) => 0,
            memory => memory.length(),
        }
    }

    /// Whether it is the same body, not one that is equal.
    pub(crate) fn is(&self, other: &Content) -> bool {
        match (self, other) {
            (Content::Whole(a), Content::Whole(b)) => a.as_ptr() == b.as_ptr() && a.len() == b.len() && !a.is_empty(),
            (Content::Blocks(a), Content::Blocks(b)) => Arc::ptr_eq(a, b),
            (Content::Filed(a), Content::Filed(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A stored response. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) face: Arc<Face>,
    pub(crate) content: Content,
}

impl Stored {
    pub(crate) fn weight(&self) -> u64 {
        self.face.weight() as u64 + self.content.length()
    }

    /// Bytes that it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        self.face.weight() as u64 + self.content.in_memory()
    }

    pub(crate) fn is(&self, other: &Stored) -> bool {
        Arc::ptr_eq(&self.face, &other.face)
    }
}
