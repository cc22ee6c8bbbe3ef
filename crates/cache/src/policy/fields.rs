//! Which header fields are stored, and how a 304 updates them (RFC 9111 sections 3.1 and 3.2).

use http::header::{
    AGE, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use rimward_types::Timestamp;

use super::date;

/// Fields that belong to one connection, or to the proxy at its end (RFC 9110 section 7.6.1, RFC 9111 section 3.1).
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Takes out fields that end at this node: the known ones and those which `Connection` names, in any case.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .flat_map(|line| line.as_bytes().split(|&b| b == b','))
            .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
            // Nobody may have the framing or the caching rules taken out by naming them.
            .filter(|name| !is_needed(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    // Most are not there: comparing names is cheaper than looking each of them up.
    for name in &HOP_BY_HOP {
        if headers.keys().any(|present| present == name) {
            headers.remove(name);
        }
    }
}

/// Fields without which a stored response would be served wrongly.
pub(super) fn is_needed(name: &HeaderName) -> bool {
    [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_TYPE, CONTENT_RANGE, VARY, DATE].contains(name)
}

/// Makes `headers` (hop-by-hop fields are out already) what is stored: without `dropped`, with a `Date` (RFC 9110
/// section 6.6.1), and with a place for `Age`, which is reckoned anew for each answer.
pub fn for_storing(headers: &mut HeaderMap, dropped: &[HeaderName], received: Timestamp) {
    for name in dropped {
        headers.remove(name);
    }
    headers.insert(AGE, HeaderValue::from_static("0"));
    give_date(headers, received);
}

fn give_date(headers: &mut HeaderMap, received: Timestamp) {
    if !headers.contains_key(DATE)
        && let Ok(value) = HeaderValue::from_str(&date::format(received))
    {
        headers.insert(DATE, value);
    }
}

/// Lines and bytes of a head that may be kept: an origin may send new fields with each 304, and none goes.
const MOST_LINES: usize = 1024;
const MOST_BYTES: usize = 64 << 10;

/// Whether updates have made more of a head than may be kept.
pub fn is_overgrown(headers: &HeaderMap) -> bool {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    headers.len() > MOST_LINES || bytes > MOST_BYTES
}

/// Updates stored fields with those of a 304 (RFC 9111 section 3.2). What describes the stored bytes stays.
pub fn update(stored: &mut HeaderMap, mut fresh: HeaderMap, received: Timestamp) {
    strip_hop_by_hop(&mut fresh);
    for kept in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_TYPE, CONTENT_RANGE] {
        fresh.remove(kept);
    }
    // The validation is the newer message: its age and date count, or its lack of them.
    stored.remove(AGE);
    stored.remove(DATE);
    let mut last: Option<HeaderName> = None;
    for (name, value) in fresh {
        match (name, &last) {
            (Some(name), _) => {
                stored.insert(name.clone(), value);
                last = Some(name);
            }
            (None, Some(name)) => {
                stored.append(name.clone(), value);
            }
            (None, None) => {}
        }
    }
    give_date(stored, received);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|&(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn fields_of_the_connection_are_not_kept() {
        // RFC 9111 section 3.1; each must be gone, and one that merely looks alike must stay.
        let mut headers = map(&[
            ("connection", "a, CLOSE"),
            ("a", "1"),
            ("keep-alive", "1"),
            ("proxy-connection", "1"),
            ("proxy-authenticate", "1"),
            ("proxy-authentication-info", "1"),
            ("proxy-authorization", "1"),
            ("te", "1"),
            ("trailer", "1"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "1"),
            ("x-te", "1"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("x-te", "1")]));
    }

    #[test]
    fn connection_cannot_take_out_what_describes_the_body() {
        let mut headers = map(&[("connection", "Content-Length, vary, X-B"), ("content-length", "1"), ("x-b", "1")]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("content-length", "1")]));
    }

    #[test]
    fn a_304_updates_all_but_what_describes_the_bytes() {
        // RFC 9111 section 3.2
        let mut stored = map(&[
            ("etag", "\"a\""),
            ("x", "old"),
            ("kept", "1"),
            ("content-length", "3"),
            ("content-type", "text/plain"),
            ("age", "5"),
            ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ]);
        let mut fresh = map(&[("x", "new"), ("content-length", "9"), ("content-type", "b"), ("connection", "y")]);
        fresh.append("x", HeaderValue::from_static("newer"));
        fresh.insert("y", HeaderValue::from_static("1"));
        update(&mut stored, fresh, Timestamp::from_secs(60));
        let mut expected = map(&[
            ("etag", "\"a\""),
            ("x", "new"),
            ("kept", "1"),
            ("content-length", "3"),
            ("content-type", "text/plain"),
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
        ]);
        expected.append("x", HeaderValue::from_static("newer"));
        assert_eq!(stored, expected);
    }
}
