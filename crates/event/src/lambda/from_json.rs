//! Results of JSON handlers (`lambda-at-edge.md` sections 5 and 15). Shapes are read here, rules are [`validate`]'s.

use super::origin::{CustomOrigin, LambdaOrigin, Protocol, S3Auth, S3Origin, SslProtocol};
use super::{Encoding, HeaderLines, LambdaEvent, Outcome, Returned, ReturnedRequest, ReturnedResponse};
use super::{base64_limit, body_limit, validate};
use crate::headers::header_value;
use crate::{Invalid, Strictness};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use rimward_types::Hook;
use serde_json::{Map, Value};
use std::time::Duration;

type Object = Map<String, Value>;

/// Reads and validates what a handler returned.
///
/// # Errors
/// The first rule that the result breaks.
pub fn from_json(event: &LambdaEvent<'_>, text: &str, strictness: Strictness) -> Result<Outcome, Invalid> {
    let returned = parse(event.hook, text)?;
    validate(event, returned, Encoding::Text, strictness)
}

/// Reads a result without looking at its rules.
///
/// # Errors
/// The first member that has the wrong shape.
pub fn parse(hook: Hook, text: &str) -> Result<Returned, Invalid> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Invalid::Shape(format!("the function returned no JSON: {error}")))?;
    // Rule 1.
    let Value::Object(result) = value else {
        return Err(Invalid::Shape(format!("the function returned {}, expected an object", kind(&value))));
    };
    // The two kinds are told apart by `status` (section 5.1).
    match result.get("status") {
        Some(status) => response(hook, &result, status).map(Returned::Response),
        None if hook.is_response() => Err(Invalid::Type { member: "response.status".to_owned(), expected: "present" }),
        None => request(hook, &result).map(Returned::Request),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn request(hook: Hook, result: &Object) -> Result<ReturnedRequest, Invalid> {
    let text = |name: &str| string(result, &format!("request.{name}"), name);
    Ok(ReturnedRequest {
        uri: text("uri")?.to_owned(),
        querystring: optional_string(result, "request.querystring", "querystring")?.unwrap_or_default().to_owned(),
        method: text("method")?.to_owned(),
        client_ip: optional_string(result, "request.clientIp", "clientIp")?.map(str::to_owned),
        headers: headers(result, "request.headers")?,
        body: request_body(hook, result)?,
        origin: match result.get("origin").filter(|_| hook == Hook::OriginRequest) {
            None | Some(Value::Null) => None,
            Some(value) => Some(Box::new(origin(value)?)),
        },
    })
}

fn response(hook: Hook, result: &Object, status: &Value) -> Result<ReturnedResponse, Invalid> {
    // Numbers are tolerated (section 5.2).
    let number = match status {
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        _ => None,
    };
    let shown = || status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    Ok(ReturnedResponse {
        status: number.ok_or_else(|| Invalid::Status(shown()))?,
        reason: optional_string(result, "response.statusDescription", "statusDescription")?.map(str::to_owned),
        headers: headers(result, "response.headers")?,
        body: response_body(hook, result)?,
    })
}

fn response_body(hook: Hook, result: &Object) -> Result<Option<Bytes>, Invalid> {
    let Some(data) = optional_string(result, "response.body", "body")? else { return Ok(None) };
    match optional_string(result, "response.bodyEncoding", "bodyEncoding")?.unwrap_or("text") {
        "text" => Ok(Some(Bytes::copy_from_slice(data.as_bytes()))),
        "base64" => {
            let limit = body_limit(hook).div_ceil(3) * 4;
            check(data.len(), limit)?;
            base64(data).map(Some)
        }
        _ => Err(Invalid::Type { member: "response.bodyEncoding".to_owned(), expected: "`text` or `base64`" }),
    }
}

/// Section 3.5: `read-only`, the default, leaves the body alone whatever `data` says.
fn request_body(hook: Hook, result: &Object) -> Result<Option<Bytes>, Invalid> {
    let body = match result.get("body") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(body)) => body,
        Some(_) => return Err(Invalid::Body("must be an object in a request")),
    };
    match optional_string(body, "request.body.action", "action")?.unwrap_or("read-only") {
        "read-only" => return Ok(None),
        "replace" => {}
        _ => {
            return Err(Invalid::Type {
                member: "request.body.action".to_owned(),
                expected: "`read-only` or `replace`",
            });
        }
    }
    let data = optional_string(body, "request.body.data", "data")?.unwrap_or_default();
    match optional_string(body, "request.body.encoding", "encoding")?.unwrap_or("base64") {
        "text" => {
            check(data.len(), body_limit(hook))?;
            Ok(Some(Bytes::copy_from_slice(data.as_bytes())))
        }
        "base64" => {
            check(data.len(), base64_limit(hook))?;
            base64(data).map(Some)
        }
        _ => Err(Invalid::Type { member: "request.body.encoding".to_owned(), expected: "`base64` or `text`" }),
    }
}

fn check(size: usize, limit: usize) -> Result<(), Invalid> {
    if size <= limit { Ok(()) } else { Err(Invalid::TooLarge { what: "the body", size, limit }) }
}

fn base64(text: &str) -> Result<Bytes, Invalid> {
    STANDARD.decode(text).map(Bytes::from).map_err(|_| Invalid::Body("is not valid base64"))
}

/// A header map (section 3.4). An outer key that is not lower case is lowered. It alone names the header: the vendor's
/// own example of copying a header leaves the `key` of the one that it came from.
pub(super) fn headers(object: &Object, member: &str) -> Result<HeaderLines, Invalid> {
    let map = match object.get(member.rsplit('.').next().unwrap_or_default()) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(Invalid::Type { member: member.to_owned(), expected: "an object" }),
    };
    let mut lines = Vec::with_capacity(map.len());
    for (name, entries) in map {
        let lower = name.to_ascii_lowercase();
        let Value::Array(entries) = entries else {
            return Err(Invalid::Type { member: format!("{member}.{name}"), expected: "an array" });
        };
        for entry in entries {
            let wrong = |expected| Invalid::Type { member: format!("{member}.{name}[]"), expected };
            let Value::Object(entry) = entry else { return Err(wrong("an object with `value`")) };
            match entry.get("key") {
                None | Some(Value::Null | Value::String(_)) => {}
                Some(_) => return Err(wrong("an object whose `key` is a string")),
            }
            let Some(Value::String(value)) = entry.get("value") else {
                return Err(wrong("an object whose `value` is a string"));
            };
            lines.push((lower.clone(), value.clone().into_bytes()));
        }
    }
    Ok(lines)
}

/// The origin object (section 3.6): exactly one of `custom` and `s3`.
pub(super) fn origin(value: &Value) -> Result<LambdaOrigin, Invalid> {
    let fault = |field: &str, fault| Invalid::Origin { field: field.to_owned(), fault };
    let object = value.as_object().ok_or(fault("custom", "or `s3` must be an object"))?;
    match (object.get("custom"), object.get("s3")) {
        (Some(Value::Object(custom)), None | Some(Value::Null)) => {
            Ok(LambdaOrigin::Custom(custom_origin(&Fields { name: "custom", object: custom })?))
        }
        (None | Some(Value::Null), Some(Value::Object(s3))) => {
            Ok(LambdaOrigin::S3(s3_origin(&Fields { name: "s3", object: s3 })?))
        }
        _ => Err(fault("custom", "or `s3` must be an object, and not both")),
    }
}

fn custom_origin(fields: &Fields<'_>) -> Result<CustomOrigin, Invalid> {
    Ok(CustomOrigin {
        domain_name: fields.string("domainName")?.to_owned(),
        path: fields.string("path")?.to_owned(),
        custom_headers: fields.custom_headers()?,
        port: fields
            .number("port")?
            .and_then(|port| u16::try_from(port).ok())
            .ok_or(fields.fault("port", "must be a port number"))?,
        protocol: match fields.string("protocol")? {
            "http" => Protocol::Http,
            "https" => Protocol::Https,
            _ => return Err(fields.fault("protocol", "must be `http` or `https`")),
        },
        keepalive_timeout: fields
            .seconds("keepaliveTimeout")?
            .ok_or(fields.fault("keepaliveTimeout", "must be a number"))?,
        read_timeout: fields.seconds("readTimeout")?.ok_or(fields.fault("readTimeout", "must be a number"))?,
        completion_timeout: fields.seconds("responseCompletionTimeout")?.filter(|limit| !limit.is_zero()),
        ssl_protocols: fields.ssl_protocols()?,
    })
}

fn s3_origin(fields: &Fields<'_>) -> Result<S3Origin, Invalid> {
    Ok(S3Origin {
        domain_name: fields.string("domainName")?.to_owned(),
        path: fields.string("path")?.to_owned(),
        custom_headers: fields.custom_headers()?,
        auth: match fields.string("authMethod")? {
            "none" => S3Auth::None,
            "origin-access-identity" => S3Auth::OriginAccessIdentity,
            _ => return Err(fields.fault("authMethod", "must be `none` or `origin-access-identity`")),
        },
        region: fields.optional_string("region")?.filter(|region| !region.is_empty()).map(str::to_owned),
        read_timeout: fields.seconds("readTimeout")?,
        completion_timeout: fields.seconds("responseCompletionTimeout")?.filter(|limit| !limit.is_zero()),
    })
}

/// The fields of one origin.
struct Fields<'a> {
    name: &'static str,
    object: &'a Object,
}

impl<'a> Fields<'a> {
    fn fault(&self, field: &str, fault: &'static str) -> Invalid {
        Invalid::Origin { field: format!("{}.{field}", self.name), fault }
    }

    fn string(&self, field: &str) -> Result<&'a str, Invalid> {
        self.object.get(field).and_then(Value::as_str).ok_or_else(|| self.fault(field, "must be a string"))
    }

    fn optional_string(&self, field: &str) -> Result<Option<&'a str>, Invalid> {
        match self.object.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.string(field).map(Some),
        }
    }

    fn number(&self, field: &str) -> Result<Option<u64>, Invalid> {
        match self.object.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| self.fault(field, "must be a whole number")),
        }
    }

    fn seconds(&self, field: &str) -> Result<Option<Duration>, Invalid> {
        Ok(self.number(field)?.map(Duration::from_secs))
    }

    fn ssl_protocols(&self) -> Result<Vec<SslProtocol>, Invalid> {
        let fault = || self.fault("sslProtocols", "must be an array of SSLv3, TLSv1, TLSv1.1 and TLSv1.2");
        let list = self.object.get("sslProtocols").and_then(Value::as_array).ok_or_else(fault)?;
        let known = |value: &Value| SslProtocol::ALL.into_iter().find(|version| value == version.as_str());
        list.iter().map(|value| known(value).ok_or_else(fault)).collect()
    }

    fn custom_headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Invalid> {
        if !self.object.get("customHeaders").is_some_and(Value::is_object) {
            return Err(self.fault("customHeaders", "must be an object"));
        }
        let lines = headers(self.object, &format!("request.origin.{}.customHeaders", self.name))?;
        lines
            .into_iter()
            .map(|(name, value)| {
                let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Invalid::HeaderName(name.clone()))?;
                Ok((parsed, header_value(&name, &value)?))
            })
            .collect()
    }
}

fn string<'a>(object: &'a Object, member: &str, name: &str) -> Result<&'a str, Invalid> {
    object
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Invalid::Type { member: member.to_owned(), expected: "a string" })
}

fn optional_string<'a>(object: &'a Object, member: &str, name: &str) -> Result<Option<&'a str>, Invalid> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => string(object, member, name).map(Some),
    }
}

#[cfg(test)]
mod tests;
