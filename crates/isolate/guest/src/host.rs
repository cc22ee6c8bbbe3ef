//! What the guest may ask of the host. Every question that makes an invocation differ from the next one leaves a mark ([`asked`]),
//! so that a top level which asked is run again in each invocation.

use std::cell::Cell;

use rimward_wire::abi::{Find, Hash, KV_META_SIZE, KV_MISSING, KV_NO_STORE, Signature, Verified};

#[cfg(not(target_family = "wasm"))]
pub mod native;
#[cfg(not(target_family = "wasm"))]
use native as calls;

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether time, randomness or the store was asked for since the last call.
pub fn asked() -> bool {
    ASKED.replace(false)
}

/// Says that the top level asked for something that belongs to one invocation.
pub(crate) fn mark() {
    ASKED.set(true);
}

/// Start of the invocation in milliseconds since 1970.
pub fn now_ms() -> f64 {
    mark();
    calls::now_ms()
}

/// Randomness of this invocation.
pub fn seed() -> u64 {
    mark();
    calls::seed() as u64
}

/// Hands a log line to the host.
pub fn log(line: &str) {
    calls::log(line.as_bytes());
}

/// Digest of `data`; the first [`Hash::size`] bytes count.
pub fn hash(algorithm: Hash, data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    calls::hash(algorithm as u32, data, &mut out);
    out
}

/// Keyed digest of `data`; the first [`Hash::size`] bytes count.
pub fn hmac(algorithm: Hash, key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    calls::hmac(algorithm as u32, key, data, &mut out);
    out
}

/// Answer of the key value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// There it is.
    Found(T),
    /// The store has no such key.
    Missing,
    /// The function has no store.
    NoStore,
}

/// Facts about the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meta {
    /// Milliseconds since 1970.
    pub created_ms: f64,
    /// Milliseconds since 1970.
    pub updated_ms: f64,
    /// Number of keys.
    pub keys: u64,
}

/// Length of a key's value; [`kv_read`] copies it.
pub fn kv_get(key: &str) -> Lookup<usize> {
    mark();
    match calls::kv_get(key.as_bytes()) {
        KV_NO_STORE => Lookup::NoStore,
        n if n == KV_MISSING || n < 0 => Lookup::Missing,
        n => Lookup::Found(n as usize),
    }
}

/// The value that [`kv_get`] or [`find`] found last; `len` is what it returned.
pub fn kv_read(len: usize) -> Vec<u8> {
    let mut value = vec![0; len];
    calls::kv_read(&mut value);
    value
}

/// Facts about the store; `None` when the function has none.
pub fn kv_meta() -> Option<Meta> {
    mark();
    let mut out = [0; KV_META_SIZE];
    if calls::kv_meta(&mut out) == KV_NO_STORE {
        return None;
    }
    let word = |i: usize| {
        let mut b = [0; 8];
        b.copy_from_slice(&out[i * 8..i * 8 + 8]);
        u64::from_le_bytes(b)
    };
    Some(Meta { created_ms: f64::from_bits(word(0)), updated_ms: f64::from_bits(word(1)), keys: word(2) })
}

/// What the node says of something; `None` when it says nothing. What is the same in all invocations leaves no mark.
pub fn find(what: Find, name: &str) -> Option<Vec<u8>> {
    if what != Find::Environment {
        mark();
    }
    let len = calls::find(what as u32, name.as_bytes());
    usize::try_from(len).ok().map(kv_read)
}

/// Whether a key of the function's key set made this signature. `key` may be empty: then all keys of the algorithm are tried.
pub fn verify(algorithm: Signature, key: &str, data: &[u8], signature: &[u8]) -> Verified {
    mark();
    let answer = calls::verify(algorithm as u32, key.as_bytes(), data, signature);
    Verified::from_i32(answer).unwrap_or(Verified::No)
}

/// The imports of the wasm module, behind safe functions.
#[cfg(target_family = "wasm")]
pub(crate) mod calls {
    mod raw {
        #[link(wasm_import_module = "rimward")]
        unsafe extern "C" {
            pub(crate) safe fn now_ms() -> f64;
            pub(crate) safe fn seed() -> i64;
            pub(super) fn log(text: *const u8, len: usize);
            pub(super) fn hash(algorithm: u32, data: *const u8, len: usize, out: *mut u8);
            pub(super) fn hmac(
                algorithm: u32,
                key: *const u8,
                key_len: usize,
                data: *const u8,
                len: usize,
                out: *mut u8,
            );
            pub(super) fn kv_get(key: *const u8, len: usize) -> i32;
            pub(super) fn kv_read(out: *mut u8);
            pub(super) fn kv_meta(out: *mut u8) -> i32;
            pub(super) fn find(what: u32, name: *const u8, len: usize) -> i32;
            pub(super) fn verify(
                algorithm: u32,
                key: *const u8,
                key_len: usize,
                data: *const u8,
                len: usize,
                signature: *const u8,
                signature_len: usize,
            ) -> i32;
            pub(super) fn panic(text: *const u8, len: usize);
            pub(crate) safe fn out_of_memory(len: usize);
        }
    }
    pub(crate) use raw::{now_ms, out_of_memory, seed};

    pub(crate) fn log(text: &[u8]) {
        // SAFETY: the host reads `len` bytes from `text` during the call, and both come from one slice.
        unsafe { raw::log(text.as_ptr(), text.len()) }
    }

    pub(crate) fn panic(text: &[u8]) {
        // SAFETY: as in `log`.
        unsafe { raw::panic(text.as_ptr(), text.len()) }
    }

    pub(crate) fn hash(algorithm: u32, data: &[u8], out: &mut [u8; 32]) {
        // SAFETY: as in `log`; the host writes at most 32 bytes, the longest digest, to `out`.
        unsafe { raw::hash(algorithm, data.as_ptr(), data.len(), out.as_mut_ptr()) }
    }

    pub(crate) fn hmac(algorithm: u32, key: &[u8], data: &[u8], out: &mut [u8; 32]) {
        // SAFETY: as in `hash`.
        unsafe { raw::hmac(algorithm, key.as_ptr(), key.len(), data.as_ptr(), data.len(), out.as_mut_ptr()) }
    }

    pub(crate) fn kv_get(key: &[u8]) -> i32 {
        // SAFETY: as in `log`.
        unsafe { raw::kv_get(key.as_ptr(), key.len()) }
    }

    pub(crate) fn kv_read(out: &mut [u8]) {
        // SAFETY: the host writes the value whose length `kv_get` or `find` returned, and `out` has that length (`super::kv_read`).
        unsafe { raw::kv_read(out.as_mut_ptr()) }
    }

    pub(crate) fn verify(algorithm: u32, key: &[u8], data: &[u8], signature: &[u8]) -> i32 {
        let (key, data, signature) = ((key.as_ptr(), key.len()), (data.as_ptr(), data.len()), signature);
        // SAFETY: as in `log`.
        unsafe { raw::verify(algorithm, key.0, key.1, data.0, data.1, signature.as_ptr(), signature.len()) }
    }

    pub(crate) fn find(what: u32, name: &[u8]) -> i32 {
        // SAFETY: as in `log`.
        unsafe { raw::find(what, name.as_ptr(), name.len()) }
    }

    pub(crate) fn kv_meta(out: &mut [u8; super::KV_META_SIZE]) -> i32 {
        // SAFETY: the host writes at most `KV_META_SIZE` bytes.
        unsafe { raw::kv_meta(out.as_mut_ptr()) }
    }
}
