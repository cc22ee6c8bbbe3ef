//! Why a run gave no reply.

use std::time::Duration;

/// Why a run gave no reply. All of these are execution errors for the viewer (`cloudfront-functions.md` section 6);
/// what the function itself did wrong (an exception, a return value of no valid shape) is a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The time limit was reached.
    #[error("ran past its time limit of {} ms", limit.as_secs_f64() * 1000.0)]
    Time {
        /// The limit.
        limit: Duration,
    },
    /// An allocation was refused.
    #[error("needed more than its {} KB of memory", limit / 1024)]
    Memory {
        /// Bytes that a run may take.
        limit: usize,
    },
    /// Calls nested too deeply.
    #[error("ran out of stack")]
    Stack,
    /// The reply is larger than a head and a body can be.
    #[error("gave a reply of {size} bytes, more than {limit}")]
    Reply {
        /// Size of the reply in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The engine stopped: a fault of the engine, not of the function.
    #[error("the engine stopped: {message}")]
    Trap {
        /// What it said.
        message: String,
    },
    /// There was no slot to run in: the machine is out of memory or mappings.
    #[error("no slot: {message}")]
    NoSlot {
        /// What went wrong.
        message: String,
    },
}
