//! Makes a snapshot of a source.

use crate::budget::Counting;
use crate::failure::Failure;
use crate::guest::Terms;
use crate::log::Log;
use crate::mapping::PAGE;
use crate::page_store::PageStore;
use crate::slot::{Condition, Slot};
use crate::snapshot::Snapshot;
use crate::source::{Entry, Position, Runtime, Source};
use crate::ticker::Activity;
use rimward_types::Timestamp;
use rimward_wire::abi::{CONNECTION, DEFER, Loaded, NO_STORE, RUNTIME_1};
use rimward_wire::reply::Reply;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Why a source cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// `FunctionSizeLimitExceeded` (`cloudfront-functions.md` section 7).
    #[error("the source has {size} bytes, more than {limit}")]
    TooLarge {
        /// Bytes of the source.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It does not compile.
    #[error("{message}")]
    Syntax {
        /// `SyntaxError: ...`
        message: String,
        /// Where.
        position: Option<Position>,
    },
    /// There is no function of this name at the top level.
    #[error("no function `{}` at the top level", .0.name())]
    NoHandler(Entry),
    /// The top level threw.
    #[error("{message}")]
    Threw {
        /// `TypeError: ...`
        message: String,
        /// Where.
        position: Option<Position>,
    },
    /// Compiling it and running its top level took too long.
    #[error("the top level ran past {} ms", limit.as_millis())]
    TooSlow {
        /// The limit.
        limit: Duration,
    },
    /// The top level keeps or needs too much memory.
    #[error("the top level needs more than {} KB of memory", limit / 1024)]
    OutOfMemory {
        /// The limit in bytes.
        limit: usize,
    },
    /// The engine stopped while it compiled the source or ran its top level.
    #[error("{0}")]
    Stopped(Failure),
    /// The kernel refused memory.
    #[error("no slot to publish in: {0}")]
    NoSlot(String),
}

impl PublishError {
    /// Where in the source it went wrong.
    pub fn position(&self) -> Option<&Position> {
        match self {
            Self::Syntax { position, .. } | Self::Threw { position, .. } => position.as_ref(),
            _ => None,
        }
    }
}

/// A published source.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) snapshot: Arc<Snapshot>,
    /// The top level asked for time, randomness or the store, and runs in each invocation.
    pub(crate) deferred: bool,
    /// What the top level logged, where it is not deferred.
    pub(crate) logs: Vec<String>,
}

/// Publishes in a slot that shows the booted image, and restores it.
pub(crate) fn publish(
    slot: &mut Slot,
    activity: &Arc<Activity>,
    source: &Source<'_>,
    time: Duration,
    pages: &PageStore,
) -> (Result<Published, PublishError>, Condition) {
    let (size, limit) = (source.code.len(), source.limits.code);
    if size > limit {
        return (Err(PublishError::TooLarge { size, limit }), Condition::Restored);
    }
    let code = match std::str::from_utf8(source.code) {
        Ok(code) => code,
        Err(error) => return (Err(not_text(source.code, error.valid_up_to())), Condition::Restored),
    };
    let publishing = Publishing { source, code, time, pages };
    let runtime = if source.runtime == Runtime::V1 { RUNTIME_1 } else { 0 };
    let entry = if source.entry == Entry::ConnectionHandler { CONNECTION } else { 0 };
    let terms = runtime | entry | if source.kv.is_none() { NO_STORE } else { 0 };
    let (result, logs, condition) = publishing.attempt(slot, activity, terms);
    match (result, condition) {
        (Ok(None), Condition::Restored) => match publishing.attempt(slot, activity, terms | DEFER) {
            (Ok(snapshot), _, condition) => {
                let snapshot = snapshot.ok_or_else(|| PublishError::Stopped(deferred_twice()));
                (snapshot.map(|snapshot| Published { snapshot, deferred: true, logs: Vec::new() }), condition)
            }
            (Err(error), _, condition) => (Err(error), condition),
        },
        (Ok(None), Condition::Broken) => {
            (Err(PublishError::NoSlot("memory could not be restored".to_owned())), condition)
        }
        (Ok(Some(snapshot)), condition) => (Ok(Published { snapshot, deferred: false, logs }), condition),
        (Err(error), condition) => (Err(error), condition),
    }
}

struct Publishing<'a> {
    source: &'a Source<'a>,
    code: &'a str,
    time: Duration,
    pages: &'a PageStore,
}

impl Publishing<'_> {
    /// Loads once; `None` when the top level has to be deferred. With what the top level logged.
    fn attempt(
        &self,
        slot: &mut Slot,
        activity: &Arc<Activity>,
        flags: u32,
    ) -> (Result<Option<Arc<Snapshot>>, PublishError>, Vec<String>, Condition) {
        let ground = slot.ground.clone();
        let running = ground.ticker.enter(activity);
        let terms = Terms {
            time: self.time,
            now: Timestamp::default(),
            seed: 0,
            kv: self.source.kv.as_deref().map(rimward_kv::Store::snapshot),
            bindings: self.source.bindings.clone(),
            server: None,
            log: Log::default(),
        };
        slot.guest.begin(terms, Counting::Begin);
        let result = self.load(slot, flags);
        drop(running);
        let logs = slot.guest.end();
        // The publisher's slot moves between threads, so that their counts of faults mean nothing here.
        (result, logs, slot.restore(true))
    }

    fn load(&self, slot: &mut Slot, flags: u32) -> Result<Option<Arc<Snapshot>>, PublishError> {
        let ground = slot.ground.clone();
        let guest = &mut slot.guest;
        let stopped = |failure| self.stopped(failure);
        match guest.load(ground.event_buffer, self.source.code, flags).map_err(stopped)? {
            Loaded::Ready => {}
            Loaded::Impure => return Ok(None),
            Loaded::NoHandler => return Err(PublishError::NoHandler(self.source.entry)),
            Loaded::Syntax => {
                let (message, position) = self.complaint(slot)?;
                return Err(PublishError::Syntax { message, position });
            }
            Loaded::Threw => {
                let (message, position) = self.complaint(slot)?;
                return Err(PublishError::Threw { message, position });
            }
        }
        let limit = self.source.limits.memory;
        let kept = guest.brk().map_err(stopped)?.saturating_sub(ground.brk);
        if kept as usize > limit {
            return Err(PublishError::OutOfMemory { limit });
        }
        guest.seal(u32::try_from(limit).unwrap_or(u32::MAX)).map_err(stopped)?;
        let globals = guest.globals();
        let memory = guest.memory();
        let written = slot.residence.written(memory, ground.finder.as_ref());
        // What compiling left there says nothing to a later call.
        let scratch = [guest.unused_stack(), ground.messages()].map(pages_within);
        let written = written.iter().filter(|n| !scratch.iter().any(|pages| pages.contains(n)));
        Ok(Some(Arc::new(Snapshot::take(memory, ground.image.bytes(), written, globals, self.pages))))
    }

    /// The guest's own words.
    fn complaint(&self, slot: &mut Slot) -> Result<(String, Option<Position>), PublishError> {
        let place = slot.guest.last_reply().map_err(|failure| self.stopped(failure))?;
        let bytes = slot.guest.reply(place).map_err(|failure| self.stopped(failure))?;
        match Reply::read(bytes) {
            Ok(Reply::Failed { message, line, column, .. }) => {
                Ok((message.to_owned(), Position::find(self.code, line, column)))
            }
            Ok(_) => Err(self.stopped(Failure::Trap { message: "`load` failed without a reason".to_owned() })),
            Err(error) => Err(self.stopped(Failure::Trap { message: format!("`load` gave a reply that {error}") })),
        }
    }

    fn stopped(&self, failure: Failure) -> PublishError {
        match failure {
            Failure::Time { .. } => PublishError::TooSlow { limit: self.time },
            Failure::Memory { .. } => PublishError::OutOfMemory { limit: self.source.limits.memory },
            failure => PublishError::Stopped(failure),
        }
    }
}

/// The pages that lie in a range of bytes as a whole.
fn pages_within(bytes: Range<usize>) -> Range<u32> {
    (bytes.start.div_ceil(PAGE) as u32)..((bytes.end / PAGE) as u32)
}

fn deferred_twice() -> Failure {
    Failure::Trap { message: "`load` did not defer the top level".to_owned() }
}

/// Points to the first byte that is not UTF-8.
fn not_text(code: &[u8], valid: usize) -> PublishError {
    let text = String::from_utf8_lossy(code);
    let before = String::from_utf8_lossy(&code[..valid]);
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) as u32 + 1;
    let message = "SyntaxError: the source is not UTF-8".to_owned();
    PublishError::Syntax { message, position: Position::find(&text, line, column) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::not_text;

    #[test]
    fn a_source_that_is_not_utf_8_is_refused_with_its_place() {
        let error = not_text(b"var a;\nvar b = '\xff';", 16);
        let position = error.position().unwrap();
        assert_eq!((position.line, position.column), (2, 10));
    }
}
