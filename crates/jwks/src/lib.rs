//! Public keys for tokens: JSON web key sets (RFC 7517) that change while functions use them.
//!
//! - [`set`]: a set, read from JSON; which key verifies a signature. Pure.
//! - [`schedule`]: when a set is loaded again. Pure.
//! - [`keys`]: the set that counts now, and the task that keeps it fresh.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod keys;
pub mod schedule;
pub mod set;

pub use keys::{Keys, keep_fresh};
pub use schedule::Schedule;
pub use set::{InvalidKeySet, KeySet};
