//! A place behind somebody else's fetch.

use super::state::{AnswerKind, Ended, Fill, Found};
use super::{Lead, OriginFailure};
use crate::cache::{Begin, Cache};
use crate::hit::Hit;
use crate::key::Key;
use crate::object::{Face, Stored};
use crate::policy::reuse;
use crate::rules::Rules;
use crate::status::{CacheResult, CacheStatus, Forward};
use http::StatusCode;
use rimward_types::RequestHead;
use std::future::poll_fn;
use std::sync::Arc;

/// A place behind somebody else's fetch.
#[derive(Debug)]
pub struct Follow {
    cache: Cache,
    key: Key,
    request: RequestHead,
    rules: Arc<Rules>,
    fill: Arc<Fill>,
    why: Forward,
    slot: Option<usize>,
}

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
    pub(crate) fn new(
        cache: Cache,
        key: Key,
        request: RequestHead,
        rules: Arc<Rules>,
        fill: Arc<Fill>,
        why: Forward,
    ) -> Self {
        Self { cache, key, request, rules, fill, why, slot: None }
    }

    /// Waits for the leader's answer. Cancel safe: dropping it leaves the queue.
    pub async fn wait(mut self) -> Followed {
        let found = poll_fn(|cx| self.fill.poll_found(&mut self.slot, cx)).await;
        match found {
            Found::Arriving { face, .. } if !self.selects(&face) => Followed::Retry,
            Found::Arriving { face, shared: true, filling: Some(filling) } => {
                let now = self.cache.now();
                let status = CacheStatus { stored: true, ..self.status(&face, face.head.status()) };
                Followed::Hit(Hit::joining(&face, filling, &self.request, now, status))
            }
            Found::Ended(Ended::Answer { stored, .. }) if !self.selects(&stored.face) => Followed::Retry,
            Found::Ended(Ended::Answer { stored, kind, shared: true }) => Followed::Hit(self.answer(&stored, kind)),
            Found::Arriving { .. } | Found::Ended(Ended::Alone | Ended::Answer { .. }) => self.alone(),
            Found::Ended(Ended::Abandoned) => Followed::Retry,
            Found::Ended(Ended::Failed(failure)) => Followed::Failed(failure),
        }
    }

    fn selects(&self, face: &Face) -> bool {
        face.selecting.matches(&self.request.headers)
    }

    fn status(&self, face: &Face, origin: StatusCode) -> CacheStatus {
        CacheStatus {
            forward: Some(self.why),
            forward_status: Some(origin),
            ttl: Some(reuse::ttl(&face.terms, self.cache.now())),
            collapsed: true,
            ..CacheStatus::default()
        }
    }

    fn answer(&self, stored: &Stored, kind: AnswerKind) -> Hit {
        let own = stored.face.head.status();
        let status = match kind {
            AnswerKind::New => CacheStatus { stored: true, ..self.status(&stored.face, own) },
            AnswerKind::Refreshed => self.status(&stored.face, StatusCode::NOT_MODIFIED),
            AnswerKind::Stale(origin) => {
                CacheStatus { forward_status: origin, detail: Some("stale-if-error"), ..self.status(&stored.face, own) }
            }
        };
        Hit::with(stored, &self.request, self.cache.now(), status, CacheResult::Hit)
    }

    fn alone(&self) -> Followed {
        match self.cache.begin_alone(&self.key, &self.request, &self.rules) {
            Begin::Lead(lead) => Followed::Alone(lead),
            // Somebody stored it meanwhile. A refresh is left to the next request.
            Begin::Hit(hit) | Begin::Stale(hit, _) => Followed::Hit(hit),
            Begin::Follow(_) | Begin::Slices(_) | Begin::Pass(_) | Begin::Refuse(_) => Followed::Retry,
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.fill.leave(slot);
        }
    }
}
