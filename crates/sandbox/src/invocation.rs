//! The outcome of one call, what it cost, and its log.

mod json;
mod text;

use std::sync::Arc;
use std::time::Duration;

use rimward_event::lambda::Outcome;
use rimward_types::{ByteSize, Timestamp};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::instance::Ran;
use crate::logging::Logging;
use crate::network::OutgoingCall;

/// One call of a function. `T` is what it gives: the outcome of an edge event, or JSON text.
#[derive(Debug)]
pub struct Invocation<T = Outcome> {
    /// The call's own id, a UUID; not the request's.
    pub id: String,
    /// What the function decided, or why it did not.
    pub result: Result<T, Failure>,
    /// What the function wrote, line by line, at most 64 KB; lines of ours start with `rimward:`. With JSON logs each line
    /// is an object, and lines below the function's level are left out.
    pub logs: Vec<String>,
    /// Requests that it sent out.
    pub calls: Vec<OutgoingCall>,
    /// What it cost.
    pub cost: Cost,
    pub(crate) init: Option<Init>,
    pub(crate) at: Timestamp,
    pub(crate) version: Arc<str>,
    pub(crate) memory_limit: ByteSize,
    pub(crate) logging: Logging,
}

/// What one call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time of the handler; without a cold start, unless that had to be done again within the call.
    pub duration: Duration,
    /// Time that it took to make an instance, where one was made.
    pub init: Option<Duration>,
    /// Linear memory of the instance at the end of the call, in bytes.
    pub memory: usize,
}

/// How the instance of a call was started, where it was not there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    /// It took this long.
    Done(Duration),
    /// It failed after this long, for a reason such as `Runtime.ExitError`.
    Failed(Duration, &'static str),
    /// It did not start in this time, and was started again within the call.
    Redone(Duration),
}

impl Init {
    /// Of an instance that was made, or not.
    pub(crate) fn of<I>(made: &Ran<I>) -> Self {
        match &made.result {
            Ok(_) => Init::Done(made.time),
            Err(failure) => Init::Failed(made.time, failure.error_type().unwrap_or("Runtime.InitError")),
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

impl Cost {
    /// Duration rounded up to a millisecond (`lambda-at-edge.md` section 11.4).
    pub fn billed(&self) -> Duration {
        let ms = self.duration.as_nanos().div_ceil(1_000_000);
        Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX))
    }
}

impl<T> Invocation<T> {
    /// The same call with another result.
    pub(crate) fn and_then<U>(self, next: impl FnOnce(T) -> Result<U, Failure>) -> Invocation<U> {
        let Self { id, result, logs, calls, cost, init, at, version, memory_limit, logging } = self;
        Invocation { id, result: result.and_then(next), logs, calls, cost, init, at, version, memory_limit, logging }
    }

    /// The version that handled it.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The whole log in the vendor's format (`lambda-at-edge.md` section 11.3), text or JSON as the function has it: start,
    /// the function's lines, the failure if there is one, end, report.
    pub fn log_lines(&self) -> Vec<String> {
        match self.logging {
            Logging::Text => text::lines(self),
            Logging::Json { system, .. } => json::lines(self, system),
        }
    }

    /// The failure as a direct caller gets it (`lambda-at-edge.md` section 14); `None` when there is none.
    pub fn error_json(&self) -> Option<Value> {
        let failure = self.result.as_ref().err()?;
        let own = match failure {
            Failure::Init(cause) => cause,
            failure => failure,
        };
        Some(match own {
            Failure::Error(text) | Failure::ModuleScope(text) => {
                let (kind, message) = error_parts(text);
                let trace: Vec<&str> = text.lines().collect();
                json!({ "errorType": kind, "errorMessage": message, "trace": trace })
            }
            Failure::Timeout(limit) => json!({
                "errorType": "Sandbox.Timedout",
                "errorMessage":
                    format!("RequestId: {} Error: Task timed out after {:.2} seconds", self.id, limit.as_secs_f64()),
            }),
            _ => json!({
                "errorType": failure.error_type().unwrap_or("Runtime.Unknown"),
                "errorMessage": format!("RequestId: {} Error: {failure}", self.id),
            }),
        })
    }
}

/// Splits `TypeError: x is not a function` and what follows into the type and the message.
fn error_parts(text: &str) -> (&str, &str) {
    let first = text.lines().next().unwrap_or_default();
    match first.split_once(": ") {
        Some((kind, message)) if !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') => {
            (kind, message)
        }
        _ => ("Error", first),
    }
}

#[cfg(test)]
mod tests;
