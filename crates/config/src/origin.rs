//! `[origins.NAME]` and `[origin-groups.NAME]` (`cdn-behaviour.md` sections 8 and 9).

use crate::bucket::Bucket;
use crate::host::{InvalidHost, parse_host};
use http::{HeaderName, HeaderValue};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// `[origins.NAME]`: a server that answers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name: 1 to 64 letters, digits, `-` and `_`.
    pub name: Arc<str>,
    /// `url`: `"https://app.example.com/base"`, or `"builtin:demo"` for the demo inside the node.
    pub url: OriginUrl,
    /// `host-header`: the `Host` that the origin sees where the viewer's is not forwarded. Default: the URL's.
    pub host_header: Option<String>,
    /// `connect-timeout`: one attempt to connect, 1 s to 10 s. Default: 10 s.
    pub connect_timeout: Duration,
    /// `read-timeout`: until the first byte, and between two parts, 1 s to 120 s. Default: 30 s.
    pub read_timeout: Duration,
    /// `completion-timeout`: the whole answer with its retries, `read-timeout` or more. Default: no limit.
    pub completion_timeout: Option<Duration>,
    /// `keepalive`: how long an unused connection is kept, 1 s to 300 s. Default: 5 s.
    pub keepalive: Duration,
    /// `attempts`: times to connect, 1 to 3. Default: 3.
    pub attempts: u8,
    /// `headers`: added to every request, `{ X-Key = "secret" }`, replacing the viewer's. At most 30, names to 256
    /// and values to 1,783 characters, 10,240 together (section 7.4). Default: none.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `max-connections`: open at a time, 1 to 65,535. Default: 1,024.
    pub max_connections: usize,
    /// `ca`: PEM file of the certificates to trust instead of the public ones. Default: the public ones.
    pub ca: Option<PathBuf>,
    /// `h2c`: gRPC goes to it over HTTP/2 without TLS, by prior knowledge (RFC 9113 section 3.3). Default: false.
    pub h2c: bool,
    /// `s3`: it is a bucket, and whether requests to it are signed. Default: it is none.
    pub bucket: Option<Bucket>,
    /// What a function overrides for one request; not configured.
    pub overrides: Overrides,
}

/// What a viewer-request function may say of an origin (`cloudfront-functions.md` section 11.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// The `Host` that the origin sees, also where the viewer's is forwarded.
    pub host: Option<String>,
    /// The name of the TLS handshake, and of the certificate unless `certificate_names` says otherwise. Default: the host
    /// that is connected to.
    pub sni: Option<String>,
    /// The certificate must be for one of these names; `*.example.com` asks for a certificate for exactly that.
    pub certificate_names: Vec<String>,
}

/// Where an origin is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OriginUrl {
    /// A server.
    Http {
        /// Whether it is `https`.
        tls: bool,
        /// Name or IP address in lower case; IPv6 without brackets.
        host: String,
        /// Port. Default: 80 or 443.
        port: u16,
        /// Put before each path: empty, or `/x` without a slash at its end.
        path: String,
    },
    /// `builtin:demo`: the demo inside the node.
    Demo,
}

/// A text is no URL of an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It does not begin with `http://` or `https://`.
    #[error("it begins with http:// or https://, or is \"builtin:demo\"")]
    Scheme,
    /// It has a user or a password.
    #[error("it cannot have a user or a password; send `Authorization` with `headers`")]
    User,
    /// Its host is no host.
    #[error("its host is wrong: {0}")]
    Host(InvalidHost),
    /// Its port is not 1 to 65535.
    #[error("its port is a number from 1 to 65535")]
    Port,
    /// It has a query or a fragment.
    #[error("it cannot have `{0}`")]
    Part(char),
    /// Its path has a character that paths do not have (RFC 3986 section 3.3).
    #[error("its path cannot have the character `{0}`; write it percent-encoded")]
    Character(char),
}

/// `[origin-groups.NAME]`: two origins, the second asked when the first fails. GET, HEAD and OPTIONS only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginGroup {
    /// Its name: 1 to 64 letters, digits, `-` and `_`; no origin has the same.
    pub name: Arc<str>,
    /// `primary`: the origin that is asked first.
    pub primary: Arc<Origin>,
    /// `secondary`: the origin that is asked when the primary fails. Not the primary.
    pub secondary: Arc<Origin>,
    /// `failover`: statuses of the primary that count as failures, of 400 403 404 416 429 500 502 503 504; no
    /// connection counts as 503, no answer in time as 504. Default: 500 502 503 504.
    pub failover: BTreeSet<u16>,
}

impl Origin {
    /// An origin at `url` with every setting at its default.
    pub fn new(name: impl Into<Arc<str>>, url: OriginUrl) -> Self {
        Self {
            name: name.into(),
            url,
            host_header: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            completion_timeout: None,
            keepalive: Duration::from_secs(5),
            attempts: 3,
            headers: Vec::new(),
            max_connections: 1024,
            ca: None,
            h2c: false,
            bucket: None,
            overrides: Overrides::default(),
        }
    }

    /// Whether gRPC can be spoken with it: over TLS, or by `h2c`.
    pub fn speaks_grpc(&self) -> bool {
        self.bucket.is_none() && matches!(self.url, OriginUrl::Http { tls, .. } if tls || self.h2c)
    }

    /// The `Host` that the origin sees where the viewer's is not forwarded.
    pub fn host(&self) -> String {
        self.host_header.clone().unwrap_or_else(|| self.url.authority())
    }
}

impl OriginUrl {
    /// Host, and the port where it is not the scheme's own, as `Host` has it. `demo` for the demo.
    pub fn authority(&self) -> String {
        match self {
            OriginUrl::Demo => "demo".to_owned(),
            OriginUrl::Http { tls, host, port, .. } => {
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                let default = if *tls { 443 } else { 80 };
                if *port == default {
                    return [open, host, close].concat();
                }
                // With the exact length, for it becomes a header of each request.
                let digits = port.checked_ilog10().map_or(1, |log| log as usize + 1);
                let mut text = String::with_capacity(open.len() + host.len() + close.len() + 1 + digits);
                [open, host, close, ":"].iter().for_each(|part| text.push_str(part));
                let _infallible = write!(text, "{port}");
                text
            }
        }
    }
}

impl OriginGroup {
    /// Statuses that may be named in `failover`.
    pub const STATUSES: [u16; 9] = [400, 403, 404, 416, 429, 500, 502, 503, 504];
}

impl FromStr for OriginUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text == "builtin:demo" {
            return Ok(OriginUrl::Demo);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidUrl::Scheme),
        };
        if let Some(part) = rest.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(InvalidUrl::Part(part));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidUrl::User);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port != 0).ok_or(InvalidUrl::Port)?
            }
            Some(_) => return Err(InvalidUrl::Port),
        };
        let host = parse_host(host).map_err(InvalidUrl::Host)?;
        let path = path.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c);
        match path.chars().find(|c| !plain(*c)) {
            Some(wrong) => Err(InvalidUrl::Character(wrong)),
            None => Ok(OriginUrl::Http { tls, host, port, path: path.to_owned() }),
        }
    }
}

/// Host and the text after its `:`; the colons of an IPv6 address stand in brackets.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[host_end..].find(':') {
        Some(at) => (&authority[..host_end + at], Some(&authority[host_end + at + 1..])),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests;
