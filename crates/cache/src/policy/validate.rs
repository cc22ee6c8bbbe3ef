//! Validators and conditions (RFC 9110 sections 8.8 and 13, RFC 9111 section 4.3).

use super::date;
use http::header::{
    DATE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rimward_types::Timestamp;

/// What identifies a stored representation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag` as it came; it need not be well formed.
    pub etag: Option<HeaderValue>,
    /// `Last-Modified` as it came.
    pub last_modified: Option<HeaderValue>,
    /// `Last-Modified`, when it can be read.
    pub modified: Option<Timestamp>,
    /// `Date`, or when it was received.
    pub date: Timestamp,
}

impl Validators {
    /// The validators in `headers`.
    pub fn of(headers: &HeaderMap, received: Timestamp) -> Self {
        let field = |name| headers.get(name).cloned();
        Self::from_fields(field(ETAG), field(LAST_MODIFIED), headers.get(DATE), received)
    }

    /// The validators in these fields.
    pub fn from_fields(
        etag: Option<HeaderValue>,
        last_modified: Option<HeaderValue>,
        date: Option<&HeaderValue>,
        received: Timestamp,
    ) -> Self {
        let read = |value: &HeaderValue| date::parse(value.as_bytes(), received);
        let modified = last_modified.as_ref().and_then(read);
        Self { etag, last_modified, modified, date: date.and_then(read).unwrap_or(received) }
    }

    /// Whether there is anything to validate with.
    pub fn exist(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}

/// An entity tag (RFC 9110 section 8.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EntityTag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads one from the beginning of `text`; gives what is behind it.
    fn read(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, text) = match text {
            [b'W', b'/', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let inner = text.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&b| b == b'"')?;
        Some((Self { weak, opaque: &inner[..end] }, &inner[end + 1..]))
    }

    fn parse(text: &'a [u8]) -> Option<Self> {
        let (tag, rest) = Self::read(text.trim_ascii())?;
        rest.is_empty().then_some(tag)
    }
}

/// Other stored responses that an origin is asked about at most, and bytes of their tags.
pub const MOST_OTHERS: usize = 8;
const MOST_TAG_BYTES: usize = 1024;

/// Takes the viewer's conditions and range out of an origin request, since the whole response is wanted, and puts in
/// those of the stored response and the tags of `others`, which were stored for other selecting fields: should one of
/// them be right for this request too, it need not be sent again (RFC 9111 section 4.3.1).
pub fn replace_conditions<'a>(
    headers: &mut HeaderMap,
    stored: Option<&Validators>,
    others: impl IntoIterator<Item = &'a Validators>,
) {
    for name in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE] {
        headers.remove(name);
    }
    let own = stored.and_then(|stored| stored.etag.as_ref());
    if let Some(tags) = tags(own, others) {
        headers.insert(IF_NONE_MATCH, tags);
    }
    // A date speaks of no more than one response.
    if let Some(last_modified) = stored.and_then(|stored| stored.last_modified.as_ref()) {
        headers.insert(IF_MODIFIED_SINCE, last_modified.clone());
    }
}

/// The value of `If-None-Match`: the own tag as it came, which need not be well formed, and the others that are.
fn tags<'a>(own: Option<&HeaderValue>, others: impl IntoIterator<Item = &'a Validators>) -> Option<HeaderValue> {
    let is_tag = |tag: &&HeaderValue| EntityTag::parse(tag.as_bytes()).is_some();
    if own.is_some_and(|own| !is_tag(&own)) {
        return own.cloned();
    }
    let mut listed: Vec<&HeaderValue> = own.into_iter().collect();
    let mut bytes = 0;
    for tag in others.into_iter().filter_map(|other| other.etag.as_ref()).filter(is_tag).take(MOST_OTHERS) {
        bytes += tag.len();
        if !listed.contains(&tag) && bytes <= MOST_TAG_BYTES {
            listed.push(tag);
        }
    }
    match listed[..] {
        [] => None,
        [tag] => Some(tag.clone()),
        _ => {
            HeaderValue::from_bytes(&listed.iter().map(|tag| tag.as_bytes()).collect::<Vec<_>>().join(&b", "[..])).ok()
        }
    }
}

/// Whether a 304 names the tag of a stored response that was asked about besides another (RFC 9111 section 4.3.4).
pub fn names(not_modified: &HeaderMap, stored: &Validators) -> bool {
    match (not_modified.get(ETAG), &stored.etag) {
        (Some(new), Some(old)) => is_same(new, old),
        _ => false,
    }
}

/// A strong tag means a strong one; a weak one means either.
fn is_same(new: &HeaderValue, old: &HeaderValue) -> bool {
    match (EntityTag::parse(new.as_bytes()), EntityTag::parse(old.as_bytes())) {
        (Some(new), Some(old)) => new.opaque == old.opaque && (new.weak || !old.weak),
        _ => new == old,
    }
}

/// Whether a 304 speaks of the stored response, the only one that was asked about (RFC 9111 section 4.3.4).
pub fn confirms(not_modified: &HeaderMap, stored: &Validators) -> bool {
    if let (Some(new), Some(old)) = (not_modified.get(ETAG), &stored.etag) {
        return is_same(new, old);
    }
    match (not_modified.get(LAST_MODIFIED), &stored.last_modified) {
        (Some(new), Some(old)) => new == old,
        // It says nothing else than yes to the one response that was asked about.
        _ => true,
    }
}

/// Whether a request has conditions, those on its range too.
pub fn has_conditions(request: &HeaderMap) -> bool {
    let names = [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_MATCH, IF_UNMODIFIED_SINCE, IF_RANGE];
    names.iter().any(|name| request.contains_key(name))
}

/// What a viewer's conditions come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Send the response.
    Proceed,
    /// The viewer has it: 304.
    NotModified,
    /// The viewer wants another one: 412.
    Failed,
}

/// Evaluates a viewer's conditions against a stored response, in the order of RFC 9110 section 13.2.2: `If-Match`, else
/// `If-Unmodified-Since`; then `If-None-Match`, else `If-Modified-Since` (RFC 9111 section 4.3.2).
///
/// A cache may leave the first two to origins (RFC 9110 sections 13.1.1 and 13.1.4). Here they count: a download that
/// goes on with `If-Match` and `Range` must not be given the bytes of another representation.
pub fn evaluate(request: &HeaderMap, status: StatusCode, stored: &Validators, now: Timestamp) -> Outcome {
    // Conditions are about representations: other answers would be the same without them (RFC 9110 section 13.2.1).
    if !status.is_success() {
        return Outcome::Proceed;
    }
    if let Outcome::Failed = wanted(request, stored, now) {
        return Outcome::Failed;
    }
    if request.contains_key(IF_NONE_MATCH) {
        return if none_match_fails(request, stored) { Outcome::NotModified } else { Outcome::Proceed };
    }
    let Some(since) = request.get(IF_MODIFIED_SINCE) else { return Outcome::Proceed };
    match date::parse(since.as_bytes(), now) {
        Some(since) if stored.modified.unwrap_or(stored.date) <= since => Outcome::NotModified,
        _ => Outcome::Proceed,
    }
}

/// `If-Match`, compared strongly (RFC 9110 section 13.1.1), else `If-Unmodified-Since` (section 13.1.4).
fn wanted(request: &HeaderMap, stored: &Validators, now: Timestamp) -> Outcome {
    if request.contains_key(IF_MATCH) {
        let is_it = lists_tag(request, &IF_MATCH, stored, |own, theirs| !own.weak && !theirs.weak);
        return if is_it { Outcome::Proceed } else { Outcome::Failed };
    }
    let since = request.get(IF_UNMODIFIED_SINCE).and_then(|since| date::parse(since.as_bytes(), now));
    match (since, stored.modified) {
        (Some(since), Some(modified)) if modified > since => Outcome::Failed,
        _ => Outcome::Proceed,
    }
}

/// Whether a tag of `If-None-Match` is the stored one, compared weakly (RFC 9110 section 13.1.2).
fn none_match_fails(request: &HeaderMap, stored: &Validators) -> bool {
    lists_tag(request, &IF_NONE_MATCH, stored, |_, _| true)
}

/// Whether the field `name` is a star, or lists the stored tag and `also` holds for both.
fn lists_tag(
    request: &HeaderMap,
    name: &HeaderName,
    stored: &Validators,
    also: impl Fn(EntityTag<'_>, EntityTag<'_>) -> bool,
) -> bool {
    let own = stored.etag.as_ref().and_then(|etag| EntityTag::parse(etag.as_bytes()));
    request.get_all(name).iter().any(|line| {
        let mut rest = line.as_bytes().trim_ascii();
        if rest == b"*" {
            return true;
        }
        let Some(own) = own else { return false };
        loop {
            rest = match rest {
                [b',' | b' ' | b'\t', more @ ..] => more,
                [] => return false,
                _ => match EntityTag::read(rest) {
                    Some((tag, _)) if tag.opaque == own.opaque && also(own, tag) => return true,
                    Some((_, more)) => more,
                    // Not a list of tags: what it says is not known.
                    None => return false,
                },
            };
        }
    })
}

/// Whether `If-Range` lets a range be served: the representation is the viewer's for certain (RFC 9110 section 13.1.5).
pub fn range_applies(request: &HeaderMap, stored: &Validators, now: Timestamp) -> bool {
    let Some(condition) = request.get(IF_RANGE) else { return true };
    let text = condition.as_bytes().trim_ascii();
    if let Some(tag) = EntityTag::parse(text) {
        let own = stored.etag.as_ref().and_then(|etag| EntityTag::parse(etag.as_bytes()));
        return own.is_some_and(|own| !tag.weak && !own.weak && own.opaque == tag.opaque);
    }
    match (date::parse(text, now), stored.modified) {
        // A date is strong when the response is at least a second younger than the change (RFC 9110 section 8.8.2.2);
        // a minute allows for clocks that differ.
        (Some(date), Some(modified)) => date == modified && stored.date.since(modified).as_secs() >= 60,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
