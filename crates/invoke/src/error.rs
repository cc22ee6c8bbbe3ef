//! How the API refuses: status, `x-amzn-ErrorType`, and a body (`lambda-at-edge.md` section 14).

use crate::functions::Throttled;
use http::StatusCode;
use serde_json::{Value, json};

/// Why a request got no invocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is no JSON, or a header is malformed.
    #[error("{0}")]
    InvalidRequestContent(String),
    /// A parameter has a value that it cannot have.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// No such function, or not in this version.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// The body is larger than the kind of invocation takes.
    #[error("Request must be smaller than {0} bytes for the InvokeFunction operation")]
    TooLarge(u64),
    /// The function cannot run: it could not be published.
    #[error("{0}")]
    InvalidRuntime(String),
    /// No room now.
    #[error("Rate Exceeded.")]
    Throttled(Throttled),
    /// The queue of events is full.
    #[error("Rate Exceeded.")]
    QueueFull,
    /// The request is no invocation at all.
    #[error("{0}")]
    UnknownOperation(String),
    /// The caller may not use this API.
    #[error("{0}")]
    AccessDenied(String),
    /// Something of the node's own failed.
    #[error("{0}")]
    Service(String),
}

impl Refusal {
    /// Status.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::InvalidRequestContent(_) | Refusal::InvalidParameterValue(_) => StatusCode::BAD_REQUEST,
            Refusal::AccessDenied(_) => StatusCode::FORBIDDEN,
            Refusal::NotFound(_) | Refusal::UnknownOperation(_) => StatusCode::NOT_FOUND,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Throttled(_) | Refusal::QueueFull => StatusCode::TOO_MANY_REQUESTS,
            Refusal::InvalidRuntime(_) => StatusCode::BAD_GATEWAY,
            Refusal::Service(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error's type, by which the vendor's tools know it.
    pub fn kind(&self) -> &'static str {
        match self {
            Refusal::InvalidRequestContent(_) => "InvalidRequestContentException",
            Refusal::InvalidParameterValue(_) => "InvalidParameterValueException",
            Refusal::AccessDenied(_) => "AccessDeniedException",
            Refusal::NotFound(_) => "ResourceNotFoundException",
            Refusal::UnknownOperation(_) => "UnknownOperationException",
            Refusal::TooLarge(_) => "RequestTooLargeException",
            Refusal::Throttled(_) | Refusal::QueueFull => "TooManyRequestsException",
            Refusal::InvalidRuntime(_) => "InvalidRuntimeException",
            Refusal::Service(_) => "ServiceException",
        }
    }

    /// Which limit was met, where one was.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Refusal::Throttled(Throttled::Function) => Some("ReservedFunctionConcurrentInvocationLimitExceeded"),
            Refusal::Throttled(Throttled::Node) => Some("ConcurrentInvocationLimitExceeded"),
            Refusal::QueueFull => Some("FunctionInvocationRateLimitExceeded"),
            _ => None,
        }
    }

    /// The body. The message stands under both names that the vendor's services and tools use.
    pub fn body(&self) -> Value {
        let who = if self.status().is_server_error() { "Service" } else { "User" };
        let mut body = json!({ "Type": who, "Message": self.to_string(), "message": self.to_string() });
        if let Some(reason) = self.reason() {
            body["Reason"] = reason.into();
        }
        body
    }
}
