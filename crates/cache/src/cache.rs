//! The front of the cache.

use crate::disk::{DiskError, DiskOptions, DiskUsage};
use crate::fill::Follow;
use crate::fill::lead::Lead;
use crate::fill::state::Fill;
use crate::hit::Hit;
use crate::key::{self, Key};
use crate::object::Stored;
use crate::policy::directives::RequestDirectives;
use crate::policy::reuse::{self, Failing, Reason, Reuse};
use crate::policy::{PassReason, Refusal, groups, invalidation, request as requests, validate, vary};
use crate::purge::{Invalidated, Purge, Purged};
use crate::rules::Rules;
use crate::slice::{self, Slices};
use crate::status::{CacheStatus, Forward};
use crate::store::shard::{Found, Joined, Shard};
use crate::store::{Mark, Store};
use crate::tag::Tag;
use http::header::{AUTHORIZATION, COOKIE, ETAG, HOST};
use http::{Method, StatusCode};
use rimward_types::{ByteSize, Clock, RequestHead, ResponseHead, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Bounds of a cache.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes in memory: bodies, heads and what is needed to keep them, fills included. Never exceeded.
    pub memory: ByteSize,
    /// Objects above this are not stored. At most a quarter of `memory`, or of the disk tier, takes effect.
    pub max_object: ByteSize,
    /// Variants (RFC 9111 section 4.1) of one key; the oldest goes.
    pub variants: usize,
    /// How long a fill goes on when every viewer has left.
    pub abandoned: Duration,
    /// How long a key is remembered as uncacheable, so that its requests are not collapsed.
    pub uncacheable: Duration,
    /// The disk tier. Its index takes up to a quarter of `memory`.
    pub disk: Option<DiskOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: ByteSize::mb(256),
            max_object: ByteSize::mb(64),
            variants: 32,
            abandoned: Duration::from_secs(30),
            uncacheable: Duration::from_secs(30),
            disk: None,
        }
    }
}

/// What a cache holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes held, fills included.
    pub bytes: u64,
    /// Those of them that evicting would not give back: bodies that arrive, large ones that viewers read, and what they read
    /// though it was evicted.
    pub held: u64,
    /// Objects in memory; each variant counts.
    pub objects: u64,
    /// Fetches in flight.
    pub fills: u64,
    /// Objects evicted from memory since the start.
    pub evicted: u64,
    /// Answers passed on since the start because there was no room for them.
    pub no_room: u64,
    /// Fetches given up since the start because no viewer waited for them.
    pub given_up: u64,
    /// The disk tier, when there is one.
    pub disk: Option<DiskUsage>,
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
    /// Answer from slices, and fetch those that are not stored.
    Slices(Slices),
    /// Send it on; the cache has no part in it.
    Pass(PassReason),
    /// Answer with the refusal's status.
    Refuse(Refusal),
}

/// The shared cache. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache {
    store: Arc<Store>,
}

/// How a request comes to a lookup.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// It may wait for others' fetches, and they for its.
    may_join: bool,
    /// What is on disk alone could not be read.
    past_disk: bool,
}

impl Default for Way {
    fn default() -> Self {
        Self { may_join: true, past_disk: false }
    }
}

/// What a request brings to the shard's lock.
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a Key,
    pub(crate) request: &'a RequestHead,
    pub(crate) rules: &'a Arc<Rules>,
    pub(crate) wishes: RequestDirectives,
    pub(crate) now: Timestamp,
}

impl Cache {
    /// An empty cache.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self { store: Arc::new(Store::new(options, clock)) }
    }

    /// A cache with the disk tier that `options` name. Blocks until its folder is taken; what an earlier run has left in
    /// it is found while the cache serves.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, DiskError> {
        Ok(Self { store: Store::open(options, clock)? })
    }

    /// Waits until every purge is written down, so that a restart does not bring back what it removed: before a purge is
    /// called done. A disk that refuses loses all that it has at the restart instead. Blocks.
    pub fn confirm(&self) {
        self.store.confirm();
    }

    /// Waits until what was purged is gone and what was begun is on the disk, as far as the disk allows: before the node
    /// stops. Blocks.
    pub fn settle(&self) {
        self.store.settle();
    }

    /// Looks `key` up for `request` and, when it must be fetched, says who fetches.
    pub fn begin(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Begin {
        self.decide(key, request, rules, Way::default())
    }

    /// As [`Cache::begin`] for a request that could not read what is stored: what is on disk alone does not count.
    pub fn begin_past_disk(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Begin {
        self.decide(key, request, rules, Way { past_disk: true, ..Way::default() })
    }

    /// As [`Cache::begin`] for a request that has waited in vain: it waits for nobody, and nobody for it.
    pub(crate) fn begin_alone(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Begin {
        self.decide(key, request, rules, Way { may_join: false, ..Way::default() })
    }

    fn decide(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>, way: Way) -> Begin {
        let Way { may_join, past_disk } = way;
        if let Some(reason) = requests::pass(request, rules) {
            return Begin::Pass(reason);
        }
        let wishes = requests::directives(request, rules);
        let asked = Asked { key, request, rules, wishes, now: self.store.now() };
        let mut shard = self.store.shard(key);
        let (stored, why) = match self.store.find(&mut shard, key, &request.headers) {
            Found::Nothing => (None, Forward::UriMiss),
            Found::OtherVariants => (None, Forward::VaryMiss),
            Found::Filed(_) if past_disk => (None, Forward::UriMiss),
            Found::Stored(stored) if past_disk && stored.content.is_on_disk_alone() => (None, Forward::UriMiss),
            Found::Filed(filed) => {
                if let Some(fill) = may_join.then(|| self.store.recall(&mut shard, &filed, request)).flatten() {
                    let request = request.clone();
                    let follow = Follow::new(self.clone(), key.clone(), request, rules.clone(), fill, Forward::UriMiss);
                    return Begin::Follow(follow);
                }
                (None, Forward::UriMiss)
            }
            Found::Stored(stored) => match reuse_of(&stored, &asked) {
                Reuse::Fresh => {
                    drop(shard);
                    return Begin::Hit(Hit::of(&stored, request, asked.now));
                }
                Reuse::StaleAccepted => {
                    drop(shard);
                    return Begin::Hit(stale(&stored, &asked, "max-stale"));
                }
                Reuse::StaleWhileRevalidate => {
                    // One fetch for all who come meanwhile.
                    if shard.join(key, &request.headers).is_some() {
                        drop(shard);
                        return Begin::Hit(stale(&stored, &asked, "stale-while-revalidate"));
                    }
                    let mut lead = self.lead(&mut shard, &asked, Some(stored.clone()), Forward::Stale, true);
                    lead.is_background = true;
                    drop(shard);
                    return Begin::Stale(stale(&stored, &asked, "stale-while-revalidate"), lead);
                }
                Reuse::Validate(Reason::Stale | Reason::Expired) if may_stand_in(&stored, &asked) => {
                    drop(shard);
                    return Begin::Hit(stale(&stored, &asked, "stale-if-error"));
                }
                Reuse::Validate(Reason::Stale | Reason::Expired) => (Some(stored), Forward::Stale),
                Reuse::Validate(Reason::Request(_)) => (Some(stored), Forward::Request),
            },
        };
        let mark = shard.marked(key, asked.now);
        let may_slice = may_join && stored.is_none() && mark.is_none_or(Mark::may_slice) && !is_personal(&asked);
        if may_slice
            && let Some(wanted) = slice::wanted(request, rules)
            && shard.join(key, &request.headers).is_none()
        {
            return Begin::Slices(Slices::new(self, key, request, rules, wanted));
        }
        if asked.wishes.only_if_cached {
            return Begin::Refuse(Refusal::OnlyIfCached);
        }
        self.store.count_miss(key);
        let mark = mark.filter(|mark| *mark != Mark::Unsliced);
        let may_join = may_join && mark.is_none() && !is_personal(&asked);
        if may_join && let Some(begin) = self.join(&shard, &asked, why) {
            return begin;
        }
        // HEAD brings no body that others could share.
        let joinable = may_join && request.method != Method::HEAD;
        let stored = stored.filter(|_| !mark.is_some_and(Mark::is_too_large));
        let is_plain = stored.is_none() && (mark.is_some() || asked.wishes.no_store);
        let others = if why == Forward::UriMiss || is_plain { Vec::new() } else { others(&mut shard, &asked, &stored) };
        let mut lead = self.lead(&mut shard, &asked, stored, why, joinable);
        lead.others = others;
        lead.is_plain = is_plain;
        Begin::Lead(lead)
    }

    fn join(&self, shard: &Shard, asked: &Asked<'_>, why: Forward) -> Option<Begin> {
        let Asked { key, request, rules, now, .. } = asked;
        match shard.join(key, &request.headers)? {
            Joined::Asking(fill) => {
                let request = RequestHead::clone(request);
                let follow = Follow::new(self.clone(), Key::clone(key), request, (*rules).clone(), fill, why);
                Some(Begin::Follow(follow))
            }
            Joined::Arriving(fill, face) => {
                let table = rules.profile.table();
                // A long body may outlive its freshness.
                let usable = reuse::reuse(&face.terms, false, &asked.wishes, table, *now);
                if !matches!(usable, Reuse::Fresh | Reuse::StaleWhileRevalidate) {
                    return None;
                }
                let filling = fill.attach()?;
                let status = CacheStatus {
                    forward_status: Some(face.head.status()),
                    ttl: Some(reuse::ttl(&face.terms, *now)),
                    stored: true,
                    collapsed: true,
                    ..CacheStatus::forwarded(why)
                };
                Some(Begin::Hit(Hit::joining(&face, filling, request, *now, status)))
            }
        }
    }

    fn lead(&self, shard: &mut Shard, asked: &Asked<'_>, stored: Option<Stored>, why: Forward, joinable: bool) -> Lead {
        let key = Arc::new(asked.key.clone());
        let request = Arc::new(asked.request.clone());
        let fill = Fill::new(request.clone(), joinable, self.store.next_number());
        shard.register(&key, &fill);
        Lead {
            store: self.store.clone(),
            key,
            rules: asked.rules.clone(),
            request,
            fill,
            stored,
            others: Vec::new(),
            why,
            is_plain: false,
            id: None,
            is_background: false,
            done: false,
        }
    }

    /// The lead of a POST whose answer may be stored for later GETs (RFC 9110 section 9.3.3), RFC profile alone. Its
    /// request is sent as it is; [`Lead::respond`] takes the answer, after [`Cache::invalidate`].
    pub fn lead_post(&self, distribution: &str, request: &RequestHead, rules: &Arc<Rules>) -> Option<Lead> {
        if request.method != Method::POST || !rules.enabled || !rules.profile.table().post {
            return None;
        }
        let key = Key::new(distribution, request, &rules.key);
        let wishes = RequestDirectives::default();
        let asked = Asked { key: &key, request, rules, wishes, now: self.store.now() };
        let mut shard = self.store.shard(&key);
        let mut lead = self.lead(&mut shard, &asked, None, Forward::Method, false);
        drop(shard);
        lead.is_plain = true;
        Some(lead)
    }

    /// Removes what an answer to an unsafe method makes doubtful (RFC 9111 section 4.4): the URL and, on the same host,
    /// `Location` and `Content-Location`. Does nothing for safe methods and for errors. `request` is the viewer's.
    ///
    /// Gives what is to be purged with it: the groups that the answer names, errors too (RFC 9875 section 3), and those that
    /// what was removed belonged to (section 2.2.1).
    pub fn invalidate(
        &self,
        distribution: &str,
        request: &RequestHead,
        response: &ResponseHead,
        rules: &Rules,
    ) -> Invalidated {
        let host = request.header(HOST.as_str()).map(key::host_of);
        let named = groups::invalidated(request, response, rules);
        // What is kept for the host, and what is kept without regard to it.
        let tags = |group: &String| {
            [Some(Tag::of_group(None, group)), host.as_ref().map(|host| Tag::of_group(Some(host), group))]
        };
        let mut tags: Vec<Tag> = named.iter().flat_map(tags).flatten().collect();
        let _purging = self.store.begin_purge();
        let mut purged = Purged::default();
        for url in invalidation::doubtful(request, response, rules) {
            let url = key::kept_url(&url, &rules.key);
            if rules.profile.table().groups {
                self.store.add_groups(distribution, &url, &mut tags);
            }
            purged += self.store.invalidate(distribution, &url);
        }
        let groups = tags.into_iter().map(|tag| Purge::Tag { distribution: distribution.to_owned(), tag });
        Invalidated { purged, groups: groups.collect() }
    }

    /// Removes groups that [`Cache::invalidate`] gave; as [`Cache::purge`], but what is fetched with an unsafe method is newer.
    pub fn invalidate_groups(&self, groups: &[Purge]) -> Purged {
        let _purging = self.store.begin_purge();
        let mut purged = Purged::default();
        for group in groups {
            purged += self.store.invalidate_group(group);
        }
        purged
    }

    /// Removes; a fetch that began before is not stored. Nobody is given what it names once it returns; the memory of
    /// more than a few hundred keys is given back soon after, by a thread of its own. It takes longer the more there is to
    /// remove: not on a worker, unless it is one URL.
    pub fn purge(&self, what: &Purge) -> Purged {
        let _purging = self.store.begin_purge();
        self.store.purge(what)
    }

    /// Counts what [`Cache::purge`] would remove now, with up to `most` of the URLs.
    pub fn count(&self, what: &Purge, most: usize) -> (Purged, Vec<String>) {
        self.store.count(what, most)
    }

    /// Makes stale instead of removing: what is stored is validated before its next use, or served when the origin is away.
    pub fn expire(&self, what: &Purge) -> Purged {
        let _purging = self.store.begin_purge();
        self.store.expire(what)
    }

    /// What it holds now.
    pub fn usage(&self) -> Usage {
        self.store.usage()
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.now()
    }
}

pub(crate) fn reuse_of(stored: &Stored, asked: &Asked<'_>) -> Reuse {
    let face = &stored.face;
    reuse::reuse(&face.terms, face.is_expired(), &asked.wishes, asked.rules.profile.table(), asked.now)
}

/// Stored responses for other selecting fields that an origin may say are right for this request too.
fn others(shard: &mut Shard, asked: &Asked<'_>, selected: &Option<Stored>) -> Vec<Stored> {
    if !asked.rules.profile.table().vary {
        return Vec::new();
    }
    let is_other = |stored: &Stored| {
        stored.face.head.get(&ETAG).is_some()
            && !selected.as_ref().is_some_and(|selected| selected.is(stored))
            // Some origins give one tag to all codings of a page.
            && vary::accepts_coding(&asked.request.headers, &stored.face.head.unpacked().headers)
    };
    let mut others = shard.variants(asked.key);
    others.retain(is_other);
    others.truncate(validate::MOST_OTHERS);
    others
}

/// Whether the origin failed a moment ago and this may be served instead of asking again.
pub(crate) fn may_stand_in(stored: &Stored, asked: &Asked<'_>) -> bool {
    let failing = Failing::Status(StatusCode::SERVICE_UNAVAILABLE);
    let table = asked.rules.profile.table();
    stored.face.is_resting(asked.now)
        && reuse::stale_on_failure(&stored.face.terms, failing, &asked.wishes, table, asked.now)
}

/// Whether the answer is most likely for this request alone.
pub(crate) fn is_personal(asked: &Asked<'_>) -> bool {
    let Asked { request, rules, .. } = asked;
    let table = rules.profile.table();
    // `cdn-behaviour.md` section 12.
    let asks_alone = !table.collapses_cookies && rules.forwards_cookies && request.headers.contains_key(COOKIE);
    let asks_leave = rules.asks_leave_for_authorization() && request.headers.contains_key(AUTHORIZATION);
    asked.wishes.no_store || asks_alone || asks_leave
}

fn stale(stored: &Stored, asked: &Asked<'_>, detail: &'static str) -> Hit {
    let mut hit = Hit::of(stored, asked.request, asked.now);
    hit.status.detail = Some(detail);
    hit
}
