//! Bytes of messages as text.

use std::borrow::Cow;

/// The text that a function sees: UTF-8 as it is, anything else as ISO-8859-1 (`cloudfront-functions.md` section 3.3).
pub(crate) fn presented(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(latin1(bytes)),
    }
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
