//! The guest, compiled and linked: ready to be instantiated.

use crate::budget::Counting;
use crate::code_cache::{CodeCache, CodeOrigin};
use crate::engine::engine;
use crate::failure::Failure;
use crate::guest::{Guest, Terms};
use crate::guest_image::GuestImage;
use crate::host::{self, State};
use crate::log::Log;
use crate::mapping::{Creator, Image};
use crate::start::{Options, StartError};
use crate::ticker::Ticker;
use crate::written_pages::Finder;
use rimward_types::Timestamp;
use rimward_wire::abi;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{InstancePre, Linker};

/// Processor time that booting may take; it takes less than a millisecond.
const BOOT_TIME: Duration = Duration::from_secs(5);

/// A compiled guest.
pub(crate) struct Machine {
    pre: InstancePre<State>,
    origin: CodeOrigin,
    metered: bool,
}

impl Machine {
    /// Loads or compiles the guest.
    pub(crate) fn try_new(
        guest: &GuestImage<'_>,
        cache: &CodeCache,
        memories: &Creator,
        ticker: &Ticker,
        metered: bool,
    ) -> Result<Self, StartError> {
        let engine = engine(memories.clone(), metered).map_err(StartError::Engine)?;
        let check = || guest.check_code().map_err(wasmtime::Error::new);
        let (module, origin) = cache.module(&engine, &guest.module, check).map_err(StartError::Engine)?;
        let mut linker = Linker::new(&engine);
        host::link(&mut linker).map_err(StartError::Engine)?;
        let pre = linker.instantiate_pre(&module).map_err(StartError::Engine)?;
        ticker.add_engine(&engine);
        Ok(Self { pre, origin, metered })
    }

    /// Where the machine code came from.
    pub(crate) fn origin(&self) -> &CodeOrigin {
        &self.origin
    }

    /// Makes an instance.
    pub(crate) fn instantiate(&self, guest_globals: &[String]) -> wasmtime::Result<Guest> {
        Guest::try_new(&self.pre, guest_globals, self.metered)
    }
}

/// What all slots of a tier share.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The booted engine's memory.
    pub(crate) image: Arc<Image>,
    /// Values of the mutable globals after boot.
    pub(crate) globals: Box<[i32]>,
    /// Names of the mutable globals.
    pub(crate) global_names: Vec<String>,
    /// Where messages go.
    pub(crate) event_buffer: u32,
    /// End of the used part of the memory after boot.
    pub(crate) brk: u32,
    /// How written pages are found.
    pub(crate) finder: Option<Finder>,
    /// Advances the epoch.
    pub(crate) ticker: Ticker,
    /// See [`Options::verify`].
    pub(crate) verify: bool,
}

impl Ground {
    /// Where messages to the guest lie.
    pub(crate) fn messages(&self) -> Range<usize> {
        let start = self.event_buffer as usize;
        start..start.saturating_add(abi::EVENT_BUFFER_SIZE)
    }

    /// Boots the engine once and keeps its memory; memories made afterwards begin with it.
    pub(crate) fn boot(
        machine: &Machine,
        parts: &GuestImage<'_>,
        memories: &Creator,
        ticker: Ticker,
        finder: Option<Finder>,
        options: &Options,
    ) -> Result<Self, StartError> {
        let fault = |text: &str| StartError::Guest(text.to_owned());
        let failed = |failure: Failure| StartError::Guest(format!("boot: {failure}"));
        let mut guest = machine.instantiate(&parts.globals).map_err(StartError::Engine)?;
        parts.write_data(guest.memory_mut()).map_err(|e| StartError::Guest(e.to_string()))?;
        let activity = ticker.register();
        let running = ticker.enter(&activity);
        let terms = Terms {
            time: BOOT_TIME,
            now: Timestamp::default(),
            seed: 0,
            kv: None,
            bindings: Arc::default(),
            server: None,
            log: Log::default(),
        };
        guest.begin(terms, Counting::Begin);
        guest.boot().map_err(failed)?;
        let event_buffer = guest.event_buffer().map_err(failed)?;
        let brk = guest.brk().map_err(failed)?;
        drop(running);
        let end = (event_buffer as usize).saturating_add(abi::EVENT_BUFFER_SIZE);
        if end > guest.memory().len() {
            return Err(fault("the event buffer is not in its memory"));
        }
        let image = Arc::new(Image::try_new(guest.memory()).map_err(StartError::Memory)?);
        memories.set_image(image.clone()).map_err(fault)?;
        let (globals, global_names) = (guest.globals(), parts.globals.clone());
        Ok(Self { image, globals, global_names, event_buffer, brk, finder, ticker, verify: options.verify })
    }
}
