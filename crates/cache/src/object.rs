//! What is stored: a face (head, terms, validators) and a content (bytes).

use crate::disk::{ObjectFile, Parts};
use crate::key::Key;
use crate::memory::Room;
use crate::policy::admit::Terms;
use crate::policy::validate::Validators;
use crate::policy::vary::{Names, Selecting};
use crate::policy::{fields, vary};
use crate::rules::Rules;
use crate::store::tags;
use crate::tag::{self, Tag};
use bytes::Bytes;
use http::HeaderMap;
use rimward_types::{ResponseHead, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// What one stored response takes besides its bytes and fields: key, list and table slots, terms. `tests/memory.rs`
/// holds it against the allocator.
const FIXED_WEIGHT: usize = 1024;
/// What a header field takes besides name and value: the map's slot and its share of an index kept three quarters full.
const FIELD_WEIGHT: usize = 192;

/// Fields that are added to an answer on its way to the viewer: `X-Cache`, `Via`, `Cache-Status`, ids.
const ADDED_FIELDS: usize = 8;

/// Everything of a stored response but its bytes.
#[derive(Debug)]
pub(crate) struct Face {
    /// Ready to be sent, save for `Age`.
    pub(crate) head: ResponseHead,
    pub(crate) terms: Terms,
    pub(crate) validators: Validators,
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

    /// Makes the face of a response to a request with `request` headers. `head` is without hop-by-hop fields.
    pub(crate) fn new(mut head: ResponseHead, request: &HeaderMap, terms: Terms, rules: &Rules, room: Room) -> Self {
        let received = terms.received;
        fields::for_storing(&mut head.headers, &terms.dropped, received);
        // Answers add some fields: the index has places for them. A clone takes the index as it is, and entries
        // without room to spare, which the insertions have just doubled.
        head.headers.reserve(ADDED_FIELDS);
        head.headers = head.headers.clone();
        fields::into_own_memory(&mut head.headers);
        let selecting = match vary::names(&head.headers) {
            Names::These(names) if rules.profile.table().vary => Selecting::of(&names, request, &head.headers),
            _ => Selecting::default(),
        };
        let validators = Validators::of(&head.headers, received);
        let tags = tag::of_response(&head.headers, &rules.tag_headers);
        Self {
            head,
            terms,
            validators,
            selecting,
            tags,
            expired: AtomicBool::new(false),
            rested: AtomicU64::new(0),
            file: AtomicU64::new(0),
            uses: AtomicU32::new(0),
            room,
        }
    }

    /// From what was written down.
    pub(crate) fn from_parts(parts: Parts, file: u64, room: Room) -> Self {
        let Parts { mut head, terms, selecting, tags, expired } = parts;
        head.headers.reserve(ADDED_FIELDS);
        fields::into_own_memory(&mut head.headers);
        let validators = Validators::of(&head.headers, terms.received);
        Self {
            head,
            terms,
            validators,
            selecting,
            tags,
            expired: AtomicBool::new(expired),
            rested: AtomicU64::new(0),
            file: AtomicU64::new(file),
            uses: AtomicU32::new(0),
            room,
        }
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
pub(crate) fn face_weight(head: &ResponseHead, request: &HeaderMap, key: &Key, rules: &Rules) -> usize {
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_WEIGHT).sum();
    // The selecting fields are kept too; at most all that the request has.
    let selecting = match vary::names(&head.headers) {
        Names::These(names) => {
            names.iter().flat_map(|name| request.get_all(name)).map(|value| 2 * value.len() + FIELD_WEIGHT).sum()
        }
        Names::Star => 0,
    };
    let tags = tag::of_response(&head.headers, &rules.tag_headers);
    let tags = tags::weight(&tags, key.distribution_prefix().len());
    FIXED_WEIGHT + 2 * key.as_bytes().len() + fields + selecting + tags
}

/// The bytes of a stored response.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// In one piece; may be empty.
    Whole(Bytes),
    /// In pieces.
    Blocks { blocks: Arc<[Bytes]>, length: u64 },
    /// On disk.
    Filed(Arc<ObjectFile>),
}

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Content::Whole(bytes) => bytes.len() as u64,
            Content::Blocks { length, .. } => *length,
            Content::Filed(object) => object.length(),
        }
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
            (Content::Blocks { blocks: a, .. }, Content::Blocks { blocks: b, .. }) => Arc::ptr_eq(a, b),
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
