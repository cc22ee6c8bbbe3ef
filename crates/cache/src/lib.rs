//! The shared cache: what may be stored, under which key, for how long, and who fetches it.
//!
//! - [`policy`]: pure decisions of RFC 9110, 9111, 5861 and 9213 and of CloudFront's TTL rules. No clock, no socket.
//! - [`rules`]: what a behavior's cache policy asks for; the input of everything here.
//! - [`key`]: the cache key.
//! - [`cache`]: the front: [`Cache::begin`] and what may come of it.
//! - [`fill`]: one fetch per key; leaders, followers, completion.
//! - [`explain`]: why a lookup comes out as it does, for people.
//! - [`hit`]: an answer made from what is stored: conditions, ranges, `Age`.
//! - [`tag`]: names that an origin gives to answers.
//! - `store`, `object`, `memory`: what is stored, sharded and bounded by bytes.
//! - [`disk`]: the disk tier.
//! - [`purge`]: removal by URL, prefix, tag, host, distribution, and after unsafe methods.
//! - [`slice`]: large objects in slices.
//! - [`status`]: `Cache-Status` (RFC 9211) and the word for `X-Cache`.

pub mod cache;
pub mod disk;
pub mod explain;
pub mod fill;
pub mod hit;
pub mod key;
mod memory;
mod object;
pub mod policy;
pub mod purge;
pub mod rules;
pub mod slice;
pub mod status;
mod store;
pub mod tag;

pub use cache::{Begin, Cache, Options, Usage};
pub use disk::{DiskError, DiskOptions, DiskUsage};
pub use explain::Explanation;
pub use fill::{Attending, Awaited, Completed, Follow, Followed, Lead, OriginFailure, Times, Wanted, Whole};
pub use hit::Hit;
pub use key::Key;
pub use policy::{NotStored, PassReason, Refusal};
pub use purge::{Invalidated, Purge, Purged};
pub use rules::{ForwardedHeaders, KeyRules, NameSet, Profile, Rules, TtlRules};
pub use slice::{GetSlice, GettingSlice, Had, Missing, Slices, Turn};
pub use status::{CacheResult, CacheStatus};
pub use tag::{InvalidTag, Tag};
