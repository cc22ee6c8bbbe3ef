//! Between the contract's records and types of the `http` crate. What the `http` crate cannot hold is an error, not a loss.

use crate::StatusDescription;
use crate::bindings::types;
use crate::{AuthMethod, Body, ClientIp, Context, CustomOrigin, Hook, Origin, Protocol, Request, Response, S3Origin};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};

pub(crate) fn context_in(context: types::Context) -> Context {
    Context {
        hook: match context.hook {
            types::Hook::ViewerRequest => Hook::ViewerRequest,
            types::Hook::OriginRequest => Hook::OriginRequest,
            types::Hook::OriginResponse => Hook::OriginResponse,
            types::Hook::ViewerResponse => Hook::ViewerResponse,
        },
        distribution_id: context.distribution_id,
        distribution_domain_name: context.distribution_domain_name,
        request_id: context.request_id,
        invocation_id: context.invocation_id,
        function_name: context.function_name,
        function_version: context.function_version,
        memory_limit_mb: context.memory_limit_mb,
        deadline_ms: context.deadline_ms,
    }
}

pub(crate) fn request_in(record: types::Request) -> Result<Request, String> {
    let query = if record.querystring.is_empty() { String::new() } else { format!("?{}", record.querystring) };
    let uri = format!("{}{query}", record.uri);
    let body = record.body.map_or_else(Body::default, |body| Body {
        shown: Some(body.data),
        truncated: body.truncated,
        replaces: body.replace,
    });
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(record.method.as_bytes())
        .map_err(|_| format!("the method `{}` is no token", record.method))?;
    *request.uri_mut() = uri.parse::<Uri>().map_err(|error| format!("the request's URI `{uri}`: {error}"))?;
    *request.headers_mut() = headers_in(record.headers)?;
    request.extensions_mut().insert(ClientIp(record.client_ip));
    if let Some(origin) = record.origin {
        request.extensions_mut().insert(origin_in(origin)?);
    }
    Ok(request)
}

pub(crate) fn request_out(request: Request) -> Result<types::Request, String> {
    let (mut parts, body) = request.into_parts();
    let ClientIp(client_ip) = parts
        .extensions
        .remove()
        .ok_or("the request that goes on must be the one that came: its `ClientIp` is not there")?;
    Ok(types::Request {
        client_ip,
        method: parts.method.as_str().to_owned(),
        uri: parts.uri.path().to_owned(),
        querystring: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers_out(&parts.headers),
        body: body.shown.map(|data| types::Body { data, truncated: body.truncated, replace: body.replaces }),
        origin: parts.extensions.remove::<Origin>().map(origin_out),
    })
}

pub(crate) fn response_in(record: types::Response) -> Result<Response, String> {
    let body = record.body.map_or_else(Body::default, Body::from);
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(record.status).map_err(|_| format!("the status {} is out of range", record.status))?;
    *response.headers_mut() = headers_in(record.headers)?;
    if !record.status_description.is_empty() {
        response.extensions_mut().insert(StatusDescription(record.status_description));
    }
    Ok(response)
}

pub(crate) fn response_out(response: Response) -> types::Response {
    let (mut parts, body) = response.into_parts();
    types::Response {
        status: parts.status.as_u16(),
        status_description: parts.extensions.remove().map(|StatusDescription(text)| text).unwrap_or_default(),
        headers: headers_out(&parts.headers),
        body: body.shown,
    }
}

/// The contract's texts carry bytes as U+0000 to U+00FF.
fn headers_in(headers: Vec<types::Header>) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        let bytes: Option<Vec<u8>> = header.value.chars().map(|c| u8::try_from(c).ok()).collect();
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        let (Ok(name), Some(value)) = (name, value) else {
            return Err(format!("the header `{}` has a name or a value that HTTP does not allow", header.name));
        };
        map.append(name, value);
    }
    Ok(map)
}

fn headers_out(map: &HeaderMap) -> Vec<types::Header> {
    let value = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    map.iter().map(|(name, line)| types::Header { name: name.as_str().to_owned(), value: value(line) }).collect()
}

fn origin_in(origin: types::Origin) -> Result<Origin, String> {
    Ok(match origin {
        types::Origin::Custom(custom) => Origin::Custom(CustomOrigin {
            domain_name: custom.domain_name,
            port: custom.port,
            protocol: match custom.protocol {
                types::Protocol::Http => Protocol::Http,
                types::Protocol::Https => Protocol::Https,
            },
            path: custom.path,
            custom_headers: headers_in(custom.custom_headers)?,
            read_timeout: custom.read_timeout,
            keepalive_timeout: custom.keepalive_timeout,
            response_completion_timeout: custom.response_completion_timeout,
            ssl_protocols: custom.ssl_protocols,
        }),
        types::Origin::S3(s3) => Origin::S3(S3Origin {
            domain_name: s3.domain_name,
            path: s3.path,
            custom_headers: headers_in(s3.custom_headers)?,
            auth_method: match s3.auth_method {
                types::AuthMethod::None => AuthMethod::None,
                types::AuthMethod::OriginAccessIdentity => AuthMethod::OriginAccessIdentity,
            },
            region: s3.region,
            read_timeout: s3.read_timeout,
            response_completion_timeout: s3.response_completion_timeout,
        }),
    })
}

fn origin_out(origin: Origin) -> types::Origin {
    match origin {
        Origin::Custom(custom) => types::Origin::Custom(types::CustomOrigin {
            domain_name: custom.domain_name,
            port: custom.port,
            protocol: match custom.protocol {
                Protocol::Http => types::Protocol::Http,
                Protocol::Https => types::Protocol::Https,
            },
            path: custom.path,
            custom_headers: headers_out(&custom.custom_headers),
            read_timeout: custom.read_timeout,
            keepalive_timeout: custom.keepalive_timeout,
            response_completion_timeout: custom.response_completion_timeout,
            ssl_protocols: custom.ssl_protocols,
        }),
        Origin::S3(s3) => types::Origin::S3(types::S3Origin {
            domain_name: s3.domain_name,
            path: s3.path,
            custom_headers: headers_out(&s3.custom_headers),
            auth_method: match s3.auth_method {
                AuthMethod::None => types::AuthMethod::None,
                AuthMethod::OriginAccessIdentity => types::AuthMethod::OriginAccessIdentity,
            },
            region: s3.region,
            read_timeout: s3.read_timeout,
            response_completion_timeout: s3.response_completion_timeout,
        }),
    }
}

#[cfg(test)]
mod tests;
