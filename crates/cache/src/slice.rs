//! Large objects in slices: a range of what is not stored is answered from pieces of one size, each fetched, stored,
//! collapsed and purged as an object of its own. `docs/design/why-slices.md` says why, and what is not done.
//!
//! - [`Slices`]: a request that is answered so; who calls gets each slice by [`Slices::begin`].
//! - `told`: what the head of a slice tells of the whole.
//! - `body`: the bytes of an answer, a slice after the other.

mod body;
mod told;

pub(crate) use body::SliceBody;
pub(crate) use told::Told;

use crate::cache::{Begin, Cache};
use crate::fill::Wanted;
use crate::hit::Hit;
use crate::key::Key;
use crate::policy::range::{self, Ranges};
use crate::policy::validate;
use crate::rules::Rules;
use crate::store::Mark;
use http::StatusCode;
use http::header::RANGE;
use http::{HeaderValue, Method};
use rimward_types::{BodyError, ByteSize, RequestHead};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One slice of an object: bytes `index * size` up to the next slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Bytes of each slice but the last.
    pub size: u64,
    /// Its place, from 0 on.
    pub index: u64,
}

impl Slice {
    /// Its first byte.
    pub fn first(self) -> u64 {
        self.index.saturating_mul(self.size)
    }

    /// Behind its last byte, in an object that is long enough.
    pub fn end(self) -> u64 {
        self.first().saturating_add(self.size)
    }

    /// The value of `Range` that asks for it.
    pub(crate) fn range(self) -> HeaderValue {
        let text = format!("bytes={}-{}", self.first(), self.end() - 1);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("bytes=0-"))
    }
}

/// Gives slices: looks one up, fetches it where it must be.
pub trait GetSlice: Send + Sync {
    /// The whole of one slice. It comes, or comes to nothing, whether or not the future is polled meanwhile.
    fn get(&self, index: u64, turn: Turn) -> GettingSlice;
}

/// A slice that is got.
pub type GettingSlice = Pin<Box<dyn Future<Output = Result<Had, Missing>> + Send>>;

/// When a slice is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Before it is needed.
    Ahead,
    /// It is needed, and was not had before.
    Now,
    /// It is needed; it was had ahead of its turn and let go. As long as it is found where it was, this is nothing new.
    Again,
}

/// A slice that was had.
#[derive(Debug)]
pub enum Had {
    /// With its bytes.
    Held(Box<Hit>),
    /// It can be had again, when its turn has come. Its fetch goes on until then.
    LetGo(Wanted),
}

impl Turn {
    /// Takes a slice that has come. Ahead of its turn it is let go where it is found again: a viewer who comes to it late, or
    /// never, is to hold no memory by it, nor to be a reader whom others wait for.
    pub fn take(self, hit: Hit) -> Had {
        // What is stale, or for one request alone, would be asked of the origin once more.
        let is_found_again = hit.status.ttl.is_some_and(|ttl| ttl > 0);
        if self == Turn::Ahead && is_found_again {
            Had::LetGo(Wanted::new(&hit.fill))
        } else {
            Had::Held(Box::new(hit))
        }
    }
}

/// Why there is no slice. The beginning of the answer was sent already: it breaks off.
#[derive(Debug)]
pub enum Missing {
    /// The object ends before it, which it did not when the answer began.
    Gone,
    /// It could not be had, or something else came.
    Failed(BodyError),
}

/// A request for a range, to be answered from slices. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slices {
    cache: Cache,
    key: Arc<Key>,
    /// The viewer's request without range and conditions.
    request: Arc<RequestHead>,
    rules: Arc<Rules>,
    size: u64,
    scout: u64,
}

/// The slice size for `request`, when it is for a range that slices can answer, and the first slice to be asked for.
pub(crate) fn wanted(request: &RequestHead, rules: &Rules) -> Option<(u64, u64)> {
    let size = rules.slice.map(ByteSize::as_u64).filter(|size| *size > 0)?;
    if request.method != Method::GET || !request.headers.contains_key(RANGE) {
        return None;
    }
    let first = match range::ranges(&request.headers, u64::MAX) {
        Ranges::One(span) => span.start,
        Ranges::Several(spans) => spans.first()?.start,
        // Nothing that would be obeyed.
        Ranges::Whole | Ranges::Unsatisfiable => return None,
    };
    // The end of an object is known when any slice has told how long it is. A suffix of one of unknown length seems to
    // begin beyond all that there is. Where there turns out to be no such slice, the first one is asked.
    let has_suffix = first > u64::MAX / 2;
    Some((size, if has_suffix { 0 } else { first / size }))
}

impl Slices {
    pub(crate) fn new(cache: &Cache, key: &Key, request: &RequestHead, rules: &Arc<Rules>, wanted: (u64, u64)) -> Self {
        let (size, scout) = wanted;
        let mut request = request.clone();
        validate::replace_conditions(&mut request.headers, None, []);
        let (key, request) = (Arc::new(key.clone()), Arc::new(request));
        Self { cache: cache.clone(), key, request, rules: rules.clone(), size, scout }
    }

    /// The slice to be asked for first: it tells how long the whole is.
    pub fn scout(&self) -> u64 {
        self.scout
    }

    /// Begins with the first slice, which every object has that is not empty. False: it did so before.
    pub fn turn_to_start(&mut self) -> bool {
        std::mem::take(&mut self.scout) > 0
    }

    /// The request for a slice: the viewer's, without range and conditions. [`crate::Lead::add_conditions`] adds the
    /// slice's range.
    pub fn request(&self) -> &RequestHead {
        &self.request
    }

    /// As [`Cache::begin`], for one slice.
    pub fn begin(&self, index: u64) -> Begin {
        let key = self.key.of_slice(Slice { size: self.size, index });
        self.cache.begin(&key, &self.request, &self.rules)
    }

    /// The origin's answer shows that this object cannot be had in slices: it is asked for as a whole from now on.
    pub fn give_up(&self) {
        self.cache.store().mark(&self.key, Mark::Unsliced);
    }

    /// Whether an answer to somebody has shown it.
    pub fn are_given_up(&self) -> bool {
        self.cache.store().marked(&self.key).is_some_and(|mark| !mark.may_slice())
    }

    /// Removes all slices of the object.
    pub fn discard_all(&self) {
        self.cache.store().purge_slices(&self.key);
    }

    /// Removes the slices of the object as it was: there is a newer one, whose slices stay.
    pub(crate) fn discard(&self, as_it_was: &Told) {
        self.cache.store().purge_generation(&self.key, &as_it_was.generation(&self.key));
    }

    /// Removes what is stored in place of one slice.
    pub(crate) fn remove(&self, index: u64) {
        self.cache.store().purge_key(&self.key.of_slice(Slice { size: self.size, index }));
    }

    /// The answer to `viewer` whose first slice is `scout`; `get` gives the others.
    ///
    /// # Errors
    /// The scout, when it is no slice: an error that is stored in its place.
    pub fn answer(&self, viewer: &RequestHead, scout: Hit, get: Arc<dyn GetSlice>) -> Result<Hit, Hit> {
        if scout.head.status != StatusCode::PARTIAL_CONTENT {
            return Err(scout);
        }
        let slice = Slice { size: self.size, index: self.scout };
        let Some(told) = Told::of(slice, &scout.head) else { return Err(scout) };
        let Hit { mut head, body, status, result, received, .. } = scout;
        told.describe_whole(&mut head);
        let body = SliceBody::new(self.clone(), told, received, self.scout, body, get);
        Ok(Hit::of_slices(head, body, viewer, self.cache.now(), status, result))
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}
