//! Bytes of messages as text.

use serde_json::Value;
use std::borrow::Cow;

/// The text that a function sees: UTF-8 as it is, anything else as ISO-8859-1 (`cloudfront-functions.md` section 3.3).
pub(crate) fn presented(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(latin1(bytes)),
    }
}

/// The value of a request's `Host` that a viewer function sees: in lower case, without port and without a dot at its end
/// (`cloudfront-functions.md` section 3.3).
pub(crate) fn presented_host(bytes: &[u8]) -> Cow<'_, str> {
    let shown = presented(bytes);
    let end = shown.rfind(']').map_or(0, |at| at + 1);
    let host = shown[end..].find(':').map_or(&*shown, |at| &shown[..end + at]);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.len() == shown.len() && !host.bytes().any(|b| b.is_ascii_uppercase()) {
        return shown;
    }
    Cow::Owned(host.to_ascii_lowercase())
}

/// The text at the end of a path of members.
pub(crate) fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, name| value.get(name))?.as_str()
}

/// Each byte as the character of the same number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Each hyphen-separated word with a capital: `x-my-id` becomes `X-My-Id` (`lambda-at-edge.md` section 3.4).
pub(crate) fn title_case(name: &str) -> String {
    let mut start = true;
    let capital = |c: char| {
        let c = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        c
    };
    name.chars().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::presented_host;

    /// cloudfront-functions.md section 3.3.
    #[test]
    fn a_host_is_shown_in_lower_case_without_port_and_last_dot() {
        for (sent, shown) in [
            ("www.example.com", "www.example.com"),
            ("WWW.Example.com:8080", "www.example.com"),
            ("example.com.", "example.com"),
            ("Example.com.:443", "example.com"),
            ("[2001:DB8::1]:8443", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(presented_host(sent.as_bytes()), shown, "{sent}");
        }
    }
}
