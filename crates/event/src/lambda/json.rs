//! Event fixtures and outcomes as JSON.

use super::{BodyView, HeaderLines, LambdaEvent, LambdaOrigin, Outcome, from_json, to_json};
use crate::text::text_at;
use crate::{BodyChange, Invalid, InvalidEvent, ViewerContext};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use rimward_types::{Hook, RequestHead, ResponseHead};
use serde_json::{Value, json};

/// An event that came as JSON.
#[derive(Debug, Clone)]
pub struct OwnedEvent {
    /// `config.eventType`.
    pub hook: Hook,
    /// `config.distributionDomainName`.
    pub distribution_domain_name: String,
    /// `config.distributionId`.
    pub distribution_id: String,
    /// `config.requestId`.
    pub request_id: String,
    /// `request.clientIp`.
    pub client_ip: String,
    /// The request.
    pub request: RequestHead,
    /// The request's body and whether it was cut.
    pub body: Option<(Bytes, bool)>,
    /// The origin.
    pub origin: Option<LambdaOrigin>,
    /// The response.
    pub response: Option<ResponseHead>,
}

impl OwnedEvent {
    /// The event as the node would give it.
    pub fn as_event(&self) -> LambdaEvent<'_> {
        LambdaEvent {
            hook: self.hook,
            context: ViewerContext {
                distribution_domain_name: &self.distribution_domain_name,
                distribution_id: &self.distribution_id,
                request_id: &self.request_id,
                viewer_ip: &self.client_ip,
            },
            request: &self.request,
            body: self.body.as_ref().map(|(data, truncated)| BodyView { data, truncated: *truncated }),
            origin: self.origin.as_ref(),
            response: self.response.as_ref(),
        }
    }
}

/// Reads an event, `{"Records":[{"cf":{...}}]}`. Ids may be left out.
///
/// # Errors
/// When the text is no JSON, or a member is missing or of the wrong type.
pub fn event_from_json(text: &str) -> Result<OwnedEvent, InvalidEvent> {
    let root: Value = serde_json::from_str(text)?;
    let cf = root.pointer("/Records/0/cf").ok_or_else(|| InvalidEvent::shape("Records[0].cf", "an object"))?;
    let config = |name: &str| text_at(cf, &["config", name]).unwrap_or_default().to_owned();
    let hook = text_at(cf, &["config", "eventType"]);
    let hook = Hook::ALL.into_iter().find(|known| Some(known.as_str()) == hook);
    let hook =
        hook.ok_or_else(|| InvalidEvent::shape("config.eventType", "one of the four hooks, such as `origin-request`"))?;
    let response = cf.get("response").filter(|_| hook.is_response()).map(response_from).transpose()?;
    if hook.is_response() && response.is_none() {
        return Err(InvalidEvent::shape("response", "an object in a response event"));
    }
    let request = cf.get("request").ok_or_else(|| InvalidEvent::shape("request", "an object"))?;
    Ok(OwnedEvent {
        hook,
        distribution_domain_name: config("distributionDomainName"),
        distribution_id: config("distributionId"),
        request_id: config("requestId"),
        client_ip: text_at(request, &["clientIp"]).unwrap_or("127.0.0.1").to_owned(),
        body: request.get("body").filter(|body| body.is_object()).map(body_from).transpose()?,
        origin: request.get("origin").filter(|origin| origin.is_object()).map(from_json::origin).transpose()?,
        request: request_from(request)?,
        response,
    })
}

/// What a function returned, as JSON of the event's shape: one member, `request` or `response`.
pub fn outcome_to_json(event: &LambdaEvent<'_>, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Request { head, body, origin } => {
            let origin = origin.as_deref().or(event.origin);
            let request = to_json::Request::new(event.hook, event.context.viewer_ip, head, None, origin);
            let mut request = serde_json::to_value(request).unwrap_or_default();
            if let BodyChange::Replace(data) = body {
                request["body"] = json!({ "action": "replace", "encoding": "base64", "data": STANDARD.encode(data) });
            }
            json!({ "request": request })
        }
        Outcome::Response(head, body) => {
            let mut response = serde_json::to_value(to_json::Response::new(head)).unwrap_or_default();
            if let BodyChange::Replace(data) = body {
                let text = std::str::from_utf8(data).map(str::to_owned);
                response["bodyEncoding"] = if text.is_ok() { json!("text") } else { json!("base64") };
                response["body"] = Value::String(text.unwrap_or_else(|_| STANDARD.encode(data)));
            }
            json!({ "response": response })
        }
    }
}

fn request_from(value: &Value) -> Result<RequestHead, InvalidEvent> {
    let method = text_at(value, &["method"]).and_then(|text| Method::from_bytes(text.as_bytes()).ok());
    let path = text_at(value, &["uri"]).filter(|uri| uri.starts_with('/'));
    let query = text_at(value, &["querystring"]).filter(|query| !query.is_empty());
    Ok(RequestHead {
        method: method.ok_or_else(|| InvalidEvent::shape("request.method", "a method"))?,
        path: path.ok_or_else(|| InvalidEvent::shape("request.uri", "a text that starts with `/`"))?.to_owned(),
        query: query.map(str::to_owned),
        headers: headers_from(value, "request.headers")?,
        version: Version::HTTP_11,
    })
}

fn response_from(value: &Value) -> Result<ResponseHead, InvalidEvent> {
    let status = text_at(value, &["status"]).and_then(|text| StatusCode::from_bytes(text.as_bytes()).ok());
    let status = status.ok_or_else(|| InvalidEvent::shape("response.status", "a status, as text"))?;
    let reason = text_at(value, &["statusDescription"]);
    let reason = reason.filter(|text| !text.is_empty() && status.canonical_reason() != Some(text));
    let headers = headers_from(value, "response.headers")?;
    Ok(ResponseHead { status, reason: reason.map(Into::into), headers })
}

fn body_from(value: &Value) -> Result<(Bytes, bool), InvalidEvent> {
    let data = text_at(value, &["data"]).unwrap_or_default();
    let data = match text_at(value, &["encoding"]) {
        Some("text") => data.as_bytes().to_vec(),
        _ => STANDARD.decode(data).map_err(|_| InvalidEvent::shape("request.body.data", "base64"))?,
    };
    Ok((data.into(), value.get("inputTruncated").and_then(Value::as_bool).unwrap_or_default()))
}

fn headers_from(value: &Value, member: &str) -> Result<HeaderMap, InvalidEvent> {
    let object = value.as_object().ok_or_else(|| InvalidEvent::shape(member, "in an object"))?;
    let lines: HeaderLines = from_json::headers(object, member)?;
    let mut headers = HeaderMap::with_capacity(lines.len().min(1024));
    for (name, value) in lines {
        let invalid = || Invalid::HeaderName(name.clone());
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let value =
            HeaderValue::from_bytes(&value).map_err(|_| InvalidEvent::shape(member, "without control characters"))?;
        headers.append(parsed, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
