//! What is known of a call.

use std::time::Duration;

/// The hook point at which a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Before the cache, for each request.
    ViewerRequest,
    /// Before the origin is asked.
    OriginRequest,
    /// Before the origin's answer is stored.
    OriginResponse,
    /// Before an answer goes to the viewer.
    ViewerResponse,
}

/// What a handler is told of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Where it runs.
    pub hook: Hook,
    /// The distribution's id.
    pub distribution_id: String,
    /// The distribution's own name.
    pub distribution_domain_name: String,
    /// The viewer request's id, the same at all hooks.
    pub request_id: String,
    /// This call's id, a UUID.
    pub invocation_id: String,
    /// The function's name.
    pub function_name: String,
    /// The function's version.
    pub function_version: String,
    /// The most memory that an instance may have, in megabytes.
    pub memory_limit_mb: u32,
    /// When the call is ended, in milliseconds since 1970.
    pub deadline_ms: u64,
}

impl Context {
    /// The time that is left until the call is ended.
    pub fn remaining(&self) -> Duration {
        Duration::from_millis(self.deadline_ms).saturating_sub(now())
    }
}

/// Since 1970.
fn now() -> Duration {
    #[cfg(target_family = "wasm")]
    {
        let now = wasip2::clocks::wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }
    #[cfg(not(target_family = "wasm"))]
    std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default()
}
