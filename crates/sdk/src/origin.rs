//! Origins, as origin hooks see and choose them.

use http::HeaderMap;

/// Where a request goes, an extension of a request at the origin hooks.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A web server.
    Custom(CustomOrigin),
    /// A bucket.
    S3(S3Origin),
}

/// How a web server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// An origin that is a web server.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomOrigin {
    /// A DNS name, or the name of an origin in the node's configuration, which is then used with its own address.
    pub domain_name: String,
    /// 80, 443, or 1024 to 65535.
    pub port: u16,
    /// With or without TLS.
    pub protocol: Protocol,
    /// Put before the request's path; empty, or `/...` without a slash at the end.
    pub path: String,
    /// Headers that are added for this origin.
    pub custom_headers: HeaderMap,
    /// How long the answer may take to begin, in seconds, 1 to 120.
    pub read_timeout: u32,
    /// How long an idle connection is kept, in seconds, 1 to 120.
    pub keepalive_timeout: u32,
    /// How long the whole answer may take, in seconds; at least `read_timeout`.
    pub response_completion_timeout: Option<u32>,
    /// Such as `TLSv1.2`.
    pub ssl_protocols: Vec<String>,
}

/// Who signs requests to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// Nobody.
    None,
    /// The distribution's identity.
    OriginAccessIdentity,
}

/// An origin that is a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Origin {
    /// The bucket's name as a host, in lower case.
    pub domain_name: String,
    /// Put before the request's path.
    pub path: String,
    /// Headers that are added for this origin.
    pub custom_headers: HeaderMap,
    /// Who signs.
    pub auth_method: AuthMethod,
    /// The bucket's region; needed where the identity signs.
    pub region: String,
    /// In seconds, 1 to 120.
    pub read_timeout: Option<u32>,
    /// In seconds; at least `read_timeout`.
    pub response_completion_timeout: Option<u32>,
}
