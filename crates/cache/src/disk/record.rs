//! The head of an object's file: all of a face, and the key.

use super::frames::Unreadable;
use crate::key::Key;
use crate::object::Face;
use crate::policy::admit::{StaleTerms, Terms, TermsOrigin};
use crate::policy::freshness::Lifetime;
use crate::policy::vary::{Part, Selecting};
use crate::tag::Tag;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rimward_types::{ResponseHead, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A face as it is written. [`super::frames::VERSION`] changes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Purges with a higher number mean it.
    pub(super) seq: u64,
    key: Vec<u8>,
    status: u16,
    reason: Option<String>,
    fields: Vec<(String, Vec<u8>)>,
    lifetime: Lifetime,
    initial_age: Duration,
    counted_age: Duration,
    received: u64,
    stale: StaleTerms,
    origin: TermsOrigin,
    selecting: Vec<Part>,
    language: Option<Vec<u8>>,
    tags: Vec<String>,
    /// Bytes that the face takes in memory.
    weight: u64,
    expired: bool,
}

/// What a face is made of.
pub(crate) struct Parts {
    pub(crate) head: ResponseHead,
    pub(crate) terms: Terms,
    pub(crate) selecting: Selecting,
    pub(crate) tags: Box<[Tag]>,
    pub(crate) expired: bool,
}

impl Record {
    pub(super) fn of(seq: u64, key: &Key, face: &Face) -> Self {
        // What was dropped is not in the head any more.
        let Terms { lifetime, initial_age, counted_age, received, stale, dropped: _, origin } = face.terms.clone();
        let (selecting, language) = face.selecting.to_parts();
        let field = |(name, value): (&HeaderName, HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
        Self {
            seq,
            key: key.as_bytes().to_vec(),
            status: face.head.status().as_u16(),
            reason: face.head.reason().map(str::to_owned),
            fields: face.head.fields().map(field).collect(),
            lifetime,
            initial_age,
            counted_age,
            received: received.as_millis(),
            stale,
            origin,
            selecting,
            language,
            tags: face.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
            weight: face.weight() as u64,
            expired: face.is_expired(),
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, Unreadable> {
        postcard::to_allocvec(self).map_err(|_| Unreadable::Damaged("its head cannot be written"))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        postcard::from_bytes(bytes).map_err(|_| Unreadable::Damaged("its head cannot be read"))
    }

    pub(super) fn key(&self) -> Key {
        Key::from_stored(&self.key)
    }

    /// Bytes that the face takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.weight as usize
    }

    pub(super) fn into_parts(self) -> Result<Parts, Unreadable> {
        let damaged = || Unreadable::Damaged("its head is no head");
        let mut headers = HeaderMap::with_capacity(self.fields.len());
        for (name, value) in &self.fields {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| damaged())?;
            headers.append(name, HeaderValue::from_bytes(value).map_err(|_| damaged())?);
        }
        let status = StatusCode::from_u16(self.status).map_err(|_| damaged())?;
        Ok(Parts {
            head: ResponseHead { status, reason: self.reason.map(String::into_boxed_str), headers },
            terms: Terms {
                lifetime: self.lifetime,
                initial_age: self.initial_age,
                counted_age: self.counted_age,
                received: Timestamp::from_millis(self.received),
                stale: self.stale,
                dropped: Vec::new(),
                origin: self.origin,
            },
            selecting: Selecting::from_parts(self.selecting, self.language).ok_or_else(damaged)?,
            tags: self.tags.iter().map(|text| Tag::from_stored(text)).collect(),
            expired: self.expired,
        })
    }
}
