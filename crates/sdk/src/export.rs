//! Exporting a handler: the macros, and what they expand to.

/// Exports a handler for viewer-request and origin-request.
///
/// It is a `fn(Request, &Context) -> Result<R, E>`, where `R` goes into an [`Outcome`](crate::Outcome) and `E` can be displayed;
/// an error is for the operator's log, and the viewer gets 503.
#[macro_export]
macro_rules! request_hook {
    ($handler:expr) => {
        struct RimwardRequestHook;

        impl $crate::bindings::request::exports::rimward::edge::request_hook::Guest for RimwardRequestHook {
            fn handle(
                request: $crate::bindings::types::Request,
                context: $crate::bindings::types::Context,
            ) -> Result<$crate::bindings::types::Outcome, String> {
                $crate::bindings::handle_request($handler, request, context)
            }
        }

        $crate::bindings::request::export!(RimwardRequestHook with_types_in $crate::bindings::request);
    };
}

/// Exports a handler for origin-response and viewer-response.
///
/// It is a `fn(&Request, Response, &Context) -> Result<Response, E>`, where `E` can be displayed. The response is edited and
/// returned: one that is made anew lacks headers that must stay.
#[macro_export]
macro_rules! response_hook {
    ($handler:expr) => {
        struct RimwardResponseHook;

        impl $crate::bindings::response::exports::rimward::edge::response_hook::Guest for RimwardResponseHook {
            fn handle(
                request: $crate::bindings::types::Request,
                response: $crate::bindings::types::Response,
                context: $crate::bindings::types::Context,
            ) -> Result<$crate::bindings::types::Response, String> {
                $crate::bindings::handle_response($handler, request, response, context)
            }
        }

        $crate::bindings::response::export!(RimwardResponseHook with_types_in $crate::bindings::response);
    };
}

/// Exports handlers for all four hooks: `hooks!(request: on_request, response: on_response)`.
#[macro_export]
macro_rules! hooks {
    (request: $request:expr, response: $response:expr $(,)?) => {
        $crate::request_hook!($request);
        $crate::response_hook!($response);
    };
}

/// What the macros use; no part of the interface.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod bindings {
    use crate::{Context, Outcome, Request, Response, convert};
    use std::fmt::Display;

    pub mod request {
        wit_bindgen::generate!({
            path: "../sandbox/wit",
            world: "request-function",
            pub_export_macro: true,
        });
    }

    pub use request::rimward::edge::types;

    pub mod response {
        wit_bindgen::generate!({
            path: "../sandbox/wit",
            world: "response-function",
            pub_export_macro: true,
            with: { "rimward:edge/types@1.0.0": crate::bindings::types },
        });
    }

    pub fn handle_request<R: Into<Outcome>, E: Display>(
        handler: impl FnOnce(Request, &Context) -> Result<R, E>,
        request: types::Request,
        context: types::Context,
    ) -> Result<types::Outcome, String> {
        let request = convert::request_in(request)?;
        let outcome = handler(request, &convert::context_in(context)).map_err(|error| error.to_string())?;
        Ok(match outcome.into() {
            Outcome::Continue(request) => types::Outcome::Request(convert::request_out(request)?),
            Outcome::Respond(response) => types::Outcome::Response(convert::response_out(response)),
        })
    }

    pub fn handle_response<E: Display>(
        handler: impl FnOnce(&Request, Response, &Context) -> Result<Response, E>,
        request: types::Request,
        response: types::Response,
        context: types::Context,
    ) -> Result<types::Response, String> {
        let request = convert::request_in(request)?;
        let response = convert::response_in(response)?;
        let edited = handler(&request, response, &convert::context_in(context)).map_err(|error| error.to_string())?;
        Ok(convert::response_out(edited))
    }
}
