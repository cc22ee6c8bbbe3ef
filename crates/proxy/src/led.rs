//! Fetches outlive the viewers that began them. Where none is left, no record tells what came of one, and the log does.

use crate::exchange::{Answer, Context, Trace};
use crate::fill::{self, Filled, FilledSlice};
use crate::outliving::Outliving;
use futures_util::FutureExt;
use http::StatusCode;
use rimward_cache::Lead;
use rimward_types::RequestId;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::thread;

/// What came of a fetch, for the log.
pub trait Outcome: Send + 'static {
    /// What was learned on the way.
    fn trace(&self) -> &Trace;
    /// The answer, unless it is something stored.
    fn answer(&self) -> Option<&Answer>;
}

impl Outcome for Filled {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn answer(&self) -> Option<&Answer> {
        let (Ok(answer) | Err(answer)) = &self.answer;
        Some(answer)
    }
}

impl Outcome for (FilledSlice, Trace) {
    fn trace(&self) -> &Trace {
        &self.1
    }

    fn answer(&self) -> Option<&Answer> {
        match &self.0 {
            FilledSlice::Answer(Ok(answer) | Err(answer)) => Some(answer),
            FilledSlice::Slice(_) | FilledSlice::Unsliced(_) => None,
        }
    }
}

/// Awaits what `fetch` makes of `lead`, which goes on when this is dropped as long as others wait for its head, and with its
/// head to its end: the cache wants it too. `None`: nobody waited any more.
///
/// # Errors
/// The page for a fetch that panicked.
pub async fn led<T: Outcome, F: Future<Output = T> + Send + 'static>(
    context: &Context,
    lead: Lead,
    fetch: impl FnOnce(Lead) -> F,
) -> Result<Option<T>, Box<Answer>> {
    let id = context.id;
    let (_attending, awaited) = lead.attend();
    let fetch = awaited.run(fetch(lead));
    let fetch = Outliving::new(fetch, move |ended| tell(&id, "the viewer has left", ended));
    AssertUnwindSafe(fetch).catch_unwind().await.map_err(|panic| {
        tell_panic(&id, &*panic);
        Box::new(fill::failed_elsewhere(context, StatusCode::INTERNAL_SERVER_ERROR))
    })
}

/// Runs `fetch` for the cache alone.
pub async fn in_background<T: Outcome>(context: &Context, fetch: impl Future<Output = T>) {
    let ended = AssertUnwindSafe(fetch).catch_unwind().await;
    tell(&context.id, "in the background", ended.map(Some));
}

fn tell<T: Outcome>(id: &RequestId, why: &str, ended: thread::Result<Option<T>>) {
    let outcome = match ended {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return tracing::debug!(request = %id, "a fetch is given up: nobody waits for it"),
        Err(panic) => return tell_panic(id, &*panic),
    };
    let origin = outcome.trace().origins.last();
    let (name, origin_status) = (origin.map(|origin| &*origin.origin), origin.and_then(|origin| origin.status));
    let error = origin.and_then(|origin| origin.error.as_deref());
    let answer = outcome.answer();
    let (status, detail) = (answer.map(|answer| answer.head.status.as_u16()), answer.and_then(|answer| answer.detail));
    if answer.is_some_and(|answer| answer.is_own_page || answer.head.status.is_server_error()) {
        tracing::warn!(request = %id, why, status, detail, origin = name, origin_status, error, "a fetch without a viewer failed");
    } else {
        tracing::debug!(request = %id, why, status, detail, origin = name, origin_status, error, "fetched without a viewer");
    }
}

fn tell_panic(id: &RequestId, panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    tracing::error!(request = %id, panic = text, "a fetch panicked");
}
