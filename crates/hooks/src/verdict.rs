//! What a function decided, and what it cost.

use rimward_event::connection::Decided;
use rimward_event::headers::Tier;
use rimward_event::lambda::LambdaOrigin;
use rimward_event::viewer::OriginRewrite;
use rimward_event::{FailureCategory, Invalid};
use rimward_isolate::KvReads;
use rimward_sandbox::OutgoingCall;
use rimward_types::{Body, Hook, RequestHead, ResponseHead};
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a request.
#[derive(Debug)]
pub enum RequestVerdict {
    /// It goes on.
    Continue {
        /// As the function left it.
        head: RequestHead,
        /// As the function left it.
        body: Body,
        /// Where it goes, if the function said so.
        origin: Option<Box<LambdaOrigin>>,
        /// The same from a viewer function.
        rewrite: Option<Box<OriginRewrite>>,
    },
    /// The function answers.
    Answer {
        /// Head.
        head: ResponseHead,
        /// Body.
        body: Body,
    },
    /// The function failed; the request goes no further.
    Failed(Failure),
}

/// What becomes of a response.
#[derive(Debug)]
pub enum ResponseVerdict {
    /// It goes on.
    Continue {
        /// As the function left it.
        head: ResponseHead,
        /// As the function left it.
        body: Body,
    },
    /// The function failed; the viewer gets an error instead of the response.
    Failed(Failure),
}

/// Why a function gave no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Decides status and `X-Cache`.
    pub category: FailureCategory,
    /// What the viewer may read.
    pub sentence: &'static str,
    /// The true reason, for the operator.
    pub reason: String,
}

impl Failure {
    /// A viewer function's result that is not allowed.
    pub fn invalid(invalid: &Invalid) -> Self {
        Self {
            category: invalid.category(Tier::Viewer),
            sentence: invalid.sentence(Tier::Viewer),
            reason: match invalid {
                // With the place, where it is known.
                Invalid::Threw { message, line, column } if *line > 0 => {
                    format!("{message} (line {line}, column {column})")
                }
                other => other.to_string(),
            },
        }
    }

    /// A failure with the category's own sentence.
    pub fn new(category: FailureCategory, reason: impl Into<String>) -> Self {
        Self { category, sentence: category.sentence(), reason: reason.into() }
    }
}

/// A verdict and its report.
#[derive(Debug)]
pub struct Ran<V> {
    /// The verdict.
    pub verdict: V,
    /// What it cost.
    pub report: Report,
}

/// What a function made of a connection, and what it cost.
#[derive(Debug)]
pub struct ConnectionRan {
    /// Which function.
    pub function: Arc<str>,
    /// What it decided, or why it did not.
    pub decided: Result<Decided, Failure>,
    /// Time inside the function.
    pub time: Duration,
    /// Share of the time limit, 0 to 100.
    pub utilization: u8,
    /// What it read of its key value store.
    pub kv: KvReads,
    /// Lines that the function wrote.
    pub logs: Vec<String>,
}

/// What the operator learns of one run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which function.
    pub function: Arc<str>,
    /// At which hook.
    pub hook: Hook,
    /// `continued`, `answered` or the failure's result type.
    pub verdict: &'static str,
    /// The true reason of a failure.
    pub reason: Option<String>,
    /// Time inside the function.
    pub time: Duration,
    /// Share of the time limit, 0 to 100.
    pub utilization: u8,
    /// What it read of its key value store.
    pub kv: KvReads,
    /// Lines that the function wrote.
    pub logs: Vec<String>,
    /// Requests that the function sent out.
    pub calls: Vec<OutgoingCall>,
}

/// What an engine measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    pub(crate) utilization: u8,
    /// Whether the run was ended because it went on for too long.
    pub(crate) over_time: bool,
    pub(crate) kv: KvReads,
    pub(crate) logs: Vec<String>,
    pub(crate) calls: Vec<OutgoingCall>,
}

/// A verdict, seen from the report.
pub(crate) trait Verdict {
    fn failed(failure: Failure) -> Self;
    fn word(&self) -> (&'static str, Option<&str>);
}

impl Verdict for RequestVerdict {
    fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    fn word(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Continue { .. } => ("continued", None),
            Self::Answer { .. } => ("answered", None),
            Self::Failed(failure) => (failure.category.result_type(), Some(&failure.reason)),
        }
    }
}

impl Verdict for ResponseVerdict {
    fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    fn word(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Continue { .. } => ("continued", None),
            Self::Failed(failure) => (failure.category.result_type(), Some(&failure.reason)),
        }
    }
}

impl<V> Ran<V> {
    pub(crate) fn new(function: &Arc<str>, hook: Hook, verdict: V, cost: Cost) -> Self
    where
        V: Verdict,
    {
        let (word, reason) = verdict.word();
        let report = Report {
            function: function.clone(),
            hook,
            verdict: word,
            reason: reason.map(str::to_owned),
            time: cost.time,
            utilization: cost.utilization,
            kv: cost.kv,
            logs: cost.logs,
            calls: cost.calls,
        };
        Self { verdict, report }
    }
}

impl Ran<RequestVerdict> {
    /// The same run, failed by what was found out about its verdict later.
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        self.verdict = RequestVerdict::Failed(failure);
        let (word, reason) = self.verdict.word();
        (self.report.verdict, self.report.reason) = (word, reason.map(str::to_owned));
        self
    }
}
