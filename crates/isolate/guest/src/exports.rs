//! The exports of the wasm module (`rimward_wire::abi`).

use std::cell::UnsafeCell;

use rimward_wire::abi::{CONNECTION, DEFER, EVENT_BUFFER_SIZE, NO_STORE, Place, RUNTIME_1};

use crate::{
    alloc,
    engine::{Engine, Entry, Runtime, Terms, TopLevel},
    host::calls,
};

/// Room for a usual reply: longer ones grow it.
const REPLY_SIZE: usize = 32 << 10;

struct Guest {
    engine: Option<Engine>,
    event: [u8; EVENT_BUFFER_SIZE],
    large: Vec<u8>,
    reply: Vec<u8>,
}

struct Shared(UnsafeCell<Guest>);
// SAFETY: the module is built without threads, and the host calls one export at a time.
unsafe impl Sync for Shared {}

static GUEST: Shared = Shared(UnsafeCell::new(Guest {
    engine: None,
    event: [0; EVENT_BUFFER_SIZE],
    large: Vec::new(),
    reply: Vec::new(),
}));

fn guest() -> &'static mut Guest {
    // SAFETY: each export takes the reference once, and no import calls back into an export.
    unsafe { &mut *GUEST.0.get() }
}

fn place(bytes: &[u8]) -> i64 {
    Place { ptr: bytes.as_ptr() as u32, len: bytes.len() as u32 }.to_i64()
}

/// The bytes of a message that the host wrote.
fn message(ptr: *const u8, len: usize) -> &'static [u8] {
    // SAFETY: the host wrote `len` bytes at an address that `event_buffer` or `reserve` gave it; nothing changes them during the call.
    unsafe { core::slice::from_raw_parts(ptr, len) }
}

#[unsafe(no_mangle)]
extern "C" fn boot() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        // A size beyond the address space is refused before the allocator is asked.
        if text.ends_with("capacity overflow") {
            alloc::refuse(usize::MAX);
        }
        calls::panic(text.as_bytes());
    }));
    let guest = guest();
    guest.reply.reserve(REPLY_SIZE);
    guest.engine = match Engine::new() {
        Ok(engine) => Some(engine),
        Err(error) => panic!("{error}"),
    };
    alloc::begin_anew();
}

#[unsafe(no_mangle)]
extern "C" fn event_buffer() -> *const u8 {
    guest().event.as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn reserve(len: usize) -> *const u8 {
    let guest = guest();
    guest.large.clear();
    guest.large.reserve(len);
    guest.large.as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn load(ptr: *const u8, len: usize, flags: u32) -> u32 {
    let Guest { engine: Some(engine), reply, .. } = guest() else { core::arch::wasm32::unreachable() };
    reply.clear();
    let runtime = if flags & RUNTIME_1 != 0 { Runtime::V1 } else { Runtime::V2 };
    let top_level = if flags & DEFER != 0 { TopLevel::Deferred } else { TopLevel::Now };
    let entry = if flags & CONNECTION != 0 { Entry::ConnectionHandler } else { Entry::Handler };
    let terms = Terms { runtime, top_level, store: flags & NO_STORE == 0, entry };
    engine.load(message(ptr, len), terms, reply) as u32
}

#[unsafe(no_mangle)]
extern "C" fn seal(heap_extra: usize) {
    if let Some(engine) = &mut guest().engine {
        engine.settle();
    }
    alloc::seal(heap_extra);
}

#[unsafe(no_mangle)]
extern "C" fn handle(ptr: *const u8, len: usize) -> i64 {
    let Guest { engine: Some(engine), reply, .. } = guest() else { core::arch::wasm32::unreachable() };
    reply.clear();
    engine.handle(message(ptr, len), reply);
    place(reply)
}

#[unsafe(no_mangle)]
extern "C" fn reply() -> i64 {
    place(&guest().reply)
}

#[unsafe(no_mangle)]
extern "C" fn brk() -> usize {
    alloc::brk()
}

#[unsafe(no_mangle)]
extern "C" fn heap_used() -> usize {
    alloc::used()
}

/// The engine and the hash tables ask for randomness at boot: fixed, because the image is the same for all.
/// `Math.random` takes the host's seed in each invocation (`globals`).
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(out: *mut u8, len: usize) -> Result<(), getrandom::Error> {
    // SAFETY: the caller gives `len` bytes at `out`.
    unsafe { core::ptr::write_bytes(out, 0x5a, len) };
    Ok(())
}
