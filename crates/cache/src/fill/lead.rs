//! The right, and the duty, to fetch.

use super::pump::Pump;
use super::sliced::Whole;
use super::state::{AnswerKind, Ended, Fill};
use super::{OriginFailure, Times};
use crate::disk::body::is_readable;
use crate::hit::Hit;
use crate::key::Key;
use crate::memory::block;
use crate::object::{Content, Face, Stored, face_weight};
use crate::policy::admit::{Admission, Terms, admit};
use crate::policy::reuse::{self, Failing};
use crate::policy::validate::{self, Validators};
use crate::policy::{NotStored, fields, groups, request, vary};
use crate::rules::Rules;
use crate::slice::Told;
use crate::status::{CacheResult, CacheStatus, Forward};
use crate::store::{Mark, Store};
use crate::tag::{self, Tag};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RANGE};
use http::{HeaderValue, Method, StatusCode};
use rimward_types::{Body, RequestHead, RequestId, ResponseHead, Timestamp};
use std::sync::Arc;

/// The right, and the duty, to fetch. Dropping it without an answer lets a follower lead.
#[derive(Debug)]
pub struct Lead {
    pub(crate) store: Arc<Store>,
    pub(crate) key: Arc<Key>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) request: Arc<RequestHead>,
    pub(crate) fill: Arc<Fill>,
    /// What is stored for the request and must be validated.
    pub(crate) stored: Option<Stored>,
    /// What is stored for other selecting fields, with tags: the origin may say that one of them is right.
    pub(crate) others: Vec<Stored>,
    pub(crate) why: Forward,
    /// The viewer's conditions and range go to the origin as they are: what it answers will hardly be stored.
    pub(crate) is_plain: bool,
    /// Of the viewer's request.
    pub(crate) id: Option<RequestId>,
    /// A viewer has been answered already.
    pub(crate) is_background: bool,
    pub(crate) done: bool,
}

/// What came of a fetch.
#[derive(Debug)]
pub enum Completed {
    /// It is being stored; the hit streams while it arrives.
    Stored(Hit),
    /// The origin confirmed what was stored: it is fresh again.
    Refreshed(Hit),
    /// The origin answered with an error and what is stored may be served instead (RFC 5861 section 4).
    Stale(Hit),
    /// 304 for something that is not stored: send the request again, `add_conditions` will add none.
    Again(Lead),
    /// A slice was asked for, and the object cannot be had in slices: begin again, with the whole.
    Unsliced {
        /// The whole, if that has come in place of the slice.
        whole: Option<Box<Whole>>,
    },
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
    /// The viewer's request.
    pub fn request(&self) -> &Arc<RequestHead> {
        &self.request
    }

    /// As it was, but that what is stored for the request can be read, where it is on disk alone: else the origin is asked
    /// for it, not whether it is still good.
    pub async fn checked(mut self) -> Self {
        if let Some(Stored { content: Content::Filed(object), .. }) = &self.stored
            && !is_readable(object).await
        {
            self.stored = None;
        }
        self
    }

    /// Gives the fetch the id of the request that it is made for: the log names it when the fetch breaks off.
    pub fn for_request(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }

    /// The viewer's request as the origin is to be asked, see [`Lead::add_conditions`].
    pub fn conditional(&self) -> Arc<RequestHead> {
        if self.is_plain && self.key.slice().is_none() {
            return self.request.clone();
        }
        let mut request = RequestHead::clone(&self.request);
        self.add_conditions(&mut request);
        Arc::new(request)
    }

    /// The stored response's validators, when there is one to validate: `ETag` and `Last-Modified`.
    pub fn validators(&self) -> Option<(Option<HeaderValue>, Option<HeaderValue>)> {
        let validators = self.to_validate()?;
        Some((validators.etag, validators.last_modified))
    }

    /// Makes the origin request's conditions the cache's own (RFC 9111 section 4.3.1): the viewer's conditions and
    /// range are taken out, since the whole response is wanted, and those of the stored response are put in.
    ///
    /// For keys that were uncacheable or too large a moment ago, and for POST, the viewer's stay.
    pub fn add_conditions(&self, request: &mut RequestHead) {
        if !self.is_plain {
            let others: Vec<_> = self.others.iter().map(|other| other.face.validators()).collect();
            validate::replace_conditions(&mut request.headers, self.to_validate().as_ref(), &others);
        }
        if let Some(slice) = self.key.slice() {
            request.headers.insert(RANGE, slice.range());
        }
    }

    /// The `Cache-Status` of this fetch before its answer is known.
    pub fn status(&self) -> CacheStatus {
        CacheStatus::forwarded(self.why)
    }

    /// Takes the origin's answer (after origin-response). Needs a tokio runtime when the body is a stream.
    pub fn respond(mut self, mut head: ResponseHead, body: Body, times: Times) -> Completed {
        fields::strip_hop_by_hop(&mut head.headers);
        vary::show(&mut head.headers, &self.rules);
        if head.status == StatusCode::NOT_MODIFIED && !self.is_plain {
            return self.not_modified(head, body, times);
        }
        if let Some(hit) = self.stale_instead(Failing::Status(head.status), times.received) {
            return Completed::Stale(hit);
        }
        if self.request.method == Method::HEAD {
            return self.head_only(head, body, times);
        }
        if let Some(slice) = self.key.slice() {
            return self.respond_slice(slice, head, body, times);
        }
        self.keep_or_pass_on(head, body, times)
    }

    pub(super) fn keep_or_pass_on(self, head: ResponseHead, body: Body, times: Times) -> Completed {
        if self.answers_one_viewer(head.status) {
            return self.pass_on(head, body, NotStored::Condition);
        }
        match self.admission(&self.request, &head, times) {
            Admission::Store(terms) => self.keep(head, body, terms, times.received),
            Admission::Refuse(reason) => self.pass_on(head, body, reason),
        }
    }

    /// Whether an answer of `status` is to the conditions or the range that one viewer has sent. (The range of a slice is the
    /// cache's own, and so is the key that goes with it.)
    fn answers_one_viewer(&self, status: StatusCode) -> bool {
        match status {
            StatusCode::PRECONDITION_FAILED => self.is_plain && validate::has_conditions(&self.request.headers),
            StatusCode::RANGE_NOT_SATISFIABLE => self.key.slice().is_none(),
            _ => false,
        }
    }

    /// Whether `head` may be stored: a slice on the terms that the whole would have.
    pub(super) fn admission(&self, request: &RequestHead, head: &ResponseHead, times: Times) -> Admission {
        if head.status == StatusCode::PARTIAL_CONTENT && self.key.slice().is_some() {
            let whole = ResponseHead { status: StatusCode::OK, ..head.clone() };
            return admit(request, &whole, &self.rules, times);
        }
        admit(request, head, &self.rules, times)
    }

    /// The origin did not answer: what is stored, if it may be served stale (RFC 5861 section 4, RFC 9111 section 4.2.4).
    pub fn fail(mut self, failure: OriginFailure) -> Option<Hit> {
        let now = self.store.now();
        if let Some(hit) = self.stale_instead(Failing::Silent, now) {
            return Some(hit);
        }
        self.conclude(Ended::Failed(failure));
        None
    }

    fn to_validate(&self) -> Option<Validators> {
        Some(self.stored.as_ref()?.face.validators()).filter(Validators::exist)
    }

    /// Tells those who wait, and leaves the store's list of fetches.
    pub(super) fn conclude(&mut self, ended: Ended) {
        self.done = true;
        self.store.release(&self.key, &self.fill);
        self.fill.finish(ended);
    }

    fn stale_instead(&mut self, failing: Failing, now: Timestamp) -> Option<Hit> {
        let stored = self.stored.clone()?;
        let table = self.rules.profile.table();
        let wishes = request::directives(&self.request, &self.rules);
        if !reuse::stale_on_failure(&stored.face.terms, failing, &wishes, table, now) {
            return None;
        }
        let origin = match failing {
            Failing::Status(status) => Some(status),
            Failing::Silent => None,
        };
        if table.rests_after_failure {
            let time = origin.map_or(self.rules.error_ttl, |status| self.rules.error_ttl_of(status));
            stored.face.rest_until(now.plus(time));
        }
        let status = CacheStatus {
            forward_status: origin,
            ttl: Some(stored.face.ttl(now)),
            detail: Some("stale-if-error"),
            ..self.status()
        };
        let hit = Hit::with(&stored, &self.request, now, status, CacheResult::Hit);
        self.conclude(Ended::Answer { stored, kind: AnswerKind::Stale(origin), shared: true });
        Some(hit)
    }

    pub(super) fn pass_on(mut self, head: ResponseHead, body: Body, reason: NotStored) -> Completed {
        let is_error = head.status.is_server_error();
        if let Some(old) = self.stored.take() {
            // A new answer takes the place of the old one, though it is not kept itself.
            if !reason.is_of_the_request() && !is_error {
                self.store.remove(&self.key, &old);
            }
        }
        match reason {
            NotStored::TooLarge => self.store.mark(&self.key, Mark::TooLarge),
            NotStored::NoRoom => self.store.count_no_room(),
            NotStored::NoStore
            | NotStored::NoCache
            | NotStored::Private
            | NotStored::NotUnderstood
            | NotStored::VaryStar
            | NotStored::NoUse
            | NotStored::Status
                if !is_error =>
            {
                self.store.mark(&self.key, Mark::Uncacheable(Some(reason)));
            }
            _ => {}
        }
        let status = CacheStatus { forward_status: Some(head.status), detail: Some(reason.as_str()), ..self.status() };
        let result = CacheResult::Miss.with_status(head.status);
        self.conclude(Ended::Alone);
        Completed::NotStored { head, body, reason, status, result }
    }

    pub(super) fn keep(mut self, head: ResponseHead, body: Body, terms: Terms, now: Timestamp) -> Completed {
        let told = match head.headers.get(CONTENT_LENGTH).map(told_length) {
            Some(None) => return self.pass_on(head, body, NotStored::Length),
            told => told.flatten(),
        };
        let expected = match (body.len(), told) {
            (Some(actual), Some(told)) if actual != told => return self.pass_on(head, body, NotStored::Length),
            (actual, told) => actual.or(told),
        };
        if expected.is_some_and(|length| length > self.store.max_object()) {
            return self.pass_on(head, body, NotStored::TooLarge);
        }
        let is_for_disk = expected.is_some_and(|length| length > self.store.max_in_memory());
        if is_for_disk && self.store.may_spool(&self.key, expected).is_none() {
            return self.pass_on(head, body, NotStored::TooLarge);
        }
        // A slice is a part of somebody's body, and must come as one: it goes on without being stored.
        let is_whole = self.key.slice().is_none();
        if is_whole && !is_for_disk && expected.is_some_and(|length| !self.store.may_hold(length)) {
            return self.pass_on(head, body, NotStored::NoRoom);
        }
        let Some(face) = self.face(head.clone(), terms) else {
            return self.pass_on(head, body, NotStored::NoRoom);
        };
        let shared = is_shared(&face, now);
        let status = CacheStatus {
            forward_status: Some(head.status),
            stored: true,
            ttl: Some(reuse::ttl(&face.terms, now)),
            ..self.status()
        };
        let body = match body {
            Body::Stream(stream) => Body::Stream(stream),
            whole => {
                let bytes = match whole {
                    Body::Full(bytes) => bytes,
                    _ => Bytes::new(),
                };
                return match self.store.reserve(bytes.len()) {
                    Some(room) => {
                        let content = Content::Whole(block(std::slice::from_ref(&bytes), room));
                        self.keep_whole(head, Stored { face, content }, shared, status, now)
                    }
                    None => self.pass_on(head, bytes.into(), NotStored::NoRoom),
                };
            }
        };
        self.remember(shared);
        self.done = true;
        let Some(filling) = self.fill.arrive(face.clone(), shared, expected) else {
            // Only a fill that has overflown refuses readers, and this one has not begun.
            return self.pass_on(head, body, NotStored::NoRoom);
        };
        let (store, key, fill) = (self.store.clone(), self.key.clone(), self.fill.clone());
        let pump = Pump::new(store, key, fill, face.clone(), self.id, expected, self.is_background);
        tokio::spawn(pump.run(body));
        Completed::Stored(Hit::arriving(head, filling, &self.request, now, status))
    }

    fn keep_whole(
        mut self,
        head: ResponseHead,
        stored: Stored,
        shared: bool,
        status: CacheStatus,
        now: Timestamp,
    ) -> Completed {
        self.remember(shared);
        self.store.complete(&self.key, &self.fill, stored.clone());
        let hit = Hit::first(head, &stored.content, &self.request, now, status);
        self.conclude(Ended::Answer { stored, kind: AnswerKind::New, shared });
        Completed::Stored(hit)
    }

    /// Makes a face, if there is room for it.
    pub(super) fn face(&self, head: ResponseHead, terms: Terms) -> Option<Arc<Face>> {
        let tags = self.tags(&head);
        let weight = face_weight(&head, &self.request.headers, &self.key, &tags);
        let room = self.store.reserve(weight)?;
        Face::try_new(head, &self.request.headers, terms, tags, &self.rules, &self.store, room).map(Arc::new)
    }

    /// What the answer with this head can be purged by: the origin's tags and groups, and the representation that a slice is
    /// of.
    fn tags(&self, head: &ResponseHead) -> Box<[Tag]> {
        let mut tags = tag::of_response(&head.headers, &self.rules.tag_headers);
        let groups = groups::of_response(&head.headers, &self.rules);
        if !groups.is_empty() {
            let host = self.key.host();
            tags.extend(groups.iter().map(|group| Tag::of_group(host.as_deref(), group)));
        }
        if let Some(slice) = self.key.slice()
            && let Some(told) = Told::of(slice, head)
            && let Some(whole) = self.key.of_whole()
        {
            tags.push(told.generation(&whole));
        }
        tags.into()
    }

    /// Remembers whether requests for the key may wait for each other.
    pub(super) fn remember(&self, shared: bool) {
        if shared {
            self.store.unmark(&self.key);
        } else {
            self.store.mark(&self.key, Mark::Uncacheable(None));
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if !self.done {
            self.conclude(Ended::Abandoned);
        }
    }
}

/// Whether a response answers more requests than the one that fetched it.
pub(super) fn is_shared(face: &Face, now: Timestamp) -> bool {
    reuse::is_fresh(&face.terms, now) || !face.terms.stale.while_revalidate.is_zero()
}

/// `Content-Length`, digits alone.
fn told_length(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?;
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}
