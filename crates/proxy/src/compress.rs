//! Compression: what a viewer takes, what an answer allows, and the coding of the body (`cdn-behaviour.md` sections 6,
//! 13).
//!
//! An answer is coded on its way into the cache, behind the origin-response function. So a coding is made once and
//! stored, hits cost nothing, and viewers that wait for the same fetch share it. What makes that right is that the
//! request was made normal first: its `Accept-Encoding` has one of few values, which is in the cache key, or which
//! `Vary` selects by.
//!
//! - [`offer`]: a viewer's `Accept-Encoding`, made normal.
//! - [`eligible`]: whether an answer is coded, and why not.
//! - [`encoder`]: the codings. [`body`]: a body that is coded while it arrives.

pub mod body;
pub mod eligible;
pub mod encoder;
pub mod offer;

use crate::live::Plan;
use eligible::{Compression, Judged, NotCoded};
use http::header::{ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use offer::Offer;
use rimward_cache::Times;
use rimward_cache::policy::admit::{Admission, admit};
use rimward_config::Profile;
use rimward_types::{Body, RequestHead, ResponseHead};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bodies that are coded at a time. One more is passed on as it is.
const BODIES: usize = 64;

/// Which answers of a behavior are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that CloudFront codes: with a known length.
    CloudFront,
    /// Those whose length nobody knows before their end, too.
    All,
}

/// What coding takes: places for bodies, and turns on the processor.
#[derive(Debug, Clone)]
pub struct Compressors {
    bodies: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Compressors {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { bodies: Arc::new(Semaphore::new(BODIES)), turns: Arc::new(Semaphore::new(processors)) }
    }
}

/// Makes the request's `Accept-Encoding` normal, where the behavior compresses: to what decides which coding the viewer
/// gets, and no more.
pub fn negotiate(plan: &Plan, request: &mut RequestHead) {
    // `cdn-behaviour.md` section 21: it is dropped, whoever would code the answer.
    if request.version == Version::HTTP_10 && plan.behavior.cache_policy.profile == Profile::CloudFront {
        request.headers.remove(ACCEPT_ENCODING);
    }
    if plan.compress.is_none() {
        return;
    }
    let as_it_is = request.version == Version::HTTP_10
        || request.headers.contains_key(header::RANGE)
        || eligible::has_no_transform(&request.headers);
    let value = match (as_it_is, request.headers.contains_key(ACCEPT_ENCODING)) {
        // Section 6 tells "absent" from "none of ours" for the origin, not for the key.
        (_, false) if plan.behavior.cache_policy.accept_encoding => return,
        (true, _) | (_, false) => Offer::Identity.as_str(),
        (false, true) => Offer::of(&request.headers).as_str(),
    };
    request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
}

/// Codes an answer to `request`, whose `Accept-Encoding` is normal, if all allows it. Says what was decided.
pub fn encode(
    plan: &Plan,
    compressors: &Compressors,
    request: &RequestHead,
    times: Times,
    mut head: ResponseHead,
    body: Body,
) -> (ResponseHead, Body, Option<Compression>) {
    let Some(scope) = plan.compress else { return (head, body, None) };
    if head.status == StatusCode::NOT_MODIFIED {
        confirm(&mut head.headers, &request.headers);
        return (head, body, None);
    }
    let length = content_length(&head.headers).or_else(|| (request.method != Method::HEAD).then(|| body.len())?);
    let judged = match eligible::judge(&head, length, scope, Offer::of(&request.headers)) {
        Judged::Yes(_) if scope == Scope::CloudFront && !is_kept(plan, request, &head, times) => {
            Judged::Never(NotCoded::NotKept)
        }
        judged => judged,
    };
    match judged {
        Judged::Never(reason) => {
            // The origin chose the coding by what `negotiate` has made of the viewer's wish, and may not say so.
            if head.headers.contains_key(CONTENT_ENCODING) {
                vary(&mut head.headers);
            }
            (head, body, Some(Compression::Not(reason)))
        }
        Judged::NotForThisViewer(reason) => {
            vary(&mut head.headers);
            (head, body, Some(Compression::Not(reason)))
        }
        Judged::Yes(coding) => {
            let (body, done) = body::encode(body, coding, compressors);
            vary(&mut head.headers);
            if let Compression::Coded(coding) = done {
                describe(&mut head.headers, coding);
            }
            (head, body, Some(done))
        }
    }
}

/// Whether an answer will be stored, and be fresh for some time: others are not worth the work to CloudFront (section 13).
fn is_kept(plan: &Plan, request: &RequestHead, head: &ResponseHead, times: Times) -> bool {
    let admission = match request.method {
        // Its head is that of GET.
        Method::HEAD => admit(&RequestHead { method: Method::GET, ..request.clone() }, head, &plan.rules, times),
        _ => admit(request, head, &plan.rules, times),
    };
    matches!(admission, Admission::Store(terms) if !terms.lifetime.time.is_zero())
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What the head of a coded answer says.
fn describe(headers: &mut HeaderMap, coding: encoder::Coding) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
    headers.remove(CONTENT_LENGTH);
    // A part is a part of what is not coded; see `negotiate`.
    headers.remove(ACCEPT_RANGES);
    match headers.get(ETAG).map(weak) {
        Some(Some(weak)) => headers.insert(ETAG, weak),
        Some(None) => headers.remove(ETAG),
        None => None,
    };
}

/// The weak form of an entity tag; `None` when it is none. The coded bytes are not those that a strong one stands for
/// (RFC 9110 section 8.8.3.3), and in other codings of this node they differ again, while they all mean the same.
fn weak(etag: &HeaderValue) -> Option<HeaderValue> {
    let bytes = etag.as_bytes();
    let opaque = bytes.strip_prefix(b"W/").unwrap_or(bytes);
    let inner = opaque.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'"') {
        return None;
    }
    HeaderValue::from_bytes(&[b"W/", opaque].concat()).ok()
}

/// The fields of a 304 replace those of what is stored (RFC 9111 section 4.3.4), and must not undo [`describe`]: where it
/// was asked with our weak entity tag on behalf of a viewer who takes a coding, and names the strong one, ours stays
/// (`If-None-Match` compares weakly, RFC 9110 section 13.1.2); where it has `Vary`, that has ours.
fn confirm(headers: &mut HeaderMap, request: &HeaderMap) {
    if headers.contains_key(VARY) {
        vary(headers);
    }
    let Some(etag) = headers.get(ETAG) else { return };
    let Some(weak) = weak(etag).filter(|weak| weak != etag) else { return };
    let names_weak = request.get_all(IF_NONE_MATCH).iter().any(|line| contains(line, &weak));
    if names_weak && Offer::of(request).coding().is_some() {
        headers.insert(ETAG, weak);
        headers.remove(ACCEPT_RANGES);
    }
}

fn contains(line: &HeaderValue, part: &HeaderValue) -> bool {
    let (line, part) = (line.as_bytes(), part.as_bytes());
    line.windows(part.len()).any(|window| window == part)
}

fn vary(headers: &mut HeaderMap) {
    let has = |name: &str| {
        let lines = headers.get_all(VARY).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|member| member.trim().eq_ignore_ascii_case(name))
    };
    if !has("accept-encoding") && !has("*") {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

#[cfg(test)]
mod tests;
