//! One fetch per key.

use crate::hit::Hit;
use crate::policy::NotStored;
use crate::status::{CacheResult, CacheStatus};
use http::{HeaderValue, StatusCode};
use rimward_types::{Body, RequestHead, ResponseHead, Timestamp};

/// When the origin was asked, and when its head had come (RFC 9111 section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `request_time`.
    pub requested: Timestamp,
    /// `response_time`.
    pub received: Timestamp,
}

/// How the origin failed to answer; followers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginFailure {
    /// 502, 503 or 504: what a viewer gets when nothing stale may be served.
    pub status: StatusCode,
}

/// The right, and the duty, to fetch. Dropping it without an answer lets a follower lead.
#[derive(Debug)]
pub struct Lead {}

/// What came of a fetch.
#[derive(Debug)]
pub enum Completed {
    /// It is being stored; the hit streams while it arrives.
    Stored(Hit),
    /// 304: what was stored is fresh again.
    Refreshed(Hit),
    /// The origin answered with an error and what is stored may be served instead (RFC 5861 section 4).
    Stale(Hit),
    /// 304 for something that is not stored: send the request again, `add_conditions` will add none.
    Again(Lead),
    /// Passed on.
    NotStored {
        /// Head, without hop-by-hop fields.
        head: ResponseHead,
        /// Body as it came.
        body: Body,
        /// Why not.
        reason: NotStored,
        /// For `Cache-Status`.
        status: CacheStatus,
        /// For `X-Cache` and the log.
        result: CacheResult,
    },
}

impl Lead {
    /// The stored response's validators, when there is one to validate: `ETag` and `Last-Modified`.
    pub fn validators(&self) -> Option<(Option<&HeaderValue>, Option<&HeaderValue>)> {
        None
    }

    /// Makes the origin request's conditions the cache's own (RFC 9111 section 4.3.1): the viewer's conditions and
    /// range are taken out, since the whole response is wanted, and those of the stored response are put in.
    pub fn add_conditions(&self, request: &mut RequestHead) {
        let _ = request;
    }

    /// The `Cache-Status` of this fetch before its answer is known.
    pub fn status(&self) -> CacheStatus {
        unimplemented!()
    }

    /// Takes the origin's answer (after origin-response). Needs a tokio runtime when the body is a stream.
    pub fn respond(self, head: ResponseHead, body: Body, times: Times) -> Completed {
        let _ = (head, body, times);
        unimplemented!()
    }

    /// The origin did not answer: what is stored, if it may be served stale (RFC 5861 section 4, RFC 9111 section 4.2.4).
    pub fn fail(self, failure: OriginFailure) -> Option<Hit> {
        let _ = failure;
        None
    }
}

/// A place behind somebody else's fetch.
#[derive(Debug)]
pub struct Follow {}

/// What came of following.
#[derive(Debug)]
pub enum Followed {
    /// An answer; it may still be arriving.
    Hit(Hit),
    /// The answer is for the leader alone; this lead fetches on its own.
    Alone(Lead),
    /// The leader left or its answer is another variant: begin again.
    Retry,
    /// The origin failed and nothing stale may be served.
    Failed(OriginFailure),
}

impl Follow {
    /// Waits for the leader's answer. Cancel safe: dropping it leaves the queue.
    pub async fn wait(self) -> Followed {
        unimplemented!()
    }
}
