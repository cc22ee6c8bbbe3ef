//! Interim answers (1xx), on their way from an origin to the viewer (RFC 9110 section 15.2).

use http::{HeaderMap, StatusCode};
use std::fmt;
use std::sync::Arc;

/// What sends interim answers to a viewer.
pub trait InterimSink: Send + Sync {
    /// Sends one before the final answer to request `number` of a connection. After that answer has begun it does
    /// nothing, and past the connection's bounds neither: an interim answer may always be left out.
    fn send(&self, number: u64, status: StatusCode, headers: &HeaderMap);
}

/// The way back to one viewer for interim answers. The default leads nowhere: HTTP/1.0 knows none, and requests of the
/// node's own have no viewer. Cheap to clone.
#[derive(Clone, Default)]
pub struct Interim(Option<(Arc<dyn InterimSink>, u64)>);

impl Interim {
    /// The way to the viewer of request `number` of a connection.
    pub fn to(sink: Arc<dyn InterimSink>, number: u64) -> Self {
        Self(Some((sink, number)))
    }

    /// Whether anybody takes them.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Passes an interim answer on. 100 is not: it answers an `Expect` that ends at each hop. 101 is none.
    pub fn send(&self, status: StatusCode, headers: &HeaderMap) {
        if let Some((sink, number)) = &self.0
            && status.is_informational()
            && !matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS)
        {
            sink.send(*number, status, headers);
        }
    }
}

impl fmt::Debug for Interim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interim").field(&self.0.as_ref().map(|(_, number)| number)).finish()
    }
}
