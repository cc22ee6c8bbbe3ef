//! Response headers policies (`cdn-behaviour.md` section 14): remove, then add.
//!
//! A policy acts on every answer of its behavior that comes from behind the guard: from the cache, an origin, a function, or a
//! page for what failed. Viewer-response sees what it did, and may do otherwise.

mod cors;
mod timing;

pub use timing::Timing;

use crate::exchange::{Answer, Exchange};
use crate::live::Plan;
use crate::pipeline::Proxy;
use crate::respond::SERVER_NAME;
use http::header::{ORIGIN, PRAGMA, SERVER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rimward_config::ResponseHeadersPolicy;
use rimward_types::RequestHead;
use std::sync::Arc;

/// The policy of a request's behavior, with what of the request counts for it.
pub struct Policed {
    policy: Option<Arc<ResponseHeadersPolicy>>,
    asked: Asked,
}

/// What of a viewer's request counts, as it came: functions do not change it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `Origin`.
    pub origin: Option<HeaderValue>,
    /// `OPTIONS` with `Access-Control-Request-Method`.
    pub preflight: bool,
    /// `Pragma: server-timing`.
    pub timing: bool,
}

/// Why a header is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The policy takes it away.
    Removed,
    /// The answer had none.
    Added,
    /// The policy goes before what the answer had.
    Overrode,
    /// What the answer had goes before the policy.
    Kept,
    /// The policy goes before what the answer had, and does not allow the request's origin.
    NotAllowed,
}

impl Reason {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Overrode => "overrode",
            Self::Kept => "kept",
            Self::NotAllowed => "not allowed",
        }
    }
}

/// A header that a policy looked at, and what became of it.
pub type Change = (HeaderName, Reason);

impl Asked {
    /// Reads a request.
    pub fn of(request: &RequestHead) -> Self {
        let preflight =
            request.method == Method::OPTIONS && request.headers.contains_key("access-control-request-method");
        let pragma = request.headers.get_all(PRAGMA).iter().filter_map(|value| value.to_str().ok());
        let timing = pragma.flat_map(|value| value.split(',')).any(|p| p.trim().eq_ignore_ascii_case("server-timing"));
        Self { origin: request.headers.get(ORIGIN).cloned(), preflight, timing }
    }
}

impl Policed {
    /// The policy for a request under `plan`.
    pub fn new(plan: &Plan, request: &RequestHead) -> Self {
        match &plan.behavior.response_headers_policy {
            None => Self { policy: None, asked: Asked::default() },
            Some(policy) => Self { policy: Some(policy.clone()), asked: Asked::of(request) },
        }
    }

    /// Applies it to an answer.
    pub fn apply(&self, proxy: &Proxy, exchange: &mut Exchange, answer: &mut Answer) {
        let Some(policy) = &self.policy else { return };
        let changes = apply(policy, &self.asked, &mut answer.head.headers);
        if exchange.explanation.is_some() {
            let changes: Vec<String> =
                changes.iter().map(|(name, reason)| format!("{name} {}", reason.as_str())).collect();
            exchange.response_headers = Some(format!("{}: {}", policy.name, changes.join(", ")));
        }
        exchange.server_timing = policy.server_timing.is_some_and(|share| {
            self.asked.timing || {
                let mut draw = [0; 8];
                proxy.entropy.fill(&mut draw);
                share.contains(u64::from_le_bytes(draw))
            }
        });
    }
}

/// Removes, then adds. Says what became of each header that the policy names, in its order.
pub fn apply(policy: &ResponseHeadersPolicy, asked: &Asked, headers: &mut HeaderMap) -> Vec<Change> {
    let mut changes = Vec::with_capacity(policy.remove.len() + policy.security.len() + policy.headers.len());
    for name in &policy.remove {
        if headers.remove(name).is_some() {
            changes.push((name.clone(), Reason::Removed));
        }
    }
    if let Some(cors) = &policy.cors {
        cors::vary(cors, headers);
        if let Some(origin) = &asked.origin {
            cors::apply(cors, origin, asked.preflight, headers, &mut changes);
        }
    }
    for header in policy.security.iter().chain(&policy.headers) {
        let reason = set(headers, &header.name, header.value.clone(), header.overrides);
        changes.push((header.name.clone(), reason));
    }
    // A removed `Date` is written anew by the listener.
    if policy.remove.contains(&SERVER) && !headers.contains_key(SERVER) {
        headers.insert(SERVER, SERVER_NAME);
    }
    changes
}

fn set(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue, overrides: bool) -> Reason {
    let reason = match (headers.contains_key(name), overrides) {
        (false, _) => Reason::Added,
        (true, true) => Reason::Overrode,
        (true, false) => return Reason::Kept,
    };
    headers.insert(name.clone(), value);
    reason
}

#[cfg(test)]
mod tests;
