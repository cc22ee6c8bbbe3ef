//! CloudFront Functions and Lambda@Edge events: to and from our types, header rules, validation. No engine, no I/O.
//!
//! - [`viewer`]: the viewer tier. Events as wire bytes, replies back to heads, JSON for tests.
//! - [`lambda`]: the origin tier. Events as JSON, results of JSON and of typed components through one validation.
//! - [`headers`]: which headers a function sees, may touch, may add.
//! - [`url`]: rules for a returned path and query.
//! - [`invalid`]: why a function's result was refused, for the operator and for the viewer.
//! - [`failure`]: the categories of failures, and the answer that the viewer gets.
//! - [`expect`]: what a test expects of a function's output.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod connection;
pub mod expect;
pub mod failure;
pub mod headers;
pub mod invalid;
pub mod lambda;
mod text;
pub mod url;
pub mod viewer;

pub use failure::FailureCategory;
pub use invalid::{Invalid, InvalidEvent};

use bytes::Bytes;

/// What events say of the request's surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViewerContext<'a> {
    /// The distribution's own name, such as `e123.rimward.local`.
    pub distribution_domain_name: &'a str,
    /// The distribution's id.
    pub distribution_id: &'a str,
    /// The request's id, as in records and `x-amz-cf-id`.
    pub request_id: &'a str,
    /// Address of the viewer, without port.
    pub viewer_ip: &'a str,
}

/// What becomes of a message's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyChange {
    /// The body stays (it streams on; the function never had it).
    Keep,
    /// These bytes take its place; `content-length` in the head says so already.
    Replace(Bytes),
}

/// How strictly header rules are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// As for a viewer's request: every rule.
    #[default]
    Strict,
    /// As the vendor's test operation: restricted headers are not checked (`cloudfront-functions.md` section 5).
    Test,
}
