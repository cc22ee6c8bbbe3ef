//! Pages that the node itself writes. They name the request id, so that the operator finds the record, and nothing else.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, SERVER};
use rimward_event::failure;
use rimward_types::{Body, RequestId, ResponseHead};

/// A page of `status` with one sentence for the viewer.
pub fn page(status: StatusCode, sentence: &str, id: &RequestId) -> (ResponseHead, Body) {
    let mut head = ResponseHead::new(status);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    head.headers.insert(SERVER, HeaderValue::from_static("Rimward"));
    (head, failure::page(status, sentence, id.as_str()).into())
}
