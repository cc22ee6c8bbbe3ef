//! The front of the cache.

use crate::fill::{Follow, Lead};
use crate::hit::Hit;
use crate::key::Key;
use crate::policy::{PassReason, Refusal};
use crate::purge::{Purge, Purged};
use crate::rules::Rules;
use rimward_types::{ByteSize, Clock, RequestHead, ResponseHead};
use std::sync::Arc;
use std::time::Duration;

/// Bounds of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes in memory: bodies, heads and what is needed to keep them, fills included. Never exceeded.
    pub memory: ByteSize,
    /// Objects above this are not stored. At most a quarter of `memory` takes effect.
    pub max_object: ByteSize,
    /// Variants (RFC 9111 section 4.1) of one key; the least recently used goes.
    pub variants: usize,
    /// How long a fill goes on when every viewer has left.
    pub abandoned: Duration,
    /// How long a key is remembered as uncacheable, so that its requests are not collapsed.
    pub uncacheable: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: ByteSize::mb(256),
            max_object: ByteSize::mb(64),
            variants: 32,
            abandoned: Duration::from_secs(30),
            uncacheable: Duration::from_secs(30),
        }
    }
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes held, fills included.
    pub bytes: u64,
    /// Objects stored; each variant counts.
    pub objects: u64,
    /// Fetches in flight.
    pub fills: u64,
    /// Objects evicted since the start.
    pub evicted: u64,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Begin {
    /// Answer with this. It is fresh, or it is stale, may be served, and is being revalidated already.
    Hit(Hit),
    /// Answer with this stale hit, and fetch in the background (RFC 5861 section 3).
    Stale(Hit, Lead),
    /// Fetch.
    Lead(Lead),
    /// Somebody fetches already: wait.
    Follow(Follow),
    /// Send it on; the cache has no part in it.
    Pass(PassReason),
    /// Answer with the refusal's status.
    Refuse(Refusal),
}

/// The shared cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    clock: Arc<dyn Clock>,
}

impl Cache {
    /// An empty cache.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let _ = options;
        Self { clock }
    }

    /// Looks `key` up for `request` and, when it must be fetched, says who fetches.
    pub fn begin(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Begin {
        let _ = (key, request, rules, &self.clock);
        unimplemented!()
    }

    /// The lead of a POST whose answer may be stored for later GETs (RFC 9110 section 9.3.3), RFC profile alone. Its
    /// request is sent as it is; [`Lead::respond`] takes the answer, after [`Cache::invalidate`].
    pub fn lead_post(&self, distribution: &str, request: &RequestHead, rules: &Arc<Rules>) -> Option<Lead> {
        let _ = (distribution, request, rules);
        None
    }

    /// Removes what an answer to an unsafe method makes doubtful (RFC 9111 section 4.4): the URL and, on the same host,
    /// `Location` and `Content-Location`. Does nothing for safe methods and for errors. `request` is the viewer's.
    pub fn invalidate(
        &self,
        distribution: &str,
        request: &RequestHead,
        response: &ResponseHead,
        rules: &Rules,
    ) -> Purged {
        let _ = (distribution, request, response, rules);
        Purged::default()
    }

    /// Removes; a fetch that began before is not stored.
    pub fn purge(&self, what: &Purge) -> Purged {
        let _ = what;
        Purged::default()
    }

    /// Makes stale instead of removing: what is stored is validated before its next use, or served when the origin is away.
    pub fn expire(&self, what: &Purge) -> Purged {
        let _ = what;
        Purged::default()
    }

    /// What it holds now.
    pub fn usage(&self) -> Usage {
        Usage::default()
    }
}
