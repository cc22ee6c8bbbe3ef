//! What all functions of one node share: engine, tick, folders, and the number of instances.

mod reaper;

pub(crate) use reaper::Reaper;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rimward_types::{Clock, Entropy};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::code::{CodeCache, Compiler};
use crate::engine::Ticker;
use crate::environment::Ids;
use crate::function::{Lifetime, WeakFunction};
use crate::host::Host;
use crate::scratch::Scratch;

/// The shared part of a sandbox.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Host>,
    pub(crate) ticker: Ticker,
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) code: Option<CodeCache>,
    pub(crate) compiler: Option<Compiler>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) ids: Ids,
    pub(crate) region: String,
    pub(crate) init_timeout: Duration,
    pub(crate) pooling: bool,
    pub(crate) instances: Arc<Instances>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) lifetime: Lifetime,
    pub(crate) _reaper: Reaper,
    /// One component is compiled at a time: it takes all cores as it is.
    pub(crate) compiling: tokio::sync::Mutex<()>,
}

/// The published functions.
pub(crate) type Functions = Mutex<Vec<WeakFunction>>;

/// How many instances there are and may be.
pub(crate) struct Instances {
    live: AtomicUsize,
    limit: usize,
}

/// The right to one instance.
pub(crate) struct Slot(Arc<Instances>);

impl Instances {
    pub(crate) fn new(limit: usize) -> Self {
        Self { live: AtomicUsize::new(0), limit }
    }
}

impl Node {
    /// A new invocation's id.
    pub(crate) fn invocation_id(&self) -> String {
        self.ids.next(&*self.entropy)
    }

    /// How many instances there may be.
    pub(crate) fn instances(&self) -> usize {
        self.instances.limit
    }

    /// How many there are.
    pub(crate) fn live(&self) -> usize {
        self.instances.live.load(Ordering::Relaxed)
    }

    /// The right to one more instance. When all are taken, those that wait for work make room.
    pub(crate) fn slot(&self) -> Option<Slot> {
        if let Some(slot) = self.take() {
            return Some(slot);
        }
        let idle = self.functions.lock().iter().filter_map(WeakFunction::upgrade).find_map(|f| f.give_up_idle());
        drop(idle?);
        self.take()
    }

    fn take(&self) -> Option<Slot> {
        let more = |live: usize| (live < self.instances.limit).then_some(live + 1);
        self.instances.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Slot(self.instances.clone()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}
