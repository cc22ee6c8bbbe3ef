//! Paths made normal for matching; the origin gets the path as it came.

use std::borrow::Cow;

/// The path in the form that patterns are matched with: percent-encoded unreserved characters decoded, dot segments
/// removed (RFC 3986 sections 6.2.2.2 and 5.2.4), then `//` collapsed (`cdn-behaviour.md` section 3). Without the
/// decoding `/%61dmin` would pass by a pattern for `/admin` and still reach it.
pub fn normalize(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") && !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let decoded = decode_unreserved(path);
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = decoded.split('/').skip(usize::from(decoded.starts_with('/'))).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    let last = kept.pop().unwrap_or_default();
    let mut normal = String::with_capacity(decoded.len() + 1);
    normal.push('/');
    for segment in kept.into_iter().filter(|segment| !segment.is_empty()) {
        normal.push_str(segment);
        normal.push('/');
    }
    normal.push_str(last);
    Cow::Owned(normal)
}

/// Whether `path` has a dot segment that only shows when an encoded slash or backslash is decoded, as in
/// `/static/..%2faccount`. Servers that decode it see another path than we match and store under; no client makes one.
pub fn hides_dot_segment(path: &str) -> bool {
    if !path.contains('%') {
        return false;
    }
    decode_unreserved(path).split('/').any(|segment| {
        let lower = segment.to_ascii_lowercase();
        if !lower.contains("%2f") && !lower.contains("%5c") {
            return false;
        }
        lower.replace("%5c", "%2f").split("%2f").any(|part| part == "." || part == "..")
    })
}

/// Decodes `%XX` where it stands for a letter, a digit, `-`, `.`, `_` or `~`.
fn decode_unreserved(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        decoded.push_str(before);
        let byte = escape.get(1..3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
                rest = &escape[3..];
            }
            _ => {
                decoded.push('%');
                rest = &escape[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests;
