//! The origin tier: Lambda@Edge events (`lambda-at-edge.md` sections 3 to 8 and 15).
//!
//! - [`origin`]: where the node is about to go, as a function sees and may change it.
//! - [`to_json`](LambdaEvent::to_json), [`from_json`]: events and results of JavaScript, Python and whoever speaks JSON.
//! - [`Returned`], [`validate`]: results of typed components; JSON results go the same way.
//! - [`validate_leniently`]: the same rules, with breaches by single headers undone.
//! - [`log_text`]: how a refused result is logged.
//! - [`json`]: event fixtures and outcomes as JSON, for `rimward invoke` and `rimward test`.

pub mod from_json;
pub mod json;
mod lenient;
mod log;
pub mod origin;
pub mod to_json;
pub mod validate;

pub use crate::headers::Encoding;
pub use from_json::{from_json, parse};
pub use lenient::validate_leniently;
pub use log::log_text;
pub(crate) use origin::is_region;
pub use origin::{CustomOrigin, LambdaOrigin, Protocol, S3Auth, S3Origin, SslProtocol};
pub use validate::validate;

use crate::{BodyChange, ViewerContext};
use bytes::Bytes;
use rimward_types::{Hook, RequestHead, ResponseHead};

/// What a function of `hook` may see of a request body, in bytes (`lambda-at-edge.md` section 3.5).
/// The same limit holds for a body that it gives back and for a response that it makes (section 8).
pub fn body_limit(hook: Hook) -> usize {
    if hook.is_viewer() { 40 * 1024 } else { 1024 * 1024 }
}

/// Limit of a returned body in base64 text: 53.2 KB and 1.33 MB (`lambda-at-edge.md` section 8).
pub fn base64_limit(hook: Hook) -> usize {
    if hook.is_viewer() { 54_476 } else { 1_394_606 }
}

/// A request body as the function sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyView<'a> {
    /// The bytes, at most [`body_limit`] of them.
    pub data: &'a [u8],
    /// Whether there was more.
    pub truncated: bool,
}

/// One event of the origin tier.
#[derive(Debug, Clone, Copy)]
pub struct LambdaEvent<'a> {
    /// The hook.
    pub hook: Hook,
    /// `config` and `clientIp`.
    pub context: ViewerContext<'a>,
    /// The request: at origin hooks the one for the origin, at viewer hooks the viewer's.
    pub request: &'a RequestHead,
    /// The request's body, where the function asked for it; request hooks alone.
    pub body: Option<BodyView<'a>>,
    /// Where the node goes; origin hooks alone.
    pub origin: Option<&'a LambdaOrigin>,
    /// The response; response hooks alone.
    pub response: Option<&'a ResponseHead>,
}

/// What an origin-tier function decided.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Go on with this request.
    Request {
        /// The request.
        head: RequestHead,
        /// Its body.
        body: BodyChange,
        /// The origin to go to, where the function changed it; for this request alone.
        origin: Option<Box<LambdaOrigin>>,
    },
    /// At request hooks: answer with this, and the body is [`BodyChange::Replace`]. At response hooks: go on with this.
    Response(ResponseHead, BodyChange),
}

/// Header lines as a typed component returns them: a name may come more than once.
/// Values are bytes; see [`bytes_of`].
pub type HeaderLines = Vec<(String, Vec<u8>)>;

/// A result before validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// The edited request.
    Request(ReturnedRequest),
    /// A response.
    Response(ReturnedResponse),
}

/// A returned request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedRequest {
    /// Method; must be the event's.
    pub method: String,
    /// Client address, where the result has it; must be the event's.
    pub client_ip: Option<String>,
    /// Path.
    pub uri: String,
    /// Query string without `?`; empty for none.
    pub querystring: String,
    /// All headers; one that is missing is deleted.
    pub headers: HeaderLines,
    /// A body that replaces the viewer's; `None` keeps it.
    pub body: Option<Bytes>,
    /// The origin; `None` keeps it. At viewer-request it has no meaning.
    pub origin: Option<Box<LambdaOrigin>>,
}

/// A returned response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedResponse {
    /// Status code.
    pub status: u16,
    /// Reason phrase; empty or `None` for the standard one.
    pub reason: Option<String>,
    /// All headers; one that is missing is deleted.
    pub headers: HeaderLines,
    /// Body; `None` keeps the origin's (response hooks) or is an empty one (request hooks).
    pub body: Option<Bytes>,
}

/// The bytes that a typed component's header text stands for: each character is the byte of the same number.
/// `None` when a character is past U+00FF.
pub fn bytes_of(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// The text that carries header bytes to a typed component; the reverse of [`bytes_of`].
pub fn text_of(bytes: &[u8]) -> String {
    crate::text::latin1(bytes)
}
