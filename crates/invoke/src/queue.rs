//! Events that were accepted to be handled later.
//!
//! An event is a file from before its acceptance is answered until its outcome is where it belongs, so that a node that
//! is killed loses none; what it was about to do is done again, and may be done twice. What is in memory is an index of
//! the files. The number of events and their bytes are bounded.

mod event;
mod files;

pub use files::QueueError;

use crate::destination::{Condition, Destination, Outcome};
use crate::error::Refusal;
use crate::functions::{AsyncSettings, Functions, Invocation, LIVE, NotRun, Ran};
use crate::schedule::{self, Ended, Next, Progress};
use event::{Delivery, Event};
use files::Files;
use parking_lot::Mutex;
use rimward_types::{ByteSize, Clock, Timestamp};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Events that are handled at a time.
const AT_A_TIME: usize = 16;
/// The longest time between two looks: clocks may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Destinations that are functions in a row: two that are each other's destination would never come to an end.
const HOPS: u32 = 16;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Events.
    pub events: usize,
    /// Bytes of their files.
    pub bytes: ByteSize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { events: 10_000, bytes: ByteSize::mb(256) }
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Events.
    pub events: usize,
    /// Bytes of their files.
    pub bytes: u64,
}

/// What has happened since the queue was opened (`lambda-at-edge.md` section 11.4).
#[derive(Debug, Default)]
pub struct Counters {
    /// Events accepted.
    pub received: AtomicU64,
    /// Events given up: tried too often, too old, or not readable.
    pub dropped: AtomicU64,
    /// Attempts to deliver a record that failed.
    pub undelivered: AtomicU64,
}

/// The events of a node.
pub struct Queue {
    files: Arc<Files>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    index: Mutex<Index>,
    changed: Notify,
    counters: Counters,
}

#[derive(Default)]
struct Index {
    /// Those that wait, by the time at which they are due.
    waiting: BTreeSet<(Timestamp, String)>,
    /// Bytes of each, waiting or not.
    sizes: HashMap<String, u64>,
    bytes: u64,
}

impl Index {
    fn set_size(&mut self, id: &str, size: u64) {
        let before = self.sizes.insert(id.to_owned(), size).unwrap_or_default();
        self.bytes = self.bytes - before + size;
    }

    fn forget(&mut self, id: &str) {
        self.bytes -= self.sizes.remove(id).unwrap_or_default();
    }
}

/// An event to accept.
#[derive(Debug)]
pub struct Accepted {
    /// The invocation's id.
    pub id: String,
    /// The function's name.
    pub function: String,
    /// Its version.
    pub qualifier: Option<String>,
    /// JSON text.
    pub payload: String,
}

impl Queue {
    /// Opens the queue in `folder`, with the events that an earlier node left. Reads files: not for threads that serve.
    ///
    /// # Errors
    /// When the folder cannot be used, or another node uses it.
    pub fn open(folder: &Path, bounds: Bounds, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let (files, left) = Files::open(folder)?;
        let mut index = Index::default();
        for (event, size) in left {
            index.set_size(&event.id, size);
            index.waiting.insert((event.due, event.id));
        }
        if !index.sizes.is_empty() {
            tracing::info!(events = index.sizes.len(), "events of an earlier run are handled");
        }
        Ok(Self {
            files: Arc::new(files),
            clock,
            bounds,
            index: Mutex::new(index),
            changed: Notify::new(),
            counters: Counters::default(),
        })
    }

    /// How much there is.
    pub fn usage(&self) -> Usage {
        let index = self.index.lock();
        Usage { events: index.sizes.len(), bytes: index.bytes }
    }

    /// What has happened.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Keeps an event; from now on it is not lost.
    ///
    /// # Errors
    /// The queue is full, or the disk does not take it.
    pub async fn accept(&self, accepted: Accepted) -> Result<(), Refusal> {
        self.accept_after(accepted, 0).await
    }

    async fn accept_after(&self, accepted: Accepted, hops: u32) -> Result<(), Refusal> {
        let Accepted { id, function, qualifier, payload } = accepted;
        let now = self.clock.now();
        let payload = RawValue::from_string(payload);
        let payload = payload.map_err(|error| Refusal::InvalidRequestContent(error.to_string()))?;
        let event = Event {
            id,
            function,
            qualifier,
            accepted: now,
            due: now,
            attempts: 0,
            waits: 0,
            hops,
            payload,
            delivery: None,
        };
        let bytes = event.to_bytes();
        {
            let mut index = self.index.lock();
            let full = index.sizes.len() >= self.bounds.events
                || index.bytes + bytes.len() as u64 > self.bounds.bytes.as_u64();
            if full {
                return Err(Refusal::QueueFull);
            }
            index.set_size(&event.id, bytes.len() as u64);
        }
        let stored = self.store(&event.id, bytes).await;
        let mut index = self.index.lock();
        match stored {
            Ok(()) => {
                index.waiting.insert((event.due, event.id));
                drop(index);
                self.counters.received.fetch_add(1, Ordering::Relaxed);
                self.changed.notify_one();
                Ok(())
            }
            Err(error) => {
                index.forget(&event.id);
                tracing::error!(%error, "an event cannot be kept");
                Err(Refusal::Service("the event cannot be kept".to_owned()))
            }
        }
    }

    /// Handles events, for ever. Dropping it ends it; what it was at is done again by the next one.
    pub async fn serve<F: Functions>(self: Arc<Self>, functions: Arc<F>) {
        let turns = Arc::new(Semaphore::new(AT_A_TIME));
        loop {
            // Made before the look, so that a change after it is not missed.
            let changed = self.changed.notified();
            let now = self.clock.now();
            while let Some(id) = self.take_due(now) {
                let Ok(turn) = turns.clone().acquire_owned().await else { return };
                let (queue, functions) = (self.clone(), functions.clone());
                tokio::spawn(async move {
                    queue.handle(&*functions, id).await;
                    drop(turn);
                });
            }
            let next = self.index.lock().waiting.first().map(|(due, _)| due.since(now));
            let _ = tokio::time::timeout(next.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP), changed).await;
        }
    }

    /// Handles what is due now, one after the other, and says how many steps that were.
    pub async fn run_due<F: Functions>(&self, functions: &F) -> usize {
        let mut steps = 0;
        while let Some(id) = self.take_due(self.clock.now()) {
            self.handle(functions, id).await;
            steps += 1;
        }
        steps
    }

    fn take_due(&self, now: Timestamp) -> Option<String> {
        let mut index = self.index.lock();
        if index.waiting.first()?.0 > now {
            return None;
        }
        index.waiting.pop_first().map(|(_, id)| id)
    }

    /// One step of one event: an attempt, or a delivery.
    async fn handle<F: Functions>(&self, functions: &F, id: String) {
        let files = self.files.clone();
        let path = id.clone();
        let read = tokio::task::spawn_blocking(move || files.read(&path)).await;
        let event = match read {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => return self.lose(&id, &error),
            Err(error) => return self.lose(&id, &error),
        };
        match &event.delivery {
            None => self.attempt(functions, event).await,
            Some(_) => self.deliver(functions, event).await,
        }
    }

    /// An event that cannot be read is left where it is, for a person to look at.
    fn lose(&self, id: &str, error: &dyn std::fmt::Display) {
        tracing::error!(event = id, %error, "an event cannot be read; its file is left alone");
        self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        self.index.lock().forget(id);
    }

    async fn attempt<F: Functions>(&self, functions: &F, mut event: Event) {
        // A function that is gone, or broken, may be there again after a reload: until then its event waits.
        let settings = functions.settings(&event.function, event.qualifier.as_deref());
        let known = settings.is_ok();
        let settings = settings.unwrap_or_default();
        if schedule::is_too_old(event.accepted, &settings, self.clock.now()) {
            return self.conclude(event, &settings, Condition::EventAgeExceeded, None).await;
        }
        let mut last = None;
        let ended = if known {
            let invocation = Invocation {
                function: &event.function,
                qualifier: event.qualifier.as_deref(),
                id: &event.id,
                payload: event.payload.get(),
                client_context: None,
            };
            match functions.run(invocation).await {
                Ok(ran) => {
                    let ended = if ran.result.is_ok() { Ended::Succeeded } else { Ended::Failed };
                    last = Some(ran);
                    ended
                }
                Err(NotRun::Throttled(_) | NotRun::Refused(_)) => Ended::NotRun,
            }
        } else {
            Ended::NotRun
        };
        if ended == Ended::NotRun {
            event.waits = event.waits.saturating_add(1);
        } else {
            event.attempts += 1;
            event.waits = 0;
        }
        let progress = Progress { accepted: event.accepted, attempts: event.attempts, waits: event.waits };
        match schedule::next(ended, progress, &settings, self.clock.now()) {
            Next::Again(at) => self.put_back(event, at).await,
            Next::Over(condition) => self.conclude(event, &settings, condition, last.as_ref()).await,
        }
    }

    /// The event is done; its record goes to its destination, where there is one.
    async fn conclude(&self, mut event: Event, settings: &AsyncSettings, condition: Condition, last: Option<&Ran>) {
        let to = match condition {
            Condition::Success => settings.on_success.clone(),
            _ => settings.on_failure.clone(),
        };
        if condition != Condition::Success {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                function = event.function,
                event = event.id,
                attempts = event.attempts,
                condition = condition.as_str(),
                destination = to.is_some(),
                "an event was given up"
            );
        }
        let Some(to) = to else { return self.remove(&event.id).await };
        let now = self.clock.now();
        let record = Outcome {
            at: now,
            id: &event.id,
            function: &event.function,
            qualifier: event.qualifier.as_deref().unwrap_or("$LATEST"),
            condition,
            attempts: event.attempts,
            payload: &event.payload,
            last,
        }
        .record();
        event.delivery = Some(Delivery { to, record, since: now, tries: 0 });
        self.put_back(event, now).await;
    }

    async fn deliver<F: Functions>(&self, functions: &F, mut event: Event) {
        let Some(delivery) = &mut event.delivery else { return };
        let arrived = match &delivery.to {
            Destination::Http(url) => {
                functions.post(url, delivery.record.clone()).await.map_err(|error| error.to_string())
            }
            Destination::Folder(folder) => {
                let (folder, record, id) = (folder.clone(), delivery.record.clone(), event.id.clone());
                let name = format!("{:013}-{id}.json", delivery.since.as_millis());
                let written =
                    tokio::task::spawn_blocking(move || files::write_whole(&folder, &name, record.as_bytes()));
                written.await.map_err(|error| error.to_string()).and_then(|result| result.map_err(|e| e.to_string()))
            }
            Destination::Function(name) if event.hops >= HOPS => {
                tracing::error!(function = name, event = event.id, "a chain of destinations has no end and is cut");
                Ok(())
            }
            Destination::Function(name) => {
                let accepted = Accepted {
                    id: functions.invocation_id(),
                    function: name.clone(),
                    // What was published, and not what somebody is at work on.
                    qualifier: Some(LIVE.to_owned()),
                    payload: delivery.record.clone(),
                };
                self.accept_after(accepted, event.hops + 1).await.map_err(|refusal| refusal.to_string())
            }
        };
        match arrived {
            Ok(()) => self.remove(&event.id).await,
            Err(why) => {
                let now = self.clock.now();
                self.counters.undelivered.fetch_add(1, Ordering::Relaxed);
                delivery.tries = delivery.tries.saturating_add(1);
                let (tries, destination) = (delivery.tries, &delivery.to);
                if now.since(delivery.since) >= AsyncSettings::MAX_AGE {
                    tracing::error!(event = event.id, ?destination, tries, why, "a record was given up");
                    return self.remove(&event.id).await;
                }
                tracing::warn!(event = event.id, ?destination, tries, why, "a record did not arrive");
                self.put_back(event, now.plus(schedule::backoff(tries))).await;
            }
        }
    }

    /// Keeps the event as it is now, to be taken again at `at`.
    async fn put_back(&self, mut event: Event, at: Timestamp) {
        event.due = at;
        let bytes = event.to_bytes();
        let size = bytes.len() as u64;
        if let Err(error) = self.store(&event.id, bytes).await {
            // The file is as it was before the step, which is then done again.
            tracing::error!(event = event.id, %error, "an event cannot be kept as it is now");
        }
        let mut index = self.index.lock();
        index.set_size(&event.id, size);
        index.waiting.insert((at, event.id));
        drop(index);
        self.changed.notify_one();
    }

    async fn store(&self, id: &str, bytes: Vec<u8>) -> std::io::Result<()> {
        let (files, id) = (self.files.clone(), id.to_owned());
        tokio::task::spawn_blocking(move || files.write(&id, &bytes)).await.map_err(std::io::Error::other)?
    }

    async fn remove(&self, id: &str) {
        let (files, path) = (self.files.clone(), id.to_owned());
        let removed = tokio::task::spawn_blocking(move || files.remove(&path)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(event = id, %error, "a file of the queue cannot be deleted; its event may be handled again");
        }
        self.index.lock().forget(id);
    }
}

#[cfg(test)]
mod tests;
