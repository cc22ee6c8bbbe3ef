//! Answers as JSON.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use rimward_types::{Body, ResponseHead};
use serde::Serialize;
use serde_json::json;

/// An answer that is not yet sent.
pub(crate) struct Reply {
    status: StatusCode,
    content_type: &'static str,
    /// `Allow`, where the method was wrong.
    allow: Option<&'static str>,
    /// `ETag`, without quotes.
    etag: Option<String>,
    body: Bytes,
}

impl Reply {
    /// A value as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_string_pretty(value) {
            Ok(text) => Self::new(status, "application/json", text + "\n"),
            // Our own types have nothing that JSON cannot say.
            Err(error) => Self::error(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), "the node's log says more"),
        }
    }

    /// What went wrong, and how to mend it.
    pub(crate) fn error(status: StatusCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let text = json!({ "error": message.into(), "hint": hint.into() });
        Self::new(status, "application/json", format!("{text:#}\n"))
    }

    /// A request that cannot be understood.
    pub(crate) fn wrong(message: &str, hint: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, message, hint)
    }

    /// A text that is JSON already.
    pub(crate) fn json_text(text: String) -> Self {
        Self::new(StatusCode::OK, "application/json", text)
    }

    /// Metrics, in the text format of Prometheus, version 0.0.4.
    pub(crate) fn prometheus(text: String) -> Self {
        Self::new(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
    }

    /// A function's source.
    pub(crate) fn code(code: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, "application/javascript", code)
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, allow: None, etag: None, body: body.into() }
    }

    /// With the version of what it tells. `etag` has no quotes; the header does (RFC 9110 section 8.8.3).
    pub(crate) fn etag(mut self, etag: &str) -> Self {
        self.etag = Some(format!("\"{etag}\""));
        self
    }

    /// With the methods that are right (RFC 9110 section 15.5.6).
    pub(crate) fn allowing(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The answer to `method`: to HEAD the same without its body (RFC 9110 section 9.3.2).
    pub(crate) fn finish(self, method: &Method) -> (ResponseHead, Body) {
        let mut head = ResponseHead::new(self.status);
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        head.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(methods) = self.allow {
            head.headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(etag) = self.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            head.headers.insert(ETAG, etag);
        }
        (head, if method == Method::HEAD { Body::Empty } else { self.body.into() })
    }
}
