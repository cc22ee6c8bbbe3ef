//! What an origin says of what is stored: that it is right, that it is another, or neither.

use super::Times;
use super::lead::{Completed, Lead, is_shared};
use super::state::{AnswerKind, Ended};
use crate::hit::Hit;
use crate::object::Stored;
use crate::policy::admit::{Admission, Terms};
use crate::policy::{NotStored, age, fields, freshness, reuse, validate};
use crate::status::{CacheResult, CacheStatus};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, ETAG, LAST_MODIFIED, PRAGMA};
use http::{Method, StatusCode};
use rimward_types::{Body, RequestHead, ResponseHead};

impl Lead {
    /// 304 to the cache's own conditions (RFC 9111 section 4.3.3).
    pub(super) fn not_modified(mut self, head: ResponseHead, body: Body, times: Times) -> Completed {
        let own = self.stored.clone().filter(|old| old.face.validators().exist());
        if own.is_none() && self.others.is_empty() {
            return self.pass_on(head, body, NotStored::NotModified);
        }
        if let Some(old) = self.meant(own.as_ref(), &head) {
            return self.refresh(&old, head, times);
        }
        // RFC 9111 section 4.3.4: nothing stored is meant. What there is cannot be trusted either.
        if let Some(old) = own {
            self.store.remove(&self.key, &old);
        }
        self.stored = None;
        self.others.clear();
        Completed::Again(self)
    }

    /// The stored response that a 304 speaks of.
    fn meant(&self, own: Option<&Stored>, head: &ResponseHead) -> Option<Stored> {
        let is_meant = |stored: &&Stored| match &self.others[..] {
            [] => validate::confirms(&head.headers, &stored.face.validators()),
            _ => validate::names(&head.headers, &stored.face.validators()),
        };
        own.into_iter().chain(&self.others).find(is_meant).cloned()
    }

    /// Updates the stored head (RFC 9111 sections 3.2 and 4.3.4) and answers with it.
    fn refresh(mut self, old: &Stored, update: ResponseHead, times: Times) -> Completed {
        let now = times.received;
        let origin = update.status;
        let mut head = old.face.head.unpacked();
        fields::update(&mut head.headers, update.headers, now);
        // The update may have been told to a HEAD; what it freshens answers a GET.
        let mut asked = RequestHead::clone(&self.request);
        if asked.method == Method::HEAD {
            asked.method = Method::GET;
        }
        let face = match self.admission(&asked, &head, times) {
            Admission::Store(_) if fields::is_overgrown(&head.headers) => Err(NotStored::TooLarge),
            Admission::Store(terms) => self.face(head.clone(), terms).ok_or(NotStored::NoRoom),
            Admission::Refuse(reason) => Err(reason),
        };
        let face = match face {
            Ok(face) => face,
            Err(reason) => {
                let is_kept = match reason {
                    NotStored::NoRoom => true,
                    reason => reason.is_of_the_request() && self.is_kept_for_others(asked, &head, times),
                };
                if !is_kept {
                    self.store.remove(&self.key, old);
                }
                return self.confirmed_once(old, head, origin, times, reason);
            }
        };
        let shared = is_shared(&face, now);
        let stored = Stored { face, content: old.content.clone() };
        let status = CacheStatus {
            forward_status: Some(origin),
            stored: true,
            ttl: Some(reuse::ttl(&stored.face.terms, now)),
            ..self.status()
        };
        let hit = Hit::with(&stored, &self.request, now, status, CacheResult::RefreshHit);
        self.remember(shared);
        self.store.complete(&self.key, &self.fill, stored.clone());
        self.conclude(Ended::Answer { stored, kind: AnswerKind::Refreshed, shared });
        Completed::Refreshed(hit)
    }

    /// Whether what was confirmed stays as it is for others, where only this request forbids to store what is told to it: `no-store`
    /// and `Authorization` are about a new answer, not about what is stored already (RFC 9111 sections 3.5 and 5.2.1.5).
    fn is_kept_for_others(&self, mut asked: RequestHead, head: &ResponseHead, times: Times) -> bool {
        for name in [AUTHORIZATION, CACHE_CONTROL, PRAGMA] {
            asked.headers.remove(name);
        }
        matches!(self.admission(&asked, head, times), Admission::Store(_))
    }

    /// What is stored was confirmed and answers this request, but what the origin has told may not be kept (RFC 9111
    /// section 3).
    fn confirmed_once(
        mut self,
        old: &Stored,
        head: ResponseHead,
        origin: StatusCode,
        times: Times,
        reason: NotStored,
    ) -> Completed {
        let now = times.received;
        let date = freshness::date_of(&head.headers, now);
        let initial_age = age::initial(age::value(&head.headers), date, times).corrected();
        let terms = Terms { initial_age, received: now, ..old.face.terms.clone() };
        let status = CacheStatus { forward_status: Some(origin), detail: Some(reason.as_str()), ..self.status() };
        let hit = Hit::passing(head, &terms, &old.content, &self.request, now, status);
        self.conclude(Ended::Alone);
        Completed::Refreshed(hit)
    }

    /// An answer to HEAD freshens what is stored, or shows that it is another (RFC 9111 section 4.3.5).
    pub(super) fn head_only(self, head: ResponseHead, body: Body, times: Times) -> Completed {
        if let Some(old) = self.stored.clone().filter(|_| head.status == StatusCode::OK) {
            // The RFC would freshen by the length alone too; two pages of one length are nothing rare.
            let same = |name| match head.headers.get(&name) {
                None => true,
                told => told == old.face.head.get(&name).as_ref(),
            };
            let may_be_same = old.face.head.status() == StatusCode::OK
                && same(ETAG)
                && same(LAST_MODIFIED)
                && (head.headers.get(CONTENT_LENGTH).is_none_or(|told| *told == old.content.length().to_string()));
            if !may_be_same {
                self.store.make_stale(&self.key, &old);
            } else if head.headers.contains_key(ETAG) || head.headers.contains_key(LAST_MODIFIED) {
                return self.refresh(&old, head, times);
            }
        }
        // What is gone is asked for again before it is served.
        if let (Some(old), StatusCode::NOT_FOUND | StatusCode::GONE) = (&self.stored, head.status) {
            self.store.make_stale(&self.key, old);
        }
        self.pass_on(head, body, NotStored::Method)
    }
}
