//! Pure decisions: functions from values to enums that carry the reason.

/// Why a request is not looked up and its answer not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassReason {
    /// The cache policy is off.
    Disabled,
    /// The method is not cached.
    Method,
    /// GET with a body, or an upgrade.
    Request,
}

/// Why a response is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotStored {
    /// `no-store`.
    NoStore,
}

/// Why a request is refused by the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `only-if-cached`, and it is not (504, RFC 9111 section 5.2.1.7).
    OnlyIfCached,
}

impl Refusal {
    /// The status to answer with.
    pub fn status(self) -> http::StatusCode {
        match self {
            Refusal::OnlyIfCached => http::StatusCode::GATEWAY_TIMEOUT,
        }
    }
}
