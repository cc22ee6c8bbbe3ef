//! Requests to origins: connections, TLS, timeouts, retries (`cdn-behaviour.md` section 8).
//!
//! - [`error`]: why an origin gave no answer.

pub mod error;

pub use error::{ErrorKind, OriginError};

use rimward_config::Origin;
use rimward_types::{Body, RequestHead, ResponseHead};
use std::sync::Arc;
use std::time::Duration;

/// The head of an answer and a body that arrives.
#[derive(Debug)]
pub struct Fetched {
    /// Head, without hop-by-hop fields. `content-length` is there when the origin gave one.
    pub head: ResponseHead,
    /// Body; ends with an error when the origin closed early, framed it wrongly, or stood still too long.
    pub body: Body,
    /// How long it took.
    pub timing: Timing,
    /// Whether the connection had served a request before.
    pub connection_reused: bool,
    /// Attempts made, this one included.
    pub attempts: u32,
}

/// How long an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Waiting for a connection and making it, in the last attempt; zero for a reused one.
    pub connect: Duration,
    /// From the start of all attempts to the head of the answer.
    pub first_byte: Duration,
}

/// The node's connections to its origins. Cheap to clone; lives over configuration changes.
#[derive(Clone, Default)]
pub struct Origins(Arc<()>);

impl Origins {
    /// Without connections yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what `origin` needs from disk (`ca`). For each origin of a new configuration, before it serves.
    ///
    /// # Errors
    /// A text for the operator when the file is missing or has no certificate.
    pub fn prepare(&self, origin: &Origin) -> Result<(), String> {
        let _ = origin;
        Ok(())
    }

    /// Sends a request to `origin`.
    ///
    /// Added here: the origin's path before `head.path`, its custom headers, the framing of `body`. Removed: hop-by-hop
    /// fields, `expect`. `host`: the origin's `host_header` if set, else the head's, else the origin's own name.
    /// Everything else (`via`, `x-forwarded-for`, ...) is the caller's. Dropping the future or the body closes the
    /// connection.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn fetch(&self, origin: &Origin, head: RequestHead, body: Body) -> Result<Fetched, OriginError> {
        let _ = (origin, head, body, &self.0);
        Err(OriginError { kind: ErrorKind::Connect, attempts: 0, detail: String::new() })
    }
}
