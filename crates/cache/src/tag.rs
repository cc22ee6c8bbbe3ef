//! Tags (surrogate keys): names that an origin gives to answers, so that they can be removed together
//! (`cdn-behaviour.md` section 17).

use http::{HeaderMap, HeaderName};
use std::fmt;
use std::sync::Arc;

/// Characters of a tag.
pub const MAX_TAG: usize = 256;
/// Tags of one answer; the first are kept.
pub const MAX_TAGS: usize = 50;

/// How the tag of a cache group begins.
const GROUP: &str = "\u{1}group ";

/// Headers that carry tags where nothing else is configured.
pub const DEFAULT_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("surrogate-key"), HeaderName::from_static("cache-tag")];

/// A tag: 1 to 256 characters of ASCII 33 to 126 without the comma, in lower case: case does not count. The cache has tags of
/// its own beside these ([`Tag::of_generation`], [`Tag::of_group`]), which begin with a character that no tag has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

/// A text is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    /// It has no characters.
    #[error("a tag has at least one character")]
    Empty,
    /// It has too many.
    #[error("a tag has at most {MAX_TAG} characters, this has {0}")]
    TooLong(usize),
    /// Space, comma, control character, or beyond ASCII.
    #[error("a tag has no `{}`", .0.escape_default())]
    Character(char),
}

impl Tag {
    /// Reads a tag; white space around it does not count.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn try_new(text: &str) -> Result<Self, InvalidTag> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(InvalidTag::Empty);
        }
        if let Some(wrong) = text.chars().find(|c| !c.is_ascii_graphic() || *c == ',') {
            return Err(InvalidTag::Character(wrong));
        }
        if text.len() > MAX_TAG {
            return Err(InvalidTag::TooLong(text.len()));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The tag of a cache group (RFC 9875 section 2.1) of answers that are kept for `host`, or without regard to the host.
    pub(crate) fn of_group(host: Option<&str>, group: &str) -> Self {
        Self(format!("{GROUP}{} {group}", host.unwrap_or_default()).into())
    }

    /// Whether it is that of a cache group.
    pub(crate) fn is_group(&self) -> bool {
        self.0.starts_with(GROUP)
    }

    /// The tag of all slices that were cut from one representation. `object` is the key of the whole: its tag finds just its
    /// own slices.
    pub(crate) fn of_generation(object: &[u8], etag: &[u8], length: u64) -> Self {
        Self(format!("\u{1}slices {length} {} {}", etag.escape_ascii(), object.escape_ascii()).into())
    }

    /// From what [`Tag::as_str`] gave.
    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The tags that `headers` carries in the fields `names`: between commas, or between white space, which no tag can
/// have. What is no tag is left out; so are repetitions, and all after the first [`MAX_TAGS`].
pub fn of_response(headers: &HeaderMap, names: &[HeaderName]) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    for line in names.iter().flat_map(|name| headers.get_all(name)) {
        for text in line.as_bytes().split(|&b| b == b',' || b.is_ascii_whitespace()) {
            let tag = std::str::from_utf8(text).ok().and_then(|text| Tag::try_new(text).ok());
            if let Some(tag) = tag.filter(|tag| !tags.contains(tag)) {
                tags.push(tag);
                if tags.len() == MAX_TAGS {
                    return tags;
                }
            }
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn tags(fields: &[(&'static str, &str)]) -> Vec<String> {
        let map: HeaderMap = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        of_response(&map, &DEFAULT_HEADERS).iter().map(|tag| tag.as_str().to_owned()).collect()
    }

    #[test]
    fn tags_stand_between_commas_or_spaces() {
        // cdn-behaviour.md section 17
        assert_eq!(tags(&[("cache-tag", " Brand:ACME ,, post-7\t")]), ["brand:acme", "post-7"]);
        assert_eq!(tags(&[("surrogate-key", "a b  c"), ("cache-tag", "d,B")]), ["a", "b", "c", "d"]);
        assert!(tags(&[("x-cache-tag", "a")]).is_empty());
    }

    #[test]
    fn what_is_no_tag_is_left_out() {
        // cdn-behaviour.md section 17: ASCII 33 to 126, at most 256 characters.
        let (longest, longer) = ("x".repeat(256), "y".repeat(257));
        assert_eq!(tags(&[("cache-tag", &format!("{longest},{longer},ok"))]), [&longest, "ok"]);
        let mut headers = HeaderMap::new();
        headers.insert("cache-tag", HeaderValue::from_bytes(b"\xff,a").unwrap());
        assert_eq!(of_response(&headers, &DEFAULT_HEADERS).len(), 1);
    }

    #[test]
    fn the_first_fifty_are_kept() {
        // cdn-behaviour.md section 17
        let all: Vec<String> = (0..60).map(|n| n.to_string()).collect();
        assert_eq!(tags(&[("cache-tag", &all.join(","))]), all[..50]);
    }

    #[test]
    fn a_wrong_tag_says_what_is_wrong() {
        let wrong = |text: &str| Tag::try_new(text).unwrap_err().to_string();
        assert_eq!(wrong(" "), "a tag has at least one character");
        assert_eq!(wrong("a b"), "a tag has no ` `");
        assert_eq!(wrong("a,b"), "a tag has no `,`");
        assert_eq!(wrong("ä"), "a tag has no `\\u{e4}`");
        assert_eq!(wrong(&"x".repeat(300)), "a tag has at most 256 characters, this has 300");
        assert_eq!(Tag::try_new(" A\n").unwrap().as_str(), "a");
    }
}
