//! The record of one request: what was decided at each phase, why, and what it cost.

use crate::grpc::{GrpcLine, GrpcRecord};
use crate::slices::{SliceSums, SliceTally};
use rimward_types::{Hook, RequestId, Timestamp};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How a request ended, in the words of `x-edge-result-type` (`cdn-behaviour.md` section 19.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ResultType {
    /// Answered from the cache.
    Hit,
    /// Answered from the cache after the origin confirmed it.
    RefreshHit,
    /// Answered by the origin.
    Miss,
    /// Sent to HTTPS by the viewer protocol policy.
    Redirect,
    /// A purge, and what it removed.
    Purged,
    /// A viewer-tier function made the response.
    FunctionGeneratedResponse,
    /// A viewer-tier function failed.
    FunctionExecutionError,
    /// A viewer-tier function returned something that is not allowed.
    FunctionValidationError,
    /// A viewer-tier function was held back.
    FunctionThrottledError,
    /// An origin-tier function made the response.
    LambdaGeneratedResponse,
    /// An origin-tier function failed.
    LambdaExecutionError,
    /// An origin-tier function returned something that is not allowed.
    LambdaValidationError,
    /// An origin-tier function was throttled or ran out of time.
    LambdaLimitExceeded,
    /// The node or the origin could not answer.
    Error,
}

impl ResultType {
    /// The word in logs and in `X-Cache`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "Hit",
            Self::RefreshHit => "RefreshHit",
            Self::Miss => "Miss",
            Self::Redirect => "Redirect",
            Self::Purged => "Purged",
            Self::FunctionGeneratedResponse => "FunctionGeneratedResponse",
            Self::FunctionExecutionError => "FunctionExecutionError",
            Self::FunctionValidationError => "FunctionValidationError",
            Self::FunctionThrottledError => "FunctionThrottledError",
            Self::LambdaGeneratedResponse => "LambdaGeneratedResponse",
            Self::LambdaExecutionError => "LambdaExecutionError",
            Self::LambdaValidationError => "LambdaValidationError",
            Self::LambdaLimitExceeded => "LambdaLimitExceeded",
            Self::Error => "Error",
        }
    }

    /// The value of the `X-Cache` header (`cdn-behaviour.md` section 14).
    pub fn x_cache(self) -> &'static str {
        match self {
            Self::Hit => "Hit from cloudfront",
            Self::RefreshHit => "RefreshHit from cloudfront",
            Self::Miss => "Miss from cloudfront",
            Self::Redirect => "Redirect from cloudfront",
            Self::Purged => "Purged from cloudfront",
            Self::FunctionGeneratedResponse => "FunctionGeneratedResponse from cloudfront",
            Self::FunctionExecutionError => "FunctionExecutionError from cloudfront",
            Self::FunctionValidationError => "FunctionValidationError from cloudfront",
            Self::FunctionThrottledError => "FunctionThrottledError from cloudfront",
            Self::LambdaGeneratedResponse => "LambdaGeneratedResponse from cloudfront",
            Self::LambdaExecutionError => "LambdaExecutionError from cloudfront",
            Self::LambdaValidationError => "LambdaValidationError from cloudfront",
            Self::LambdaLimitExceeded => "LambdaLimitExceeded from cloudfront",
            Self::Error => "Error from cloudfront",
        }
    }

    /// All of them, for tables that count.
    pub const ALL: [ResultType; 14] = [
        Self::Hit,
        Self::RefreshHit,
        Self::Miss,
        Self::Redirect,
        Self::Purged,
        Self::FunctionGeneratedResponse,
        Self::FunctionExecutionError,
        Self::FunctionValidationError,
        Self::FunctionThrottledError,
        Self::LambdaGeneratedResponse,
        Self::LambdaExecutionError,
        Self::LambdaValidationError,
        Self::LambdaLimitExceeded,
        Self::Error,
    ];
}

/// What one hook did.
#[derive(Debug, Clone)]
pub struct HookRecord {
    /// Where.
    pub hook: Hook,
    /// Which function.
    pub function: Arc<str>,
    /// `continued`, `answered`, or the category of the failure.
    pub verdict: &'static str,
    /// The true reason of a failure; never shown to viewers.
    pub reason: Option<String>,
    /// Time inside the function.
    pub time: Duration,
    /// Share of the time limit, 0 to 100.
    pub utilization: u8,
    /// Reads of its key value store.
    pub kv_reads: u32,
    /// Those that asked for a key that is not there.
    pub kv_misses: u32,
    /// Requests that the function sent out, in order.
    pub calls: Vec<CallRecord>,
}

/// One request that a function sent out. Path and query are left out: they may carry what is secret.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Method.
    pub method: String,
    /// Host and port.
    pub host: String,
    /// The response's status, or why there is none.
    pub outcome: Result<u16, String>,
    /// Time to the end of the response's body.
    pub time: Duration,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the response's body.
    pub received: u64,
}

/// What the cache decided.
#[derive(Debug, Clone, Default)]
pub struct CacheRecord {
    /// The member of `Cache-Status` (RFC 9211) that the viewer got.
    pub status: String,
    /// Why the answer was stored or not.
    pub stored: Option<String>,
}

/// What one attempt at an origin gave.
#[derive(Debug, Clone)]
pub struct OriginRecord {
    /// The origin's name in the configuration.
    pub origin: Arc<str>,
    /// Status, when a response came.
    pub status: Option<u16>,
    /// Connections tried.
    pub attempts: u32,
    /// Time to the head of the response.
    pub time: Duration,
    /// Why there is no response.
    pub error: Option<String>,
}

/// What became of a connection that went on as a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WebSocketRecord {
    /// Bytes from the viewer.
    pub received: u64,
    /// Bytes to the viewer.
    pub sent: u64,
    /// Why it ended.
    pub ended: &'static str,
}

/// One request's record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Id; the same as in `x-amz-cf-id` and in events.
    pub id: RequestId,
    /// When the head had arrived.
    pub start: Timestamp,
    /// The viewer.
    pub viewer: SocketAddr,
    /// Method.
    pub method: http::Method,
    /// `http` or `https`; `ws` or `wss` when it went on as a WebSocket; `grpc` or `grpcs` for a gRPC call.
    pub scheme: &'static str,
    /// Version.
    pub version: http::Version,
    /// Host, as sent.
    pub host: String,
    /// Path, as sent.
    pub path: String,
    /// Query, as sent.
    pub query: Option<String>,
    /// Distribution, when one matched.
    pub distribution: Option<Arc<str>>,
    /// Path pattern of the behavior, when one matched.
    pub behavior: Option<Arc<str>>,
    /// The hooks that ran, in order.
    pub hooks: Vec<HookRecord>,
    /// The cache's decision, when it was asked.
    pub cache: Option<CacheRecord>,
    /// The attempts at origins, in order.
    pub origins: Vec<OriginRecord>,
    /// The coding that was made of the origin's answer, or why none; `None` where the behavior does not compress, and
    /// for what was stored before.
    pub compression: Option<&'static str>,
    /// The slices that the answer is made of, where it is.
    pub slices: Option<Arc<SliceTally>>,
    /// How it ended.
    pub result: ResultType,
    /// Why it ended so, where the result alone does not tell.
    pub detail: Option<&'static str>,
    /// Status sent.
    pub status: u16,
    /// Time from `start` to the head of the response.
    pub first_byte: Duration,
    /// Time from `start` to the last byte.
    pub total: Duration,
    /// Body bytes sent; of a WebSocket those that the viewer took.
    pub bytes: u64,
    /// Whether the body was sent whole; of a WebSocket whether one of the two closed it.
    pub complete: bool,
    /// What went over it, when it went on as a WebSocket; the record is closed at its end.
    pub websocket: Option<WebSocketRecord>,
    /// What it was taken for, where the behavior has gRPC.
    pub grpc: Option<GrpcRecord>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: u64,
    id: &'a str,
    viewer: SocketAddr,
    method: &'a str,
    scheme: &'a str,
    version: String,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    status: u16,
    result: ResultType,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    behavior: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<HookLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    origins: Vec<OriginLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slices: Option<SliceSums>,
    first_byte_us: u64,
    total_us: u64,
    bytes: u64,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    websocket: Option<WebSocketRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc: Option<GrpcLine>,
}

#[derive(Serialize)]
struct HookLine<'a> {
    hook: &'a str,
    function: &'a str,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    us: u64,
    utilization: u8,
    #[serde(skip_serializing_if = "is_zero")]
    kv_reads: u32,
    #[serde(skip_serializing_if = "is_zero")]
    kv_misses: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<CallLine<'a>>,
}

#[derive(Serialize)]
struct CallLine<'a> {
    method: &'a str,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    us: u64,
    sent: u64,
    received: u64,
}

impl<'a> CallLine<'a> {
    fn new(call: &'a CallRecord) -> Self {
        Self {
            method: &call.method,
            host: &call.host,
            status: call.outcome.as_ref().ok().copied(),
            error: call.outcome.as_ref().err().map(String::as_str),
            us: micros(call.time),
            sent: call.sent,
            received: call.received,
        }
    }
}

#[derive(Serialize)]
struct OriginLine<'a> {
    origin: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    attempts: u32,
    us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

impl Record {
    /// Takes over the functions that ran, and the origins that were asked, for slices that came after the head.
    pub fn learn_slices(&mut self) {
        if let Some(slices) = &self.slices {
            let (hooks, origins) = slices.take();
            self.hooks.extend(hooks);
            self.origins.extend(origins);
        }
    }
}

impl crate::access_log::Line for Record {
    fn to_json(&self) -> String {
        let line = Line {
            time: self.start.as_millis(),
            id: self.id.as_str(),
            viewer: self.viewer,
            method: self.method.as_str(),
            scheme: self.scheme,
            version: format!("{:?}", self.version),
            host: &self.host,
            path: &self.path,
            query: self.query.as_deref(),
            status: self.status,
            result: self.result,
            detail: self.detail,
            distribution: self.distribution.as_deref(),
            behavior: self.behavior.as_deref(),
            cache: self.cache.as_ref().map(|c| c.status.as_str()),
            stored: self.cache.as_ref().and_then(|c| c.stored.as_deref()),
            hooks: self
                .hooks
                .iter()
                .map(|h| HookLine {
                    hook: h.hook.as_str(),
                    function: &h.function,
                    verdict: h.verdict,
                    reason: h.reason.as_deref(),
                    us: micros(h.time),
                    utilization: h.utilization,
                    kv_reads: h.kv_reads,
                    kv_misses: h.kv_misses,
                    calls: h.calls.iter().map(CallLine::new).collect(),
                })
                .collect(),
            origins: self
                .origins
                .iter()
                .map(|o| OriginLine {
                    origin: &o.origin,
                    status: o.status,
                    attempts: o.attempts,
                    us: micros(o.time),
                    error: o.error.as_deref(),
                })
                .collect(),
            compression: self.compression,
            slices: self.slices.as_ref().map(|slices| slices.sums()),
            first_byte_us: micros(self.first_byte),
            total_us: micros(self.total),
            bytes: self.bytes,
            complete: self.complete,
            websocket: self.websocket,
            grpc: self.grpc.as_ref().map(GrpcRecord::line),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}
