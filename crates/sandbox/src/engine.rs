//! The engine that all functions share: how components are compiled, where instances get their memory, and the tick.

mod ticker;

pub(crate) use ticker::Ticker;

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Core instances that one component may be made of; Python needs about 150.
pub(crate) const CORE_INSTANCES: u32 = 200;
/// Linear memories of one component.
pub(crate) const MEMORIES: u32 = 20;
/// Tables of one component.
pub(crate) const TABLES: u32 = 100;
/// Elements of all tables of one instance; JavaScript and Python runtimes need about 20,000.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;
/// A 32-bit memory ends here.
const MAX_MEMORY: usize = 4 << 30;
/// Stack of WebAssembly code; recursion past it traps.
const WASM_STACK: usize = 1 << 20;
/// Stack of one call, host functions included.
const CALL_STACK: usize = 2 << 20;

/// The engine and whether instances come from a pool.
pub(crate) struct Built {
    pub(crate) engine: Engine,
    pub(crate) pooling: bool,
}

/// Makes the engine. Instances come from a pool that reserves address space for `instances` of them; where the system
/// does not give so much (a small `ulimit -v`, a 39-bit kernel), each instance gets its own mapping.
pub(crate) fn build(instances: u32) -> wasmtime::Result<Built> {
    match Engine::new(config().allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)))) {
        Ok(engine) => Ok(Built { engine, pooling: true }),
        Err(error) => {
            tracing::warn!(%error, instances, "no address space for a pool of instances; they are allocated on demand");
            let mut config = config();
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Ok(Built { engine: Engine::new(&config)?, pooling: false })
        }
    }
}

/// An engine that compiles for the others and runs nothing. A pool of instances makes no difference to the code.
pub(crate) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK);
    config.async_stack_size(CALL_STACK);
    config
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(20).max(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(2).max(MEMORIES))
        .total_tables(instances.saturating_mul(8).max(TABLES))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(MAX_MEMORY)
        .table_elements(TABLE_ELEMENTS)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .max_unused_warm_slots(100);
    pool
}

/// A digest of everything that compiled code depends on: wasmtime's version, its settings, the machine's features.
pub(crate) fn compatibility(engine: &Engine) -> [u8; 32] {
    struct Sink(Sha256);
    impl Hasher for Sink {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sink = Sink(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sink);
    sink.0.finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_compiled_elsewhere_is_what_a_node_runs() {
        assert_eq!(compatibility(&compiling().unwrap()), compatibility(&build(1).unwrap().engine));
    }
}
