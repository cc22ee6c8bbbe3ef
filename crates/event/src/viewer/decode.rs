//! A reply back to heads, with every rule checked (`cloudfront-functions.md` sections 4 and 5).

use super::parts::{self, Order, Part, Piece};
use super::{MAX_HEAD, MAX_RESPONSE, Outcome, cookies, encode, origin};
use crate::headers::{self, Encoding, Rules, Tier, header_value, wire_size};
use crate::invalid::Invalid;
use crate::{BodyChange, Strictness, url};
use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};
use rimward_types::{Hook, RequestHead, ResponseHead};
use rimward_wire::reply::{Body, Failure, Field, Query, Reply};

/// Padding may be left out, as `btoa` output without it is common; anything else is exact.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Turns a reply into what happens next. Parts that the function left alone are byte for byte those of `request` and
/// `response` (`cloudfront-functions.md` section 3.3); `response` is the one of the event, at viewer-response.
///
/// # Errors
/// The first rule that the reply breaks.
pub fn decode(
    hook: Hook,
    reply: &Reply<'_>,
    request: &RequestHead,
    response: Option<&ResponseHead>,
    strictness: Strictness,
) -> Result<Outcome, Invalid> {
    let rules = |response| Rules { tier: Tier::Viewer, hook, strictness, encoding: Encoding::Text, response };
    match reply {
        Reply::Failed { failure: Failure::Execution, message, line, column } => {
            Err(Invalid::Threw { message: (*message).to_owned(), line: *line, column: *column })
        }
        Reply::Failed { failure: Failure::Validation, message, .. } => Err(Invalid::Shape((*message).to_owned())),
        Reply::Connection { .. } => Err(Invalid::Shape("the function decided on a connection".to_owned())),
        Reply::Request { .. } if hook.is_response() => {
            Err(Invalid::Shape("a viewer-response function must return a response".to_owned()))
        }
        Reply::Request { method, uri, query, headers, cookies, origin } => {
            if *method != request.method.as_str() {
                return Err(Invalid::Method { was: request.method.to_string(), now: (*method).to_owned() });
            }
            let (path, query) = decode_url(request, *uri, query)?;
            let cookies = cookies.as_deref().map(|fields| request_cookies(&request.headers, fields)).transpose()?;
            let instead = cookies.flatten().map(|lines| (COOKIE, lines));
            let changed = headers.is_some() || instead.is_some();
            let headers = headers::merge(&request.headers, fields(headers.as_deref()), instead, &rules(false))?;
            if changed {
                check_head("the request's headers", &request.headers, &headers)?;
            }
            // The vendor's test operation does not look at it (section 11.2).
            let origin = origin.filter(|_| strictness == Strictness::Strict);
            let origin = origin.map(|call| origin::decode(&call, &headers).map(Box::new)).transpose()?;
            let (method, version) = (request.method.clone(), request.version);
            Ok(Outcome::Request(RequestHead { method, path, query, headers, version }, origin))
        }
        Reply::Response { status, description, headers, cookies, body } => {
            let generated = ResponseHead::new(StatusCode::OK);
            let original = if hook.is_response() { response.unwrap_or(&generated) } else { &generated };
            let status = decode_status(original.status, *status)?;
            let reason = decode_reason(original, status, *description)?;
            let cookies = cookies.as_deref().map(|fields| response_cookies(&original.headers, fields)).transpose()?;
            let instead = cookies.flatten().map(|lines| (SET_COOKIE, lines));
            let headers = headers::merge(&original.headers, fields(headers.as_deref()), instead, &rules(true))?;
            let body = decode_body(hook, body)?;
            if status.is_informational() && body != BodyChange::Keep {
                return Err(Invalid::Switched("the body"));
            }
            // A visitor's second request brings a 304, and what a function writes over the page has no place in it.
            let body = if hook.is_response() && status == original.status && has_no_body(status) {
                BodyChange::Keep
            } else {
                body
            };
            finish(original, ResponseHead { status, reason, headers }, body)
        }
    }
}

impl headers::Field for Field<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn values(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.values.iter().map(|value| value.text.as_bytes())
    }
}

/// Names the slice's type; without it `None` would have none.
fn fields<'a, 'b>(fields: Option<&'a [Field<'b>]>) -> Option<&'a [Field<'b>]> {
    fields
}

pub(crate) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), Invalid> {
    if size <= limit { Ok(()) } else { Err(Invalid::TooLarge { what, size, limit }) }
}

/// A head that was larger before is not the function's fault.
pub(crate) fn check_head(what: &'static str, was: &HeaderMap, is: &HeaderMap) -> Result<(), Invalid> {
    let size = wire_size(is);
    if size <= MAX_HEAD || size <= wire_size(was) { Ok(()) } else { check_size(what, size, MAX_HEAD) }
}

fn decode_url(
    request: &RequestHead,
    uri: Option<&str>,
    query: &Query<'_>,
) -> Result<(String, Option<String>), Invalid> {
    let uri = uri.filter(|uri| *uri != request.path);
    if let Some(uri) = uri {
        url::check_uri(uri)?;
    }
    let path = uri.unwrap_or(&request.path);
    let new_query = match query {
        Query::Unchanged => None,
        Query::Text(text) => Some((*text).to_owned()),
        Query::Fields(fields) => query_of(request.query.as_deref().unwrap_or_default(), fields)?,
    };
    let new_query = new_query.filter(|query| *query != request.query.as_deref().unwrap_or_default());
    let changed = uri.is_some() || new_query.is_some();
    let query = match new_query {
        None => request.query.clone(),
        Some(query) => {
            url::check_query(&query)?;
            check_parameter_names(request.query.as_deref().unwrap_or_default(), &query)?;
            Some(query).filter(|query| !query.is_empty())
        }
    };
    if changed {
        url::check_length(path, query.as_deref())?;
    }
    Ok((path.to_owned(), query))
}

/// The new query string; `None` when the returned object says what the viewer's does.
fn query_of(original: &str, fields: &[Field<'_>]) -> Result<Option<String>, Invalid> {
    let own: Vec<Part<'_>> =
        original.split('&').filter(|piece| !piece.is_empty()).map(|piece| Part::split(piece.as_bytes())).collect();
    let Some(pieces) = parts::apply(&own, fields, Order::Returned) else { return Ok(None) };
    let mut query = String::with_capacity(original.len() + 32);
    for piece in pieces {
        let start = query.len();
        if start > 0 {
            query.push('&');
        }
        match piece {
            // The pieces come from a `str`, cut at ASCII, so they are text.
            Piece::Kept(raw) => query.push_str(&String::from_utf8_lossy(raw)),
            Piece::New { name: "", value } if value.text.is_empty() => query.truncate(start),
            Piece::New { name, value } => {
                query.push_str(name);
                query.push('=');
                query.push_str(value.text);
            }
        }
    }
    Ok(Some(query))
}

/// Names with `/` need encoding (`cloudfront-functions.md` section 4.1 rule 4); those that the viewer sent may stay.
fn check_parameter_names(original: &str, query: &str) -> Result<(), Invalid> {
    let name = |piece: &'_ str| piece.split('=').next().unwrap_or_default().to_owned();
    let sent = |wanted: &str| original.split('&').any(|piece| name(piece) == wanted);
    if query.split('&').map(name).any(|name| name.contains('/') && !sent(&name)) {
        return Err(Invalid::Query("must not have a `/` in a parameter's name; percent-encode it"));
    }
    Ok(())
}

/// The one `Cookie` line, or none; `None` when nothing changed.
fn request_cookies(headers: &HeaderMap, fields: &[Field<'_>]) -> Result<Option<Vec<HeaderValue>>, Invalid> {
    let own: Vec<Part<'_>> = cookies::of_request(headers).collect();
    let Some(pieces) = parts::apply(&own, fields, Order::Message) else { return Ok(None) };
    let mut line = Vec::new();
    for piece in pieces {
        if !line.is_empty() {
            line.extend_from_slice(b"; ");
        }
        match piece {
            Piece::Kept(raw) => line.extend_from_slice(raw),
            Piece::New { name, value } => {
                check_cookie(name)?;
                line.extend_from_slice(name.as_bytes());
                line.push(b'=');
                line.extend_from_slice(value.text.as_bytes());
            }
        }
    }
    Ok(Some(if line.is_empty() { Vec::new() } else { vec![header_value("cookie", &line)?] }))
}

/// The `Set-Cookie` lines (`cloudfront-functions.md` section 4.2 rule 6); `None` when nothing changed.
fn response_cookies(headers: &HeaderMap, fields: &[Field<'_>]) -> Result<Option<Vec<HeaderValue>>, Invalid> {
    let own: Vec<Part<'_>> = cookies::of_response(headers).collect();
    let Some(pieces) = parts::apply(&own, fields, Order::Message) else { return Ok(None) };
    let line = |piece| match piece {
        Piece::Kept(raw) => header_value("set-cookie", raw),
        Piece::New { name, value } => {
            check_cookie(name)?;
            let mut line = format!("{name}={}", value.text);
            if let Some(attributes) = value.attributes.filter(|text| !text.is_empty()) {
                line.push_str("; ");
                line.push_str(attributes);
            }
            header_value("set-cookie", line.as_bytes())
        }
    };
    pieces.into_iter().map(line).collect::<Result<_, _>>().map(Some)
}

fn check_cookie(name: &str) -> Result<(), Invalid> {
    let fault = if name.is_empty() {
        "has no name"
    } else if name.bytes().any(|b| b <= b' ' || b == 0x7f || matches!(b, b'=' | b';' | b',')) {
        "has a character in its name that cookies cannot have"
    } else {
        return Ok(());
    };
    Err(Invalid::Cookie { name: name.to_owned(), fault })
}

/// `cloudfront-functions.md` section 4.2 rule 1. A 101 stays what it is.
pub(crate) fn decode_status(original: StatusCode, status: u32) -> Result<StatusCode, Invalid> {
    if original.is_informational() {
        return if status == u32::from(original.as_u16()) {
            Ok(original)
        } else {
            Err(Invalid::Switched("the status"))
        };
    }
    match u16::try_from(status).ok().filter(|status| (200..=599).contains(status)) {
        Some(status) => StatusCode::from_u16(status).map_err(|_| Invalid::Status(status.to_string())),
        None => Err(Invalid::Status(status.to_string())),
    }
}

/// A description is sent as given, also when it does not fit the status (`cloudfront-functions.md` section 3).
fn decode_reason(
    original: &ResponseHead,
    status: StatusCode,
    description: Option<&str>,
) -> Result<Option<Box<str>>, Invalid> {
    match description {
        Some(text) if status == original.status && text == encode::description(original) => Ok(original.reason.clone()),
        Some(text) if text.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) => Err(Invalid::Reason),
        Some(text) if text.is_empty() || status.canonical_reason() == Some(text) => Ok(None),
        Some(text) => Ok(Some(text.into())),
        None => Ok(None),
    }
}

/// `cloudfront-functions.md` section 4.2 rules 3 and 4.
fn decode_body(hook: Hook, body: &Body<'_>) -> Result<BodyChange, Invalid> {
    match body {
        Body::Absent if hook.is_response() => Ok(BodyChange::Keep),
        Body::Absent => Ok(BodyChange::Replace(Bytes::new())),
        Body::Text(text) => {
            check_size("the response", text.len(), MAX_RESPONSE)?;
            Ok(BodyChange::Replace(Bytes::copy_from_slice(text.as_bytes())))
        }
        Body::Base64(text) => {
            check_size("the response", text.len() / 4 * 3, MAX_RESPONSE + 3)?;
            let data = BASE64.decode(text).map_err(|_| Invalid::Body("is not valid base64"))?;
            Ok(BodyChange::Replace(data.into()))
        }
    }
}

/// Sizes and framing.
fn finish(original: &ResponseHead, mut head: ResponseHead, body: BodyChange) -> Result<Outcome, Invalid> {
    let BodyChange::Replace(data) = &body else {
        check_head("the response's headers", &original.headers, &head.headers)?;
        return Ok(Outcome::Response(head, body));
    };
    check_size("the response", wire_size(&head.headers) + data.len(), MAX_RESPONSE)?;
    set_length(&mut head, data)?;
    Ok(Outcome::Response(head, body))
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The node computes `content-length` itself (`cloudfront-functions.md` section 4.2 rule 5).
/// Statuses without a body have none (RFC 9110 section 8.6).
pub(crate) fn set_length(head: &mut ResponseHead, data: &Bytes) -> Result<(), Invalid> {
    head.headers.remove(TRANSFER_ENCODING);
    if has_no_body(head.status) {
        if !data.is_empty() {
            return Err(Invalid::Body("is not allowed with status 204 or 304"));
        }
        head.headers.remove(CONTENT_LENGTH);
    } else {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(data.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
