//! Events as JSON (`lambda-at-edge.md` section 3).

use super::{BodyView, CustomOrigin, LambdaEvent, LambdaOrigin, S3Origin};
use crate::headers::is_disallowed;
use crate::text::{presented, title_case};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rimward_types::{Hook, RequestHead, ResponseHead};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::time::Duration;

impl LambdaEvent<'_> {
    /// The event as a handler gets it: `{"Records":[{"cf":{...}}]}`.
    pub fn to_json(&self) -> String {
        // Strings, numbers and string keys alone: serialising cannot fail.
        serde_json::to_string(&Root { records: [Record { cf: Cf::new(self) }] }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Root<'a> {
    #[serde(rename = "Records")]
    records: [Record<'a>; 1],
}

#[derive(Serialize)]
struct Record<'a> {
    cf: Cf<'a>,
}

#[derive(Serialize)]
struct Cf<'a> {
    config: Config<'a>,
    request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
}

impl<'a> Cf<'a> {
    fn new(event: &LambdaEvent<'a>) -> Self {
        let context = &event.context;
        Self {
            config: Config {
                distribution_domain_name: context.distribution_domain_name,
                distribution_id: context.distribution_id,
                event_type: event.hook.as_str(),
                request_id: context.request_id,
            },
            request: Request::new(event.hook, context.viewer_ip, event.request, event.body, event.origin),
            response: event.response.map(Response::new),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    distribution_domain_name: &'a str,
    distribution_id: &'a str,
    event_type: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    client_ip: &'a str,
    method: &'a str,
    uri: &'a str,
    querystring: &'a str,
    headers: Headers<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin<'a>>,
}

impl<'a> Request<'a> {
    pub(super) fn new(
        hook: Hook,
        client_ip: &'a str,
        head: &'a RequestHead,
        body: Option<BodyView<'_>>,
        origin: Option<&'a LambdaOrigin>,
    ) -> Self {
        Self {
            client_ip,
            method: head.method.as_str(),
            uri: &head.path,
            querystring: head.query.as_deref().unwrap_or_default(),
            headers: Headers { map: &head.headers, title: head.version < Version::HTTP_2 },
            body: body.filter(|_| !hook.is_response()).map(Body::new),
            origin: origin.filter(|_| !hook.is_viewer()).map(Origin::new),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    status: String,
    status_description: &'a str,
    headers: Headers<'a>,
}

impl<'a> Response<'a> {
    pub(super) fn new(head: &'a ResponseHead) -> Self {
        let reason = head.reason.as_deref().or(head.status.canonical_reason());
        Self {
            status: head.status.as_str().to_owned(),
            status_description: reason.unwrap_or_default(),
            headers: Headers { map: &head.headers, title: true },
        }
    }
}

/// One element per line; names in the case that HTTP/1.1 carries them in, or lower case (section 3.4).
struct Headers<'a> {
    map: &'a HeaderMap,
    title: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    value: &'a str,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.map.keys().filter(|name| !is_disallowed(name.as_str())) {
            let key = if self.title { title_case(name.as_str()) } else { name.as_str().to_owned() };
            let values: Vec<_> = self.map.get_all(name).iter().map(|value| presented(value.as_bytes())).collect();
            let lines: Vec<_> = values.iter().map(|value| Line { key: &key, value }).collect();
            map.serialize_entry(name.as_str(), &lines)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    input_truncated: bool,
    action: &'static str,
    encoding: &'static str,
    data: String,
}

impl Body {
    fn new(view: BodyView<'_>) -> Self {
        Self {
            input_truncated: view.truncated,
            action: "read-only",
            encoding: "base64",
            data: STANDARD.encode(view.data),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Origin<'a> {
    Custom(Custom<'a>),
    S3(S3<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Custom<'a> {
    custom_headers: CustomHeaders<'a>,
    domain_name: &'a str,
    keepalive_timeout: u64,
    path: &'a str,
    port: u16,
    protocol: &'static str,
    read_timeout: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_completion_timeout: Option<u64>,
    ssl_protocols: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct S3<'a> {
    auth_method: &'static str,
    custom_headers: CustomHeaders<'a>,
    domain_name: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_completion_timeout: Option<u64>,
}

impl<'a> Origin<'a> {
    fn new(origin: &'a LambdaOrigin) -> Self {
        match origin {
            LambdaOrigin::Custom(origin) => Origin::Custom(Custom::new(origin)),
            LambdaOrigin::S3(origin) => Origin::S3(S3::new(origin)),
        }
    }
}

impl<'a> Custom<'a> {
    fn new(origin: &'a CustomOrigin) -> Self {
        Self {
            custom_headers: CustomHeaders(&origin.custom_headers),
            domain_name: &origin.domain_name,
            keepalive_timeout: origin.keepalive_timeout.as_secs(),
            path: &origin.path,
            port: origin.port,
            protocol: origin.protocol.as_str(),
            read_timeout: origin.read_timeout.as_secs(),
            response_completion_timeout: origin.completion_timeout.as_ref().map(Duration::as_secs),
            ssl_protocols: origin.ssl_protocols.iter().map(|version| version.as_str()).collect(),
        }
    }
}

impl<'a> S3<'a> {
    fn new(origin: &'a S3Origin) -> Self {
        Self {
            auth_method: origin.auth.as_str(),
            custom_headers: CustomHeaders(&origin.custom_headers),
            domain_name: &origin.domain_name,
            path: &origin.path,
            read_timeout: origin.read_timeout.as_ref().map(Duration::as_secs),
            region: origin.region.as_deref(),
            response_completion_timeout: origin.completion_timeout.as_ref().map(Duration::as_secs),
        }
    }
}

struct CustomHeaders<'a>(&'a [(HeaderName, HeaderValue)]);

impl Serialize for CustomHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map: HeaderMap = self.0.iter().cloned().collect();
        let mut out = serializer.serialize_map(None)?;
        // Names are re-cased on the way to the origin (cdn-behaviour.md section 7.4).
        for name in map.keys() {
            let key = title_case(name.as_str());
            let values: Vec<_> = map.get_all(name).iter().map(|value| presented(value.as_bytes())).collect();
            let lines: Vec<_> = values.iter().map(|value| Line { key: &key, value }).collect();
            out.serialize_entry(name.as_str(), &lines)?;
        }
        out.end()
    }
}

#[cfg(test)]
mod tests;
