//! Lambda@Edge functions in Rust.
//!
//! A handler is a plain function over types of the [`http`] crate; a macro exports it:
//!
//! ```
//! use rimward_sdk::{Context, Outcome, Request, http};
//!
//! fn handle(request: Request, _context: &Context) -> Result<Outcome, String> {
//!     if request.uri().path() == "/old" {
//!         let redirect = http::Response::builder().status(301).header("location", "/new");
//!         return Ok(redirect.body("".into()).map_err(|error| error.to_string())?.into());
//!     }
//!     Ok(request.into())
//! }
//!
//! rimward_sdk::request_hook!(handle);
//! # fn main() {}
//! ```
//!
//! `rimward build` makes a component of a crate with `crate-type = ["cdylib"]`. The same function runs in `cargo test`, where
//! [`fetch`], [`env`], [`secret`] and [`tmp`] find nothing.
//!
//! - [`request_hook!`], [`response_hook!`], [`hooks!`]: exports, for viewer-request and origin-request, for origin-response and
//!   viewer-response, and for all four.
//! - [`Request`], [`Response`], [`Body`], [`Context`], [`Origin`]: what a handler is given and gives.
//! - [`fetch`], [`env`], [`secret`], [`tmp`]: out of the sandbox, where the function's settings allow it.

mod body;
mod context;
mod convert;
mod export;
mod fetch;
mod host;
mod origin;

pub use body::Body;
pub use context::{Context, Hook};
pub use fetch::{FetchError, fetch};
pub use host::{env, secret, tmp};
pub use http;
pub use origin::{AuthMethod, CustomOrigin, Origin, Protocol, S3Origin};

#[doc(hidden)]
pub use export::bindings;

/// A request: the viewer's, or the one that goes to the origin. Its URI is the path and the query. [`ClientIp`] and [`Origin`]
/// are extensions; an origin hook may put another [`Origin`] there.
pub type Request = http::Request<Body>;

/// A response. At origin-response, [`Body::default`] keeps the body that the origin sends.
pub type Response = http::Response<Body>;

/// The viewer's address, an extension of each [`Request`]. It cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIp(pub String);

/// The phrase after the status, an extension of a [`Response`]; without it the standard one is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusDescription(pub String);

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on as it is now.
    Continue(Request),
    /// It is answered.
    Respond(Response),
}

impl From<Request> for Outcome {
    fn from(request: Request) -> Self {
        Self::Continue(request)
    }
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        Self::Respond(response)
    }
}
