//! The binary layout of events and replies between the host and the guest of the viewer tier.
//!
//! Both sides are built from this crate; it has no dependencies, so that it compiles for the guest too.
//! Text is UTF-8 with a little-endian `u32` length before it, lists have a `u16` count before them.
//! Neither side trusts the other: every read is checked ([`Malformed`]), nothing panics.
//!
//! - [`read`], [`write`]: the primitives.
//! - [`event`], [`connection`]: host to guest.
//! - [`reply`]: guest to host.
//! - [`abi`]: the calls between both.

pub mod abi;
pub mod connection;
pub mod event;
pub mod read;
pub mod reply;
pub mod write;

pub use read::{Malformed, Reader};
pub use write::Writer;
