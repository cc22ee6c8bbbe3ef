//! How wasmtime is configured for the guest.

use crate::mapping::Creator;
use std::sync::Arc;
use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails};

/// Stack of native code in bytes. The guest's own stack ends first; a quarter of a worker thread's is left alone.
const STACK: usize = 512 << 10;

/// An engine. A metered one counts fuel, which makes code about 40 % slower.
pub(crate) fn engine(memories: Creator, metered: bool) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::Speed);
    // Checks at loops and calls, for 6 to 8 % of the time: the only thing that stops a built-in.
    config.epoch_interruption(true);
    config.consume_fuel(metered);
    config.max_wasm_stack(STACK);
    config.with_host_memory(Arc::new(memories));
    config.memory_may_move(false);
    // The module has no data section.
    config.memory_init_cow(false);
    // Instances are made rarely and called often: fill the table at once and spare each indirect call a check.
    config.table_lazy_init(false);
    // A trap's message is enough; addresses in the guest mean nothing to who wrote the JavaScript.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.wasm_backtrace_max_frames(None);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    Engine::new(&config)
}
