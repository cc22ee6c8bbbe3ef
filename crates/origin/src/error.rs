//! Why an origin gave no answer.

use http::StatusCode;
use std::fmt;

/// What went wrong at the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Its name has no address.
    Dns,
    /// It refused the connection or cannot be reached.
    Connect,
    /// It did not take the connection in time.
    ConnectTimeout,
    /// TLS failed, or its certificate is not valid for its name.
    Tls,
    /// It does not speak HTTP/2, which gRPC needs.
    NotHttp2,
    /// The connections allowed to it are all busy, and so is the queue for them.
    Saturated,
    /// No first byte of an answer in time.
    ReadTimeout,
    /// The answer was not complete in the time for all attempts.
    CompletionTimeout,
    /// It closed the connection before an answer.
    Closed,
    /// Its answer is not HTTP.
    Protocol,
    /// The head of its answer is larger than 32 KB or has more than 100 fields (`cdn-behaviour.md` section 20).
    HeadTooLarge,
    /// The viewer's body ended early, so that the request could not be sent whole.
    RequestBody,
    /// The request cannot be sent: a function made a target or a header that HTTP does not allow.
    InvalidRequest,
    /// The keys to sign the request with are not there.
    Credentials,
    /// The path of a request that would be signed has two readings.
    AmbiguousPath,
}

impl ErrorKind {
    /// The status that the viewer gets (`cdn-behaviour.md` sections 8 and 11).
    pub fn status(self) -> StatusCode {
        match self {
            ErrorKind::ConnectTimeout | ErrorKind::ReadTimeout | ErrorKind::CompletionTimeout => {
                StatusCode::GATEWAY_TIMEOUT
            }
            ErrorKind::Saturated => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::RequestBody | ErrorKind::AmbiguousPath => StatusCode::BAD_REQUEST,
            _ => StatusCode::BAD_GATEWAY,
        }
    }

    /// The status that an origin group looks for (`cdn-behaviour.md` section 9): no connection counts as 503, no
    /// answer in time as 504, a wrong answer as 502. `None`: the origin is not to blame, the group stays.
    pub fn failover_status(self) -> Option<StatusCode> {
        match self {
            ErrorKind::Dns
            | ErrorKind::Connect
            | ErrorKind::ConnectTimeout
            | ErrorKind::Tls
            | ErrorKind::NotHttp2
            | ErrorKind::Saturated
            | ErrorKind::Credentials => Some(StatusCode::SERVICE_UNAVAILABLE),
            ErrorKind::ReadTimeout | ErrorKind::CompletionTimeout => Some(StatusCode::GATEWAY_TIMEOUT),
            ErrorKind::Closed | ErrorKind::Protocol | ErrorKind::HeadTooLarge => Some(StatusCode::BAD_GATEWAY),
            ErrorKind::RequestBody | ErrorKind::InvalidRequest | ErrorKind::AmbiguousPath => None,
        }
    }

    /// The detailed result type of the access log (`cdn-behaviour.md` section 19.1).
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Dns => "OriginDnsError",
            ErrorKind::Connect | ErrorKind::ConnectTimeout | ErrorKind::Tls | ErrorKind::NotHttp2 => {
                "OriginConnectError"
            }
            ErrorKind::Saturated => "CapacityExceeded",
            ErrorKind::ReadTimeout | ErrorKind::CompletionTimeout => "OriginReadError",
            ErrorKind::Closed => "OriginCommError",
            ErrorKind::Protocol => "OriginInvalidResponseError",
            ErrorKind::HeadTooLarge => "OriginHeaderTooBigError",
            ErrorKind::RequestBody => "ClientCommError",
            ErrorKind::AmbiguousPath => "AmbiguousPath",
            ErrorKind::InvalidRequest | ErrorKind::Credentials => "OriginWriteError",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Dns => "origin name not found",
            ErrorKind::Connect => "cannot connect to the origin",
            ErrorKind::ConnectTimeout => "origin did not take the connection in time",
            ErrorKind::Tls => "TLS with the origin failed",
            ErrorKind::NotHttp2 => "origin does not speak HTTP/2, which gRPC needs",
            ErrorKind::Saturated => "all connections to the origin are busy",
            ErrorKind::ReadTimeout => "origin did not answer in time",
            ErrorKind::CompletionTimeout => "origin did not complete its answer in time",
            ErrorKind::Closed => "origin closed the connection before it answered",
            ErrorKind::Protocol => "origin did not answer with HTTP",
            ErrorKind::HeadTooLarge => "the head of the origin's answer is too large",
            ErrorKind::RequestBody => "the request's body ended early",
            ErrorKind::InvalidRequest => "the request for the origin is not valid HTTP",
            ErrorKind::Credentials => "the request for the origin cannot be signed",
            ErrorKind::AmbiguousPath => "the path can be read in two ways",
        })
    }
}

/// An origin gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct OriginError {
    /// What went wrong, in the last attempt.
    pub kind: ErrorKind,
    /// Attempts made.
    pub attempts: u32,
    /// The particulars, for the operator.
    pub detail: String,
}

impl OriginError {
    /// The status that the viewer gets.
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }
}
