//! What the API needs of a node.

use crate::destination::Destination;
use crate::error::Refusal;
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The qualifier of what serves.
pub const LIVE: &str = "LIVE";

/// The functions of a node.
pub trait Functions: Send + Sync + 'static {
    /// How events of a function are handled; also tells whether there is such a function. Must not wait.
    ///
    /// # Errors
    /// There is none, not in this version, or it cannot run.
    fn settings(&self, function: &str, qualifier: Option<&str>) -> Result<AsyncSettings, Refusal>;

    /// An id for an invocation, a UUID.
    fn invocation_id(&self) -> String;

    /// Handles one event.
    ///
    /// # Errors
    /// As [`Functions::settings`], or when the function is throttled.
    fn run(&self, invocation: Invocation<'_>) -> impl Future<Output = Result<Ran, NotRun>> + Send;

    /// Sends a record to an HTTP destination.
    ///
    /// # Errors
    /// Why it did not arrive: no answer, or one that is not 2xx.
    fn post(&self, url: &str, record: String) -> impl Future<Output = Result<(), Undelivered>> + Send;
}

/// One event for a function.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Its version; `None` and `$LATEST` are what was written last, [`LIVE`] is what serves.
    pub qualifier: Option<&'a str>,
    /// The invocation's id, the same for each attempt.
    pub id: &'a str,
    /// The event: JSON.
    pub payload: &'a str,
    /// JSON.
    pub client_context: Option<&'a str>,
}

/// How events that are handled later are handled (`lambda-at-edge.md` section 14.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsyncSettings {
    /// Attempts after the first, 0 to 2.
    pub retries: u32,
    /// How old an event may become before it is given up.
    pub max_age: Duration,
    /// Where the record of a success goes.
    pub on_success: Option<Destination>,
    /// Where the record of a failure goes.
    pub on_failure: Option<Destination>,
}

impl AsyncSettings {
    /// The longest that an event is kept: six hours.
    pub const MAX_AGE: Duration = Duration::from_secs(6 * 3600);
}

impl Default for AsyncSettings {
    fn default() -> Self {
        Self { retries: 2, max_age: Self::MAX_AGE, on_success: None, on_failure: None }
    }
}

/// A call that ran.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What the function returned, as JSON text; or its error, `{"errorType", "errorMessage", ...}`.
    pub result: Result<String, Value>,
    /// The version that handled it.
    pub version: Arc<str>,
    /// The log with START, END and REPORT, without line ends.
    pub log: Vec<String>,
}

/// A call that did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// There is no room now.
    Throttled(Throttled),
    /// It cannot run at all.
    Refused(Refusal),
}

/// Which limit a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttled {
    /// The function's own concurrency.
    Function,
    /// The node's instances.
    Node,
}

/// Why a record did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undelivered(pub String);
