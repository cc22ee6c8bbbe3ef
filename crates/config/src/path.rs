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

/// Whether origins may disagree about the dot segments of `path`: there is one, and the path has besides it what some take for a
/// separator or leave out: an encoded slash, a backslash, a parameter (`;`), an empty segment. Of `/static/..%2faccount`,
/// `/static/..;/account` and `/a//../account` each has been read as `/account` by some server. No client makes such a path: it
/// resolves dot segments itself (RFC 3986 section 5.2.4).
pub fn hides_dot_segment(path: &str) -> bool {
    if !path.contains(['%', ';', '\\']) && !path.contains("//") {
        return false;
    }
    let plain = decode(path, |byte| byte.is_ascii());
    let mut segments = plain.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or_default());
    if !segments.any(|segment| segment == "." || segment == "..") {
        return false;
    }
    // Dots and letters alone are encoded: `normalize` and servers agree.
    let decoded = decode_unreserved(path).to_ascii_lowercase();
    decoded.contains([';', '\\']) || ["//", "%2f", "%5c", "%3b"].iter().any(|mark| decoded.contains(mark))
}

/// The other paths, made normal, that an origin may take `path` for: all of ASCII decoded; also without the parameters of its
/// segments (`;v=1`), which servers of servlets leave out before or after they decode; also with backslashes for slashes. A
/// path that [`hides_dot_segment`] has more readings than these.
pub fn other_readings(path: &str) -> Vec<String> {
    if !path.contains(['%', ';', '\\']) {
        return Vec::new();
    }
    let decoded = decode(path, |byte| byte.is_ascii());
    let mut readings = Vec::new();
    if decoded.contains(';') {
        readings.push(without_parameters(&decoded));
        readings.push(decode(&without_parameters(path), |byte| byte.is_ascii()));
    }
    readings.push(decoded);
    for at in 0..readings.len() {
        if readings[at].contains('\\') {
            readings.push(readings[at].replace('\\', "/"));
        }
    }
    readings.iter().map(|reading| normalize(reading).into_owned()).collect()
}

fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/")
}

/// Decodes `%XX` where it stands for a letter, a digit, `-`, `.`, `_` or `~`.
fn decode_unreserved(path: &str) -> String {
    decode(path, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Decodes `%XX` where it stands for a byte that `counts`, which is one of ASCII.
fn decode(path: &str, counts: impl Fn(u8) -> bool) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        decoded.push_str(before);
        let byte = escape.get(1..3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if counts(byte) => {
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
