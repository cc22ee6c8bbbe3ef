//! gRPC in the record.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The canonical statuses by their numbers (`grpc/doc/statuscodes.md`).
const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// What a behavior with gRPC made of a request.
#[derive(Debug, Clone)]
pub enum GrpcRecord {
    /// A call.
    Call(GrpcCall),
    /// None, and the word for why not.
    Not(&'static str),
}

/// A call.
#[derive(Debug, Clone, Default)]
pub struct GrpcCall {
    /// `grpc-status`, where one came.
    pub status: Option<u16>,
    /// What its halves have told so far.
    pub tally: Arc<GrpcTally>,
}

/// What is learned of a call while its halves go by.
#[derive(Debug, Default)]
pub struct GrpcTally {
    received: AtomicU64,
    cut: Mutex<Option<String>>,
}

/// In the access log.
#[derive(Serialize)]
pub(crate) struct GrpcLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    not: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

impl GrpcTally {
    /// Counts bytes from the viewer.
    pub fn receive(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes why the answer ended early.
    pub fn cut(&self, why: String) {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Bytes from the viewer.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Why the answer ended early, if it did.
    pub fn why_cut(&self) -> Option<String> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl GrpcRecord {
    /// The call, if it is one.
    pub fn call(&self) -> Option<&GrpcCall> {
        match self {
            Self::Call(call) => Some(call),
            Self::Not(_) => None,
        }
    }

    pub(crate) fn line(&self) -> GrpcLine {
        match self {
            Self::Not(why) => GrpcLine { not: Some(why), status: None, received: None, cut: None },
            Self::Call(GrpcCall { status, tally }) => {
                GrpcLine { not: None, status: *status, received: Some(tally.received()), cut: tally.why_cut() }
            }
        }
    }
}

/// Calls by status, and their bytes.
#[derive(Debug, Default)]
pub(crate) struct GrpcCounts {
    calls: [AtomicU64; STATUSES.len()],
    /// With a status of no name, and without one.
    other: AtomicU64,
    none: AtomicU64,
    received: AtomicU64,
}

impl GrpcCounts {
    pub(crate) fn observe(&self, call: &GrpcCall) {
        let count = match call.status {
            None => &self.none,
            Some(status) => self.calls.get(usize::from(status)).unwrap_or(&self.other),
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.received.fetch_add(call.tally.received(), Ordering::Relaxed);
    }

    /// Status and count of those that were seen.
    pub(crate) fn calls(&self) -> Vec<(&'static str, u64)> {
        let named = STATUSES.iter().copied().zip(&self.calls);
        let all = named.chain([("other", &self.other), ("none", &self.none)]);
        all.map(|(name, count)| (name, count.load(Ordering::Relaxed))).filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}
