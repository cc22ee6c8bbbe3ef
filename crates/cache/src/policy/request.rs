//! Which requests the cache has a part in.

use super::directives::RequestDirectives;
use crate::rules::Rules;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, StatusCode};
use rimward_types::RequestHead;

/// Why a request is not looked up and its answer not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassReason {
    /// The cache policy is off.
    Disabled,
    /// The method is not cached (`cdn-behaviour.md` section 4).
    Method,
    /// GET or HEAD with a body: its meaning is the origin's alone (RFC 9110 section 9.3.1).
    Body,
    /// A change of protocol, such as a WebSocket.
    Upgrade,
    /// A gRPC call.
    Grpc,
}

impl PassReason {
    /// A token for `Cache-Status` and the record.
    pub fn as_str(self) -> &'static str {
        match self {
            PassReason::Disabled => "disabled",
            PassReason::Method => "method",
            PassReason::Body => "body",
            PassReason::Upgrade => "upgrade",
            PassReason::Grpc => "grpc",
        }
    }

    /// The rule behind it.
    pub fn reference(self) -> &'static str {
        match self {
            PassReason::Disabled => "the behavior's cache policy",
            PassReason::Method => "RFC 9111 section 4",
            PassReason::Body => "RFC 9110 section 9.3.1",
            PassReason::Upgrade => "RFC 9110 section 7.8",
            PassReason::Grpc => "the behavior's `grpc`",
        }
    }
}

/// Why a request is refused by the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `only-if-cached`, and it is not (RFC 9111 section 5.2.1.7).
    OnlyIfCached,
}

impl Refusal {
    /// The status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::OnlyIfCached => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// A token for the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::OnlyIfCached => "only-if-cached",
        }
    }

    /// The rule behind it.
    pub fn reference(self) -> &'static str {
        match self {
            Refusal::OnlyIfCached => "RFC 9111 section 5.2.1.7",
        }
    }
}

/// Whether a request goes past the cache.
pub fn pass(request: &RequestHead, rules: &Rules) -> Option<PassReason> {
    let headers = &request.headers;
    match request.method {
        _ if !rules.enabled => Some(PassReason::Disabled),
        Method::GET | Method::HEAD if has_body(headers) => Some(PassReason::Body),
        Method::GET if is_websocket(headers) => Some(PassReason::Upgrade),
        Method::GET | Method::HEAD => None,
        Method::OPTIONS if rules.options && !has_body(headers) => None,
        _ => Some(PassReason::Method),
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The request's directives where the profile obeys them; else none.
pub fn directives(request: &RequestHead, rules: &Rules) -> RequestDirectives {
    if rules.profile.table().request_directives {
        RequestDirectives::of_request(&request.headers)
    } else {
        RequestDirectives::default()
    }
}
