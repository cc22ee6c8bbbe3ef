//! gRPC (`cdn-behaviour.md` section 21): which requests are calls, and their way. Viewer functions run for them; neither the
//! cache, origin functions, failover, error pages nor compression have a part in them.
//!
//! - [`halves`]: what is learned of a call while its two halves go by.

mod halves;

use crate::exchange::{Answer, Context, Exchange};
use crate::live::Plan;
use crate::pipeline::Proxy;
use crate::{fill, forward, viewer_headers};
use halves::{Downward, Upward};
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Method, Version};
use rimward_cache::{CacheResult, CacheStatus, PassReason};
use rimward_config::{Origin, Target};
use rimward_telemetry::{GrpcCall, GrpcRecord, OriginRecord};
use rimward_types::{Body, Connection, RequestHead};
use std::sync::Arc;
use std::time::Instant;

/// Whether a request under a behavior with gRPC is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It is.
    Call,
    /// It did not come over HTTP/2.
    Version,
    /// It is not POST.
    Method,
    /// Its type is not `application/grpc`, with nothing, `+` or `;` behind it.
    ContentType,
}

impl Judgement {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Version => "version",
            Self::Method => "method",
            Self::ContentType => "content-type",
        }
    }

    /// As people read it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Call => "a gRPC call: past the cache and origin functions, to one origin over HTTP/2",
            Self::Version => "no gRPC call: not over HTTP/2",
            Self::Method => "no gRPC call: not POST",
            Self::ContentType => "no gRPC call: its Content-Type is not application/grpc",
        }
    }
}

/// Judges a request under a behavior with gRPC.
pub fn judge(request: &RequestHead) -> Judgement {
    if request.version != Version::HTTP_2 {
        Judgement::Version
    } else if request.method != Method::POST {
        Judgement::Method
    } else if !has_type(&request.headers) {
        Judgement::ContentType
    } else {
        Judgement::Call
    }
}

/// Whether the type of a message is one of gRPC: `application/grpc-web` is not.
fn has_type(headers: &HeaderMap) -> bool {
    const TYPE: &[u8] = b"application/grpc";
    let Some(value) = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().trim_ascii()) else { return false };
    let Some((start, rest)) = value.split_at_checked(TYPE.len()) else { return false };
    start.eq_ignore_ascii_case(TYPE) && rest.trim_ascii_start().first().is_none_or(|next| matches!(next, b'+' | b';'))
}

/// Judges a request whose behavior is known, and notes it: whether it is a call.
pub fn begin(exchange: &mut Exchange, plan: &Plan, request: &RequestHead) -> bool {
    if !plan.behavior.grpc {
        return false;
    }
    let judgement = judge(request);
    let record = &mut exchange.record;
    match judgement {
        Judgement::Call => {
            // `cs-protocol` (section 19).
            record.scheme = if record.scheme == "https" { "grpcs" } else { "grpc" };
            record.grpc = Some(GrpcRecord::Call(GrpcCall::default()));
        }
        not => record.grpc = Some(GrpcRecord::Not(not.as_str())),
    }
    judgement == Judgement::Call
}

impl Proxy {
    /// Whether `request` is a gRPC call: a body that goes on as long as the two sides talk.
    pub fn begins_call(&self, _: &Connection, request: &RequestHead) -> bool {
        // What most requests fail is cheapest.
        if judge(request) != Judgement::Call {
            return false;
        }
        let live = self.live();
        let distribution = live.config().distribution_for(&request.host().unwrap_or_default());
        distribution.and_then(|site| site.behavior_for(&request.path).ok()).is_some_and(|behavior| behavior.grpc)
    }
}

/// The origin that a call goes to: of a group the primary alone, for there is no failover.
pub fn origin_of(target: &Target) -> &Arc<Origin> {
    match target {
        Target::Origin(origin) => origin,
        Target::Group(group) => &group.primary,
    }
}

/// Sends a call on, and gives what the origin answers.
pub async fn answer(context: &Context, exchange: &mut Exchange, request: &RequestHead, body: Body) -> Answer {
    let Context { plan, proxy, connection, id, .. } = context;
    let status = CacheStatus::passed(PassReason::Grpc);
    if let Some(explanation) = &mut exchange.explanation {
        *explanation = Judgement::Call.sentence().to_owned();
    }
    let tally = exchange.record.grpc.as_ref().and_then(GrpcRecord::call).map(|call| call.tally.clone());
    let tally = tally.unwrap_or_default();
    let origin = origin_of(&context.target);
    let mut outgoing = forward::origin_request(request, plan, origin, context);
    keep_own_headers(&mut outgoing.headers, &request.headers);
    viewer_headers::add_for_origin(plan, connection, &mut outgoing);
    let idle = proxy.live().config().node.limits.grpc_idle;
    let body = if body.is_empty() { body } else { Body::stream(Upward::new(body, tally.clone())) };
    let began = Instant::now();
    let waiting = Waiting { exchange: Some(&mut *exchange), proxy };
    let called = proxy.origins.call(origin, outgoing, body, idle).await;
    waiting.answered();
    let mut note = |status, attempts, time, error| {
        exchange.record.origins.push(OriginRecord { origin: origin.name.clone(), status, attempts, time, error });
    };
    match called {
        Ok(fetched) => {
            let code = fetched.head.status;
            note(Some(code.as_u16()), fetched.attempts, fetched.timing.first_byte, None);
            let is_grpc = code == http::StatusCode::OK && has_type(&fetched.head.headers);
            let body = match fetched.body {
                Body::Stream(_) => Body::stream(Downward::new(fetched.body, tally, is_grpc, *id)),
                body => body,
            };
            let result = fill::result_type(CacheResult::Miss.with_status(code));
            let status = CacheStatus { forward_status: Some(code), ..status };
            Answer { cache: Some(status), ..Answer::new(fetched.head, body, result) }
        }
        Err(error) => {
            tracing::warn!(origin = %origin.name, request = %id, attempts = error.attempts, "{error}");
            note(None, error.attempts, began.elapsed(), Some(error.to_string()));
            Answer { cache: Some(status), ..fill::origin_failed(context, error.kind) }
        }
    }
}

/// A call whose answer is awaited. Clients give calls up at their deadline, so one that is dropped then leaves its record: it is
/// how a slow origin shows.
struct Waiting<'a> {
    exchange: Option<&'a mut Exchange>,
    proxy: &'a Proxy,
}

impl Waiting<'_> {
    fn answered(mut self) {
        self.exchange = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            let mut record = exchange.record.clone();
            // `cdn-behaviour.md` section 19.1.
            record.detail = Some("ClientHungUpRequest");
            record.total = exchange.began.elapsed();
            record.first_byte = record.total;
            self.proxy.records.take(record);
        }
    }
}

/// Lets through what makes messages legible and times them (`grpc-encoding`, `grpc-timeout`, ...), whatever the policies say.
fn keep_own_headers(outgoing: &mut HeaderMap, viewer: &HeaderMap) {
    for (name, value) in viewer {
        if name.as_str().starts_with("grpc-") && !outgoing.contains_key(name) {
            outgoing.append(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(version: Version, method: Method, content_type: Option<&str>) -> RequestHead {
        let mut request = RequestHead::get("/a.B/C");
        (request.version, request.method) = (version, method);
        if let Some(value) = content_type {
            request.headers.insert(CONTENT_TYPE, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_call_is_a_post_over_http_2_of_the_type_of_grpc() {
        let grpc = Some("application/grpc");
        for (version, method, content_type, expected) in [
            (Version::HTTP_2, Method::POST, grpc, Judgement::Call),
            (Version::HTTP_2, Method::POST, Some("application/grpc+proto"), Judgement::Call),
            (Version::HTTP_2, Method::POST, Some("application/grpc;charset=utf-8"), Judgement::Call),
            (Version::HTTP_2, Method::POST, Some(" Application/GRPC ; a=b"), Judgement::Call),
            (Version::HTTP_11, Method::POST, grpc, Judgement::Version),
            (Version::HTTP_10, Method::GET, None, Judgement::Version),
            (Version::HTTP_2, Method::GET, grpc, Judgement::Method),
            (Version::HTTP_2, Method::PUT, grpc, Judgement::Method),
            (Version::HTTP_2, Method::POST, None, Judgement::ContentType),
            (Version::HTTP_2, Method::POST, Some("application/grpc-web"), Judgement::ContentType),
            (Version::HTTP_2, Method::POST, Some("application/grpcx"), Judgement::ContentType),
            (Version::HTTP_2, Method::POST, Some("application/grp"), Judgement::ContentType),
            (Version::HTTP_2, Method::POST, Some("application/json"), Judgement::ContentType),
        ] {
            assert_eq!(judge(&request(version, method.clone(), content_type)), expected, "{method} {content_type:?}");
        }
    }

    #[test]
    fn grpcs_own_headers_pass_every_policy_and_none_twice() {
        let mut viewer = HeaderMap::new();
        for (name, value) in [("grpc-timeout", "1S"), ("grpc-encoding", "gzip"), ("x-other", "1")] {
            viewer.insert(name, value.parse().unwrap());
        }
        let mut outgoing = HeaderMap::new();
        outgoing.insert("grpc-timeout", "1S".parse().unwrap());
        keep_own_headers(&mut outgoing, &viewer);
        let mut names: Vec<_> = outgoing.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["grpc-encoding", "grpc-timeout"]);
    }
}
