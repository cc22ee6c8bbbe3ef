//! One instance of a function: made, called, thrown away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rimward_event::lambda::LambdaEvent;
use rimward_types::{ByteSize, Hook, Timestamp};
use wasmtime::component::InstancePre;
use wasmtime::{Error, PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::client::Client;
use crate::environment::Identity;
use crate::failure::{Failure, Throttle};
use crate::flavour::{Bound, Handlers, Raw};
use crate::function::Life;
use crate::host::{self, DeadlinePassed, Host, Parts};
use crate::logs::Logs;
use crate::network::OutgoingCall;
use crate::node::{Node, Slot};
use crate::secrets::Secrets;

/// Bytes kept of a handler's error.
const ERROR_TEXT: usize = 16 << 10;

/// Everything that instances of one function share.
pub(crate) struct Recipe {
    pub(crate) node: Arc<Node>,
    pub(crate) pre: InstancePre<Host>,
    pub(crate) handlers: Handlers,
    pub(crate) identity: Identity,
    pub(crate) memory: ByteSize,
    pub(crate) environment: Vec<(String, String)>,
    /// Bytes of `/tmp`, where the component imports a file system.
    pub(crate) tmp: Option<ByteSize>,
    pub(crate) client: Arc<Client>,
    pub(crate) secrets: Secrets,
}

/// A running instance.
pub(crate) struct Instance {
    store: Store<Host>,
    handlers: Bound,
    calls: u32,
    made_at: Instant,
    used_at: Instant,
    /// Given back after the store is gone.
    _slot: Slot,
}

/// What a handler is given.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// An edge event.
    Event(&'a LambdaEvent<'a>),
    /// Any JSON, for the JSON handler.
    Json { payload: &'a str, client_context: Option<&'a str> },
}

/// What one stretch of guest code gave.
pub(crate) struct Ran<T> {
    pub(crate) result: Result<T, Failure>,
    pub(crate) logs: Vec<String>,
    /// Linear memory at the end, in bytes.
    pub(crate) memory: usize,
    pub(crate) time: Duration,
}

impl Recipe {
    /// Makes an instance. Code of its start section, of initialisers and of `init` has the time `limit`.
    pub(crate) async fn make(&self, limit: Duration) -> Ran<Instance> {
        let start = Instant::now();
        let (mut logs, mut memory) = (Vec::new(), 0);
        let result = self.try_make(start, limit, &mut logs, &mut memory).await;
        Ran { result: result.map_err(|cause| Failure::Init(Box::new(cause))), logs, memory, time: start.elapsed() }
    }

    async fn try_make(
        &self,
        start: Instant,
        limit: Duration,
        logs: &mut Vec<String>,
        memory: &mut usize,
    ) -> Result<Instance, Failure> {
        let slot = self.node.slot().ok_or(Failure::Throttled(Throttle::Instances(self.node.instances())))?;
        let host = |error: &dyn std::fmt::Display| Failure::Trap(format!("no instance could be made: {error}"));
        let folder = match self.tmp {
            Some(bytes) => Some((self.node.scratch.folder().map_err(|error| host(&error))?, bytes.as_u64())),
            None => None,
        };
        let parts = Parts {
            memory: self.memory.as_usize(),
            environment: &self.environment,
            folder,
            client: self.client.clone(),
            secrets: self.secrets.clone(),
        };
        let mut store = host::store(&self.node.engine, parts).map_err(|error| host(&error))?;
        let deadline = start + limit;
        host::arm(&mut store, deadline);
        let _running = self.node.ticker.running();
        let made = flatten(tokio::time::timeout_at(deadline.into(), self.pre.instantiate_async(&mut store)).await);
        let mut bound = match made {
            Ok(made) => {
                let handlers = self.handlers.bind(&mut store, &made);
                Ok(handlers.map_err(|error| Failure::HandlerType(format!("{error:#}"))))
            }
            Err(error) => Err(error),
        };
        if let Ok(Ok(handlers)) = &bound {
            match flatten(tokio::time::timeout_at(deadline.into(), handlers.init(&mut store)).await) {
                Ok(Ok(())) => {}
                Ok(Err(mut text)) => {
                    store.data().secrets.strike_out(&mut text);
                    bound = Ok(Err(Failure::ModuleScope(shortened(text))));
                }
                Err(error) => bound = Err(error),
            }
        }
        *logs = lines(store.data());
        *memory = store.data().limits.used();
        let handlers = bound.map_err(|error| self.classify(&error, store.data(), limit))??;
        Ok(Instance { store, handlers, calls: 0, made_at: start, used_at: start + start.elapsed(), _slot: slot })
    }

    fn classify(&self, error: &Error, host: &Host, limit: Duration) -> Failure {
        if error.is::<DeadlinePassed>() {
            return Failure::Timeout(limit);
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Failure::Throttled(Throttle::Instances(self.node.instances()));
        }
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return Failure::Trap(format!("exited with status {code}"));
        }
        // Runtimes abort when they get no memory, so a refusal before a crash is its cause.
        if host.limits.refused() {
            return Failure::Memory(self.memory);
        }
        match error.downcast_ref::<Trap>() {
            Some(trap) => Failure::Trap(trap.to_string()),
            None => Failure::Trap(format!("{error:#}")),
        }
    }
}

impl Instance {
    /// Handles one event. An instance whose call failed otherwise than by the handler's own error must not be used
    /// again.
    pub(crate) async fn call(
        &mut self,
        recipe: &Recipe,
        payload: Payload<'_>,
        invocation_id: &str,
        limit: Duration,
        now: Timestamp,
    ) -> Ran<Raw> {
        let start = Instant::now();
        let deadline = start + limit;
        host::arm(&mut self.store, deadline);
        let _running = recipe.node.ticker.running();
        let call = self.handlers.call(&mut self.store, payload, &recipe.identity, invocation_id, now.plus(limit));
        let called = flatten(tokio::time::timeout_at(deadline.into(), call).await);
        let time = start.elapsed();
        let host = self.store.data();
        let result = match called {
            Ok(Some(Ok(raw))) => Ok(raw),
            Ok(Some(Err(mut text))) => {
                host.secrets.strike_out(&mut text);
                Err(Failure::Error(shortened(text)))
            }
            Ok(None) => Err(Failure::NoHandler(match payload {
                Payload::Event(event) => event.hook,
                Payload::Json { .. } => Hook::OriginRequest,
            })),
            Err(error) => Err(recipe.classify(&error, host, limit)),
        };
        self.calls += 1;
        self.used_at = start + time;
        Ran { result, logs: lines(host), memory: host.limits.used(), time }
    }

    /// Where its output goes.
    pub(crate) fn logs(&self) -> &Logs {
        &self.store.data().logs
    }

    /// The requests that the last call sent out.
    pub(crate) fn outgoing_calls(&self) -> Vec<OutgoingCall> {
        self.store.data().outgoing.ledger().calls()
    }

    /// What decides whether it is used again; `limit` is the memory that it may have.
    pub(crate) fn life(&self, limit: ByteSize) -> Life {
        Life {
            made_at: self.made_at,
            used_at: self.used_at,
            calls: self.calls,
            memory: self.store.data().limits.used(),
            memory_limit: limit.as_usize(),
        }
    }
}

/// What was written since the last time, without secrets.
fn lines(host: &Host) -> Vec<String> {
    let mut lines = host.logs.take();
    if !host.secrets.is_empty() {
        lines.iter_mut().for_each(|line| host.secrets.strike_out(line));
    }
    lines
}

/// An error's text goes to the log, which is bounded.
fn shortened(mut text: String) -> String {
    if text.len() > ERROR_TEXT {
        text.truncate(text.floor_char_boundary(ERROR_TEXT));
        text.push_str(" ...");
    }
    text
}

/// Both ways in which a deadline ends a call: guest code meets it at a tick, waiting guests by the timer.
fn flatten<T>(result: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>) -> wasmtime::Result<T> {
    result.unwrap_or_else(|_| Err(DeadlinePassed.into()))
}
