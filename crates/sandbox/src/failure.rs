//! How a call can fail.

use std::time::Duration;

use rimward_event::headers::Tier;
use rimward_event::{FailureCategory, Invalid};
use rimward_types::ByteSize;

/// Why a call gave no outcome. `Display` is the operator's text; the viewer sees the category's page alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The call took longer than it may.
    #[error("task timed out after {:.2} seconds", .0.as_secs_f64())]
    Timeout(Duration),
    /// The instance wanted more memory than it may have, and did not survive the refusal.
    #[error("out of memory: the limit is {0}")]
    Memory(ByteSize),
    /// The code did something impossible, or ended the process.
    #[error("crashed: {0}")]
    Trap(String),
    /// The handler returned an error.
    #[error("handler failed: {0}")]
    Error(String),
    /// The result broke a rule.
    #[error("function result failed validation: {0}")]
    Invalid(Invalid),
    /// As many calls run as may.
    #[error("throttled: {0}")]
    Throttled(Throttle),
    /// No instance could be started.
    #[error("init failed: {0}")]
    Init(Box<Failure>),
    /// What the function does when it starts, module scope and the like, ended with an error of its own.
    #[error("{0}")]
    ModuleScope(String),
    /// A handler is exported with another type than the contract's.
    #[error("the handler has the wrong type: {0}")]
    HandlerType(String),
    /// The function has no handler for the hook.
    #[error("the component exports no handler for {0}")]
    NoHandler(rimward_types::Hook),
}

/// Which limit a throttled call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Throttle {
    /// The function's own concurrency.
    #[error("{0} calls of this function run already")]
    Concurrency(usize),
    /// The instances of all functions on this node.
    #[error("all {0} instances of this node are busy")]
    Instances(usize),
}

impl Failure {
    /// What the viewer and the record get (`lambda-at-edge.md` section 9; timeouts count as a limit).
    pub fn category(&self) -> FailureCategory {
        match self {
            Failure::Timeout(_) | Failure::Throttled(_) => FailureCategory::LambdaLimitExceeded,
            Failure::Memory(_)
            | Failure::Trap(_)
            | Failure::Error(_)
            | Failure::ModuleScope(_)
            | Failure::HandlerType(_)
            | Failure::NoHandler(_) => FailureCategory::LambdaExecution,
            Failure::Invalid(invalid) => invalid.category(Tier::Lambda),
            Failure::Init(cause) => match **cause {
                Failure::Throttled(_) => FailureCategory::LambdaLimitExceeded,
                _ => FailureCategory::LambdaExecution,
            },
        }
    }

    /// Whether an instance did not start in its time.
    pub(crate) fn is_slow_init(&self) -> bool {
        matches!(self, Failure::Init(cause) if matches!(**cause, Failure::Timeout(_)))
    }

    /// One word for metrics, such as `timeout`.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Timeout(_) => "timeout",
            Failure::Memory(_) => "memory",
            Failure::Trap(_) => "trap",
            Failure::Error(_) => "error",
            Failure::Invalid(_) => "invalid",
            Failure::Throttled(_) => "throttled",
            Failure::Init(_) | Failure::ModuleScope(_) => "init",
            Failure::HandlerType(_) | Failure::NoHandler(_) => "no-handler",
        }
    }

    /// The error type in a `REPORT` line (`lambda-at-edge.md` section 11.3); `None` where the line has none.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        match self {
            Failure::Memory(_) => Some("Runtime.OutOfMemory"),
            Failure::Trap(_) => Some("Runtime.ExitError"),
            Failure::Error(_) => Some("Runtime.HandlerError"),
            Failure::Init(_) | Failure::ModuleScope(_) => Some("Runtime.InitError"),
            _ => None,
        }
    }
}
