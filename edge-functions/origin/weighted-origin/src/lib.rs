//! Sends a share of the visitors to another origin, and keeps each visitor there by a cookie.
//!
//! Attach it to three hooks: viewer-request draws the group and writes it into `x-origin-group`, which belongs into the cache
//! key; origin-request goes to that group's origin; viewer-response gives the cookie.

use rimward_sdk::http::header::{COOKIE, SET_COOKIE};
use rimward_sdk::http::{HeaderMap, HeaderValue};
use rimward_sdk::{ClientIp, Context, Hook, Origin, Request, Response};

/// Names of origins in the node's configuration, and how many of 100 visitors they get.
const ORIGINS: [(&str, u32); 2] = [("app", 80), ("beta", 20)];
const GROUP: &str = "x-origin-group";
const NAME: &str = "origin-group";

fn request(mut request: Request, context: &Context) -> Result<Request, String> {
    match context.hook {
        Hook::ViewerRequest => {
            // Whatever the viewer says in the header does not count.
            let group = chosen(request.headers()).unwrap_or_else(|| drawn(&request));
            request.headers_mut().insert(GROUP, HeaderValue::from_static(group));
        }
        Hook::OriginRequest => {
            let group = request.headers().get(GROUP).and_then(|value| known(value.as_bytes()));
            if let (Some(group), Some(Origin::Custom(origin))) = (group, request.extensions_mut().get_mut::<Origin>()) {
                origin.domain_name = group.to_owned();
            }
        }
        hook => return Err(format!("weighted-origin does nothing at {hook:?} with a request")),
    }
    Ok(request)
}

fn response(request: &Request, mut response: Response, _: &Context) -> Result<Response, String> {
    let group = request.headers().get(GROUP).and_then(|value| known(value.as_bytes()));
    if let Some(group) = group
        && chosen(request.headers()) != Some(group)
    {
        let cookie = format!("{NAME}={group}; Path=/; Max-Age=2592000; SameSite=Lax");
        let cookie = HeaderValue::try_from(cookie).map_err(|error| error.to_string())?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The group of the cookie, where it is one of ours.
fn chosen(headers: &HeaderMap) -> Option<&'static str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == NAME).find_map(|(_, value)| known(value.as_bytes()))
}

fn known(name: &[u8]) -> Option<&'static str> {
    ORIGINS.iter().map(|(origin, _)| *origin).find(|origin| origin.as_bytes() == name)
}

/// By address and browser, so that a visitor without cookies stays too.
fn drawn(request: &Request) -> &'static str {
    let ip = request.extensions().get::<ClientIp>().map_or("", |ip| ip.0.as_str());
    let agent = request.headers().get("user-agent").map_or(&b""[..], |agent| agent.as_bytes());
    let mut left = fnv1a(&[ip.as_bytes(), agent].concat()) % 100;
    for (origin, share) in ORIGINS {
        if left < share {
            return origin;
        }
        left -= share;
    }
    ORIGINS[0].0
}

/// FNV-1a, folded to its better half.
fn fnv1a(bytes: &[u8]) -> u32 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 32)) as u32
}

rimward_sdk::hooks!(request: request, response: response);
