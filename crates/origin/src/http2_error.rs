//! What an error of the HTTP/2 layer says of a request.
//!
//! The layer keeps its error type to itself; its words are what it gives. Those that matter are checked against real streams in
//! `tests/origin/grpc.rs`. Words that are not known mean the least: the connection broke, and nothing is sent again.

use std::error::Error;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http2Error {
    /// The origin has not looked at it: REFUSED_STREAM (RFC 9113 section 8.7).
    Refused,
    /// The origin has not looked at it, and wants the connection to end: GOAWAY with a lower stream (section 6.8).
    Leaving,
    /// The origin reset its stream.
    Reset,
    /// What the origin sent is not HTTP/2.
    Malformed,
    /// The connection ended.
    Broken,
}

impl Http2Error {
    pub(crate) fn of(error: &hyper::Error) -> Self {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        let is = |start: &str| words.starts_with(start);
        if is("stream error received: refused stream") {
            Self::Refused
        } else if is("stream error received") {
            Self::Reset
        } else if is("connection error received") {
            Self::Leaving
        } else if is("stream error detected") || is("connection error detected") {
            Self::Malformed
        } else {
            Self::Broken
        }
    }
}
