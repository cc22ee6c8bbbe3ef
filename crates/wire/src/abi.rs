//! The calls between the host and the guest of the viewer tier: names, numbers, order.
//!
//! The guest is one wasm module. Addresses and lengths are `i32` and count bytes; the host checks every one.
//!
//! # Life of an instance
//! 1. [`export::BOOT`] once: the engine exists. The memory now is the *booted image*, the same for all functions.
//! 2. The host writes the source to [`export::EVENT_BUFFER`] and calls [`export::LOAD`]. A [`Loaded`] status comes back;
//!    for a failure, [`export::REPLY`] tells where its [`crate::reply::Reply::Failed`] lies.
//!    After [`Loaded::Impure`] the host goes back to the booted image and loads with [`DEFER`]: then the top level is compiled only,
//!    and runs at the beginning of every [`export::HANDLE`].
//! 3. [`export::SEAL`] ends the preparation and sets the heap limit. The memory now is the *function's snapshot*.
//! 4. Per request: event bytes into the buffer, [`export::HANDLE`], the reply is read, the snapshot restored.
//!
//! After a trap the host restores the snapshot and sets [`export::STACK_POINTER`] back to its value at [`export::SEAL`].
//!
//! # Signatures
//! | export | type |
//! |---|---|
//! | `memory` | memory of [`MEMORY`] bytes, minimum = maximum |
//! | `__stack_pointer` | mutable global `i32` |
//! | `boot` | `()` |
//! | `event_buffer` | `() -> ptr`, room for [`EVENT_BUFFER_SIZE`] bytes; constant after `boot` |
//! | `reserve` | `(len) -> ptr`: room for a larger message, until the snapshot is restored |
//! | `load` | `(ptr, len, flags) -> status` |
//! | `seal` | `(heap_extra)`: bytes that a request may take, at most [`MAX_HEAP_EXTRA`] |
//! | `handle` | `(ptr, len) -> i64`: place of the reply, see [`Place`] |
//! | `reply` | `() -> i64`: place of the last reply |
//! | `brk` | `() -> ptr`: end of the used part of the memory; all above is zero at `seal` |
//! | `heap_used` | `() -> bytes` taken since `seal` |
//!
//! | import (module [`MODULE`]) | type |
//! |---|---|
//! | `now_ms` | `() -> f64`: start of the invocation, milliseconds since 1970; constant within it |
//! | `seed` | `() -> i64`: randomness of this invocation |
//! | `log` | `(ptr, len)`: one line of `console.log`, UTF-8 |
//! | `hash` | `(algorithm, data, len, out)`: writes [`Hash::size`] bytes |
//! | `hmac` | `(algorithm, key, key_len, data, len, out)`: the same |
//! | `kv_get` | `(key, len) -> i32`: length of the value (kept by the host for `kv_read`), or [`KV_MISSING`] or [`KV_NO_STORE`] |
//! | `kv_read` | `(out)`: writes the value that `kv_get` or `find` found last |
//! | `kv_meta` | `(out) -> i32`: writes [`KV_META_SIZE`] bytes, returns 0 or [`KV_NO_STORE`] |
//! | `find` | `(what, name, len) -> i32`: length of what the node says of it (kept by the host for `kv_read`), or [`KV_MISSING`]; see [`Find`] |
//! | `verify` | `(algorithm, key, key_len, data, len, signature, signature_len) -> i32`: a [`Verified`]; see [`Signature`] |
//! | `panic` | `(ptr, len)`: text of a Rust panic; the guest traps next |
//! | `out_of_memory` | `(len)`: an allocation of this size was refused; the guest traps next |
//!
//! During `load` the host answers `now_ms`, `seed`, `kv_*` with anything: the guest reports [`Loaded::Impure`] if it asked.

/// Module name of all imports.
pub const MODULE: &str = "rimward";

/// Size of the memory in bytes: fixed, so that it never moves and its limit is the allocator's.
pub const MEMORY: usize = 16 << 20;

/// Room in the event buffer in bytes. A source (at most 40 KB) and every usual event fit.
pub const EVENT_BUFFER_SIZE: usize = 64 << 10;

/// Largest `heap_extra` that [`export::SEAL`] can grant in bytes; more is cut to what the memory holds.
pub const MAX_HEAP_EXTRA: usize = 12 << 20;

/// Names of exports.
pub mod export {
    /// The memory.
    pub const MEMORY: &str = "memory";
    /// The shadow stack's pointer.
    pub const STACK_POINTER: &str = "__stack_pointer";
    /// Creates the engine.
    pub const BOOT: &str = "boot";
    /// Where messages are written.
    pub const EVENT_BUFFER: &str = "event_buffer";
    /// Room for a message that is larger than the buffer.
    pub const RESERVE: &str = "reserve";
    /// Compiles a function and runs its top level.
    pub const LOAD: &str = "load";
    /// Ends the preparation.
    pub const SEAL: &str = "seal";
    /// Runs one event.
    pub const HANDLE: &str = "handle";
    /// Where the last reply lies.
    pub const REPLY: &str = "reply";
    /// End of the used part of the memory.
    pub const BRK: &str = "brk";
    /// Heap bytes taken since the seal.
    pub const HEAP_USED: &str = "heap_used";
}

/// Names of imports.
pub mod import {
    /// The frozen clock.
    pub const NOW_MS: &str = "now_ms";
    /// Randomness.
    pub const SEED: &str = "seed";
    /// A log line.
    pub const LOG: &str = "log";
    /// A digest.
    pub const HASH: &str = "hash";
    /// A keyed digest.
    pub const HMAC: &str = "hmac";
    /// Looks a key up.
    pub const KV_GET: &str = "kv_get";
    /// Copies the value found.
    pub const KV_READ: &str = "kv_read";
    /// Facts about the store.
    pub const KV_META: &str = "kv_meta";
    /// What the node says of the function's surroundings.
    pub const FIND: &str = "find";
    /// Verifies a signature.
    pub const VERIFY: &str = "verify";
    /// A panic's text.
    pub const PANIC: &str = "panic";
    /// A refused allocation.
    pub const OUT_OF_MEMORY: &str = "out_of_memory";
}

/// Flag of `load`: runtime `cloudfront-js-1.0`; without it, 2.0.
pub const RUNTIME_1: u32 = 1;
/// Flag of `load`: compile only, run the top level in each invocation.
pub const DEFER: u32 = 2;
/// Flag of `load`: the function has no key value store, so that `cf.kvs()` throws.
pub const NO_STORE: u32 = 4;
/// Flag of `load`: the handler is `connectionHandler`, and its events are [`crate::connection::ConnectionEvent`]; without it, `handler` and
/// [`crate::event::Event`].
pub const CONNECTION: u32 = 8;

/// `kv_get`: the store has no such key.
pub const KV_MISSING: i32 = -1;
/// `kv_get`, `kv_meta`: the function has no store.
pub const KV_NO_STORE: i32 = -2;
/// Bytes that `kv_meta` writes: created and updated (milliseconds since 1970, `f64`), number of keys (`u64`), little-endian.
pub const KV_META_SIZE: usize = 24;

/// What `find` looks into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Find {
    /// Where the node is (`cloudfront-functions.md` section 11.6): `name`, `serverIp`, `region`.
    Location = 0,
    /// The function's environment, all of it as one JSON object; the name is empty. The same in all invocations.
    Environment = 1,
    /// A secret of the function.
    Secret = 2,
}

impl Find {
    /// Reads a kind's number.
    pub fn from_u32(n: u32) -> Option<Self> {
        [Self::Location, Self::Environment, Self::Secret].into_iter().find(|f| *f as u32 == n)
    }
}

/// Signature algorithms of `verify` (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Signature {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 = 0,
    /// ECDSA with P-256 and SHA-256; the signature is `r` and `s`, 32 bytes each.
    Es256 = 1,
    /// Ed25519.
    EdDsa = 2,
}

impl Signature {
    const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// Reads an algorithm's number.
    pub fn from_u32(n: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|s| *s as u32 == n)
    }

    /// Finds an algorithm by its name in tokens.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Its name in tokens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// What `verify` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Verified {
    /// The signature is the key's.
    Yes = 1,
    /// It is not.
    No = 0,
    /// The set has no such key for this algorithm.
    NoKey = -1,
    /// The function has no key set, or it was never loaded.
    NoKeySet = -2,
}

impl Verified {
    /// Reads an answer.
    pub fn from_i32(n: i32) -> Option<Self> {
        [Self::Yes, Self::No, Self::NoKey, Self::NoKeySet].into_iter().find(|v| *v as i32 == n)
    }
}

/// What became of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Loaded {
    /// The handler is ready.
    Ready = 0,
    /// The top level asked for time, randomness or the store: load again with [`DEFER`].
    Impure = 1,
    /// It does not compile.
    Syntax = 2,
    /// No function named `handler`, or `connectionHandler`, at the top level.
    NoHandler = 3,
    /// The top level threw.
    Threw = 4,
}

impl Loaded {
    /// Reads a status; `None` for a number that is none.
    pub fn from_u32(n: u32) -> Option<Self> {
        [Self::Ready, Self::Impure, Self::Syntax, Self::NoHandler, Self::Threw].into_iter().find(|s| *s as u32 == n)
    }
}

/// Hash algorithms of `crypto` (`cloudfront-functions.md` section 10.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Hash {
    /// MD5.
    Md5 = 0,
    /// SHA-1.
    Sha1 = 1,
    /// SHA-256.
    Sha256 = 2,
}

impl Hash {
    /// Reads an algorithm's number.
    pub fn from_u32(n: u32) -> Option<Self> {
        [Self::Md5, Self::Sha1, Self::Sha256].into_iter().find(|h| *h as u32 == n)
    }

    /// Length of the digest in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// Where a reply lies in the memory; travels as one `i64`: address in the upper half, length in the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Address.
    pub ptr: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Place {
    /// Packs the place.
    pub fn to_i64(self) -> i64 {
        ((u64::from(self.ptr) << 32) | u64::from(self.len)) as i64
    }

    /// Unpacks a place.
    pub fn from_i64(n: i64) -> Self {
        let n = n as u64;
        Self { ptr: (n >> 32) as u32, len: n as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hash, Loaded, Place};

    #[test]
    fn a_place_survives_its_packing() {
        for place in [Place { ptr: 0, len: 0 }, Place { ptr: u32::MAX, len: 7 }, Place { ptr: 1, len: u32::MAX }] {
            assert_eq!(Place::from_i64(place.to_i64()), place);
        }
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        assert_eq!(Loaded::from_u32(4), Some(Loaded::Threw));
        assert_eq!(Loaded::from_u32(5), None);
        assert_eq!(Hash::from_u32(3), None);
    }
}
