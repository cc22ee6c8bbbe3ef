//! A request below a part of the API, and what its parts have in common.

use crate::reply::Reply;
use http::{HeaderMap, Method, StatusCode, header};
use rimward_types::Body;
use serde::Deserialize;

/// A request below the root of a part.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// Its path below the root.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Body,
}

impl Request<'_> {
    /// Whether the method is right; HEAD is where GET is. `names` are those of `Allow`.
    pub(crate) fn allow(&self, right: &Method, names: &'static str) -> Result<(), Reply> {
        if self.method == right || self.method == Method::HEAD && right == Method::GET {
            return Ok(());
        }
        let message = format!("the method is not {}", self.method);
        Err(Reply::error(StatusCode::METHOD_NOT_ALLOWED, message, format!("use {names}")).allowing(names))
    }

    /// `If-Match`; `whose` names the ETag that it should have.
    pub(crate) fn if_match(&self, whose: &str) -> Result<&str, Reply> {
        let tag = self.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).map(str::trim);
        tag.ok_or_else(|| {
            Reply::wrong("`If-Match` is missing", &format!("send the ETag of {whose}, or `*` for whatever is there"))
        })
    }
}

/// A body of JSON; `shape` shows one.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8], shape: &str) -> Result<T, Reply> {
    serde_json::from_slice(body)
        .map_err(|error| Reply::wrong(&format!("the body is wrong: {error}"), &format!("send {shape}")))
}
