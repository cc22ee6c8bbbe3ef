//! One fetch per key: who fetches, who waits, what comes of it.
//!
//! - [`lead`]: the right and the duty to fetch.
//! - [`follow`]: a place behind somebody else's fetch; [`awaited`]: a fetch ends when nobody waits for its head.
//! - `refresh`: what is said of what is stored; `sliced`: an answer that should be a slice.
//! - `state`: what leader, followers and pump share; `arrival`: the body among it.
//! - `stream`: a body that is read while it arrives.
//! - `spool`: a body that is written to disk while it arrives.
//! - `pump`: reads the origin's body into the fill, and stores it at the end.

mod arrival;
pub mod awaited;
pub mod follow;
pub mod lead;
pub(crate) mod pump;
mod refresh;
mod sliced;
mod slots;
mod spool;
pub(crate) mod state;
pub(crate) mod stream;

pub use awaited::{Attending, Awaited};
pub use follow::{Follow, Followed};
pub use lead::{Completed, Lead};
pub use sliced::Whole;
pub use state::Wanted;

pub use crate::store::unattended::Unattended;

use http::StatusCode;
use rimward_types::Timestamp;

/// When the origin was asked, and when its head had come (RFC 9111 section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `request_time`.
    pub requested: Timestamp,
    /// `response_time`.
    pub received: Timestamp,
}

/// How the origin failed to answer; followers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginFailure {
    /// 502, 503 or 504: what a viewer gets when nothing stale may be served.
    pub status: StatusCode,
}
