//! The outcome of one call, what it cost, and its log.

use std::sync::Arc;
use std::time::Duration;

use rimward_event::lambda::{Outcome, log_text};
use rimward_types::{ByteSize, Timestamp};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::instance::Ran;
use crate::network::OutgoingCall;

/// One call of a function. `T` is what it gives: the outcome of an edge event, or JSON text.
#[derive(Debug)]
pub struct Invocation<T = Outcome> {
    /// The call's own id, a UUID; not the request's.
    pub id: String,
    /// What the function decided, or why it did not.
    pub result: Result<T, Failure>,
    /// What the function wrote, line by line, at most 64 KB; lines of ours start with `rimward:`.
    pub logs: Vec<String>,
    /// Requests that it sent out.
    pub calls: Vec<OutgoingCall>,
    /// What it cost.
    pub cost: Cost,
    pub(crate) init: Option<Init>,
    pub(crate) at: Timestamp,
    pub(crate) version: Arc<str>,
    pub(crate) memory_limit: ByteSize,
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

    /// The line of an init that failed (`lambda-at-edge.md` section 11.3).
    fn report(self) -> Option<String> {
        let (time, status) = match self {
            Init::Done(_) => return None,
            Init::Failed(time, kind) => (time, format!("error\tError Type: {kind}")),
            Init::Redone(time) => (time, "timeout".to_owned()),
        };
        Some(format!("INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}", ms(time)))
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
        let Self { id, result, logs, calls, cost, init, at, version, memory_limit } = self;
        Invocation { id, result: result.and_then(next), logs, calls, cost, init, at, version, memory_limit }
    }

    /// The version that handled it.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The whole log in the vendor's text format (`lambda-at-edge.md` section 11.3): `START`, the function's lines, the
    /// failure if there is one, `END`, `REPORT`.
    pub fn log_lines(&self) -> Vec<String> {
        let id = &self.id;
        let mut lines = Vec::with_capacity(self.logs.len() + 5);
        lines.extend(self.init.and_then(Init::report));
        lines.push(format!("START RequestId: {id} Version: {}", self.version));
        lines.extend(self.logs.iter().cloned());
        if let Err(failure) = &self.result {
            lines.push(self.failure_line(failure));
        }
        lines.push(format!("END RequestId: {id}"));
        lines.push(self.report());
        lines
    }

    /// The failure as a direct caller gets it (`lambda-at-edge.md` section 14); `None` when there is none.
    pub fn error_json(&self) -> Option<Value> {
        let failure = self.result.as_ref().err()?;
        Some(match failure {
            Failure::Error(text) => {
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

    fn failure_line(&self, failure: &Failure) -> String {
        let (at, id) = (self.at.iso8601(), &self.id);
        match failure {
            Failure::Timeout(limit) => format!("{at} {id} Task timed out after {:.2} seconds", limit.as_secs_f64()),
            Failure::Error(text) => {
                let (kind, message) = error_parts(text);
                let stack: Vec<&str> = text.lines().collect();
                let error = json!({ "errorType": kind, "errorMessage": message, "stack": stack });
                format!("{at}\t{id}\tERROR\tInvoke Error\t{error}")
            }
            Failure::Invalid(invalid) => {
                format!("({id}) ERROR Validation error: {}", log_text(invalid))
            }
            Failure::Memory(_) => format!("RequestId: {id} Error: Runtime exited with error: {failure}"),
            _ => format!("RequestId: {id} Error: {failure}"),
        }
    }

    fn report(&self) -> String {
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            self.id,
            ms(self.cost.duration),
            self.cost.billed().as_millis(),
            self.memory_limit.as_u64() >> 20,
            self.cost.memory.div_ceil(1 << 20),
        );
        if let Some(init) = self.cost.init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", ms(init)));
        }
        match &self.result {
            Err(Failure::Timeout(_)) => line.push_str("\tStatus: timeout"),
            Err(failure) => {
                if let Some(kind) = failure.error_type() {
                    line.push_str(&format!("\tStatus: error\tError Type: {kind}"));
                }
            }
            Ok(_) => {}
        }
        line
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
