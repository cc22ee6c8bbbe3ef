//! The outcome of one call, what it cost, and its log.

use std::sync::Arc;
use std::time::Duration;

use rimward_event::lambda::Outcome;
use rimward_types::{ByteSize, Timestamp};

use crate::environment::iso8601;
use crate::failure::Failure;

/// One call of a function.
#[derive(Debug)]
pub struct Invocation {
    /// The call's own id, a UUID; not the request's.
    pub id: String,
    /// What the function decided, or why it did not.
    pub result: Result<Outcome, Failure>,
    /// What the function wrote, line by line, at most 64 KB; lines of ours start with `rimward:`.
    pub logs: Vec<String>,
    /// What it cost.
    pub cost: Cost,
    pub(crate) at: Timestamp,
    pub(crate) version: Arc<str>,
    pub(crate) memory_limit: ByteSize,
}

/// What one call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time of the handler, without a cold start.
    pub duration: Duration,
    /// Time that it took to make an instance, where one was made.
    pub init: Option<Duration>,
    /// Linear memory of the instance at the end of the call, in bytes.
    pub memory: usize,
}

impl Cost {
    /// Duration rounded up to a millisecond (`lambda-at-edge.md` section 11.4).
    pub fn billed(&self) -> Duration {
        let ms = self.duration.as_nanos().div_ceil(1_000_000);
        Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX))
    }
}

impl Invocation {
    /// The whole log in the vendor's text format (`lambda-at-edge.md` section 11.3): `START`, the function's lines, the
    /// failure if there is one, `END`, `REPORT`.
    pub fn log_lines(&self) -> Vec<String> {
        let id = &self.id;
        let mut lines = Vec::with_capacity(self.logs.len() + 4);
        lines.push(format!("START RequestId: {id} Version: {}", self.version));
        lines.extend(self.logs.iter().cloned());
        if let Err(failure) = &self.result {
            lines.push(self.failure_line(failure));
        }
        lines.push(format!("END RequestId: {id}"));
        lines.push(self.report());
        lines
    }

    fn failure_line(&self, failure: &Failure) -> String {
        let (at, id) = (iso8601(self.at), &self.id);
        match failure {
            Failure::Timeout(limit) => format!("{at} {id} Task timed out after {:.2} seconds", limit.as_secs_f64()),
            Failure::Error(text) => {
                let (kind, message) = error_parts(text);
                let stack: Vec<&str> = text.lines().collect();
                let error = serde_json::json!({ "errorType": kind, "errorMessage": message, "stack": stack });
                format!("{at}\t{id}\tERROR\tInvoke Error\t{error}")
            }
            Failure::Invalid(invalid) => {
                format!("({id}) ERROR Validation error: Lambda function result failed validation, {invalid}.")
            }
            Failure::Memory(_) => format!("RequestId: {id} Error: Runtime exited with error: {failure}"),
            _ => format!("RequestId: {id} Error: {failure}"),
        }
    }

    fn report(&self) -> String {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
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
