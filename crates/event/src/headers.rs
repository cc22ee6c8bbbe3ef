//! Which headers a function sees, may touch and may add; and how a returned header map becomes the message's.

use crate::invalid::Change;
use crate::text::{presented, presented_host};
use crate::{Invalid, Strictness};
use http::header::{GetAll, HeaderName};
use http::{HeaderMap, HeaderValue};
use rimward_types::Hook;
pub use rimward_types::is_denied_at_origin;

/// The contract that a function is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// CloudFront Functions.
    Viewer,
    /// Lambda@Edge.
    Lambda,
}

/// Returned headers of one message; far above what a head of 32 KB has in use.
const MAX_FIELDS: usize = 1024;

/// Whether functions neither see nor may add the header (`cloudfront-functions.md` section 5,
/// `lambda-at-edge.md` section 6.1). `name` is lower case.
pub fn is_disallowed(name: &str) -> bool {
    match name.as_bytes().first() {
        Some(b'x') => {
            matches!(
                name,
                "x-accel-buffering"
                    | "x-accel-charset"
                    | "x-accel-limit-rate"
                    | "x-accel-redirect"
                    | "x-amzn-auth"
                    | "x-amzn-cf-billing"
                    | "x-amzn-cf-id"
                    | "x-amzn-cf-xff"
                    | "x-amzn-errortype"
                    | "x-amzn-fle-profile"
                    | "x-amzn-header-count"
                    | "x-amzn-header-order"
                    | "x-amzn-lambda-integration-tag"
                    | "x-amzn-requestid"
                    | "x-cache"
                    | "x-forwarded-proto"
                    | "x-real-ip"
            ) || name.starts_with("x-amz-cf-")
                || name.starts_with("x-edge-")
        }
        Some(b'c' | b'e' | b'k' | b'p' | b't' | b'u') => matches!(
            name,
            "connection"
                | "expect"
                | "keep-alive"
                | "proxy-authenticate"
                | "proxy-authorization"
                | "proxy-connection"
                | "trailer"
                | "upgrade"
        ),
        _ => false,
    }
}

/// Whether functions of `hook` may see the header but not touch it (`cloudfront-functions.md` section 5,
/// `lambda-at-edge.md` section 6.2). `name` is lower case.
pub fn is_read_only(tier: Tier, hook: Hook, name: &str) -> bool {
    match (tier, hook) {
        (_, Hook::ViewerRequest) => {
            matches!(name, "cdn-loop" | "content-length" | "host" | "transfer-encoding" | "via")
        }
        (_, Hook::OriginRequest) => matches!(
            name,
            "accept-encoding"
                | "cdn-loop"
                | "content-length"
                | "if-modified-since"
                | "if-none-match"
                | "if-range"
                | "if-unmodified-since"
                | "transfer-encoding"
                | "via"
        ),
        (_, Hook::OriginResponse) => matches!(name, "transfer-encoding" | "via"),
        (Tier::Viewer, Hook::ViewerResponse) => matches!(name, "warning" | "via"),
        (Tier::Lambda, Hook::ViewerResponse) => {
            matches!(name, "warning" | "via" | "content-length" | "content-encoding" | "transfer-encoding")
        }
    }
}

/// How values of a returned message stand for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 text, as events of JavaScript and JSON have it.
    Text,
    /// The bytes themselves, as typed components have them.
    Bytes,
}

/// A returned header with its values; the name is as the function wrote it.
pub(crate) trait Field {
    fn name(&self) -> &str;
    fn values(&self) -> impl ExactSizeIterator<Item = &[u8]>;
}

/// The header rules for one result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) tier: Tier,
    pub(crate) hook: Hook,
    pub(crate) strictness: Strictness,
    pub(crate) encoding: Encoding,
    /// Whether the message is a response (made by a request hook, or edited by a response hook).
    pub(crate) response: bool,
}

impl Rules {
    /// Whether the function does not see the header.
    fn hides(&self, name: &str) -> bool {
        is_disallowed(name) || self.is_cookie_header(name)
    }

    /// The viewer tier has cookies in a map of their own.
    fn is_cookie_header(&self, name: &str) -> bool {
        self.tier == Tier::Viewer && name == if self.response { "set-cookie" } else { "cookie" }
    }

    /// Framing of a response is the node's: what a function says of it is passed over where it is not refused.
    fn is_framing(&self, name: &str) -> bool {
        self.response && matches!(name, "content-length" | "transfer-encoding") && !self.is_read_only(name)
    }

    fn is_read_only(&self, name: &str) -> bool {
        if self.strictness != Strictness::Strict {
            false
        } else if self.response && !self.hook.is_response() {
            // A generated response: lambda-at-edge.md section 15 rule 4.
            name == "via" || (self.tier == Tier::Lambda && matches!(name, "content-length" | "transfer-encoding"))
        } else {
            is_read_only(self.tier, self.hook, name)
        }
    }

    fn check_name(&self, name: &str) -> Result<(), Invalid> {
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Invalid::HeaderCase(name.to_owned()));
        }
        if self.is_cookie_header(name) {
            return Err(Invalid::CookieHeader(name.to_owned()));
        }
        if self.strictness == Strictness::Strict && is_disallowed(name) {
            return Err(Invalid::Disallowed(name.to_owned()));
        }
        Ok(())
    }

    fn check_added(&self, name: &str) -> Result<(), Invalid> {
        // lambda-at-edge.md section 6.3: the node alone says where a viewer is.
        let country = self.tier == Tier::Lambda
            && self.hook == Hook::ViewerRequest
            && !self.response
            && name == "cloudfront-viewer-country";
        if self.is_read_only(name) || country {
            return Err(Invalid::ReadOnly { name: name.to_owned(), change: Change::Added });
        }
        Ok(())
    }

    /// Whether `is` is what the function saw of `was`.
    fn is_presented(&self, name: &str, was: &[u8], is: &[u8]) -> bool {
        let host = self.tier == Tier::Viewer && !self.response && name == "host";
        presented(was).as_bytes() == is || (host && presented_host(was).as_bytes() == is)
    }

    fn is_unchanged(&self, name: &str, original: &GetAll<'_, HeaderValue>, field: &impl Field) -> bool {
        let mut values = field.values();
        for was in original.iter().map(HeaderValue::as_bytes) {
            let same = match (values.next(), self.encoding) {
                (None, _) => false,
                (Some(is), Encoding::Bytes) => was == is,
                (Some(is), Encoding::Text) => was == is || self.is_presented(name, was, is),
            };
            if !same {
                return false;
            }
        }
        values.next().is_none()
    }
}

/// Applies a returned header map to a message: hidden headers survive, unchanged ones stay byte for byte and in place,
/// changed ones change in place, new ones follow in returned order. `fields` of `None` leaves the map as it is;
/// `instead` puts other values in the place of one hidden header.
pub(crate) fn merge<F: Field>(
    original: &HeaderMap,
    fields: Option<&[F]>,
    instead: Option<(HeaderName, Vec<HeaderValue>)>,
    rules: &Rules,
) -> Result<HeaderMap, Invalid> {
    if fields.is_none() && instead.is_none() {
        return Ok(original.clone());
    }
    let untouched = fields.is_none();
    let fields = fields.unwrap_or_default();
    if fields.len() > MAX_FIELDS {
        return Err(Invalid::TooLarge { what: "the list of headers", size: fields.len(), limit: MAX_FIELDS });
    }
    for field in fields {
        rules.check_name(field.name())?;
    }
    let mut used = vec![false; fields.len()];
    let mut out = HeaderMap::with_capacity(original.keys_len() + 4);
    let mut instead = instead;
    let mut cursor = 0;
    for name in original.keys() {
        let values = original.get_all(name);
        if let Some((_, values)) = instead.take_if(|(other, _)| other == name) {
            append_all(&mut out, name, values);
            continue;
        }
        let found = if untouched { None } else { find(fields, cursor, name.as_str()) };
        if let Some(i) = found {
            used[i] = true;
            cursor = i + 1;
        }
        let keep = untouched || rules.hides(name.as_str()) || rules.is_framing(name.as_str());
        match found.map(|i| &fields[i]) {
            _ if keep => append_all(&mut out, name, values.iter().cloned()),
            Some(field) if rules.is_unchanged(name.as_str(), &values, field) => {
                append_all(&mut out, name, values.iter().cloned());
            }
            Some(_) if rules.is_read_only(name.as_str()) => {
                return Err(Invalid::ReadOnly { name: name.to_string(), change: Change::Changed });
            }
            Some(field) => append_field(&mut out, name, field)?,
            None if rules.is_read_only(name.as_str()) => {
                return Err(Invalid::ReadOnly { name: name.to_string(), change: Change::Deleted });
            }
            None => {}
        }
    }
    if let Some((name, values)) = instead {
        append_all(&mut out, &name, values);
    }
    for (field, _) in fields.iter().zip(used).filter(|(field, used)| !used && field.values().len() > 0) {
        let name = HeaderName::from_bytes(field.name().as_bytes())
            .map_err(|_| Invalid::HeaderName(field.name().to_owned()))?;
        if rules.is_framing(name.as_str()) {
            continue;
        }
        rules.check_added(name.as_str())?;
        if out.contains_key(&name) && !is_disallowed(name.as_str()) {
            return Err(Invalid::Shape(format!("header `{name}` is given twice")));
        }
        append_field(&mut out, &name, field)?;
    }
    Ok(out)
}

/// Finds a name; fields mostly come back in the order of the message, so the search goes on where it stood.
fn find<F: Field>(fields: &[F], cursor: usize, name: &str) -> Option<usize> {
    let (before, after) = fields.split_at(cursor);
    let after = after.iter().position(|field| field.name() == name).map(|i| i + cursor);
    after.or_else(|| before.iter().position(|field| field.name() == name))
}

fn append_all(out: &mut HeaderMap, name: &HeaderName, values: impl IntoIterator<Item = HeaderValue>) {
    for value in values {
        out.append(name.clone(), value);
    }
}

fn append_field(out: &mut HeaderMap, name: &HeaderName, field: &impl Field) -> Result<(), Invalid> {
    for value in field.values() {
        out.append(name.clone(), header_value(name.as_str(), value)?);
    }
    Ok(())
}

/// A value that is safe on the wire (`lambda-at-edge.md` section 6.4).
pub(crate) fn header_value(name: &str, value: &[u8]) -> Result<HeaderValue, Invalid> {
    HeaderValue::from_bytes(value).map_err(|_| {
        let character = value.iter().copied().find(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f).unwrap_or_default();
        Invalid::HeaderValue { name: name.to_owned(), character: character.into() }
    })
}

/// Bytes of names and values, with `: ` and line ends, as HTTP/1.1 would send them.
pub(crate) fn wire_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

#[cfg(test)]
mod tests;
