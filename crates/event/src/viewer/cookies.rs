//! Cookies of requests and responses as functions see them. Values are not decoded.

use super::parts::Part;
use crate::text::presented;
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};

/// The cookies of all `Cookie` lines in message order. One without `=` has an empty value.
pub(super) fn of_request(headers: &HeaderMap) -> impl Iterator<Item = Part<'_>> {
    let lines = headers.get_all(COOKIE).into_iter();
    let pieces = lines.flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    pieces.map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty()).map(Part::split)
}

/// The cookies of all `Set-Cookie` lines.
pub(super) fn of_response(headers: &HeaderMap) -> impl Iterator<Item = Part<'_>> {
    headers.get_all(SET_COOKIE).into_iter().map(|line| set_cookie(line.as_bytes()))
}

/// One `Set-Cookie` line: name, value, and the text after the first `;`.
pub(super) fn set_cookie(line: &[u8]) -> Part<'_> {
    let (pair, attributes) = match line.iter().position(|b| *b == b';') {
        Some(i) => (&line[..i], Some(line[i + 1..].trim_ascii())),
        None => (line, None),
    };
    let part = Part::split(pair.trim_ascii());
    Part { raw: line, attributes: attributes.filter(|text| !text.is_empty()).map(presented), ..part }
}
