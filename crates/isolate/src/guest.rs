//! One instance of the guest and its exports ([`rimward_wire::abi`]).

use crate::bindings::Bindings;
use crate::budget::{Budget, Counting, Verdict};
use crate::cost::KvReads;
use crate::failure::Failure;
use crate::host::{State, Stop};
use crate::log::Log;
use rimward_kv::Snapshot;
use rimward_types::Timestamp;
use rimward_wire::abi::{self, Loaded, Place, export};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{
    AsContext, Global, InstancePre, Memory, Store, Trap, TypedFunc, UpdateDeadline, Val, WasmParams, WasmResults,
};

/// Bytes that a reply may have: a head and a body of 40 KB, with room for what escaping and many names add.
pub(crate) const REPLY_LIMIT: usize = 256 << 10;

/// Ticks that making an instance may take: never too few. It runs no code of the guest's own.
const INSTANTIATION: u64 = 1 << 40;

/// What a run may use.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Time limit.
    pub(crate) time: Duration,
    /// The frozen clock.
    pub(crate) now: Timestamp,
    /// Randomness.
    pub(crate) seed: u64,
    /// Store that may be read.
    pub(crate) kv: Option<Snapshot>,
    /// What else may be read.
    pub(crate) bindings: Arc<Bindings>,
    /// The node's address, where it is known.
    pub(crate) server: Option<IpAddr>,
    /// What its log begins with.
    pub(crate) log: Log,
}

/// An instance.
pub(crate) struct Guest {
    store: Store<State>,
    memory: Memory,
    globals: Vec<Global>,
    /// Place of the stack pointer among the globals, and its value when no call is active.
    stack: Option<(usize, u32)>,
    metered: bool,
    boot: TypedFunc<(), ()>,
    event_buffer: TypedFunc<(), u32>,
    reserve: TypedFunc<u32, u32>,
    load: TypedFunc<(u32, u32, u32), u32>,
    seal: TypedFunc<u32, ()>,
    handle: TypedFunc<(u32, u32), i64>,
    reply: TypedFunc<(), i64>,
    brk: TypedFunc<(), u32>,
}

impl Guest {
    /// Makes an instance. No code of the guest runs yet.
    pub(crate) fn try_new(pre: &InstancePre<State>, globals: &[String], metered: bool) -> wasmtime::Result<Self> {
        let mut store = Store::new(pre.module().engine(), State::new());
        if metered {
            store.set_fuel(u64::MAX)?;
        }
        store.epoch_deadline_callback(|mut context| {
            Ok(match context.data_mut().budget.verdict() {
                Verdict::Continue => UpdateDeadline::Continue(1),
                Verdict::Spent => UpdateDeadline::Interrupt,
            })
        });
        // Filling the table is compiled code, which looks at the epoch.
        store.set_epoch_deadline(INSTANTIATION);
        let instance = pre.instantiate(&mut store)?;
        let missing = |name: &str| wasmtime::Error::msg(format!("the guest does not export {name}"));
        let memory = instance.get_memory(&mut store, export::MEMORY).ok_or_else(|| missing(export::MEMORY))?;
        store.data_mut().memory = Some(memory);
        let stack = globals.iter().position(|name| name == export::STACK_POINTER);
        let found: Option<Vec<_>> = globals.iter().map(|name| instance.get_global(&mut store, name)).collect();
        let globals = found.ok_or_else(|| missing("a global"))?;
        let mut guest = Self {
            boot: instance.get_typed_func(&mut store, export::BOOT)?,
            event_buffer: instance.get_typed_func(&mut store, export::EVENT_BUFFER)?,
            reserve: instance.get_typed_func(&mut store, export::RESERVE)?,
            load: instance.get_typed_func(&mut store, export::LOAD)?,
            seal: instance.get_typed_func(&mut store, export::SEAL)?,
            handle: instance.get_typed_func(&mut store, export::HANDLE)?,
            reply: instance.get_typed_func(&mut store, export::REPLY)?,
            brk: instance.get_typed_func(&mut store, export::BRK)?,
            store,
            memory,
            globals,
            stack: None,
            metered,
        };
        guest.stack = stack.map(|n| (n, guest.global(n) as u32));
        Ok(guest)
    }

    /// Begins a run on these terms.
    pub(crate) fn begin(&mut self, terms: Terms, counting: Counting) {
        let budget = Budget::start(terms.time, counting);
        self.store.set_epoch_deadline(1);
        let state = self.store.data_mut();
        state.budget = budget;
        state.now = terms.now;
        state.seed = terms.seed;
        state.kv = terms.kv;
        state.bindings = Some(terms.bindings);
        state.server = terms.server;
        state.log = terms.log;
        if self.metered {
            // Cannot fail: the engine of a metered guest counts fuel.
            let _ = self.store.set_fuel(u64::MAX);
        }
    }

    /// Time that the run used.
    pub(crate) fn used(&self) -> Duration {
        self.store.data().budget.used()
    }

    /// From when on the next run should be counted, after one that took `time`.
    pub(crate) fn counting_after(&self, time: Duration) -> Counting {
        if self.store.data().budget.is_slow(time) { Counting::Begin } else { Counting::FirstLook }
    }

    /// Instructions that the run used, of a metered guest.
    pub(crate) fn fuel(&self) -> Option<u64> {
        if self.metered { self.store.get_fuel().ok().map(|left| u64::MAX - left) } else { None }
    }

    /// What the run read of its store so far.
    pub(crate) fn kv_reads(&self) -> KvReads {
        self.store.data().kv_reads
    }

    /// Ends the run and gives its log lines.
    pub(crate) fn end(&mut self) -> Vec<String> {
        let state = self.store.data_mut();
        state.clear();
        state.log.take()
    }

    /// The memory.
    pub(crate) fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// The memory.
    pub(crate) fn memory_mut(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    fn global(&mut self, n: usize) -> i32 {
        // All listed globals are `i32` (`guest_image.rs`).
        self.globals.get(n).and_then(|global| global.get(&mut self.store).i32()).unwrap_or_default()
    }

    /// Values of the mutable globals.
    pub(crate) fn globals(&mut self) -> Box<[i32]> {
        (0..self.globals.len()).map(|n| self.global(n)).collect()
    }

    /// Sets the mutable globals back.
    pub(crate) fn set_globals(&mut self, values: &[i32]) {
        for (global, value) in self.globals.iter().zip(values) {
            // Cannot fail: the global is mutable and an `i32`.
            let _ = global.set(&mut self.store, Val::I32(*value));
        }
    }

    /// Creates the engine.
    pub(crate) fn boot(&mut self) -> Result<(), Failure> {
        let boot = self.boot.clone();
        self.call(&boot, ())
    }

    /// Where messages go.
    pub(crate) fn event_buffer(&mut self) -> Result<u32, Failure> {
        let event_buffer = self.event_buffer.clone();
        self.call(&event_buffer, ())
    }

    /// End of the used part of the memory.
    pub(crate) fn brk(&mut self) -> Result<u32, Failure> {
        let brk = self.brk.clone();
        self.call(&brk, ())
    }

    /// Ends the preparation.
    pub(crate) fn seal(&mut self, heap_extra: u32) -> Result<(), Failure> {
        let seal = self.seal.clone();
        self.call(&seal, heap_extra)
    }

    /// Loads a source.
    pub(crate) fn load(&mut self, event_buffer: u32, code: &[u8], flags: u32) -> Result<Loaded, Failure> {
        let ptr = self.write(event_buffer, code)?;
        let load = self.load.clone();
        let status = self.call(&load, (ptr, code.len() as u32, flags))?;
        Loaded::from_u32(status).ok_or_else(|| lied("load", "a status that means nothing"))
    }

    /// Runs one event.
    pub(crate) fn handle(&mut self, event_buffer: u32, event: &[u8]) -> Result<Place, Failure> {
        let ptr = self.write(event_buffer, event)?;
        let handle = self.handle.clone();
        self.call(&handle, (ptr, event.len() as u32)).map(Place::from_i64)
    }

    /// Place of the last reply.
    pub(crate) fn last_reply(&mut self) -> Result<Place, Failure> {
        let reply = self.reply.clone();
        self.call(&reply, ()).map(Place::from_i64)
    }

    /// The reply's bytes.
    pub(crate) fn reply(&self, place: Place) -> Result<&[u8], Failure> {
        let size = place.len as usize;
        if size > REPLY_LIMIT {
            return Err(Failure::Reply { size, limit: REPLY_LIMIT });
        }
        let start = place.ptr as usize;
        self.memory()
            .get(start..start.saturating_add(size))
            .ok_or_else(|| lied("handle", "a place outside of its memory"))
    }

    /// Writes a message into the buffer, or into room that the guest makes for it.
    fn write(&mut self, event_buffer: u32, message: &[u8]) -> Result<u32, Failure> {
        let ptr = if message.len() <= abi::EVENT_BUFFER_SIZE {
            event_buffer
        } else {
            // Longer than a 32-bit memory is longer than any memory.
            let len = u32::try_from(message.len()).map_err(|_| lied("reserve", "no room"))?;
            let reserve = self.reserve.clone();
            self.call(&reserve, len)?
        };
        let start = ptr as usize;
        let room = self.memory_mut().get_mut(start..start.saturating_add(message.len()));
        room.ok_or_else(|| lied("reserve", "a place outside of its memory"))?.copy_from_slice(message);
        Ok(ptr)
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, function: &TypedFunc<P, R>, arguments: P) -> Result<R, Failure> {
        function.call(&mut self.store, arguments).map_err(|error| self.failure(&error))
    }

    /// The stack when no call is active: it lies at the bottom of the memory.
    pub(crate) fn unused_stack(&self) -> Range<usize> {
        0..self.stack.map_or(0, |(_, top)| top as usize)
    }

    /// Says why a call ended.
    fn failure(&mut self, error: &wasmtime::Error) -> Failure {
        let limit = self.store.as_context().data().budget.limit();
        match error.downcast_ref::<Stop>() {
            Some(Stop::OutOfMemory) => return Failure::Memory { limit: 0 },
            Some(Stop::Time) => return Failure::Time { limit },
            Some(stop @ (Stop::Panic(_) | Stop::Arguments(_))) => return Failure::Trap { message: stop.to_string() },
            None => {}
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt | Trap::OutOfFuel) => Failure::Time { limit },
            Some(Trap::StackOverflow) => Failure::Stack,
            Some(Trap::MemoryOutOfBounds) if self.stack_overflowed() => Failure::Stack,
            Some(trap) => Failure::Trap { message: trap.to_string() },
            None => Failure::Trap { message: error.to_string() },
        }
    }

    /// Whether the guest's stack pointer passed the end of its stack. The stack lies at the bottom of the memory, so that it then
    /// wraps around and every use of it is out of bounds.
    fn stack_overflowed(&mut self) -> bool {
        self.stack.is_some_and(|(n, top)| self.global(n) as u32 > top)
    }
}

fn lied(call: &str, what: &str) -> Failure {
    Failure::Trap { message: format!("`{call}` gave {what}") }
}
