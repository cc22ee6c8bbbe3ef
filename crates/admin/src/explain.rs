//! What `POST /explain` asks for: `{"url": "https://host/path?query"}`, and where they matter `"method": "HEAD"` and
//! `"headers": ["accept-encoding: br"]`.

use crate::url::{InvalidUrl, Url};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use rimward_types::RequestHead;
use serde::Deserialize;

/// Header lines, at most: as many as a listener takes.
const MOST_HEADERS: usize = 128;

/// A request to explain.
#[derive(Debug, Clone)]
pub struct Explain {
    /// The request, with `host`.
    pub request: RequestHead,
    /// Whether it came over TLS: `https`.
    pub tls: bool,
}

/// A body that asks for no explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExplain {
    /// It is no JSON, or has unknown keys.
    #[error("the body is not what it should be: {0}")]
    Json(String),
    /// The URL is wrong.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// The method is none.
    #[error("`{}` is no method", .0.escape_debug())]
    Method(String),
    /// A header is none.
    #[error("`{}` is no header", .0.escape_debug())]
    Header(String),
    /// There are too many headers.
    #[error("there are {0} headers; there are at most {MOST_HEADERS}")]
    TooManyHeaders(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Request {
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

impl Explain {
    /// Reads a body.
    ///
    /// # Errors
    /// When it has no URL, or a method or header that is none.
    pub fn from_json(body: &[u8]) -> Result<Self, InvalidExplain> {
        let asked: Request = serde_json::from_slice(body).map_err(|error| InvalidExplain::Json(error.to_string()))?;
        let url = Url::parse(&asked.url)?;
        let method = match asked.method {
            None => Method::GET,
            Some(name) => name.parse().map_err(|_| InvalidExplain::Method(name))?,
        };
        if asked.headers.len() > MOST_HEADERS {
            return Err(InvalidExplain::TooManyHeaders(asked.headers.len()));
        }
        let mut headers = HeaderMap::new();
        for line in asked.headers {
            let (name, value) = header(&line).ok_or(InvalidExplain::Header(line))?;
            headers.append(name, value);
        }
        if !headers.contains_key(HOST) {
            let host = HeaderValue::from_str(&url.authority).map_err(|_| InvalidExplain::Header(url.authority))?;
            headers.insert(HOST, host);
        }
        let mut request = RequestHead::get(&url.path);
        request.method = method;
        request.headers = headers;
        request.version = Version::HTTP_11;
        Ok(Self { request, tls: url.tls })
    }
}

/// `name: value`, as `curl -H` has it.
fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().parse().ok()?, HeaderValue::from_str(value.trim()).ok()?))
}

impl InvalidExplain {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            InvalidExplain::Json(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            InvalidExplain::Header(_) => "write \"name: value\"",
            InvalidExplain::Method(_) => "write a method such as \"GET\" or \"HEAD\"",
            _ => "write {\"url\": \"https://host/path\", \"method\": \"GET\", \"headers\": [\"accept-encoding: br\"]}",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Explain, InvalidExplain> {
        Explain::from_json(body.as_bytes())
    }

    #[test]
    fn a_request_has_url_method_and_headers() {
        let asked = r#"{"url":"https://A.com:8443/x?y","method":"HEAD","headers":["accept: a","Accept:b"]}"#;
        let Explain { request, tls } = read(asked).unwrap();
        assert!(tls);
        assert_eq!((request.method, request.path.as_str(), request.query.as_deref()), (Method::HEAD, "/x", Some("y")));
        assert_eq!(request.headers.get(HOST).unwrap(), "A.com:8443");
        assert_eq!(request.headers.get_all("accept").iter().collect::<Vec<_>>(), ["a", "b"]);
        let plain = read(r#"{"url":"http://a.com","headers":["host: b.com"]}"#).unwrap();
        assert_eq!((plain.tls, plain.request.path.as_str(), plain.request.header("host")), (false, "/", Some("b.com")));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (body, why) in [
            (r#"{"url":"https://a.com/","method":"G T"}"#, InvalidExplain::Method("G T".to_owned())),
            (r#"{"url":"https://a.com/","headers":["a"]}"#, InvalidExplain::Header("a".to_owned())),
            (r#"{"url":"https://a.com/","headers":["a b: c"]}"#, InvalidExplain::Header("a b: c".to_owned())),
            (r#"{"url":"/a"}"#, InvalidExplain::Url(InvalidUrl::Malformed("/a".to_owned()))),
        ] {
            assert_eq!(read(body).unwrap_err(), why, "{body}");
        }
        for body in ["", "{}", r#"{"url":1}"#, r#"{"url":"https://a.com/","header":[]}"#] {
            assert!(matches!(read(body), Err(InvalidExplain::Json(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(url in "\\PC{0,30}", method in "\\PC{0,5}", header in "\\PC{0,10}") {
            let _ = read(&serde_json::json!({ "url": url, "method": method, "headers": [header] }).to_string());
        }
    }
}
