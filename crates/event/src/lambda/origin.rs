//! The origin object (`lambda-at-edge.md` section 3.6).

use crate::Invalid;
use crate::headers::is_denied_at_origin;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

/// A TLS version of `sslProtocols`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum SslProtocol {
    SslV3,
    TlsV1,
    TlsV1_1,
    TlsV1_2,
}

/// `authMethod` of an S3 origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum S3Auth {
    /// `none`.
    None,
    /// `origin-access-identity`.
    OriginAccessIdentity,
}

/// An origin that speaks HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomOrigin {
    /// Host name.
    pub domain_name: String,
    /// Prefix of the path; empty, or `/` first and not last.
    pub path: String,
    /// Headers added to each request.
    pub custom_headers: Vec<(HeaderName, HeaderValue)>,
    /// Port.
    pub port: u16,
    /// Protocol.
    pub protocol: Protocol,
    /// How long an idle connection is kept; whole seconds, 1..=120.
    pub keepalive_timeout: Duration,
    /// How long a byte may take; whole seconds, 1..=120.
    pub read_timeout: Duration,
    /// How long the whole response may take; `None` for no limit.
    pub completion_timeout: Option<Duration>,
    /// TLS versions that may be spoken.
    pub ssl_protocols: Vec<SslProtocol>,
}

/// An origin that is a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Origin {
    /// Host name of the bucket.
    pub domain_name: String,
    /// Prefix of the path.
    pub path: String,
    /// Headers added to each request.
    pub custom_headers: Vec<(HeaderName, HeaderValue)>,
    /// How requests are signed.
    pub auth: S3Auth,
    /// Region of the bucket; an identity needs it.
    pub region: Option<String>,
    /// How long a byte may take.
    pub read_timeout: Option<Duration>,
    /// How long the whole response may take.
    pub completion_timeout: Option<Duration>,
}

/// Where the node is about to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LambdaOrigin {
    /// `origin.custom`.
    Custom(CustomOrigin),
    /// `origin.s3`.
    S3(S3Origin),
}

impl Protocol {
    /// As in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Https => "https",
        }
    }
}

impl SslProtocol {
    /// All of them.
    pub const ALL: [SslProtocol; 4] =
        [SslProtocol::TlsV1, SslProtocol::TlsV1_1, SslProtocol::TlsV1_2, SslProtocol::SslV3];

    /// As in events.
    pub fn as_str(self) -> &'static str {
        match self {
            SslProtocol::SslV3 => "SSLv3",
            SslProtocol::TlsV1 => "TLSv1",
            SslProtocol::TlsV1_1 => "TLSv1.1",
            SslProtocol::TlsV1_2 => "TLSv1.2",
        }
    }
}

impl S3Auth {
    /// As in events.
    pub fn as_str(self) -> &'static str {
        match self {
            S3Auth::None => "none",
            S3Auth::OriginAccessIdentity => "origin-access-identity",
        }
    }
}

impl LambdaOrigin {
    /// Host name.
    pub fn domain_name(&self) -> &str {
        match self {
            LambdaOrigin::Custom(origin) => &origin.domain_name,
            LambdaOrigin::S3(origin) => &origin.domain_name,
        }
    }

    /// Headers added to each request.
    pub fn custom_headers(&self) -> &[(HeaderName, HeaderValue)] {
        match self {
            LambdaOrigin::Custom(origin) => &origin.custom_headers,
            LambdaOrigin::S3(origin) => &origin.custom_headers,
        }
    }
}

/// Checks what changed against the origin that the event showed (`lambda-at-edge.md` section 3.6): configured values
/// may be outside the vendor's bounds, those of a function may not. `headers` are those of the returned request.
pub(super) fn check(was: Option<&LambdaOrigin>, is: &LambdaOrigin, headers: &HeaderMap) -> Result<(), Invalid> {
    match (was, is) {
        (Some(LambdaOrigin::Custom(was)), LambdaOrigin::Custom(is)) => check_custom(Some(was), is)?,
        (_, LambdaOrigin::Custom(is)) => check_custom(None, is)?,
        (Some(LambdaOrigin::S3(was)), LambdaOrigin::S3(is)) => check_s3(Some(was), is)?,
        (_, LambdaOrigin::S3(is)) => check_s3(None, is)?,
    }
    check_headers(was.map(LambdaOrigin::custom_headers).unwrap_or_default(), is, headers)
}

fn check_custom(was: Option<&CustomOrigin>, is: &CustomOrigin) -> Result<(), Invalid> {
    let fault = |field: &str, fault| Err(Invalid::Origin { field: format!("custom.{field}"), fault });
    let new = |same: fn(&CustomOrigin, &CustomOrigin) -> bool| was.is_none_or(|was| !same(was, is));
    if new(|a, b| a.domain_name == b.domain_name) && !is_domain(&is.domain_name) {
        return fault("domainName", "must be a DNS name of at most 253 characters, without a port, and no address");
    }
    if new(|a, b| a.path == b.path) && (!is_path(&is.path) || is.path.len() > 255) {
        return fault("path", "must be empty, or start with `/`, not end with `/` and have at most 255 characters");
    }
    if new(|a, b| a.port == b.port) && !matches!(is.port, 80 | 443 | 1024..) {
        return fault("port", "must be 80, 443 or from 1024 to 65535");
    }
    if new(|a, b| a.keepalive_timeout == b.keepalive_timeout) && !is_timeout(is.keepalive_timeout) {
        return fault("keepaliveTimeout", "must be from 1 to 120 seconds");
    }
    if new(|a, b| a.read_timeout == b.read_timeout) && !is_timeout(is.read_timeout) {
        return fault("readTimeout", "must be from 1 to 120 seconds");
    }
    if new(|a, b| a.completion_timeout == b.completion_timeout && a.read_timeout == b.read_timeout)
        && is.completion_timeout.is_some_and(|limit| limit < is.read_timeout)
    {
        return fault("responseCompletionTimeout", "must be at least readTimeout, or 0");
    }
    if is.ssl_protocols.is_empty() && is.protocol == Protocol::Https {
        return fault("sslProtocols", "must name at least one version");
    }
    Ok(())
}

fn check_s3(was: Option<&S3Origin>, is: &S3Origin) -> Result<(), Invalid> {
    let fault = |field: &str, fault| Err(Invalid::Origin { field: format!("s3.{field}"), fault });
    let new = |same: fn(&S3Origin, &S3Origin) -> bool| was.is_none_or(|was| !same(was, is));
    let name = &is.domain_name;
    if new(|a, b| a.domain_name == b.domain_name)
        && (name.len() > 128 || name.bytes().any(|b| b.is_ascii_uppercase()) || !is_domain(name))
    {
        return fault("domainName", "must be a bucket's host name in lower case, of at most 128 characters");
    }
    if new(|a, b| a.path == b.path) && !is_path(&is.path) {
        return fault("path", "must be empty, or start with `/` and not end with `/`");
    }
    let identity = was.is_some_and(|was| was.auth == S3Auth::OriginAccessIdentity);
    if is.auth == S3Auth::OriginAccessIdentity && !identity {
        return fault("authMethod", "cannot introduce an identity");
    }
    if is.auth == S3Auth::OriginAccessIdentity && is.region.is_none() {
        return fault("region", "must name the bucket's region");
    }
    if is.region.as_deref().is_some_and(|region| !is_region(region)) {
        return fault("region", "must be lower-case letters, digits and `-`");
    }
    if new(|a, b| a.read_timeout == b.read_timeout) && is.read_timeout.is_some_and(|limit| !is_timeout(limit)) {
        return fault("readTimeout", "must be from 1 to 120 seconds");
    }
    match (is.completion_timeout, is.read_timeout) {
        (Some(limit), Some(read)) if limit < read => {
            fault("responseCompletionTimeout", "must be at least readTimeout, or 0")
        }
        _ => Ok(()),
    }
}

/// `cdn-behaviour.md` section 7.4.
fn check_headers(was: &[(HeaderName, HeaderValue)], origin: &LambdaOrigin, headers: &HeaderMap) -> Result<(), Invalid> {
    let kind = if matches!(origin, LambdaOrigin::Custom(_)) { "custom" } else { "s3" };
    let lines = origin.custom_headers();
    if lines == was {
        return Ok(());
    }
    let fault = |fault| Err(Invalid::Origin { field: format!("{kind}.customHeaders"), fault });
    for (name, value) in lines.iter().filter(|line| !was.contains(line)) {
        if is_denied_at_origin(name.as_str()) {
            return Err(Invalid::Disallowed(name.to_string()));
        }
        if headers.contains_key(name) {
            return fault("must not have a name that is in request.headers");
        }
        if name.as_str().len() > 256 || value.len() > 1783 {
            return fault("must have names of at most 256 and values of at most 1783 characters");
        }
    }
    if lines.len() > 30 {
        return fault("must have at most 30 entries");
    }
    if lines.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > 10_240 {
        return fault("must have at most 10240 characters in all");
    }
    Ok(())
}

/// A DNS name, no address: labels of letters, digits, `-` and `_`, the last of them not all digits.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253
        && name.split('.').all(label)
        && !name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

fn is_path(path: &str) -> bool {
    let plain = path.bytes().all(|b| (b'!'..=b'~').contains(&b) && !matches!(b, b'?' | b'#'));
    path.is_empty() || (path.starts_with('/') && !path.ends_with('/') && plain)
}

/// It goes into signatures and headers.
pub(crate) fn is_region(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn is_timeout(limit: Duration) -> bool {
    (1..=120).contains(&limit.as_secs())
}

#[cfg(test)]
mod tests;
