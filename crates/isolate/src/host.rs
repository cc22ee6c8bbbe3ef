//! What the guest may call. Every address and length that it gives is checked.

use crate::bindings::Bindings;
use crate::budget::{Budget, Counting, Verdict};
use crate::cost::KvReads;
use crate::log::Log;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rimward_kv::Snapshot;
use rimward_types::Timestamp;
use rimward_wire::abi::{self, Find, Hash, Signature, Verified, import};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Caller, Linker, Memory};

/// Bytes that are hashed between two looks at the time limit: about 0.1 ms.
const CHUNK: usize = 64 << 10;
/// Bytes whose signature may be verified: a token is far below, and the epoch cannot end a verification.
const SIGNED: usize = 64 << 10;
/// Bytes of a panic's text that are kept.
const PANIC: usize = 1 << 10;

/// One instance's side of the host.
#[derive(Debug)]
pub(crate) struct State {
    /// Set once the instance exists.
    pub(crate) memory: Option<Memory>,
    /// The current run's time.
    pub(crate) budget: Budget,
    /// The current run's frozen clock.
    pub(crate) now: Timestamp,
    /// The current run's randomness.
    pub(crate) seed: u64,
    /// The current run's lines.
    pub(crate) log: Log,
    /// The function's store, as it was when the run began.
    pub(crate) kv: Option<Snapshot>,
    /// What the run read of it.
    pub(crate) kv_reads: KvReads,
    /// What else the function may read.
    pub(crate) bindings: Option<Arc<Bindings>>,
    /// The node's address that the viewer connected to.
    pub(crate) server: Option<IpAddr>,
    /// What `kv_get` or `find` found last.
    found: Option<Arc<str>>,
}

impl State {
    /// Belongs to no run yet.
    pub(crate) fn new() -> Self {
        Self {
            memory: None,
            budget: Budget::start(Duration::ZERO, Counting::FirstLook),
            now: Timestamp::default(),
            seed: 0,
            log: Log::default(),
            kv: None,
            kv_reads: KvReads::default(),
            bindings: None,
            server: None,
            found: None,
        }
    }

    /// Lets go of what belonged to the run.
    pub(crate) fn clear(&mut self) {
        self.kv = None;
        self.kv_reads = KvReads::default();
        self.bindings = None;
        self.found = None;
        self.seed = 0;
    }
}

/// Why the host ended a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The guest's allocator had to refuse.
    #[error("an allocation was refused")]
    OutOfMemory,
    /// The guest panicked.
    #[error("panic: {0}")]
    Panic(String),
    /// The time limit was reached within a host function.
    #[error("the time limit was reached")]
    Time,
    /// The guest named a place outside of its memory, or a number that means nothing.
    #[error("wrong arguments for {0}")]
    Arguments(&'static str),
}

/// Links all imports of [`abi`].
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let module = abi::MODULE;
    linker.func_wrap(module, import::NOW_MS, |caller: Caller<'_, State>| caller.data().now.as_millis() as f64)?;
    linker.func_wrap(module, import::SEED, |caller: Caller<'_, State>| caller.data().seed)?;
    linker.func_wrap(
        module,
        import::LOG,
        |mut caller: Caller<'_, State>, ptr: u32, len: u32| -> wasmtime::Result<()> {
            let (memory, state) = split(&mut caller, import::LOG)?;
            state.log.add(slice(memory, ptr, len, import::LOG)?);
            Ok(())
        },
    )?;
    linker.func_wrap(module, import::HASH, hash)?;
    linker.func_wrap(module, import::HMAC, hmac)?;
    linker.func_wrap(module, import::KV_GET, kv_get)?;
    linker.func_wrap(module, import::KV_READ, kv_read)?;
    linker.func_wrap(module, import::KV_META, kv_meta)?;
    linker.func_wrap(module, import::FIND, find)?;
    linker.func_wrap(module, import::VERIFY, verify)?;
    linker.func_wrap(module, import::PANIC, panic)?;
    linker.func_wrap(module, import::OUT_OF_MEMORY, |_: Caller<'_, State>, _len: u32| -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Stop::OutOfMemory))
    })?;
    Ok(())
}

/// A length for which not even an address exists is refused by a panic of Rust's library, not by the allocator.
const TOO_LONG: &str = "capacity overflow";

fn panic(mut caller: Caller<'_, State>, ptr: u32, len: u32) -> wasmtime::Result<()> {
    let (memory, _) = split(&mut caller, import::PANIC)?;
    let text = slice(memory, ptr, len, import::PANIC)?;
    let text = String::from_utf8_lossy(&text[..text.len().min(PANIC)]);
    let stop = if text.ends_with(TOO_LONG) { Stop::OutOfMemory } else { Stop::Panic(text.into_owned()) };
    Err(wasmtime::Error::new(stop))
}

fn hash(mut caller: Caller<'_, State>, algorithm: u32, data: u32, len: u32, out: u32) -> wasmtime::Result<()> {
    let (memory, state) = split(&mut caller, import::HASH)?;
    let data = slice(memory, data, len, import::HASH)?;
    let budget = &mut state.budget;
    let digest = match algorithm_of(algorithm, import::HASH)? {
        Hash::Md5 => Digested::of(&digest::<Md5>(data, budget)?),
        Hash::Sha1 => Digested::of(&digest::<Sha1>(data, budget)?),
        Hash::Sha256 => Digested::of(&digest::<Sha256>(data, budget)?),
    };
    digest.write(memory, out, import::HASH)
}

#[allow(clippy::too_many_arguments)] // the guest's calling convention
fn hmac(
    mut caller: Caller<'_, State>,
    algorithm: u32,
    key: u32,
    key_len: u32,
    data: u32,
    len: u32,
    out: u32,
) -> wasmtime::Result<()> {
    let (memory, state) = split(&mut caller, import::HMAC)?;
    let key = slice(memory, key, key_len, import::HMAC)?;
    let data = slice(memory, data, len, import::HMAC)?;
    let budget = &mut state.budget;
    let digest = match algorithm_of(algorithm, import::HMAC)? {
        Hash::Md5 => Digested::of(&authenticate::<Hmac<Md5>>(key, data, budget)?),
        Hash::Sha1 => Digested::of(&authenticate::<Hmac<Sha1>>(key, data, budget)?),
        Hash::Sha256 => Digested::of(&authenticate::<Hmac<Sha256>>(key, data, budget)?),
    };
    digest.write(memory, out, import::HMAC)
}

fn kv_get(mut caller: Caller<'_, State>, key: u32, len: u32) -> wasmtime::Result<i32> {
    let (memory, state) = split(&mut caller, import::KV_GET)?;
    let key = slice(memory, key, len, import::KV_GET)?;
    let Some(store) = &state.kv else { return Ok(abi::KV_NO_STORE) };
    // A key that is not UTF-8 cannot be in the store.
    state.found = std::str::from_utf8(key).ok().and_then(|key| store.get(key));
    state.kv_reads.count(state.found.is_some());
    Ok(state.found.as_deref().map_or(abi::KV_MISSING, |value| value.len() as i32))
}

fn kv_read(mut caller: Caller<'_, State>, out: u32) -> wasmtime::Result<()> {
    let (memory, state) = split(&mut caller, import::KV_READ)?;
    let Some(value) = state.found.take() else { return Err(wrong(import::KV_READ)) };
    write(memory, out, value.as_bytes(), import::KV_READ)
}

fn kv_meta(mut caller: Caller<'_, State>, out: u32) -> wasmtime::Result<i32> {
    let (memory, state) = split(&mut caller, import::KV_META)?;
    let Some(store) = &state.kv else { return Ok(abi::KV_NO_STORE) };
    let meta = store.meta();
    state.kv_reads.count(true);
    let mut bytes = [0; abi::KV_META_SIZE];
    bytes[..8].copy_from_slice(&(meta.created.as_millis() as f64).to_le_bytes());
    bytes[8..16].copy_from_slice(&(meta.updated.as_millis() as f64).to_le_bytes());
    bytes[16..].copy_from_slice(&(meta.keys as u64).to_le_bytes());
    write(memory, out, &bytes, import::KV_META)?;
    Ok(0)
}

fn find(mut caller: Caller<'_, State>, what: u32, name: u32, len: u32) -> wasmtime::Result<i32> {
    let (memory, state) = split(&mut caller, import::FIND)?;
    let name = slice(memory, name, len, import::FIND)?;
    let what = Find::from_u32(what).ok_or_else(|| wrong(import::FIND))?;
    let bindings = state.bindings.as_deref();
    let found: Option<Arc<str>> = match (what, name) {
        (Find::Location, b"name") => bindings.map(|bindings| bindings.location.name.clone()),
        (Find::Location, b"region") => bindings.map(|bindings| bindings.location.region.clone()),
        (Find::Location, b"serverIp") => state.server.map(|address| address.to_string().into()),
        (Find::Location, _) => None,
        (Find::Environment, _) => bindings.map(|bindings| json_object(&bindings.environment).into()),
        (Find::Secret, name) => {
            let secret = |bindings: &Bindings| bindings.secrets.get(std::str::from_utf8(name).ok()?).cloned();
            bindings.and_then(secret).map(Into::into)
        }
    };
    state.found = found;
    Ok(state.found.as_deref().map_or(abi::KV_MISSING, |value| value.len() as i32))
}

fn json_object(pairs: &BTreeMap<String, String>) -> String {
    serde_json::to_string(pairs).unwrap_or_else(|_| "{}".to_owned())
}

#[allow(clippy::too_many_arguments)] // the guest's calling convention
fn verify(
    mut caller: Caller<'_, State>,
    algorithm: u32,
    key: u32,
    key_len: u32,
    data: u32,
    len: u32,
    signature: u32,
    signature_len: u32,
) -> wasmtime::Result<i32> {
    let (memory, state) = split(&mut caller, import::VERIFY)?;
    let key = slice(memory, key, key_len, import::VERIFY)?;
    let data = slice(memory, data, len, import::VERIFY)?;
    let signature = slice(memory, signature, signature_len, import::VERIFY)?;
    let algorithm = Signature::from_u32(algorithm).ok_or_else(|| wrong(import::VERIFY))?;
    if data.len() > SIGNED {
        return Err(wrong(import::VERIFY));
    }
    if state.budget.verdict() == Verdict::Spent {
        return Err(wasmtime::Error::new(Stop::Time));
    }
    let keys = state.bindings.as_ref().and_then(|bindings| bindings.keys.as_deref());
    Ok(keys.map_or(Verified::NoKeySet, |keys| keys.verify(algorithm, key, data, signature)) as i32)
}

/// The longest digest and how much of it counts.
struct Digested {
    bytes: [u8; 32],
    len: usize,
}

impl Digested {
    fn of(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        let len = digest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&digest[..len]);
        Self { bytes, len }
    }

    fn write(&self, memory: &mut [u8], out: u32, call: &'static str) -> wasmtime::Result<()> {
        write(memory, out, &self.bytes[..self.len], call)
    }
}

fn digest<D: Digest>(data: &[u8], budget: &mut Budget) -> wasmtime::Result<sha2::digest::Output<D>> {
    let mut digest = D::new();
    in_time(data, budget, |chunk| digest.update(chunk))?;
    Ok(digest.finalize())
}

fn authenticate<M: Mac + KeyInit>(
    key: &[u8],
    data: &[u8],
    budget: &mut Budget,
) -> wasmtime::Result<sha2::digest::Output<M>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|_| wrong(import::HMAC))?;
    in_time(data, budget, |chunk| mac.update(chunk))?;
    Ok(mac.finalize().into_bytes())
}

/// Hands out `data` in chunks for as long as there is time; the epoch cannot end a host function.
fn in_time(data: &[u8], budget: &mut Budget, mut take: impl FnMut(&[u8])) -> wasmtime::Result<()> {
    for chunk in data.chunks(CHUNK) {
        if data.len() > CHUNK && budget.verdict() == Verdict::Spent {
            return Err(wasmtime::Error::new(Stop::Time));
        }
        take(chunk);
    }
    Ok(())
}

fn split<'a>(caller: &'a mut Caller<'_, State>, call: &'static str) -> wasmtime::Result<(&'a mut [u8], &'a mut State)> {
    // Without a memory nothing is called yet: instantiation runs no code of the guest.
    let memory = caller.data().memory.ok_or_else(|| wrong(call))?;
    Ok(memory.data_and_store_mut(caller))
}

fn algorithm_of(number: u32, call: &'static str) -> wasmtime::Result<Hash> {
    Hash::from_u32(number).ok_or_else(|| wrong(call))
}

fn wrong(call: &'static str) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Arguments(call))
}

/// The range of a place in a 32-bit memory.
fn range(ptr: u32, len: usize) -> Range<usize> {
    ptr as usize..(ptr as usize).saturating_add(len)
}

fn slice<'a>(memory: &'a [u8], ptr: u32, len: u32, call: &'static str) -> wasmtime::Result<&'a [u8]> {
    memory.get(range(ptr, len as usize)).ok_or_else(|| wrong(call))
}

fn write(memory: &mut [u8], ptr: u32, bytes: &[u8], call: &'static str) -> wasmtime::Result<()> {
    memory.get_mut(range(ptr, bytes.len())).ok_or_else(|| wrong(call))?.copy_from_slice(bytes);
    Ok(())
}
