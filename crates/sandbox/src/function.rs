//! A published function: its instances that wait for work, and one call from the event to the outcome.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rimward_event::lambda::LambdaEvent;
use rimward_types::{ByteSize, Hook};

use crate::code::Compiled;
use crate::failure::{Failure, Throttle};
use crate::flavour::Flavour;
use crate::instance::{Instance, Ran, Recipe};
use crate::invocation::{Cost, Invocation};

/// Events after which an instance is replaced: leaks of a guest stay small.
const CALLS: u32 = 10_000;
/// How long an instance may wait for work.
const IDLE: Duration = Duration::from_secs(300);
/// An instance that uses more than this part of its memory is replaced.
const MEMORY_MARK: (usize, usize) = (7, 8);

/// A function that can be called. Dropping the last handle drops its instances.
pub struct Function {
    name: Arc<str>,
    version: Arc<str>,
    compiled: Compiled,
    recipe: Recipe,
    timeout: Option<Duration>,
    concurrency: usize,
    fresh: bool,
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
        let made = self.recipe.make().await;
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
        let id = self.recipe.node.ids.next(&*self.recipe.node.entropy);
        let Some(_permit) = self.admit() else {
            let failure = Failure::Throttled(Throttle::Concurrency(self.concurrency));
            return self.invocation(id, Err(failure), Vec::new(), Cost::default());
        };
        let (mut logs, mut init) = (Vec::new(), None);
        let mut instance = match self.take() {
            Some(instance) => instance,
            None => {
                let made = Box::pin(self.recipe.make()).await;
                init = Some(made.time);
                logs = made.logs;
                match made.result {
                    Ok(instance) => instance,
                    Err(failure) => {
                        let cost = Cost { duration: Duration::ZERO, init, memory: made.memory };
                        return self.invocation(id, Err(failure), logs, cost);
                    }
                }
            }
        };
        let limit = self.timeout(event.hook);
        let now = self.recipe.node.clock.now();
        let Ran { result, logs: own, memory, time } = instance.call(&self.recipe, event, &id, limit, now).await;
        if logs.is_empty() {
            logs = own;
        } else {
            logs.extend(own);
        }
        // After a trap or a deadline the guest's memory is in no known state.
        if matches!(result, Ok(_) | Err(Failure::Error(_) | Failure::NoHandler(_))) {
            self.put(instance);
        }
        let result = result.and_then(|raw| raw.outcome(event).map_err(Failure::Invalid));
        self.invocation(id, result, logs, Cost { duration: time, init, memory })
    }

    fn invocation(
        &self,
        id: String,
        result: Result<rimward_event::lambda::Outcome, Failure>,
        logs: Vec<String>,
        cost: Cost,
    ) -> Invocation {
        let (at, version, limit) = (self.recipe.node.clock.now(), self.version.clone(), self.recipe.memory);
        Invocation { id, result, logs, cost, at, version, memory_limit: limit }
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

    /// Keeps an instance for the next event, if it is still good, and drops those that waited too long.
    fn put(&self, instance: Instance) {
        let mark = self.recipe.memory.as_usize() / MEMORY_MARK.1 * MEMORY_MARK.0;
        if self.fresh || instance.calls >= CALLS || instance.memory() > mark {
            return;
        }
        let stale = {
            let mut idle = self.idle.lock();
            idle.push(instance);
            let now = Instant::now();
            let stale = idle.iter().take_while(|instance| now.duration_since(instance.used_at) > IDLE).count();
            if stale == 0 { Vec::new() } else { idle.drain(..stale).collect() }
        };
        // Memory is unmapped outside the lock.
        drop(stale);
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
