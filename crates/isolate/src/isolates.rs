//! The tier: started once, shared by all threads.

use crate::code_cache::{CodeCache, CodeOrigin};
use crate::function::{Function, Invocation};
use crate::guest_image::GuestImage;
use crate::machine::{Ground, Machine};
use crate::mapping::Creator;
use crate::page_store::{PageStore, PageUse};
use crate::publish::{PublishError, Published, publish};
use crate::slot::{Condition, Slot};
use crate::snapshot::Snapshot;
use crate::source::{Entry, Limits, Runtime, Source};
use crate::start::{Options, Restore, StartError};
use crate::ticker::{Activity, Ticker};
use crate::written_pages::Finder;
use parking_lot::Mutex;
use rimward_types::Timestamp;
use rimward_wire::event::Event;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The guest module (`guest/`), built by `cargo xtask guest`.
const GUEST: &[u8] = include_bytes!("../guest.wasm");

/// What warms a thread up: touches the event, the reply and the engine in between.
const WARM_UP: &[u8] =
    b"function handler(event) { var r = event.request; r.headers['x'] = { value: r.uri + '/' }; return r; }";
/// Runs of it; the first ones make pages private and fill caches.
const WARM_UP_RUNS: usize = 3;
/// Its time limit: code that runs for the first time is slow.
const WARM_UP_TIME: Duration = Duration::from_millis(100);

/// The viewer tier. Cheap to clone.
#[derive(Clone)]
pub struct Isolates(Arc<Tier>);

/// What the handles share.
pub(crate) struct Tier {
    pub(crate) ground: Arc<Ground>,
    pub(crate) slots_per_thread: usize,
    production: Machine,
    /// Made by the first measured run.
    measuring: OnceLock<Result<Machine, String>>,
    guest: Cow<'static, [u8]>,
    cache: CodeCache,
    memories: Creator,
    publisher: Mutex<Publisher>,
    publish_time: Duration,
    pages: PageStore,
    /// Set when the guest is ours. Not a [`Function`], which would hold the tier that holds it.
    warm_up: OnceLock<Arc<Snapshot>>,
}

/// The slot in which sources are loaded, one after the other.
struct Publisher {
    slot: Option<Slot>,
    activity: Arc<Activity>,
}

impl fmt::Debug for Isolates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolates").field("code", self.code_origin()).field("pages", &self.page_use()).finish()
    }
}

impl Isolates {
    /// Compiles the guest (seconds) or loads it from the cache (some 20 ms), and boots it.
    ///
    /// # Errors
    /// When the engine, memory or a thread cannot be had.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        let isolates = Self::start_with(options, GUEST)?;
        let published =
            isolates.0.publish(&warm_up()).map_err(|error| StartError::Guest(format!("warm-up: {error}")))?;
        // Set once: the tier is new.
        let _ = isolates.0.warm_up.set(published.snapshot);
        Ok(isolates)
    }

    /// Starts with another guest; hostile ones, in tests.
    #[doc(hidden)]
    pub fn start_with(options: &Options, guest: impl Into<Cow<'static, [u8]>>) -> Result<Self, StartError> {
        let guest = guest.into();
        let unfit = |error: crate::guest_image::UnfitGuest| StartError::Guest(error.to_string());
        let parts = GuestImage::try_new(&guest).map_err(unfit)?;
        let finder = Finder::detect(options.restore).map_err(StartError::Restore)?;
        let ticker = Ticker::start().map_err(StartError::Thread)?;
        let cache = CodeCache::new(options.code_cache.clone());
        let memories = Creator::default();
        let production = Machine::try_new(&parts, &cache, &memories, &ticker, false)?;
        let ground = Ground::boot(&production, &parts, &memories, ticker, finder, options)?;
        let activity = ground.ticker.register();
        Ok(Self(Arc::new(Tier {
            ground: Arc::new(ground),
            slots_per_thread: options.slots_per_thread.max(1),
            production,
            measuring: OnceLock::new(),
            guest,
            cache,
            memories,
            publisher: Mutex::new(Publisher { slot: None, activity }),
            publish_time: options.publish_time,
            pages: PageStore::default(),
            warm_up: OnceLock::new(),
        })))
    }

    /// Compiles a source and runs its top level. Blocks for a millisecond or so; one source at a time.
    ///
    /// # Errors
    /// What is wrong with the source, for who wrote it.
    pub fn publish(&self, source: &Source<'_>) -> Result<Arc<Function>, PublishError> {
        let published = self.0.publish(source)?;
        self.0.ground.ticker.expect(source.limits.time);
        Ok(Arc::new(Function::new(source, published, self.0.clone())))
    }

    /// Prepares the calling thread, so that its first request finds warm caches and a slot. Takes about a millisecond.
    pub fn warm_thread(&self) {
        let Some(snapshot) = self.0.warm_up.get() else { return };
        let published = Published { snapshot: snapshot.clone(), deferred: false, logs: Vec::new() };
        let function = Function::new(&warm_up(), published, self.0.clone());
        let mut event = Vec::new();
        Event {
            request: rimward_wire::event::Request { method: "GET", uri: "/", ..Default::default() },
            ..Event::default()
        }
        .write(&mut event);
        for _ in 0..WARM_UP_RUNS {
            let invocation = Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: false };
            // What comes out does not matter.
            let _ = function.run(&event, invocation, |_| ());
        }
    }

    /// Where the machine code came from.
    pub fn code_origin(&self) -> &CodeOrigin {
        self.0.production.origin()
    }

    /// How memory is restored; never [`Restore::Auto`].
    pub fn restoring(&self) -> Restore {
        match self.0.ground.finder {
            Some(Finder::Scan(_, Some(_))) => Restore::Watch,
            Some(Finder::Scan(_, None)) => Restore::Scan,
            Some(Finder::Read(_)) => Restore::Read,
            None => Restore::Remap,
        }
    }

    /// What the published functions take.
    pub fn page_use(&self) -> PageUse {
        self.0.pages.page_use()
    }
}

fn warm_up() -> Source<'static> {
    let limits = Limits { time: WARM_UP_TIME, ..Limits::default() };
    Source {
        name: "warm-up".into(),
        code: WARM_UP,
        runtime: Runtime::V2,
        entry: Entry::Handler,
        limits,
        kv: None,
        bindings: Arc::default(),
    }
}

impl Tier {
    /// The machine for a run.
    pub(crate) fn machine(&self, measured: bool) -> Result<&Machine, String> {
        if !measured {
            return Ok(&self.production);
        }
        let made = self.measuring.get_or_init(|| {
            let parts = GuestImage::try_new(&self.guest).map_err(|error| error.to_string())?;
            let machine = Machine::try_new(&parts, &self.cache, &self.memories, &self.ground.ticker, true);
            machine.map_err(|error| error.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }

    fn publish(&self, source: &Source<'_>) -> Result<Published, PublishError> {
        let mut publisher = self.publisher.lock();
        let mut slot = match publisher.slot.take() {
            Some(slot) => slot,
            None => {
                Slot::try_new(&self.production, &self.ground).map_err(|e| PublishError::NoSlot(format!("{e:#}")))?
            }
        };
        let (result, condition) = publish(&mut slot, &publisher.activity, source, self.publish_time, &self.pages);
        if condition == Condition::Restored {
            publisher.slot = Some(slot);
        }
        result
    }
}
