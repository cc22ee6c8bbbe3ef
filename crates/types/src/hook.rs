//! The four hook points.

use std::fmt;

/// Where in a request's way a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// Before the cache key is made.
    ViewerRequest,
    /// Before the origin is asked.
    OriginRequest,
    /// Before the origin's answer is stored.
    OriginResponse,
    /// Before the answer leaves.
    ViewerResponse,
}

impl Hook {
    /// All four, in the order of a request.
    pub const ALL: [Hook; 4] = [Hook::ViewerRequest, Hook::OriginRequest, Hook::OriginResponse, Hook::ViewerResponse];

    /// The name in events and configuration, such as `viewer-request`.
    pub fn as_str(self) -> &'static str {
        match self {
            Hook::ViewerRequest => "viewer-request",
            Hook::OriginRequest => "origin-request",
            Hook::OriginResponse => "origin-response",
            Hook::ViewerResponse => "viewer-response",
        }
    }

    /// Whether it runs for every viewer, not only when the origin is asked.
    pub fn is_viewer(self) -> bool {
        matches!(self, Hook::ViewerRequest | Hook::ViewerResponse)
    }

    /// Whether it sees a response.
    pub fn is_response(self) -> bool {
        matches!(self, Hook::OriginResponse | Hook::ViewerResponse)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
