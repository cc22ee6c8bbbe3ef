//! A published function: its instances that wait for work, and one call from the event to the outcome.

mod lifetime;

pub(crate) use lifetime::{Life, Lifetime};

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rimward_event::lambda::json::{event_from_json, outcome_to_json};
use rimward_event::lambda::{LambdaEvent, log_text};
use rimward_types::{ByteSize, Hook};

use crate::code::Compiled;
use crate::failure::{Failure, Throttle};
use crate::flavour::{Flavour, Raw};
use crate::instance::{Instance, Payload, Ran, Recipe};
use crate::invocation::{Cost, Init, Invocation};
use crate::logging::Logging;
use crate::network::OutgoingCall;
use crate::publish::Validation;

/// A function that can be called. Dropping the last handle drops its instances.
pub struct Function {
    name: Arc<str>,
    version: Arc<str>,
    compiled: Compiled,
    recipe: Recipe,
    timeout: Option<Duration>,
    concurrency: usize,
    fresh: bool,
    validation: Validation,
    logging: Logging,
    running: AtomicUsize,
    /// Last in, first out, so that what is not needed grows old at the bottom.
    idle: Mutex<Vec<Instance>>,
}

/// A function that may be gone.
pub(crate) struct WeakFunction(Weak<Function>);

impl WeakFunction {
    pub(crate) fn upgrade(&self) -> Option<Arc<Function>> {
        self.0.upgrade()
    }
}

/// The parts of a [`Function`] that come from its spec.
pub(crate) struct Terms {
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) concurrency: usize,
    pub(crate) fresh: bool,
    pub(crate) validation: Validation,
    pub(crate) logging: Logging,
}

/// What a call took and left, so far.
#[derive(Default)]
struct Ended {
    logs: Vec<String>,
    calls: Vec<OutgoingCall>,
    memory: usize,
    time: Duration,
}

impl Ended {
    fn add(&mut self, logs: Vec<String>, memory: usize) {
        if self.logs.is_empty() {
            self.logs = logs;
        } else {
            self.logs.extend(logs);
        }
        self.memory = memory;
    }
}

/// The request or response itself, as a handler would have returned it.
fn bare(outcome: serde_json::Value) -> serde_json::Value {
    match outcome {
        serde_json::Value::Object(members) => members.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
        other => other,
    }
}

/// Counts a call while it runs.
struct Permit<'a>(&'a AtomicUsize);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Function {
    pub(crate) fn new(terms: Terms, recipe: Recipe, compiled: Compiled) -> Arc<Self> {
        let function = Arc::new(Self {
            name: terms.name,
            version: terms.version,
            compiled,
            recipe,
            timeout: terms.timeout,
            concurrency: terms.concurrency,
            fresh: terms.fresh,
            validation: terms.validation,
            logging: terms.logging,
            running: AtomicUsize::new(0),
            idle: Mutex::default(),
        });
        let mut functions = function.recipe.node.functions.lock();
        functions.retain(|function| function.0.strong_count() > 0);
        functions.push(WeakFunction(Arc::downgrade(&function)));
        drop(functions);
        function
    }

    /// Makes the first instance, so that the first request need not wait and a function that cannot start is refused.
    pub(crate) async fn warm(&self) -> Result<(), Failure> {
        let made = self.recipe.make(self.recipe.node.init_timeout).await;
        let instance = made.result?;
        // What it wrote belongs to the first call.
        for line in made.logs {
            instance.logs().host_line(&format!("init: {line}"));
        }
        if !self.fresh {
            self.put(instance);
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// Whether its code was compiled now or found in the cache.
    pub fn compiled(&self) -> Compiled {
        self.compiled
    }

    /// How it handles `hook`; `None` when it has no handler for it.
    pub fn flavour(&self, hook: Hook) -> Option<Flavour> {
        self.recipe.handlers.flavour(hook)
    }

    /// The time that one call at `hook` may take (`lambda-at-edge.md` section 8, classic profile).
    pub fn timeout(&self, hook: Hook) -> Duration {
        let default = Duration::from_secs(if hook.is_viewer() { 5 } else { 30 });
        self.timeout.unwrap_or(default)
    }

    /// Memory of one instance.
    pub fn memory(&self) -> ByteSize {
        self.recipe.memory
    }

    /// Calls that run now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Instances that wait for work.
    pub fn idle(&self) -> usize {
        self.idle.lock().len()
    }

    /// Handles one event. Needs a tokio runtime with time and I/O.
    ///
    /// Dropping the future ends the call and the instance; nothing else is affected.
    pub async fn invoke(&self, event: &LambdaEvent<'_>) -> Invocation {
        self.invoke_as(self.recipe.node.invocation_id(), event).await
    }

    async fn invoke_as(&self, id: String, event: &LambdaEvent<'_>) -> Invocation {
        let ran = self.run(id, Payload::Event(event), self.timeout(event.hook)).await;
        let mut mended = Vec::new();
        let mut invocation = ran.and_then(|raw| {
            let (outcome, breaches) = raw.outcome(event, self.validation).map_err(Failure::Invalid)?;
            mended = breaches;
            Ok(outcome)
        });
        for breach in mended {
            let id = &invocation.id;
            let line = format!("rimward: ({id}) WARN at {}: {}", event.hook, log_text(&breach));
            invocation.logs.extend(self.logging.lines(vec![line], invocation.at, id));
        }
        invocation
    }

    /// Handles any JSON, as a direct invocation does (`lambda-at-edge.md` section 14): what the handler returns is not
    /// held against the rules of an edge event. `client_context` becomes `context.clientContext`; `id` is the
    /// invocation's, see [`Sandbox::invocation_id`](crate::Sandbox::invocation_id).
    ///
    /// A function without a JSON handler takes edge events alone, and gives what became of them.
    pub async fn invoke_json(&self, id: &str, payload: &str, client_context: Option<&str>) -> Invocation<String> {
        if self.recipe.handlers.takes_json() {
            let payload = Payload::Json { payload, client_context };
            let ran = self.run(id.to_owned(), payload, self.timeout(Hook::OriginRequest)).await;
            return ran.and_then(|raw| match raw {
                Raw::Json(text) => Ok(text),
                Raw::Typed(_) => Err(Failure::HandlerType("it returned no JSON".to_owned())),
            });
        }
        match event_from_json(payload) {
            Ok(event) => {
                let event = event.as_event();
                let invocation = self.invoke_as(id.to_owned(), &event).await;
                invocation.and_then(|outcome| Ok(bare(outcome_to_json(&event, &outcome)).to_string()))
            }
            Err(error) => {
                let failure = Failure::Error(format!("InvalidEvent: this function takes edge events alone: {error}"));
                self.invocation(id.to_owned(), Err(failure), None, Ended::default())
            }
        }
    }

    /// One call from admission to the end. `limit` is the time that the handler may take.
    async fn run(&self, id: String, payload: Payload<'_>, limit: Duration) -> Invocation<Raw> {
        let Some(_permit) = self.admit() else {
            let failure = Failure::Throttled(Throttle::Concurrency(self.concurrency));
            return self.invocation(id, Err(failure), None, Ended::default());
        };
        let (mut ended, mut init, mut left) = (Ended::default(), None, limit);
        let mut instance = match self.take() {
            Some(instance) => instance,
            None => {
                let mut made = Box::pin(self.recipe.make(self.recipe.node.init_timeout)).await;
                if made.result.as_ref().is_err_and(Failure::is_slow_init) {
                    // Section 11.1: what did not start in its time is started again within the time of the call.
                    init = Some(Init::Redone(made.time));
                    ended.logs = made.logs;
                    made = Box::pin(self.recipe.make(limit)).await;
                    ended.time = made.time;
                    left = limit.saturating_sub(made.time);
                } else {
                    init = Some(Init::of(&made));
                }
                ended.add(made.logs, made.memory);
                match made.result {
                    Ok(instance) => {
                        // Those of its start; the call counts anew.
                        ended.calls = instance.outgoing_calls();
                        instance
                    }
                    Err(failure) => {
                        let again = matches!(init, Some(Init::Redone(_)));
                        let failure = if again && failure.is_slow_init() { Failure::Timeout(limit) } else { failure };
                        return self.invocation(id, Err(failure), init, ended);
                    }
                }
            }
        };
        let now = self.recipe.node.clock.now();
        let Ran { result, logs, memory, time } = instance.call(&self.recipe, payload, &id, left, now).await;
        let result = result.map_err(|failure| match failure {
            Failure::Timeout(_) => Failure::Timeout(limit),
            failure => failure,
        });
        ended.add(logs, memory);
        ended.time += time;
        ended.calls.extend(instance.outgoing_calls());
        // After a trap or a deadline the guest's memory is in no known state.
        if matches!(result, Ok(_) | Err(Failure::Error(_) | Failure::NoHandler(_))) {
            self.put(instance);
        }
        self.invocation(id, result, init, ended)
    }

    fn invocation<T>(&self, id: String, result: Result<T, Failure>, init: Option<Init>, ended: Ended) -> Invocation<T> {
        let (at, version, limit) = (self.recipe.node.clock.now(), self.version.clone(), self.recipe.memory);
        let in_time = match init {
            Some(Init::Done(time)) => Some(time),
            _ => None,
        };
        let cost = Cost { duration: ended.time, init: in_time, memory: ended.memory };
        let Ended { logs, calls, .. } = ended;
        let logs = self.logging.lines(logs, at, &id);
        Invocation { id, result, logs, calls, cost, init, at, version, memory_limit: limit, logging: self.logging }
    }

    fn admit(&self) -> Option<Permit<'_>> {
        let more = |running: usize| (running < self.concurrency).then_some(running + 1);
        self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Permit(&self.running))
    }

    fn take(&self) -> Option<Instance> {
        if self.fresh {
            return None;
        }
        self.idle.lock().pop()
    }

    /// Keeps an instance for the next event, if it is still good.
    fn put(&self, instance: Instance) {
        if self.fresh {
            return;
        }
        match self.recipe.node.lifetime.judge(instance.life(self.recipe.memory), Instant::now()) {
            None => self.idle.lock().push(instance),
            Some(reason) => tracing::debug!(function = %self.name, ?reason, "instance ended"),
        }
    }

    /// Ends the instances whose time is over at `now`, and says how many.
    pub(crate) fn reap(&self, now: Instant) -> usize {
        let lifetime = self.recipe.node.lifetime;
        let over = |instance: &mut Instance| lifetime.judge(instance.life(self.recipe.memory), now).is_some();
        let ended: Vec<Instance> = self.idle.lock().extract_if(.., over).collect();
        // Memory is unmapped here, outside the lock.
        ended.len()
    }

    /// Gives up the instance that waited longest.
    pub(crate) fn give_up_idle(&self) -> Option<Instance> {
        let mut idle = self.idle.lock();
        if idle.is_empty() { None } else { Some(idle.remove(0)) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
