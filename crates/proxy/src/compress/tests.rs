#![allow(clippy::unwrap_used)]

use super::*;
use http::HeaderName;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn a_coded_answer_has_a_weak_entity_tag() {
    // `cdn-behaviour.md` section 13
    for (before, after) in [
        ("\"x\"", Some("W/\"x\"")),
        ("W/\"x\"", Some("W/\"x\"")),
        ("\"\"", Some("W/\"\"")),
        ("x", None),
        ("\"x", None),
        ("w/\"x\"", None),
        ("\"a\"b\"", None),
    ] {
        let mut headers = headers(&[("etag", before), ("content-length", "5"), ("accept-ranges", "bytes")]);
        describe(&mut headers, encoder::Coding::Brotli);
        assert_eq!(headers.get(ETAG).map(|etag| etag.to_str().unwrap()), after, "{before}");
        assert_eq!(text(&headers, CONTENT_ENCODING), ["br"]);
        assert!(!headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(ACCEPT_RANGES));
    }
}

#[test]
fn a_304_keeps_the_weak_entity_tag_that_it_was_asked_with() {
    // RFC 9111 section 4.3.4: the fields of a 304 replace the stored ones.
    for (takes, asked, given, kept) in [
        ("br", "W/\"x\"", "\"x\"", "W/\"x\""),
        ("br", "\"y\", W/\"x\"", "\"x\"", "W/\"x\""),
        ("br", "\"x\"", "\"x\"", "\"x\""),
        ("br", "\"x\", W/\"x\"", "\"x\"", "W/\"x\""),
        ("identity", "\"x\", W/\"x\"", "\"x\"", "\"x\""),
        ("br", "W/\"y\"", "\"x\"", "\"x\""),
        ("br", "W/\"x\"", "W/\"x\"", "W/\"x\""),
    ] {
        let mut given = headers(&[("etag", given)]);
        confirm(&mut given, &headers(&[("if-none-match", asked), ("accept-encoding", takes)]));
        assert_eq!(text(&given, ETAG), [kept], "{asked}");
    }
}

#[test]
fn a_304_does_not_take_away_by_what_variants_are_selected() {
    // RFC 9111 section 4.3.4
    let mut given = headers(&[("vary", "Cookie")]);
    confirm(&mut given, &HeaderMap::new());
    assert_eq!(text(&given, VARY), ["Cookie", "Accept-Encoding"]);
    let mut silent = headers(&[("date", "x")]);
    confirm(&mut silent, &HeaderMap::new());
    assert!(!silent.contains_key(VARY), "what is stored stays");
}

#[test]
fn vary_is_added_once() {
    for (before, after) in [
        ("", &["", "Accept-Encoding"][..]),
        ("accept-encoding", &["accept-encoding"]),
        ("Cookie, Accept-Encoding", &["Cookie, Accept-Encoding"]),
        ("Cookie", &["Cookie", "Accept-Encoding"]),
        ("*", &["*"]),
    ] {
        let mut headers = headers(&[("vary", before)]);
        vary(&mut headers);
        assert_eq!(text(&headers, VARY), after);
    }
}
