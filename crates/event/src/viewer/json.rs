//! Events and results as JSON, in the shapes of the vendor's test operation (`cloudfront-functions.md` section 16).

use super::parts::Part;
use super::{Outcome, cookies, decode, encode, encode_request, encode_response};
use crate::headers::is_disallowed;
use crate::text::{presented, text_at};
use crate::{BodyChange, Invalid, InvalidEvent, Strictness, ViewerContext};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use rimward_types::{Hook, RequestHead, ResponseHead};
use rimward_wire::reply::Reply;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// An event that came as JSON.
#[derive(Debug, Clone)]
pub struct OwnedEvent {
    /// `context.eventType`; without it, the hook that fits the event's members.
    pub hook: Hook,
    /// `context.distributionDomainName`.
    pub distribution_domain_name: String,
    /// `context.distributionId`.
    pub distribution_id: String,
    /// `context.requestId`.
    pub request_id: String,
    /// `viewer.ip`.
    pub viewer_ip: String,
    /// The request.
    pub request: RequestHead,
    /// The response, at viewer-response.
    pub response: Option<ResponseHead>,
}

impl OwnedEvent {
    /// `context` and `viewer`.
    pub fn context(&self) -> ViewerContext<'_> {
        ViewerContext {
            distribution_domain_name: &self.distribution_domain_name,
            distribution_id: &self.distribution_id,
            request_id: &self.request_id,
            viewer_ip: &self.viewer_ip,
        }
    }

    /// Appends the event's wire bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match &self.response {
            None => encode_request(&self.context(), &self.request, out),
            Some(response) => encode_response(&self.context(), &self.request, response, out),
        }
    }

    /// Turns the reply to this event into an outcome.
    ///
    /// # Errors
    /// As [`decode()`](super::decode()).
    pub fn decode(&self, reply: &Reply<'_>, strictness: Strictness) -> Result<Outcome, Invalid> {
        decode(self.hook, reply, &self.request, self.response.as_ref(), strictness)
    }
}

/// Reads an event. The ids of `context` and `viewer` may be left out (`cloudfront-functions.md` section 3).
///
/// # Errors
/// When the text is no JSON, or a member is missing or of the wrong type.
pub fn event_from_json(text: &str) -> Result<OwnedEvent, InvalidEvent> {
    let root: Value = serde_json::from_str(text)?;
    let context = |name: &str| text_at(&root, &["context", name]).unwrap_or_default().to_owned();
    let response = root.get("response").filter(|value| !value.is_null()).map(response_from).transpose()?;
    let hook = match text_at(&root, &["context", "eventType"]) {
        None if response.is_some() => Hook::ViewerResponse,
        None => Hook::ViewerRequest,
        Some("viewer-request") => Hook::ViewerRequest,
        Some("viewer-response") => Hook::ViewerResponse,
        Some(_) => return Err(InvalidEvent::shape("context.eventType", "`viewer-request` or `viewer-response`")),
    };
    if hook.is_response() && response.is_none() {
        return Err(InvalidEvent::shape("response", "an object in a viewer-response event"));
    }
    Ok(OwnedEvent {
        hook,
        distribution_domain_name: context("distributionDomainName"),
        distribution_id: context("distributionId"),
        request_id: context("requestId"),
        viewer_ip: text_at(&root, &["viewer", "ip"]).unwrap_or("127.0.0.1").to_owned(),
        request: request_from(root.get("request").ok_or_else(|| InvalidEvent::shape("request", "an object"))?)?,
        response: response.filter(|_| hook.is_response()),
    })
}

/// The event that a function gets, as JSON.
pub fn event_to_json(context: &ViewerContext<'_>, request: &RequestHead, response: Option<&ResponseHead>) -> Value {
    let hook = if response.is_some() { Hook::ViewerResponse } else { Hook::ViewerRequest };
    let mut event = json!({
        "version": "1.0",
        "context": {
            "distributionDomainName": context.distribution_domain_name,
            "distributionId": context.distribution_id,
            "eventType": hook.as_str(),
            "requestId": context.request_id,
        },
        "viewer": { "ip": context.viewer_ip },
        "request": request_to(request),
    });
    if let Some(response) = response {
        event["response"] = response_to(response, &BodyChange::Keep);
    }
    event
}

/// `FunctionOutput`: exactly one member, `request` or `response`.
pub fn outcome_to_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Request(head, _) => json!({ "request": request_to(head) }),
        Outcome::Response(head, body) => json!({ "response": response_to(head, body) }),
    }
}

fn request_from(value: &Value) -> Result<RequestHead, InvalidEvent> {
    let method = text_at(value, &["method"]).and_then(|text| Method::from_bytes(text.as_bytes()).ok());
    let path = text_at(value, &["uri"]).filter(|uri| uri.starts_with('/'));
    let query = match value.get("querystring") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(object) => {
            let pairs = values_of(object, "request.querystring")?;
            let pair = |(name, value, _): (&str, &str, Option<&str>)| match value {
                "" => name.to_owned(),
                _ => format!("{name}={value}"),
            };
            Some(pairs.into_iter().map(pair).collect::<Vec<_>>().join("&"))
        }
    };
    let mut headers = headers_from(value.get("headers"), "request.headers")?;
    let cookies = value.get("cookies").map(|cookies| values_of(cookies, "request.cookies")).transpose()?;
    let pairs = cookies.unwrap_or_default().into_iter().map(|(name, value, _)| format!("{name}={value}"));
    let line = pairs.collect::<Vec<_>>().join("; ");
    if !line.is_empty() {
        headers.append(COOKIE, header_value(&line, "request.cookies")?);
    }
    Ok(RequestHead {
        method: method.ok_or_else(|| InvalidEvent::shape("request.method", "a method"))?,
        path: path.ok_or_else(|| InvalidEvent::shape("request.uri", "a text that starts with `/`"))?.to_owned(),
        query: query.filter(|query| !query.is_empty()),
        headers,
        version: Version::HTTP_11,
    })
}

fn response_from(value: &Value) -> Result<ResponseHead, InvalidEvent> {
    let status = value.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut headers = headers_from(value.get("headers"), "response.headers")?;
    let cookies = value.get("cookies").map(|cookies| values_of(cookies, "response.cookies")).transpose()?;
    for (name, value, attributes) in cookies.unwrap_or_default() {
        let attributes = attributes.map(|text| format!("; {text}")).unwrap_or_default();
        headers.append(SET_COOKIE, header_value(&format!("{name}={value}{attributes}"), "response.cookies")?);
    }
    let status = status.ok_or_else(|| InvalidEvent::shape("response.statusCode", "a status, as a number"))?;
    let reason = text_at(value, &["statusDescription"]);
    let reason = reason.filter(|text| !text.is_empty() && status.canonical_reason() != Some(text));
    Ok(ResponseHead { status, reason: reason.map(Into::into), headers })
}

fn headers_from(value: Option<&Value>, member: &str) -> Result<HeaderMap, InvalidEvent> {
    let mut headers = HeaderMap::new();
    for (name, value, _) in value.map(|value| values_of(value, member)).transpose()?.unwrap_or_default() {
        let member = format!("{member}.{name}");
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidEvent::shape(&member, "named by a token"))?;
        headers.append(name, header_value(value, &member)?);
    }
    Ok(headers)
}

fn header_value(text: &str, member: &str) -> Result<HeaderValue, InvalidEvent> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| InvalidEvent::shape(member, "without control characters"))
}

/// Name, value and attributes of each value of a map (`cloudfront-functions.md` section 3.1).
#[allow(clippy::type_complexity)]
fn values_of<'a>(map: &'a Value, member: &str) -> Result<Vec<(&'a str, &'a str, Option<&'a str>)>, InvalidEvent> {
    let mut values = Vec::new();
    for (name, field) in map.as_object().ok_or_else(|| InvalidEvent::shape(member, "an object"))? {
        let many = field.get("multiValue").and_then(Value::as_array);
        for value in many.map_or(std::slice::from_ref(field), Vec::as_slice) {
            let text = text_at(value, &["value"]);
            let text = text.ok_or_else(|| {
                InvalidEvent::shape(&format!("{member}.{name}"), "an object whose `value` is a string")
            })?;
            values.push((name.as_str(), text, text_at(value, &["attributes"])));
        }
    }
    Ok(values)
}

fn request_to(head: &RequestHead) -> Value {
    let query = head.query.as_deref().unwrap_or_default();
    let query = query.split('&').filter(|piece| !piece.is_empty()).map(|piece| Part::split(piece.as_bytes()));
    json!({
        "method": head.method.as_str(),
        "uri": head.path,
        "querystring": parts_to(query),
        "headers": headers_to(&head.headers, |name| name == COOKIE),
        "cookies": parts_to(cookies::of_request(&head.headers)),
    })
}

fn response_to(head: &ResponseHead, body: &BodyChange) -> Value {
    let replaced = matches!(body, BodyChange::Replace(_));
    // The node computes the length of a given body; the function did not say it.
    let hidden = |name: &HeaderName| name == SET_COOKIE || (replaced && name == CONTENT_LENGTH);
    let mut out = json!({
        "statusCode": head.status.as_u16(),
        "statusDescription": encode::description(head),
        "headers": headers_to(&head.headers, hidden),
        "cookies": parts_to(cookies::of_response(&head.headers)),
    });
    if let BodyChange::Replace(data) = body {
        out["body"] = match std::str::from_utf8(data) {
            Ok(text) => json!({ "encoding": "text", "data": text }),
            Err(_) => json!({ "encoding": "base64", "data": STANDARD.encode(data) }),
        };
    }
    out
}

fn headers_to(headers: &HeaderMap, hidden: impl Fn(&HeaderName) -> bool) -> Value {
    let visible = headers.iter().filter(|(name, _)| !hidden(name) && !is_disallowed(name.as_str()));
    parts_to(visible.map(|(name, value)| Part {
        name: name.as_str().into(),
        value: presented(value.as_bytes()),
        attributes: None,
        raw: b"",
    }))
}

/// `multiValue` is there only when a name has more than one value.
fn parts_to<'a>(parts: impl Iterator<Item = Part<'a>>) -> Value {
    let mut out = Object::new();
    for part in parts {
        let mut value = json!({ "value": part.value });
        if let Some(attributes) = part.attributes {
            value["attributes"] = json!(attributes);
        }
        match out.get_mut(&*part.name) {
            None => {
                out.insert(part.name.into_owned(), value);
            }
            Some(first) => {
                if first.get("multiValue").is_none() {
                    let copy = first.clone();
                    first["multiValue"] = json!([copy]);
                }
                if let Some(Value::Array(values)) = first.get_mut("multiValue") {
                    values.push(value);
                }
            }
        }
    }
    Value::Object(out)
}

#[cfg(test)]
pub(crate) mod tests;
