//! How the tier is started.

use std::path::PathBuf;
use std::time::Duration;

/// Options of the tier.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for compiled code; made when missing. Only files of our own user are loaded.
    pub code_cache: PathBuf,
    /// Functions that a thread keeps ready (default 8). The others pass through one of these slots, so that each of their runs copies
    /// what differs between two functions; those that run often get a slot of their own.
    pub slots_per_thread: usize,
    /// Processor time that compiling a function and running its top level may take (default 100 ms).
    pub publish_time: Duration,
    /// How memory is restored.
    pub restore: Restore,
    /// Compares the whole memory and the globals with the snapshot after every restoration, byte for byte, and panics on a
    /// difference. Costs milliseconds. On by default in builds with debug assertions, so in all tests, and where the environment has
    /// `RIMWARD_VERIFY_RESTORE`.
    pub verify: bool,
}

impl Options {
    /// The defaults, with compiled code kept in `code_cache`.
    pub fn new(code_cache: impl Into<PathBuf>) -> Self {
        Self {
            code_cache: code_cache.into(),
            slots_per_thread: 8,
            publish_time: Duration::from_millis(100),
            restore: Restore::Auto,
            verify: cfg!(debug_assertions) || std::env::var_os("RIMWARD_VERIFY_RESTORE").is_some(),
        }
    }
}

/// How memory is restored after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restore {
    /// The best that this kernel can do.
    #[default]
    Auto,
    /// As [`Restore::Scan`], and pages of the function that it does not write are left out (Linux 6.7 and newer, where `userfaultfd` is
    /// allowed).
    Watch,
    /// Written pages are found by `PAGEMAP_SCAN` (Linux 6.7 and newer).
    Scan,
    /// Written pages are read from `/proc/self/pagemap` (any Linux with `/proc`).
    Read,
    /// The mapping is discarded as a whole and the function's pages written again.
    Remap,
}

/// Why the tier did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The guest module is not what this version can run.
    #[error("guest module: {0}")]
    Guest(String),
    /// wasmtime refused.
    #[error("engine: {0:#}")]
    Engine(wasmtime::Error),
    /// The kernel refused memory.
    #[error("memory: {0}")]
    Memory(#[source] std::io::Error),
    /// The kernel refused a thread.
    #[error("ticker thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The way of restoring that was asked for does not work here.
    #[error("restoring by {0:?} does not work on this system")]
    Restore(Restore),
}
