//! The engine's life: [`Engine::new`] at boot, [`Engine::load`] at publish, [`Engine::handle`] per request.

use std::rc::Rc;

use boa_engine::{
    Context, JsResult, JsString, JsValue,
    builtins::promise::PromiseState,
    context::{
        ContextBuilder, HostHooks,
        time::{Clock, JsInstant},
    },
    object::builtins::{JsFunction, JsPromise},
    realm::Realm,
};
use rimward_wire::{abi::Loaded, event::Event, reply::Failure};

use crate::{
    connection,
    event::Builder,
    failure::{Fault, describe_syntax},
    globals, host,
    jobs::Jobs,
    modules::{Loader, Modules, cloudfront},
    program::{NotLoaded, Program},
    reply::ReplyReader,
    wire_event::WireEvent,
};

/// Calls deeper than this throw `RangeError: Maximum call stack size exceeded`.
const RECURSION_LIMIT: usize = 400;
/// Frames kept for the position of an error; the innermost is shown.
const BACKTRACE_LIMIT: usize = 8;

/// Values, and weak references, that the collector has room for before a request: usual ones make a tenth of it.
const SPARE: (usize, usize) = (1024, 256);
/// The same for a function of usual size.
const ROOM: (usize, usize) = (1024, 512);

/// Runtimes of CloudFront Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// `cloudfront-js-1.0`.
    V1,
    /// `cloudfront-js-2.0`.
    V2,
}

/// What a function is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Its runtime.
    pub runtime: Runtime,
    /// When the top level runs.
    pub top_level: TopLevel,
    /// Whether it has a key value store.
    pub store: bool,
    /// Which function is called.
    pub entry: Entry,
}

/// Which function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `handler`, with events of viewers.
    Handler,
    /// `connectionHandler`, with events of connections.
    ConnectionHandler,
}

impl Entry {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::ConnectionHandler => "connectionHandler",
        }
    }
}

/// When the top level runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopLevel {
    /// Once, at publish.
    Now,
    /// In every invocation, because it asks for time, randomness or the store.
    Deferred,
}

/// One JavaScript engine, and the function loaded into it.
pub struct Engine {
    context: Context,
    events: Builder,
    modules: Modules,
    program: Option<Program>,
    entry: Entry,
    handler: Option<JsFunction>,
}

impl Engine {
    /// Boots the engine.
    ///
    /// # Errors
    /// None that could happen; the engine's own set-up is fallible by type.
    pub fn new() -> JsResult<Self> {
        let loader = Rc::new(Loader::default());
        let mut context = ContextBuilder::new()
            .host_hooks(Rc::new(Hooks))
            .clock(Rc::new(FrozenClock))
            .job_executor(Rc::new(Jobs::default()))
            .module_loader(loader.clone())
            .build()?;
        context.strict(true);
        context.runtime_limits_mut().set_recursion_limit(RECURSION_LIMIT);
        context.runtime_limits_mut().set_backtrace_limit(BACKTRACE_LIMIT);
        let events = Builder::new(&mut context);
        let modules = Modules::install(&mut context, &loader)?;
        globals::install(&mut context)?;
        // What the collector was given to hold so far, a function and a request: the lists are moved by none of the latter.
        boa_gc::force_collect();
        boa_gc::reserve(ROOM.0 + SPARE.0, ROOM.1 + SPARE.1);
        Ok(Self { context, events, modules, program: None, entry: Entry::Handler, handler: None })
    }

    /// Compiles a function and, unless deferred, runs its top level and finds the handler.
    /// What goes wrong is appended to `out` as a reply.
    pub fn load(&mut self, source: &[u8], terms: Terms, out: &mut Vec<u8>) -> Loaded {
        match self.try_load(source, terms) {
            Ok(loaded) => loaded,
            Err(NotLoaded { status, error }) => {
                let text = std::str::from_utf8(source).unwrap_or_default();
                describe_syntax(&error, text, &mut self.context).write(Failure::Execution, out);
                status
            }
        }
    }

    fn try_load(&mut self, source: &[u8], terms: Terms) -> Result<Loaded, NotLoaded> {
        cloudfront::load();
        self.modules.select(&mut self.context, terms).map_err(NotLoaded::threw)?;
        let program = self.program.insert(Program::compile(source, terms.entry, &mut self.context)?);
        self.entry = terms.entry;
        if terms.top_level == TopLevel::Deferred {
            return Ok(Loaded::Ready);
        }
        host::asked();
        self.handler = Some(program.run(terms.entry, &mut self.context)?);
        Ok(if host::asked() { Loaded::Impure } else { Loaded::Ready })
    }

    /// Prepares for the snapshot: what the first event would allocate or look up is there already, garbage is gone.
    pub fn settle(&mut self) {
        let mut sample = Vec::new();
        Event::default().write(&mut sample);
        if let Ok(mut event) = WireEvent::read(sample.leak()) {
            self.events.build(&mut event);
        }
        boa_gc::force_collect();
        boa_gc::reserve(SPARE.0, SPARE.1);
    }

    /// Runs one event (`rimward_wire::event`, `rimward_wire::connection`) and appends the reply (`rimward_wire::reply`). The function may keep what it saw of the event.
    pub fn handle(&mut self, event: &'static [u8], out: &mut Vec<u8>) {
        let start = out.len();
        if let Err(fault) = self.try_handle(event, out) {
            out.truncate(start);
            fault.write(&mut self.context, out);
        }
    }

    fn try_handle(&mut self, event: &'static [u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.entry == Entry::ConnectionHandler {
            return self.try_connection(event, out);
        }
        let mut event = WireEvent::read(event).map_err(Fault::Malformed)?;
        cloudfront::begin(event.response.is_some());
        let handler = self.handler()?;
        let built = self.events.build(&mut event);
        let result = handler.call(&JsValue::undefined(), &[built.event.clone().into()], &mut self.context)?;
        self.context.run_jobs()?;
        let result = settled(result)?;
        let reader = ReplyReader { shapes: self.events.shapes, event: &event, built: &built };
        reader.write(&mut self.context, &result, out)
    }

    fn try_connection(&mut self, event: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let object = connection::begin(event, &mut self.context).map_err(Fault::Malformed)?;
        // There is no request whose origin could be chosen.
        cloudfront::begin(true);
        let handler = self.handler()?;
        let result = handler.call(&JsValue::undefined(), &[object.into()], &mut self.context)?;
        self.context.run_jobs()?;
        settled(result)?;
        connection::finish(out);
        Ok(())
    }

    /// The handler; a deferred top level runs first.
    fn handler(&mut self) -> Result<JsFunction, Fault> {
        match (&self.handler, &self.program) {
            (Some(handler), _) => Ok(handler.clone()),
            (None, Some(program)) => program.run(self.entry, &mut self.context).map_err(|e| Fault::Thrown(e.error)),
            (None, None) => Err(Fault::Invalid("no function is loaded".to_owned())),
        }
    }
}

/// The value of a promise whose jobs have all run, or the value itself.
fn settled(result: JsValue) -> Result<JsValue, Fault> {
    let Some(promise) = result.as_object().and_then(|o| JsPromise::from_object(o).ok()) else { return Ok(result) };
    match promise.state() {
        PromiseState::Fulfilled(value) => Ok(value),
        PromiseState::Rejected(reason) => Err(Fault::Thrown(boa_engine::JsError::from_opaque(reason))),
        PromiseState::Pending => Err(Fault::Pending),
    }
}

/// The engine's questions about its surroundings.
struct Hooks;

impl HostHooks for Hooks {
    /// Section 10.4: no `new Function`. `eval` is refused before (`globals`).
    fn ensure_can_compile_strings(
        &self,
        _: Realm,
        _: &[JsString],
        _: &JsString,
        _: bool,
        _: &mut Context,
    ) -> JsResult<()> {
        let text = "function constructor is disabled in \"safe\" mode";
        Err(boa_engine::JsNativeError::typ().with_message(text).into())
    }

    fn local_timezone_offset_seconds(&self, _: i64) -> i32 {
        0
    }

    fn max_buffer_size(&self, _: &mut Context) -> u64 {
        rimward_wire::abi::MAX_HEAP_EXTRA as u64
    }
}

/// Time stands still within an invocation (section 10.4).
struct FrozenClock;

impl Clock for FrozenClock {
    fn now(&self) -> JsInstant {
        let ms = host::now_ms();
        JsInstant::new((ms / 1000.0) as u64, 0)
    }

    fn system_time_millis(&self) -> i64 {
        host::now_ms() as i64
    }
}
