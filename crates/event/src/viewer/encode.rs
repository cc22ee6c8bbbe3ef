//! Heads to wire bytes, straight into the buffer: this runs for every viewer request.

use super::cookies;
use crate::ViewerContext;
use crate::headers::is_disallowed;
use crate::text::{presented, presented_host};
use http::HeaderMap;
use http::header::{COOKIE, HOST, SET_COOKIE};
use rimward_types::{RequestHead, ResponseHead};
use rimward_wire::Writer;

/// Appends a viewer-request event to `out`, as `rimward_wire::event::Event::write` would.
pub fn encode_request(context: &ViewerContext<'_>, request: &RequestHead, out: &mut Vec<u8>) {
    let mut w = Writer::new(out);
    w.u8(0);
    write_context(&mut w, context);
    write_request(&mut w, request);
}

/// Appends a viewer-response event to `out`. `request` is the request after viewer-request
/// (`cloudfront-functions.md` section 2).
pub fn encode_response(context: &ViewerContext<'_>, request: &RequestHead, response: &ResponseHead, out: &mut Vec<u8>) {
    let mut w = Writer::new(out);
    w.u8(1);
    write_context(&mut w, context);
    write_request(&mut w, request);
    w.u16(response.status.as_u16());
    w.text(description(response));
    write_headers(&mut w, &response.headers, SET_COOKIE.as_str());
    let mut list = w.start_list();
    for line in response.headers.get_all(SET_COOKIE) {
        let cookie = cookies::set_cookie(line.as_bytes());
        list.entry();
        w.text(&cookie.name);
        w.text(&cookie.value);
        w.optional_text(cookie.attributes.as_deref());
    }
    w.end_list(list);
}

/// The reason phrase that a function sees.
pub(super) fn description(response: &ResponseHead) -> &str {
    response.reason.as_deref().or(response.status.canonical_reason()).unwrap_or_default()
}

fn write_context(w: &mut Writer<'_>, context: &ViewerContext<'_>) {
    w.text(context.distribution_domain_name);
    w.text(context.distribution_id);
    w.text(context.request_id);
    w.text(context.viewer_ip);
}

fn write_request(w: &mut Writer<'_>, request: &RequestHead) {
    w.text(request.method.as_str());
    w.text(&request.path);
    w.optional_text(request.query.as_deref());
    write_headers(w, &request.headers, COOKIE.as_str());
    let mut list = w.start_list();
    for cookie in cookies::of_request(&request.headers) {
        list.entry();
        w.text(&cookie.name);
        w.text(&cookie.value);
    }
    w.end_list(list);
}

/// Writes the lines that functions see; cookies have a list of their own.
fn write_headers(w: &mut Writer<'_>, headers: &HeaderMap, cookie: &str) {
    let mut list = w.start_list();
    for (name, value) in headers {
        let name = name.as_str();
        if name == cookie || is_disallowed(name) {
            continue;
        }
        list.entry();
        w.text(name);
        // A response that has such a header means nothing by it.
        let host = name == HOST.as_str() && cookie == COOKIE.as_str();
        w.text(&if host { presented_host(value.as_bytes()) } else { presented(value.as_bytes()) });
    }
    w.end_list(list);
}

#[cfg(test)]
mod tests;
