//! Lambda's invoke API over the node's origin functions (`lambda-at-edge.md` section 14), such that the vendor's own
//! tools can call them.
//!
//! - [`Api`]: answers `POST /2015-03-31/functions/NAME/invocations`.
//! - [`Functions`]: what the API needs of a node, as a trait: this crate knows no engine.
//! - `request`, `error`: what may be asked for, and how it is refused.
//! - [`Queue`]: events that were accepted to be handled later; on disk, so that none is lost.
//! - [`schedule`]: when an event is tried again, and when it is given up. Pure.
//! - [`destination`]: where the outcome of such an event goes, and in what shape.

pub mod api;
pub mod destination;
pub mod error;
pub mod functions;
pub mod queue;
mod request;
pub mod schedule;

pub use api::Api;
pub use destination::Destination;
pub use error::Refusal;
pub use functions::{AsyncSettings, Functions, Invocation, NotRun, Ran, Throttled, Undelivered};
pub use queue::{Queue, QueueError};
