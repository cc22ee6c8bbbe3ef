//! Pure decisions: functions from values to enums that carry the reason. No clock, no socket, no store.
//!
//! - [`profile`]: the one table in which the RFC's rules and CloudFront's differ.
//! - [`directives`], [`targeted`]: `Cache-Control` and `CDN-Cache-Control`.
//! - [`date`], [`age`]: HTTP dates, `Age` and its arithmetic.
//! - [`freshness`]: how long a response is fresh.
//! - [`admit`]: whether it is stored, and on which terms.
//! - [`reuse`]: whether what is stored answers a request, fresh or stale.
//! - [`request`]: which requests the cache has a part in.
//! - [`fields`]: which header fields are stored, and how a 304 updates them.
//! - [`validate`]: validators, conditions of origin requests and of viewers.
//! - [`invalidation`]: what unsafe methods make doubtful; [`groups`]: what belongs together then.
//! - [`range`]: ranges of complete responses.
//! - [`vary`]: which stored response a request selects.

pub mod admit;
pub mod age;
pub mod date;
pub mod directives;
pub mod fields;
pub mod freshness;
pub mod groups;
pub mod invalidation;
pub mod profile;
pub mod range;
pub mod request;
pub mod reuse;
pub mod targeted;
pub mod validate;
pub mod vary;

pub use admit::NotStored;
pub use request::{PassReason, Refusal};
