//! The rules for a result, whichever flavour of component gave it (`lambda-at-edge.md` sections 6 to 8 and 15).

use super::origin::{self, LambdaOrigin};
use super::{Encoding, HeaderLines, LambdaEvent, Outcome, Returned, ReturnedRequest, ReturnedResponse, body_limit};
use crate::headers::{self, Rules, Tier, wire_size};
use crate::viewer::decode::{check_head, check_size, decode_status, set_length};
use crate::{BodyChange, Invalid, Strictness, url};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};
use rimward_types::{Hook, RequestHead, ResponseHead};
use std::collections::HashMap;

/// Header lines of one result; what is more than this no head of 32 KB can hold.
const MAX_LINES: usize = 8192;
/// As many lines are looked through one by one: a table of their names would cost more than it saves.
const FEW_LINES: usize = 32;

/// Validates a result against its event. `encoding` says how the header values of `returned` stand for bytes:
/// [`Encoding::Bytes`] for typed components.
///
/// # Errors
/// The first rule that the result breaks, in the order of section 15.
pub fn validate(
    event: &LambdaEvent<'_>,
    returned: Returned,
    encoding: Encoding,
    strictness: Strictness,
) -> Result<Outcome, Invalid> {
    let response = matches!(returned, Returned::Response(_));
    let rules = Rules { tier: Tier::Lambda, hook: event.hook, strictness, encoding, response };
    match returned {
        Returned::Request(_) if event.hook.is_response() => {
            Err(Invalid::Shape(format!("a function at {} must return a response", event.hook)))
        }
        Returned::Request(request) => validate_request(event, request, &rules),
        Returned::Response(response) => validate_response(event, response, &rules),
    }
}

fn validate_request(event: &LambdaEvent<'_>, returned: ReturnedRequest, rules: &Rules) -> Result<Outcome, Invalid> {
    let original = event.request;
    let own_query = original.query.as_deref().unwrap_or_default();
    if returned.uri != original.path {
        url::check_uri(&returned.uri)?;
    }
    if returned.querystring != own_query {
        url::check_query(&returned.querystring)?;
    }
    if returned.uri != original.path || returned.querystring != own_query {
        url::check_length(&returned.uri, Some(&returned.querystring))?;
    }
    if returned.method != original.method.as_str() {
        return Err(Invalid::Method { was: original.method.to_string(), now: returned.method });
    }
    if returned.client_ip.is_some_and(|ip| ip != event.context.viewer_ip) {
        return Err(Invalid::ClientIp);
    }
    let mut headers = merge(&original.headers, returned.headers, rules)?;
    check_head("the request's headers", &original.headers, &headers)?;
    let body = match returned.body {
        None => BodyChange::Keep,
        Some(data) => {
            check_size("the body", data.len(), body_limit(event.hook))?;
            headers.remove(TRANSFER_ENCODING);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(data.len()));
            BodyChange::Replace(data)
        }
    };
    let origin = returned.origin.filter(|_| event.hook == Hook::OriginRequest);
    let origin = validate_origin(event.origin, origin, &headers)?;
    let query = if returned.querystring == own_query {
        original.query.clone()
    } else {
        Some(returned.querystring).filter(|query| !query.is_empty())
    };
    let head =
        RequestHead { method: original.method.clone(), path: returned.uri, query, headers, version: original.version };
    Ok(Outcome::Request { head, body, origin })
}

fn validate_origin(
    was: Option<&LambdaOrigin>,
    is: Option<Box<LambdaOrigin>>,
    headers: &HeaderMap,
) -> Result<Option<Box<LambdaOrigin>>, Invalid> {
    let Some(is) = is.filter(|is| Some(&**is) != was) else { return Ok(None) };
    origin::check(was, &is, headers)?;
    Ok(Some(is))
}

fn validate_response(event: &LambdaEvent<'_>, returned: ReturnedResponse, rules: &Rules) -> Result<Outcome, Invalid> {
    let generated = ResponseHead::new(StatusCode::OK);
    let original = if event.hook.is_response() { event.response.unwrap_or(&generated) } else { &generated };
    let status = decode_status(original.status, returned.status.into())?;
    if event.hook == Hook::ViewerResponse && status != original.status {
        return Err(Invalid::StatusChanged);
    }
    let reason = match returned.reason {
        // Section 3.3: passed over in viewer-response.
        _ if event.hook == Hook::ViewerResponse => original.reason.clone(),
        None => None,
        Some(text) if text.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) => return Err(Invalid::Reason),
        Some(text) if text.is_empty() || status.canonical_reason() == Some(&text) => None,
        Some(text) => Some(text.into_boxed_str()),
    };
    check_body(event.hook, status, returned.body.as_ref())?;
    let headers = merge(&original.headers, returned.headers, rules)?;
    let mut head = ResponseHead { status, reason, headers };
    let body = match returned.body {
        None if event.hook.is_response() => BodyChange::Keep,
        body => BodyChange::Replace(body.unwrap_or_default()),
    };
    match &body {
        BodyChange::Keep => check_head("the response's headers", &original.headers, &head.headers)?,
        BodyChange::Replace(data) => {
            // Section 8: headers and body of a generated response; the body of an origin's.
            let headers = if event.hook.is_response() { 0 } else { wire_size(&head.headers) };
            check_size("the response", headers + data.len(), body_limit(event.hook))?;
            set_length(&mut head, data)?;
        }
    }
    Ok(Outcome::Response(head, body))
}

/// Where a body may not be given at all (sections 2, 3.3 and 5.2).
fn check_body(hook: Hook, status: StatusCode, body: Option<&Bytes>) -> Result<(), Invalid> {
    match (body, hook) {
        (None, _) => Ok(()),
        (Some(_), _) if status.is_informational() => Err(Invalid::Switched("the body")),
        (Some(_), Hook::ViewerResponse) => Err(Invalid::Body("cannot be changed in viewer-response")),
        (Some(_), Hook::ViewerRequest) if status == StatusCode::NO_CONTENT => {
            Err(Invalid::Body("is not allowed with status 204"))
        }
        (Some(_), Hook::OriginResponse) if status == StatusCode::NOT_MODIFIED => {
            Err(Invalid::Body("is not allowed with status 304"))
        }
        _ => Ok(()),
    }
}

/// All values of one name.
struct Grouped {
    name: String,
    values: Vec<Vec<u8>>,
}

impl headers::Field for Grouped {
    fn name(&self) -> &str {
        &self.name
    }

    fn values(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.values.iter().map(Vec::as_slice)
    }
}

fn merge(original: &HeaderMap, lines: HeaderLines, rules: &Rules) -> Result<HeaderMap, Invalid> {
    check_size("the list of headers", lines.len(), MAX_LINES)?;
    let mut fields: Vec<Grouped> = Vec::with_capacity(lines.len());
    let mut places: Option<HashMap<String, usize>> = (lines.len() > FEW_LINES).then(HashMap::new);
    for (mut name, value) in lines {
        name.make_ascii_lowercase();
        let place = match &places {
            Some(places) => places.get(&name).copied(),
            None => fields.iter().position(|field| field.name == name),
        };
        match place {
            Some(place) => fields[place].values.push(value),
            None => {
                if let Some(places) = &mut places {
                    places.insert(name.clone(), fields.len());
                }
                fields.push(Grouped { name, values: vec![value] });
            }
        }
    }
    headers::merge(original, Some(&fields), None, rules)
}

#[cfg(test)]
mod tests;
