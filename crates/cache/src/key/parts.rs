//! A key taken apart again, for people.

use super::{END, ESCAPE, SLICE};
use serde::Serialize;

/// What a key is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// Distribution id.
    pub distribution: String,
    /// Path and, as far as the cache policy keeps it, `?` and query.
    pub url: String,
    /// `GET` for GET, HEAD and POST, or `OPTIONS`.
    pub method: &'static str,
    /// What the cache policy adds.
    pub parts: Vec<Part>,
}

/// One thing that the cache policy adds to a key. Bytes that are no text are shown as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Part {
    /// A listed header.
    Header {
        /// Its name in lower case.
        name: String,
        /// One for each of its lines; none when the request did not have it.
        values: Vec<String>,
    },
    /// A cookie, `name=value`.
    Cookie {
        /// As sent.
        cookie: String,
    },
    /// A slice of a large object.
    Slice {
        /// Bytes of each slice, and the place of this one, as `1048576-0`.
        slice: String,
    },
    /// `Accept-Encoding`, made normal.
    AcceptEncoding {
        /// `br,gzip`, `br` or `gzip`.
        codings: String,
    },
}

/// Reads the bytes of a key.
pub(super) fn read(bytes: &[u8]) -> Parts {
    let mut rest = bytes;
    let distribution = unescaped(take_until(&mut rest, END));
    let url = unescaped(take_until(&mut rest, END));
    let method = if rest.first() == Some(&b'O') { "OPTIONS" } else { "GET" };
    rest = rest.get(1..).unwrap_or_default();
    let mut parts = Vec::new();
    while let Some((&kind, after)) = rest.split_first() {
        rest = after;
        parts.push(match kind {
            b'h' => header(&mut rest),
            b'c' => Part::Cookie { cookie: unescaped(take_until(&mut rest, END)) },
            SLICE => Part::Slice { slice: unescaped(take_until(&mut rest, END)) },
            _ => Part::AcceptEncoding { codings: unescaped(take_until(&mut rest, END)) },
        });
    }
    Parts { distribution, url, method, parts }
}

/// `name {: value 00} 00`; a name has no colon.
fn header(rest: &mut &[u8]) -> Part {
    let end = rest.iter().position(|&b| b == END || b == b':').unwrap_or(rest.len());
    let (name, mut after) = rest.split_at(end);
    let mut values = Vec::new();
    while let Some(value) = after.strip_prefix(b":") {
        after = value;
        values.push(unescaped(take_until(&mut after, END)));
    }
    *rest = after.get(1..).unwrap_or_default();
    Part::Header { name: String::from_utf8_lossy(name).into_owned(), values }
}

/// What stands before `end`, which is taken too.
fn take_until<'a>(rest: &mut &'a [u8], end: u8) -> &'a [u8] {
    let at = rest.iter().position(|&b| b == end).unwrap_or(rest.len());
    let taken = &rest[..at];
    *rest = rest.get(at + 1..).unwrap_or_default();
    taken
}

/// The text that was escaped.
pub(super) fn unescaped(escaped: &[u8]) -> String {
    let mut text = Vec::with_capacity(escaped.len());
    let mut rest = escaped.iter();
    while let Some(&byte) = rest.next() {
        text.push(if byte == ESCAPE { rest.next().map_or(ESCAPE, |b| b.wrapping_sub(2)) } else { byte });
    }
    String::from_utf8_lossy(&text).into_owned()
}
