//! Requests that the server refused before any phase: they have a record too.

use http::{HeaderMap, Method, Version};
use rimward_types::RequestHead;

/// What is known of a refused request.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// The first bytes of its request line, as they came; empty where nothing is known.
    pub line: &'a [u8],
    /// Its version, as far as known.
    pub version: Version,
    /// The word for why.
    pub reason: &'static str,
}

impl RefusedRequest<'_> {
    /// As much of a head as the line gives, for the record. Nothing here was checked: bytes that are no visible ASCII
    /// are escaped, and what is no method is called `-`.
    pub(crate) fn head(&self) -> RequestHead {
        let mut parts = self.line.split(|byte| *byte == b' ');
        let method = parts.next().and_then(|name| Method::from_bytes(name).ok());
        let target = parts.next().unwrap_or_default().escape_ascii().to_string();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (target, None),
        };
        RequestHead {
            method: method.or_else(|| Method::from_bytes(b"-").ok()).unwrap_or_default(),
            path,
            query,
            headers: HeaderMap::new(),
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_the_line_gives_is_recorded() {
        for (line, method, path, query) in [
            (&b"GET /a?b=c HTTP/1.1"[..], "GET", "/a", Some("b=c")),
            (b"GET /a\x01\xff HTTP/1.1", "GET", "/a\\x01\\xff", None),
            (b"G@T /a", "-", "/a", None),
            (b"GET", "GET", "", None),
            (b"", "-", "", None),
            (b"\"\\\n", "-", "", None),
        ] {
            let head = RefusedRequest { line, version: Version::HTTP_11, reason: "target" }.head();
            assert_eq!((head.method.as_str(), head.path.as_str(), head.query.as_deref()), (method, path, query));
        }
    }
}
