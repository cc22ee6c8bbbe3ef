//! Key value stores of viewer functions (`cloudfront-functions.md` section 12), read from a file and held in memory.
//!
//! - [`store`]: the store: reads that never wait, contents that are replaced as a whole.
//! - [`pairs`]: the contents: the vendor's JSON, limits, duplicate keys.
//! - [`error`]: why a file or a list of pairs is no store.

pub mod error;
pub mod pairs;
pub mod store;

pub use error::InvalidStore;
pub use pairs::Pairs;
pub use store::{Meta, Store};
