//! Why a lookup comes out as it does: the decision of [`Cache::begin`](crate::Cache::begin) without its effects, with
//! everything that it was made of. The words are those of `Cache-Status` and of the record.

mod slices;
mod text;

pub use slices::FirstSlice;

use crate::cache::{Asked, Cache, is_personal, may_stand_in, reuse_of};
use crate::key::{self, Key};
use crate::object::Stored;
use crate::policy::directives::ControlField;
use crate::policy::freshness::Source;
use crate::policy::reuse::{Reason, Reuse};
use crate::policy::{PassReason, Refusal, age, date, request as requests, vary};
use crate::rules::{Profile, Rules};
use crate::slice;
use crate::status::{CacheStatus, Forward};
use crate::store::Mark;
use http::HeaderValue;
use rimward_types::{RequestHead, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// What a lookup comes to, and why. Serialises to JSON; shows as lines of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The moment that it holds for, as an HTTP date.
    pub at: String,
    /// `rfc` or `cloudfront`.
    pub profile: &'static str,
    /// What happens.
    pub decision: Decision,
    /// What decided.
    pub because: Because,
    /// The member of `Cache-Status` as far as it is known before an origin has answered, with the URL of the key. Viewers
    /// are not told the key otherwise: it shows what a poisoner must not be able to change.
    pub cache_status: String,
    /// The cache key.
    pub key: key::Parts,
    /// The stored response that the request selects; of an answer from slices, the one that is asked for first.
    pub stored: Option<StoredResponse>,
    /// What that slice comes to: the head that the viewer gets is made of it.
    pub first_slice: Option<FirstSlice>,
    /// What other stored responses under the key were selected by.
    pub other_variants: Vec<Vec<Selector>>,
    /// Fetches for the key in flight.
    pub fetching: usize,
    /// `uncacheable` or `too-large` when requests for the key do not wait for each other.
    pub remembered: Option<&'static str>,
    /// Why the last answer for the key was not stored, for as long as that is remembered.
    pub not_stored: Option<Because>,
}

/// What happens to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Answered with what is stored, which is fresh.
    Fresh,
    /// Answered with what is stored, though it is stale.
    Stale,
    /// The same, and the origin is asked in the background.
    StaleAndRefresh,
    /// The origin is asked whether what is stored is still good.
    Validate,
    /// The origin is asked.
    Fetch,
    /// Answered from slices; the origin is asked for those that are not stored.
    Slices,
    /// The request goes past the cache.
    Pass,
    /// The cache refuses it.
    Refuse,
}

impl Decision {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Fresh => "fresh",
            Decision::Stale => "stale",
            Decision::StaleAndRefresh => "stale-and-refresh",
            Decision::Validate => "validate",
            Decision::Fetch => "fetch",
            Decision::Slices => "slices",
            Decision::Pass => "pass",
            Decision::Refuse => "refuse",
        }
    }
}

/// What decided: a directive, a setting or a state, with the rule behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Because {
    /// The word, as `max-age`, `request-no-cache` or `uri-miss`.
    pub rule: &'static str,
    /// Where the rule stands, as `RFC 9111 section 5.2.2.1`.
    pub reference: &'static str,
}

/// A stored response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredResponse {
    /// Whether it is on disk alone: a request waits until it is read.
    pub on_disk: bool,
    /// Its status.
    pub status: u16,
    /// Bytes of its body.
    pub length: u64,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub last_modified: Option<String>,
    /// What selected it (`Vary`).
    pub selected_by: Vec<Selector>,
    /// How old it is.
    pub age: Age,
    /// How long it is fresh.
    pub freshness: Freshness,
    /// For how long after that it may be served.
    pub stale: StaleWindows,
    /// Purged softly: validated before its next use.
    pub expired: bool,
}

/// A selecting request field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Selector {
    /// Its name.
    pub name: String,
    /// Its value in the form in which values are compared; `None`: the request did not have it.
    pub value: Option<String>,
}

/// The arithmetic of RFC 9111 section 4.2.3, in seconds of three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Age {
    /// `age_value`: what `Age` said at receipt.
    pub age_value: Seconds,
    /// `apparent_age`: receipt less `Date`.
    pub apparent_age: Seconds,
    /// `response_delay`: from request to receipt.
    pub response_delay: Seconds,
    /// `corrected_initial_age`: the greater of `apparent_age` and `age_value + response_delay`.
    pub corrected_initial_age: Seconds,
    /// `resident_time`: since receipt.
    pub resident_time: Seconds,
    /// `current_age`: the last two together. `Age` says its whole seconds.
    pub current_age: Seconds,
}

/// Freshness (RFC 9111 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// How long it is fresh.
    pub lifetime: Seconds,
    /// What says so: a directive or a setting.
    pub source: &'static str,
    /// The field of the answer that says so; `None` where a setting does, or nothing.
    pub field: Option<&'static str>,
    /// Where the rule stands.
    pub reference: &'static str,
    /// Age that counts against it: with the CloudFront profile, that since it was stored alone.
    pub used: Seconds,
    /// What is left, in whole seconds; negative when it is stale.
    pub left: i64,
}

/// For how long something stale may be served, by occasion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StaleWindows {
    /// While it is refreshed (RFC 5861 section 3).
    pub while_revalidate: Seconds,
    /// Instead of an error (RFC 5861 section 4).
    pub on_error: Seconds,
    /// When the origin does not answer (RFC 9111 section 4.2.4).
    pub on_disconnect: Seconds,
    /// A directive forbids every other use.
    pub forbidden: bool,
}

/// A time that serialises as seconds with up to three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seconds(pub Duration);

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_millis() as f64 / 1000.0)
    }
}

impl Cache {
    /// Explains what [`Cache::begin`] would do now. Nothing is fetched, counted as a use, or changed.
    pub fn explain(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Explanation {
        let explanation = self.explained(key, request, rules, self.store().variants(key), None);
        let slice = self.slice_of(&explanation, key, request, rules);
        explanation.with_slice(slice.map(|(slice, key, request)| {
            (slice.index, self.explained(&key, &request, rules, self.store().variants(&key), None))
        }))
    }

    /// As [`Cache::explain`], and looks at what is on disk alone.
    pub async fn explain_from_disk(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Explanation {
        let explanation = self.explained_from_disk(key, request, rules).await;
        let slice = match self.slice_of(&explanation, key, request, rules) {
            Some((slice, key, request)) => Some((slice.index, self.explained_from_disk(&key, &request, rules).await)),
            None => None,
        };
        explanation.with_slice(slice)
    }

    async fn explained_from_disk(&self, key: &Key, request: &RequestHead, rules: &Arc<Rules>) -> Explanation {
        let variants = self.store().variants(key);
        let is_in_memory = variants.iter().any(|stored| stored.face.selecting.matches(&request.headers));
        let filed = if is_in_memory { None } else { self.store().look_on_disk(key, &request.headers).await };
        self.explained(key, request, rules, variants, filed)
    }

    fn explained(
        &self,
        key: &Key,
        request: &RequestHead,
        rules: &Arc<Rules>,
        in_memory: Vec<Stored>,
        on_disk: Option<Stored>,
    ) -> Explanation {
        let now = self.now();
        let mark = self.store().marked(key);
        let mut explanation = Explanation {
            at: date::format(now),
            profile: match rules.profile {
                Profile::Rfc => "rfc",
                Profile::CloudFront => "cloudfront",
            },
            decision: Decision::Pass,
            because: Because { rule: "", reference: "" },
            cache_status: String::new(),
            key: key.parts(),
            stored: None,
            first_slice: None,
            other_variants: Vec::new(),
            fetching: self.store().fetching(key),
            remembered: mark.map(Mark::as_str),
            not_stored: mark
                .and_then(Mark::not_stored)
                .map(|why| Because { rule: why.as_str(), reference: why.reference() }),
        };
        if let Some(reason) = requests::pass(request, rules) {
            explanation.passes(reason);
            return explanation;
        }
        let wishes = requests::directives(request, rules);
        let asked = Asked { key, request, rules, wishes, now };
        let (selected, others): (Vec<_>, Vec<_>) =
            in_memory.into_iter().partition(|stored| stored.face.selecting.matches(&request.headers));
        explanation.other_variants = others.iter().map(|stored| selectors(&stored.face.selecting)).collect();
        match selected.first().or(on_disk.as_ref()) {
            Some(stored) => {
                explanation.stored = Some(described(stored, on_disk.is_some(), now));
                explanation.uses(stored, &asked);
            }
            None if others.is_empty() => explanation.misses(Forward::UriMiss, "RFC 9111 section 4"),
            None => explanation.misses(Forward::VaryMiss, "RFC 9111 section 4.1"),
        }
        if explanation.stored.is_none()
            && mark.is_none_or(Mark::may_slice)
            && slice::wanted(request, rules).is_some()
            && !is_personal(&asked)
        {
            explanation.decision = Decision::Slices;
            explanation.because = Because { rule: "slice", reference: "the behavior's cache policy" };
        }
        explanation.cache_status.push_str(&key_parameter(&explanation.key.url));
        let asks = matches!(explanation.decision, Decision::Validate | Decision::Fetch);
        if asks && asked.wishes.only_if_cached {
            let refusal = Refusal::OnlyIfCached;
            explanation.decision = Decision::Refuse;
            explanation.because = Because { rule: refusal.as_str(), reference: refusal.reference() };
        }
        explanation
    }
}

impl Explanation {
    fn passes(&mut self, reason: PassReason) {
        self.because = Because { rule: reason.as_str(), reference: reason.reference() };
        self.cache_status = CacheStatus::passed(reason).to_string();
    }

    fn misses(&mut self, why: Forward, reference: &'static str) {
        self.decision = Decision::Fetch;
        self.because = Because { rule: why.as_str(), reference };
        self.cache_status = CacheStatus::forwarded(why).to_string();
    }

    fn uses(&mut self, stored: &Stored, asked: &Asked<'_>) {
        let terms = &stored.face.terms;
        let ttl = stored.face.ttl(asked.now);
        let source = terms.lifetime.source;
        let of_lifetime = Because { rule: source.as_str(), reference: reference(source, terms.origin.field) };
        let stale = |rule, reference| (Decision::Stale, Because { rule, reference }, Some(rule));
        let asks = if stored.face.validators().exist() { Decision::Validate } else { Decision::Fetch };
        let stand_in = || may_stand_in(stored, asked);
        let (decision, because, detail) = match reuse_of(stored, asked) {
            Reuse::Fresh => (Decision::Fresh, of_lifetime, None),
            Reuse::StaleAccepted => stale("max-stale", "RFC 9111 section 5.2.1.2"),
            Reuse::StaleWhileRevalidate => {
                let (_, because, detail) = stale("stale-while-revalidate", "RFC 5861 section 3");
                (Decision::StaleAndRefresh, because, detail)
            }
            Reuse::Validate(Reason::Stale | Reason::Expired) if stand_in() => {
                stale("stale-if-error", "RFC 5861 section 4")
            }
            Reuse::Validate(Reason::Stale) => (asks, of_lifetime, None),
            Reuse::Validate(Reason::Expired) => {
                (asks, Because { rule: "purged-softly", reference: "a soft purge" }, None)
            }
            Reuse::Validate(Reason::Request(wish)) => {
                (asks, Because { rule: wish.as_str(), reference: wish.reference() }, None)
            }
        };
        let status = match (decision, reuse_of(stored, asked)) {
            (Decision::Fresh | Decision::Stale | Decision::StaleAndRefresh, _) => CacheStatus::hit(ttl),
            (_, Reuse::Validate(Reason::Request(_))) => CacheStatus::forwarded(Forward::Request),
            _ => CacheStatus::forwarded(Forward::Stale),
        };
        self.decision = decision;
        self.because = because;
        self.cache_status = CacheStatus { detail, ..status }.to_string();
    }
}

/// `key` of `Cache-Status` (RFC 9211 section 2.7), a string of a structured field. Nothing when the URL has other
/// characters than such a string may have (RFC 9651 section 3.3.3).
fn key_parameter(url: &str) -> String {
    if !url.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return String::new();
    }
    format!("; key=\"{}\"", url.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The field that a lifetime was read from.
fn field(source: Source, control: ControlField) -> Option<&'static str> {
    match source {
        Source::SMaxAge | Source::MaxAge | Source::NoCache => Some(control.as_str()),
        Source::Expires => Some("Expires"),
        Source::Heuristic => Some("Last-Modified"),
        Source::DefaultTtl | Source::MinTtl | Source::MaxTtl | Source::ErrorTtl | Source::Nothing => None,
    }
}

/// Where the rule for a lifetime stands: that of a targeted field is another one.
fn reference(source: Source, field: ControlField) -> &'static str {
    let is_directive = matches!(source, Source::SMaxAge | Source::MaxAge | Source::NoCache | Source::Nothing);
    if is_directive && field != ControlField::CacheControl { "RFC 9213 section 2.2" } else { source.reference() }
}

fn described(stored: &Stored, on_disk: bool, now: Timestamp) -> StoredResponse {
    let face = &stored.face;
    let terms = &face.terms;
    let text = |value: &Option<HeaderValue>| value.as_ref().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let made = terms.origin.age;
    let validators = face.validators();
    StoredResponse {
        on_disk,
        status: face.head.status().as_u16(),
        length: stored.content.length(),
        etag: text(&validators.etag),
        last_modified: text(&validators.last_modified),
        selected_by: selectors(&face.selecting),
        age: Age {
            age_value: Seconds(made.told),
            apparent_age: Seconds(made.apparent),
            response_delay: Seconds(made.delay),
            corrected_initial_age: Seconds(terms.initial_age),
            resident_time: Seconds(now.since(terms.received)),
            current_age: Seconds(age::current(terms.initial_age, terms.received, now)),
        },
        freshness: Freshness {
            lifetime: Seconds(terms.lifetime.time),
            source: terms.lifetime.source.as_str(),
            field: field(terms.lifetime.source, terms.origin.field),
            reference: reference(terms.lifetime.source, terms.origin.field),
            used: Seconds(age::current(terms.counted_age, terms.received, now)),
            left: face.ttl(now),
        },
        stale: StaleWindows {
            while_revalidate: Seconds(terms.stale.while_revalidate),
            on_error: Seconds(terms.stale.on_error),
            on_disconnect: Seconds(terms.stale.on_disconnect),
            forbidden: terms.stale.forbidden,
        },
        expired: face.is_expired(),
    }
}

fn selectors(selecting: &vary::Selecting) -> Vec<Selector> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    selecting.fields().map(|(name, value)| Selector { name: name.to_string(), value: value.map(text) }).collect()
}
