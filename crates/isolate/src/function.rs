//! A published function.

use crate::bindings::Bindings;
use crate::cost::Cost;
use crate::failure::Failure;
use crate::guest::Terms;
use crate::isolates::Tier;
use crate::log::Log;
use crate::mapping::PAGE;
use crate::publish::Published;
use crate::slot::Job;
use crate::slots;
use crate::snapshot::Snapshot;
use crate::source::{Limits, Source};
use rimward_kv::Store;
use rimward_types::Timestamp;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// How much longer a measured run may take: counting makes code slower.
const MEASURED_TIME: u32 = 2;

/// A function, ready to run on any thread.
pub struct Function {
    name: Arc<str>,
    snapshot: Arc<Snapshot>,
    limits: Limits,
    kv: Option<Arc<Store>>,
    bindings: Arc<Bindings>,
    deferred: bool,
    /// The top level ran once, and what it logged then is logged by each invocation (`cloudfront-functions.md` section 8).
    top_level_log: Log,
    tier: Arc<Tier>,
}

/// The outside of one run: what makes two runs of one event differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invocation {
    /// Start of the invocation; the function's clock stands still there (`cloudfront-functions.md` section 10.4).
    pub now: Timestamp,
    /// Randomness.
    pub seed: u64,
    /// The node's address that the viewer connected to: `cf.edgeLocation.serverIp`.
    pub server: Option<IpAddr>,
    /// Measures exactly, in an engine of its own that takes seconds to compile when the cache does not have it.
    pub count_fuel: bool,
}

/// What came of a run.
#[derive(Debug)]
#[must_use]
pub struct Run<R> {
    /// What the reader made of the reply (`rimward_wire::reply::Reply`), or why there is none.
    pub result: Result<R, Failure>,
    /// Lines of `console.log`, 10 KB at most.
    pub logs: Vec<String>,
    /// What it cost.
    pub cost: Cost,
}

/// What a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Pages of its snapshot, those shared with other functions included.
    pub pages: usize,
    /// Their size in bytes.
    pub bytes: usize,
    /// Whether its top level runs in every invocation, because it asks for time, randomness or the store.
    pub top_level_per_run: bool,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .field("footprint", &self.footprint())
            .finish_non_exhaustive()
    }
}

impl Function {
    pub(crate) fn new(source: &Source<'_>, published: Published, tier: Arc<Tier>) -> Self {
        let Published { snapshot, deferred, logs } = published;
        Self {
            name: source.name.clone(),
            snapshot,
            top_level_log: Log::of(&logs),
            limits: source.limits,
            kv: source.kv.clone(),
            bindings: source.bindings.clone(),
            deferred,
            tier,
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it takes.
    pub fn footprint(&self) -> Footprint {
        let pages = self.snapshot.pages().len();
        Footprint { pages, bytes: pages * PAGE, top_level_per_run: self.deferred }
    }

    /// Runs `event` ([`rimward_wire::event::Event`]) on the calling thread, with fresh state, and hands the reply to `read`.
    /// Returns within the time limit, give or take a tick, and the thread's slot is as new.
    pub fn run<R>(&self, event: &[u8], invocation: Invocation, read: impl FnOnce(&[u8]) -> R) -> Run<R> {
        let measured = invocation.count_fuel;
        let taken =
            self.tier.machine(measured).and_then(|machine| slots::take(&self.tier, machine, &self.snapshot, measured));
        let mut taken = match taken {
            Ok(taken) => taken,
            Err(message) => {
                return Run { result: Err(Failure::NoSlot { message }), logs: Vec::new(), cost: Cost::default() };
            }
        };
        let time = if measured { self.limits.time * MEASURED_TIME } else { self.limits.time };
        let terms = Terms {
            time,
            now: invocation.now,
            seed: invocation.seed,
            kv: self.kv.as_deref().map(Store::snapshot),
            bindings: self.bindings.clone(),
            server: invocation.server,
            log: self.top_level_log.clone(),
        };
        let job = Job { event, terms, limits: self.limits, measured };
        let (run, condition) = taken.slot.run(job, &taken.activity, read);
        slots::put(&self.tier, taken, condition, measured);
        run
    }
}
