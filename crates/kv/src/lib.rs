//! Key value stores of viewer functions (`cloudfront-functions.md` section 12): kept on disk, read from memory.
//!
//! - [`store`]: the store: reads that never wait, contents that are replaced as a whole.
//! - [`write`]: what changes a store, and what it takes to be let in.
//! - [`pairs`]: the contents: the vendor's JSON, limits, duplicate keys.
//! - [`stores`]: the stores of a node, each opened once.
//! - [`seed`]: the file that a store is made of.
//! - `disk`: the database beneath.
//! - [`error`]: why a file or a list of pairs is no store.

mod disk;
pub mod error;
pub mod pairs;
pub mod seed;
pub mod store;
pub mod stores;
pub mod write;

pub use error::InvalidStore;
pub use pairs::Pairs;
pub use seed::{Followed, Seed};
pub use store::{Meta, Snapshot, Store};
pub use stores::{OpenError, Stores};
pub use write::{Batch, ETag, IfMatch, NotWritten, Written};
