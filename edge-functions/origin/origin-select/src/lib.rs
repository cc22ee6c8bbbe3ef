//! Chooses the origin of a request, before the origin is asked: by the header `x-origin`, or by a path below
//! `/select/beta/`.
//!
//! A domain name that is the name of an origin in the node's configuration selects that origin, so this function knows
//! no addresses. A header that names anything else is ignored: viewers must not be able to send the node anywhere.

wit_bindgen::generate!({
    path: "../../../crates/sandbox/wit",
    world: "request-function",
});

use exports::rimward::edge::request_hook::{Context, Guest, Outcome, Request};
use rimward::edge::types::{Hook, Origin};

/// Origins that a request may choose.
const ORIGINS: [&str; 2] = ["app", "beta"];

struct OriginSelect;

impl Guest for OriginSelect {
    fn handle(mut request: Request, context: Context) -> Result<Outcome, String> {
        if context.hook != Hook::OriginRequest {
            return Err("origin-select belongs to origin-request".to_owned());
        }
        if let Some(name) = choose(&request)
            && let Some(Origin::Custom(origin)) = &mut request.origin
        {
            origin.domain_name = name.to_owned();
        }
        Ok(Outcome::Request(request))
    }
}

fn choose(request: &Request) -> Option<&'static str> {
    let header = request.headers.iter().find(|header| header.name == "x-origin");
    if let Some(header) = header {
        return ORIGINS.into_iter().find(|name| header.value.eq_ignore_ascii_case(name));
    }
    request.uri.starts_with("/select/beta/").then_some("beta")
}

export!(OriginSelect);
