//! Request and response heads.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, StatusCode, Version};
use std::borrow::Cow;

/// The head of a request. Path and query are kept as the viewer sent them; nothing is decoded.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// Method.
    pub method: Method,
    /// Path; starts with `/`.
    pub path: String,
    /// Text after `?`; `None` when there is no `?`.
    pub query: Option<String>,
    /// Headers; `host` is always present once the server has let the request in.
    pub headers: HeaderMap,
    /// Version that the viewer spoke.
    pub version: Version,
}

impl RequestHead {
    /// A GET for `path` (which may carry a query) without headers.
    pub fn get(path_and_query: &str) -> Self {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path_and_query.to_owned(), None),
        };
        Self { method: Method::GET, path, query, headers: HeaderMap::new(), version: Version::HTTP_11 }
    }

    /// Path and, when there is one, `?` and query.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            None => self.path.clone(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }

    /// A header's first value as text, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The host without port, lower case; `None` when the request has none.
    pub fn host(&self) -> Option<Cow<'_, str>> {
        let host = self.header("host")?;
        let name = match host.strip_prefix('[') {
            Some(_) => host.split_inclusive(']').next()?,
            None => host.split(':').next()?,
        };
        let name = name.trim_end_matches('.');
        let is_lower = !name.bytes().any(|b| b.is_ascii_uppercase());
        Some(if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) })
    }

    /// Whether it asks to go on as a WebSocket (RFC 6455 section 4.1): GET over HTTP/1.1 without a body, `Upgrade` with
    /// `websocket`, and `Connection` with `upgrade`, without which `Upgrade` means nothing (RFC 9110 section 7.8), and without `close`.
    pub fn asks_for_websocket(&self) -> bool {
        self.headers.contains_key(UPGRADE)
            && self.method == Method::GET
            && self.version == Version::HTTP_11
            && lists(&self.headers, &UPGRADE, b"websocket")
            && lists(&self.headers, &CONNECTION, b"upgrade")
            && !lists(&self.headers, &CONNECTION, b"close")
            && !self.headers.contains_key(TRANSFER_ENCODING)
            && self.headers.get(CONTENT_LENGTH).is_none_or(|length| length.as_bytes().iter().all(|b| *b == b'0'))
    }
}

/// Whether a field that is a list of tokens has `token`, in any case.
pub fn lists(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    headers.get_all(name).iter().any(|value| has_token(value.as_bytes(), token))
}

/// The same for the value of one field line.
pub fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|b| *b == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

/// The head of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// Status.
    pub status: StatusCode,
    /// Reason phrase where it is not the standard one; HTTP/1.1 alone can carry it.
    pub reason: Option<Box<str>>,
    /// Headers.
    pub headers: HeaderMap,
}

impl ResponseHead {
    /// A head of `status` without headers.
    pub fn new(status: StatusCode) -> Self {
        Self { status, reason: None, headers: HeaderMap::new() }
    }

    /// A header's first value as text, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(method: &str, version: Version, headers: &[(&'static str, &'static str)]) -> bool {
        let mut head = RequestHead::get("/");
        head.method = method.parse().expect("a method");
        head.version = version;
        for (name, value) in headers {
            head.headers.append(*name, value.parse().expect("a value"));
        }
        head.asks_for_websocket()
    }

    #[test]
    fn a_handshake_is_a_get_over_http_1_1_whose_connection_field_names_upgrade() {
        let (upgrade, connection) = (("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade"));
        assert!(asks("GET", Version::HTTP_11, &[upgrade, connection]));
        assert!(asks("GET", Version::HTTP_11, &[upgrade, ("connection", "a"), ("connection", "upgrade")]));
        assert!(asks("GET", Version::HTTP_11, &[("upgrade", "h2c, websocket"), connection, ("content-length", "0")]));
        for (method, version, headers) in [
            ("POST", Version::HTTP_11, &[upgrade, connection][..]),
            ("GET", Version::HTTP_10, &[upgrade, connection]),
            ("GET", Version::HTTP_2, &[upgrade, connection]),
            ("GET", Version::HTTP_11, &[upgrade]),
            ("GET", Version::HTTP_11, &[upgrade, ("connection", "keep-alive")]),
            ("GET", Version::HTTP_11, &[upgrade, ("connection", "close, upgrade")]),
            ("GET", Version::HTTP_11, &[("upgrade", "h2c"), connection]),
            ("GET", Version::HTTP_11, &[("upgrade", "websocket/2"), connection]),
            ("GET", Version::HTTP_11, &[connection]),
            ("GET", Version::HTTP_11, &[upgrade, connection, ("content-length", "1")]),
            ("GET", Version::HTTP_11, &[upgrade, connection, ("transfer-encoding", "chunked")]),
        ] {
            assert!(!asks(method, version, headers), "{method} {version:?} {headers:?}");
        }
    }
}
