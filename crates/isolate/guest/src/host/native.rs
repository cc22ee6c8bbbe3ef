//! A host for native builds: what it answers is set by [`set`], what it is told is read with [`take_logs`].

use std::{cell::RefCell, collections::BTreeMap};

/// Digest function of a test host: algorithm, key if any, data.
pub type Digest = fn(u32, Option<&[u8]>, &[u8]) -> Vec<u8>;

/// Verifies signatures for a test host: algorithm, key, data, signature.
pub type Verify = fn(u32, &[u8], &[u8], &[u8]) -> i32;

/// What the host answers.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The clock in milliseconds since 1970.
    pub now_ms: f64,
    /// Randomness.
    pub seed: u64,
    /// The store.
    pub store: Option<BTreeMap<String, Vec<u8>>>,
    /// Computes digests.
    pub digest: Digest,
    /// What [`super::find`] finds, by kind and name.
    pub found: BTreeMap<(u32, String), Vec<u8>>,
    /// Verifies signatures.
    pub verify: Verify,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            now_ms: 0.0,
            seed: 1,
            store: None,
            digest: |_, _, _| vec![0; 32],
            found: BTreeMap::new(),
            verify: |_, _, _, _| 0,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    answers: Answers,
    found: Vec<u8>,
    logs: Vec<String>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Sets the answers for this thread.
pub fn set(answers: Answers) {
    STATE.with_borrow_mut(|s| s.answers = answers);
}

/// Log lines since the last call.
pub fn take_logs() -> Vec<String> {
    STATE.with_borrow_mut(|s| std::mem::take(&mut s.logs))
}

pub(crate) fn now_ms() -> f64 {
    STATE.with_borrow(|s| s.answers.now_ms)
}

pub(crate) fn seed() -> i64 {
    STATE.with_borrow(|s| s.answers.seed as i64)
}

pub(crate) fn log(text: &[u8]) {
    STATE.with_borrow_mut(|s| s.logs.push(String::from_utf8_lossy(text).into_owned()));
}

pub(crate) fn hash(algorithm: u32, data: &[u8], out: &mut [u8; 32]) {
    let digest = STATE.with_borrow(|s| (s.answers.digest)(algorithm, None, data));
    out[..digest.len()].copy_from_slice(&digest);
}

pub(crate) fn hmac(algorithm: u32, key: &[u8], data: &[u8], out: &mut [u8; 32]) {
    let digest = STATE.with_borrow(|s| (s.answers.digest)(algorithm, Some(key), data));
    out[..digest.len()].copy_from_slice(&digest);
}

pub(crate) fn kv_get(key: &[u8]) -> i32 {
    STATE.with_borrow_mut(|s| {
        let Some(store) = &s.answers.store else { return super::KV_NO_STORE };
        let Some(value) = std::str::from_utf8(key).ok().and_then(|k| store.get(k)) else { return super::KV_MISSING };
        s.found.clone_from(value);
        value.len() as i32
    })
}

pub(crate) fn verify(algorithm: u32, key: &[u8], data: &[u8], signature: &[u8]) -> i32 {
    STATE.with_borrow(|s| (s.answers.verify)(algorithm, key, data, signature))
}

pub(crate) fn find(what: u32, name: &[u8]) -> i32 {
    STATE.with_borrow_mut(|s| {
        let key = (what, String::from_utf8_lossy(name).into_owned());
        let Some(value) = s.answers.found.get(&key) else { return super::KV_MISSING };
        s.found.clone_from(value);
        value.len() as i32
    })
}

pub(crate) fn kv_read(out: &mut [u8]) {
    STATE.with_borrow(|s| out.copy_from_slice(&s.found));
}

pub(crate) fn kv_meta(out: &mut [u8; super::KV_META_SIZE]) -> i32 {
    STATE.with_borrow(|s| {
        let Some(store) = &s.answers.store else { return super::KV_NO_STORE };
        out[..8].copy_from_slice(&1_700_000_000_000f64.to_le_bytes());
        out[8..16].copy_from_slice(&1_700_000_123_456f64.to_le_bytes());
        out[16..].copy_from_slice(&(store.len() as u64).to_le_bytes());
        0
    })
}
