//! Request and response heads.

use http::{HeaderMap, Method, StatusCode, Version};

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
    pub fn host(&self) -> Option<String> {
        let host = self.header("host")?;
        let name = match host.strip_prefix('[') {
            Some(_) => host.split_inclusive(']').next()?,
            None => host.split(':').next()?,
        };
        Some(name.trim_end_matches('.').to_ascii_lowercase())
    }
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
