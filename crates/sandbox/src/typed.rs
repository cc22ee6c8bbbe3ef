//! The records of the typed flavour, from events and back to results. Rules are not applied here: results go through
//! the same validation as JSON does.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use rimward_event::lambda::{
    CustomOrigin, HeaderLines, LambdaEvent, LambdaOrigin, Protocol, Returned, ReturnedRequest, ReturnedResponse,
    S3Auth, S3Origin, SslProtocol, bytes_of, text_of,
};
use rimward_event::{Invalid, headers};
use rimward_types::{Hook, ResponseHead};

use crate::bindings::types;
use crate::environment::Identity;

/// The request as the function gets it. Names are in lower case; disallowed headers are left out (section 6.1).
pub(crate) fn request(event: &LambdaEvent<'_>) -> types::Request {
    let head = event.request;
    types::Request {
        client_ip: event.context.viewer_ip.to_owned(),
        method: head.method.as_str().to_owned(),
        uri: head.path.clone(),
        querystring: head.query.clone().unwrap_or_default(),
        headers: shown(&head.headers),
        body: event.body.filter(|_| !event.hook.is_response()).map(|body| types::Body {
            data: body.data.to_vec(),
            truncated: body.truncated,
            replace: false,
        }),
        origin: event.origin.filter(|_| !event.hook.is_viewer()).map(origin),
    }
}

/// The response as the function gets it: without a body.
pub(crate) fn response(head: &ResponseHead) -> types::Response {
    let reason = head.reason.as_deref().or(head.status.canonical_reason());
    types::Response {
        status: head.status.as_u16(),
        status_description: reason.unwrap_or_default().to_owned(),
        headers: shown(&head.headers),
        body: None,
    }
}

/// What is known of the invocation.
pub(crate) fn context(
    event: &LambdaEvent<'_>,
    identity: &Identity,
    invocation_id: &str,
    deadline_ms: u64,
) -> types::Context {
    types::Context {
        hook: match event.hook {
            Hook::ViewerRequest => types::Hook::ViewerRequest,
            Hook::OriginRequest => types::Hook::OriginRequest,
            Hook::OriginResponse => types::Hook::OriginResponse,
            Hook::ViewerResponse => types::Hook::ViewerResponse,
        },
        distribution_id: event.context.distribution_id.to_owned(),
        distribution_domain_name: event.context.distribution_domain_name.to_owned(),
        request_id: event.context.request_id.to_owned(),
        invocation_id: invocation_id.to_owned(),
        function_name: identity.function_name.clone(),
        function_version: identity.version.clone(),
        memory_limit_mb: identity.memory_mb,
        deadline_ms,
    }
}

/// A result before validation.
pub(crate) fn returned(outcome: types::Outcome) -> Result<Returned, Invalid> {
    match outcome {
        types::Outcome::Request(request) => returned_request(request).map(Returned::Request),
        types::Outcome::Response(response) => returned_response(response).map(Returned::Response),
    }
}

fn returned_request(request: types::Request) -> Result<ReturnedRequest, Invalid> {
    Ok(ReturnedRequest {
        method: request.method,
        client_ip: Some(request.client_ip),
        uri: request.uri,
        querystring: request.querystring,
        headers: lines(request.headers)?,
        body: request.body.filter(|body| body.replace).map(|body| Bytes::from(body.data)),
        origin: request.origin.map(returned_origin).transpose()?.map(Box::new),
    })
}

/// A response before validation.
pub(crate) fn returned_response(response: types::Response) -> Result<ReturnedResponse, Invalid> {
    Ok(ReturnedResponse {
        status: response.status,
        reason: Some(response.status_description),
        headers: lines(response.headers)?,
        body: response.body.map(Bytes::from),
    })
}

fn shown(headers: &HeaderMap) -> Vec<types::Header> {
    let shown = headers.iter().filter(|(name, _)| !headers::is_disallowed(name.as_str()));
    shown.map(|(name, value)| header(name, value)).collect()
}

fn header(name: &HeaderName, value: &HeaderValue) -> types::Header {
    let value = match value.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => text_of(value.as_bytes()),
    };
    types::Header { name: name.as_str().to_owned(), value }
}

fn lines(headers: Vec<types::Header>) -> Result<HeaderLines, Invalid> {
    headers.into_iter().map(|types::Header { name, value }| bytes(&name, value).map(|value| (name, value))).collect()
}

fn bytes(name: &str, value: String) -> Result<Vec<u8>, Invalid> {
    if value.is_ascii() {
        return Ok(value.into_bytes());
    }
    let past = |c: &char| u32::from(*c) > 0xff;
    bytes_of(&value).ok_or_else(|| Invalid::HeaderValue {
        name: name.to_owned(),
        character: value.chars().find(past).unwrap_or('\u{fffd}'),
    })
}

fn origin(origin: &LambdaOrigin) -> types::Origin {
    let custom_headers = |headers: &[(HeaderName, HeaderValue)]| {
        headers.iter().map(|(name, value)| header(name, value)).collect::<Vec<_>>()
    };
    match origin {
        LambdaOrigin::Custom(origin) => types::Origin::Custom(types::CustomOrigin {
            domain_name: origin.domain_name.clone(),
            port: origin.port,
            protocol: match origin.protocol {
                Protocol::Http => types::Protocol::Http,
                Protocol::Https => types::Protocol::Https,
            },
            path: origin.path.clone(),
            custom_headers: custom_headers(&origin.custom_headers),
            read_timeout: seconds(origin.read_timeout),
            keepalive_timeout: seconds(origin.keepalive_timeout),
            response_completion_timeout: origin.completion_timeout.map(seconds),
            ssl_protocols: origin.ssl_protocols.iter().map(|version| version.as_str().to_owned()).collect(),
        }),
        LambdaOrigin::S3(origin) => types::Origin::S3(types::S3Origin {
            domain_name: origin.domain_name.clone(),
            path: origin.path.clone(),
            custom_headers: custom_headers(&origin.custom_headers),
            auth_method: match origin.auth {
                S3Auth::None => types::AuthMethod::None,
                S3Auth::OriginAccessIdentity => types::AuthMethod::OriginAccessIdentity,
            },
            region: origin.region.clone().unwrap_or_default(),
            read_timeout: origin.read_timeout.map(seconds),
            response_completion_timeout: origin.completion_timeout.map(seconds),
        }),
    }
}

fn returned_origin(origin: types::Origin) -> Result<LambdaOrigin, Invalid> {
    Ok(match origin {
        types::Origin::Custom(origin) => LambdaOrigin::Custom(CustomOrigin {
            domain_name: origin.domain_name,
            path: origin.path,
            custom_headers: custom_headers(origin.custom_headers)?,
            port: origin.port,
            protocol: match origin.protocol {
                types::Protocol::Http => Protocol::Http,
                types::Protocol::Https => Protocol::Https,
            },
            keepalive_timeout: duration(origin.keepalive_timeout),
            read_timeout: duration(origin.read_timeout),
            completion_timeout: limit(origin.response_completion_timeout),
            ssl_protocols: ssl_protocols(&origin.ssl_protocols)?,
        }),
        types::Origin::S3(origin) => LambdaOrigin::S3(S3Origin {
            domain_name: origin.domain_name,
            path: origin.path,
            custom_headers: custom_headers(origin.custom_headers)?,
            auth: match origin.auth_method {
                types::AuthMethod::None => S3Auth::None,
                types::AuthMethod::OriginAccessIdentity => S3Auth::OriginAccessIdentity,
            },
            region: Some(origin.region).filter(|region| !region.is_empty()),
            read_timeout: origin.read_timeout.map(duration),
            completion_timeout: limit(origin.response_completion_timeout),
        }),
    })
}

fn custom_headers(headers: Vec<types::Header>) -> Result<Vec<(HeaderName, HeaderValue)>, Invalid> {
    let parse = |types::Header { name, value }: types::Header| {
        let value = bytes(&name, value)?;
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Invalid::HeaderName(name.clone()))?;
        let control = |b: &&u8| **b < b' ' || **b == 0x7f;
        let character = value.iter().find(control).map_or('\u{fffd}', |b| char::from(*b));
        let value = HeaderValue::from_bytes(&value).map_err(|_| Invalid::HeaderValue { name, character })?;
        Ok((parsed, value))
    };
    headers.into_iter().map(parse).collect()
}

fn ssl_protocols(names: &[String]) -> Result<Vec<SslProtocol>, Invalid> {
    let known = |name: &String| SslProtocol::ALL.into_iter().find(|version| version.as_str() == name);
    names.iter().map(known).collect::<Option<_>>().ok_or_else(|| Invalid::Origin {
        field: "custom.sslProtocols".to_owned(),
        fault: "must be an array of SSLv3, TLSv1, TLSv1.1 and TLSv1.2",
    })
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn duration(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

fn limit(seconds: Option<u32>) -> Option<Duration> {
    seconds.filter(|seconds| *seconds > 0).map(duration)
}

#[cfg(test)]
mod tests;
