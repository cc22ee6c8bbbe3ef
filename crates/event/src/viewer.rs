//! The viewer tier: CloudFront Functions events (`cloudfront-functions.md` sections 3 to 5).
//!
//! - [`encode`]: heads to wire bytes.
//! - [`decode`]: a reply back to heads, with every rule checked.
//! - `parts`: parameters and cookies: unchanged ones keep their bytes and their place.
//! - [`origin`]: the origin that a function chose.
//! - [`json`]: the same events and results as JSON, for `rimward invoke` and `rimward test`.

mod cookies;
pub mod decode;
pub mod encode;
pub mod json;
pub mod origin;
mod parts;

pub use crate::{BodyChange, ViewerContext};
pub use decode::decode;
pub use encode::{encode_request, encode_response};
pub use origin::{AccessControl, OriginChoice, OriginOverrides, OriginRewrite, OriginUpdate};

use rimward_types::{RequestHead, ResponseHead};

/// Headers and body of a response that a function made or whose body it replaced (`cloudfront-functions.md` section 7).
pub const MAX_RESPONSE: usize = 40 * 1024;
/// A head that a function changed (`cloudfront-functions.md` section 7).
pub const MAX_HEAD: usize = 32 * 1024;

/// What a viewer-tier function decided.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Go on with this request, and with this origin if the function chose one.
    Request(RequestHead, Option<Box<OriginRewrite>>),
    /// At viewer-request: answer with this at once, and the body is [`BodyChange::Replace`].
    /// At viewer-response: send this.
    Response(ResponseHead, BodyChange),
}
