//! Rules for a path and a query string that a function returned.

use crate::Invalid;

/// URI and query string together stay below this many bytes (`cloudfront-functions.md` section 4.1 rule 3).
pub const MAX_URL: usize = 8192;

/// Checks a changed path. Percent-encoding is not redone, so what could not be on a request line is refused.
pub(crate) fn check_uri(uri: &str) -> Result<(), Invalid> {
    if !uri.starts_with('/') {
        return Err(Invalid::Uri("must start with `/`"));
    }
    match uri.bytes().find(|b| *b <= b' ' || *b == 0x7f || matches!(b, b'?' | b'#')) {
        None => Ok(()),
        Some(b'?') => Err(Invalid::Uri("must not have a `?`; the query string has a member of its own")),
        Some(b'#') => Err(Invalid::Uri("must not have a `#`; percent-encode it")),
        Some(b' ') => Err(Invalid::Uri("must not have spaces; percent-encode them")),
        Some(_) => Err(Invalid::Uri("must not have control characters")),
    }
}

/// Checks a changed query string (`cloudfront-functions.md` section 4.1 rule 4).
pub(crate) fn check_query(query: &str) -> Result<(), Invalid> {
    match query.bytes().find(|b| *b <= b' ' || *b == 0x7f || *b == b'#') {
        None => Ok(()),
        Some(b'#') => Err(Invalid::Query("must not have a `#`; percent-encode it")),
        Some(b' ') => Err(Invalid::Query("must not have spaces; percent-encode them")),
        Some(_) => Err(Invalid::Query("must not have control characters")),
    }
}

/// Checks path and query together.
pub(crate) fn check_length(uri: &str, query: Option<&str>) -> Result<(), Invalid> {
    let length = uri.len() + query.map_or(0, str::len);
    if length < MAX_URL { Ok(()) } else { Err(Invalid::UrlTooLong(length)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cloudfront-functions.md section 4.1 rules 2 and 4.
    #[test]
    fn what_cannot_be_on_a_request_line_is_refused() {
        for uri in ["", "a", "*", "/a b", "/a?b", "/a#b", "/a\r\nx: y", "/\0", "/\x7f"] {
            assert!(matches!(check_uri(uri), Err(Invalid::Uri(_))), "{uri:?}");
        }
        for query in ["a b", "a#", "a\n", "\t", "\x7f"] {
            assert!(matches!(check_query(query), Err(Invalid::Query(_))), "{query:?}");
        }
        for text in ["/", "//x", "/%20?".trim_end_matches('?'), "/ä", "/a;b=c"] {
            assert_eq!(check_uri(text), Ok(()), "{text:?}");
        }
        assert_eq!(check_query("?a=/&b=ä%20"), Ok(()));
    }

    /// cloudfront-functions.md section 4.1 rule 3: fewer than 8,192.
    #[test]
    fn a_url_has_fewer_than_8192_bytes() {
        let uri = "/".repeat(8000);
        assert_eq!(check_length(&uri, Some(&"q".repeat(191))), Ok(()));
        assert_eq!(check_length(&uri, Some(&"q".repeat(192))), Err(Invalid::UrlTooLong(8192)));
    }
}
