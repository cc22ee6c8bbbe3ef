//! `PURGE`: a viewer whom the access list grants it removes the stored answers of a URL.
//!
//! It is answered here: no function and no origin ever sees it. The URL is what would be looked up for a GET without
//! functions: the query as far as the cache key has it, `/` as the default root object.

use crate::exchange::{Answer, Exchange};
use crate::guard::{self, Refusal};
use crate::live::Plan;
use crate::page;
use crate::pipeline::Proxy;
use crate::route;
use http::{HeaderValue, StatusCode, header};
use rimward_cache::{Purge, Purged};
use rimward_config::Acl;
use rimward_telemetry::{CacheRecord, ResultType};
use rimward_types::{Connection, RequestHead, ResponseHead};
use serde_json::json;

/// Either asks for a soft purge; the second is what another CDN's clients send.
const SOFT: [&str; 2] = ["soft-purge", "fastly-soft-purge"];

/// What a request has to do with purging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It is another method.
    Nothing,
    /// It may not.
    Refused,
    /// It may.
    Granted {
        /// Made stale instead of removed.
        soft: bool,
    },
}

/// Answers PURGE.
///
/// # Errors
/// The receipt, or the refusal; other methods go on.
pub async fn answer(
    proxy: &Proxy,
    exchange: &mut Exchange,
    acl: &Acl,
    connection: &Connection,
    plan: &Plan,
    request: &RequestHead,
) -> Result<(), Answer> {
    match asked(acl, connection, request) {
        Asked::Nothing => Ok(()),
        Asked::Refused => Err(guard::refuse(exchange, &Refusal::PurgeNotGranted)),
        Asked::Granted { soft } => {
            let mut request = request.clone();
            route::default_root_object(plan, &mut request);
            let what = Purge::of_request(&plan.distribution_id, &request, &plan.rules.key);
            let purged = if soft { proxy.cache.expire(&what) } else { proxy.cache.purge(&what) };
            exchange.record.cache = Some(CacheRecord { status: sentence(soft, purged), stored: None });
            // What the receipt says is so after a restart too. The disk takes longer than the executor may be held.
            let cache = proxy.cache.clone();
            match tokio::task::spawn_blocking(move || cache.confirm()).await {
                Ok(()) => Err(receipt(soft, purged)),
                Err(_) => Err(unwritten(exchange)),
            }
        }
    }
}

/// Whether `request` purges, and may: for an explanation, which removes nothing.
pub fn is_granted(acl: &Acl, connection: &Connection, request: &RequestHead) -> Option<bool> {
    match asked(acl, connection, request) {
        Asked::Nothing => None,
        Asked::Refused => Some(false),
        Asked::Granted { .. } => Some(true),
    }
}

fn asked(acl: &Acl, connection: &Connection, request: &RequestHead) -> Asked {
    if request.method.as_str() != "PURGE" {
        return Asked::Nothing;
    }
    if !acl.purge.contains(connection.peer.ip()) {
        return Asked::Refused;
    }
    let soft = SOFT.iter().any(|name| request.header(name).is_some_and(|value| value.trim() == "1"));
    Asked::Granted { soft }
}

/// For the record.
fn sentence(soft: bool, purged: Purged) -> String {
    let what = if soft { "expired" } else { "removed" };
    format!("{what} {}, bytes {}, fetches {}", purged.objects, purged.bytes, purged.fills)
}

/// The answer to a purge.
pub fn receipt(soft: bool, purged: Purged) -> Answer {
    let mut head = ResponseHead::new(StatusCode::OK);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let receipt = json!({ "removed": purged.objects, "bytes": purged.bytes, "fetches": purged.fills, "soft": soft });
    Answer::new(head, format!("{receipt}\n").into(), ResultType::Purged)
}

/// The answers are gone, but a restart might bring them back.
fn unwritten(exchange: &Exchange) -> Answer {
    let sentence = "The purge was done but not written down. Ask for it again.";
    let (head, body) = page::page(StatusCode::INTERNAL_SERVER_ERROR, sentence, &exchange.record.id);
    Answer::new(head, body, ResultType::Error).because("PurgeNotWritten")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ask(purge: &[&str], peer: [u8; 4], method: &str, headers: &[(&'static str, &'static str)]) -> Asked {
        let mut acl = Acl::default();
        purge.iter().for_each(|network| acl.purge.add(network).unwrap());
        let connection = Connection::new((peer, 1).into(), ([127, 0, 0, 1], 80).into(), None);
        let mut request = RequestHead::get("/");
        request.method = method.parse().unwrap();
        for (name, value) in headers {
            request.headers.append(*name, HeaderValue::from_static(value));
        }
        asked(&acl, &connection, &request)
    }

    #[test]
    fn the_address_of_the_connection_decides() {
        let ours = &["10.0.0.0/8"][..];
        assert_eq!(ask(ours, [10, 1, 1, 1], "PURGE", &[]), Asked::Granted { soft: false });
        assert_eq!(ask(ours, [11, 1, 1, 1], "PURGE", &[]), Asked::Refused);
        assert_eq!(ask(ours, [11, 1, 1, 1], "PURGE", &[("x-forwarded-for", "10.1.1.1")]), Asked::Refused);
        assert_eq!(ask(&[], [10, 1, 1, 1], "PURGE", &[]), Asked::Refused);
        assert_eq!(ask(ours, [10, 1, 1, 1], "purge", &[]), Asked::Nothing, "methods are case-sensitive");
        assert_eq!(ask(ours, [10, 1, 1, 1], "DELETE", &[]), Asked::Nothing);
    }

    #[test]
    fn a_header_makes_it_soft() {
        let soft = |headers| ask(&["10.0.0.0/8"], [10, 1, 1, 1], "PURGE", headers);
        assert_eq!(soft(&[("soft-purge", "1")]), Asked::Granted { soft: true });
        assert_eq!(soft(&[("fastly-soft-purge", "1")]), Asked::Granted { soft: true });
        assert_eq!(soft(&[("soft-purge", "0")]), Asked::Granted { soft: false });
    }
}
