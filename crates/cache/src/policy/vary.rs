//! Which stored response a request selects (RFC 9111 section 4.1).

use super::profile::VaryShown;
use crate::rules::Rules;
use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    COOKIE, USER_AGENT, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

/// Names of a `Vary`; with more it is a star: a response that so much must agree for is for nobody else.
const MOST_NAMES: usize = 32;
/// Members and bytes of a selecting field of which the meaning is compared, and not just the bytes: a lookup looks at each
/// variant under a lock, and what viewers send must not hold it for long. Browsers send a third of this.
const MOST_MEMBERS: usize = 32;
const MOST_BYTES: usize = 1024;

/// The selecting field names of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// These; none when the response does not vary.
    These(SmallVec<[HeaderName; 2]>),
    /// `*`: by things a request does not show. A name that is no name counts as this, and so do too many.
    Star,
}

/// Reads `Vary`. A star anywhere is a star (RFC 9110 section 12.5.5).
pub fn names(response: &HeaderMap) -> Names {
    let mut these = SmallVec::new();
    for line in response.get_all(VARY) {
        for name in line.as_bytes().split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()) {
            match HeaderName::from_bytes(name) {
                Ok(name) if name != "*" && these.contains(&name) => {}
                Ok(name) if name != "*" && these.len() < MOST_NAMES => these.push(name),
                _ => return Names::Star,
            }
        }
    }
    Names::These(these)
}

/// Leaves in `Vary` the names that viewers see (`cdn-behaviour.md` section 10.2). A star stays.
pub fn show(response: &mut HeaderMap, rules: &Rules) {
    if rules.profile.table().vary_shown == VaryShown::All || !response.contains_key(VARY) {
        return;
    }
    let Names::These(names) = names(response) else { return };
    let is_shown = |name: &&HeaderName| {
        [ACCEPT_ENCODING, COOKIE].contains(*name)
            || rules.forwarded.contains(name)
            || rules.key.headers.contains(name)
            || (**name == USER_AGENT && rules.forwarded.names_device())
    };
    let shown: Vec<&[u8]> = names.iter().filter(is_shown).map(|name| name.as_str().as_bytes()).collect();
    if shown.len() == names.len() {
        return;
    }
    response.remove(VARY);
    if !shown.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(&shown.join(&b", "[..]))
    {
        response.insert(VARY, value);
    }
}

/// The selecting fields of the request that a response answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selecting {
    fields: Box<[Field]>,
    /// `Content-Language` in lower case, when it is one and the response varies by `Accept-Language`.
    language: Option<Box<[u8]>>,
}

/// A selecting field, to be written down.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Part {
    name: String,
    line: Option<Vec<u8>>,
    canonical: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: HeaderName,
    /// The value, when there was exactly one line: most requests that match are equal to it.
    line: Option<HeaderValue>,
    canonical: Option<Box<[u8]>>,
}

impl Selecting {
    /// The fields `names` of `request`, whose answer is `response`.
    pub fn of(names: &[HeaderName], request: &HeaderMap, response: &HeaderMap) -> Self {
        let fields = names
            .iter()
            .map(|name| Field {
                name: name.clone(),
                // A copy: the value as it came would keep the request's read buffer.
                line: only_line(request, name).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()),
                canonical: canonical(request, name).map(Vec::into_boxed_slice),
            })
            .collect();
        let language = only_line(response, &CONTENT_LANGUAGE)
            .filter(|_| names.contains(&ACCEPT_LANGUAGE))
            .map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase().into_boxed_slice())
            .filter(|value| !value.contains(&b','));
        Self { fields, language }
    }

    /// Name, value and canonical form of each field, and the language: what [`Selecting::from_parts`] takes.
    pub(crate) fn to_parts(&self) -> (Vec<Part>, Option<Vec<u8>>) {
        let part = |field: &Field| Part {
            name: field.name.as_str().to_owned(),
            line: field.line.as_ref().map(|line| line.as_bytes().to_vec()),
            canonical: field.canonical.as_ref().map(|text| text.to_vec()),
        };
        (self.fields.iter().map(part).collect(), self.language.as_ref().map(|text| text.to_vec()))
    }

    /// From what [`Selecting::to_parts`] gave; `None` when it did not.
    pub(crate) fn from_parts(parts: Vec<Part>, language: Option<Vec<u8>>) -> Option<Self> {
        let mut fields = Vec::with_capacity(parts.len());
        for Part { name, line, canonical } in parts {
            let line = match line {
                Some(line) => Some(HeaderValue::from_bytes(&line).ok()?),
                None => None,
            };
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            fields.push(Field { name, line, canonical: canonical.map(Vec::into_boxed_slice) });
        }
        Some(Self { fields: fields.into(), language: language.map(Vec::into_boxed_slice) })
    }

    /// Whether every request selects it.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether `request` selects the same response.
    pub fn matches(&self, request: &HeaderMap) -> bool {
        self.fields.iter().all(|field| field.matches(request, self.language.as_deref()))
    }

    /// The selecting field names.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.fields.iter().map(|field| &field.name)
    }

    /// The selecting fields in the form in which they are compared; `None`: the request did not have the field.
    pub fn fields(&self) -> impl Iterator<Item = (&HeaderName, Option<&[u8]>)> {
        self.fields.iter().map(|field| (&field.name, field.canonical.as_deref()))
    }

    /// Bytes that it takes, for the store's bound.
    pub fn weight(&self) -> usize {
        let of = |field: &Field| {
            size_of::<Field>()
                + field.line.as_ref().map_or(0, HeaderValue::len)
                + field.canonical.as_ref().map_or(0, |text| text.len())
        };
        self.fields.iter().map(of).sum::<usize>() + self.language.as_ref().map_or(0, |text| text.len())
    }
}

impl Field {
    fn matches(&self, request: &HeaderMap, language: Option<&[u8]>) -> bool {
        if self.line.is_some() && only_line(request, &self.name) == self.line.as_ref() {
            return true;
        }
        let theirs = canonical(request, &self.name);
        if theirs.as_deref() == self.canonical.as_deref() {
            return true;
        }
        // The response is in the one language that the request likes best: whatever else it lists, this is the choice.
        match (language, theirs) {
            (Some(language), Some(theirs)) if self.name == ACCEPT_LANGUAGE => best(&theirs) == Some(language),
            _ => false,
        }
    }
}

/// Whether `request` says that it takes every coding of a stored response. One that says nothing of codings takes none
/// here: what was stored for it would be without.
pub fn accepts_coding(request: &HeaderMap, response: &HeaderMap) -> bool {
    let codings = response.get_all(CONTENT_ENCODING).iter().flat_map(|line| members_of(line.as_bytes()));
    let mut codings = codings.filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    codings.all(|coding| {
        let lines = request.get_all(ACCEPT_ENCODING).iter();
        lines.flat_map(|line| members_of(line.as_bytes())).map(preference).any(|offer| {
            let name = offer.split(|&b| b == b';').next().unwrap_or_default();
            name.eq_ignore_ascii_case(coding) && quality(&offer) > 0
        })
    })
}

fn only_line<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => Some(line),
        _ => None,
    }
}

/// A field's value in a form that is the same for values of the same meaning (RFC 9111 section 4.1). `None`: absent.
fn canonical(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: SmallVec<[&[u8]; 2]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return None;
    }
    if [COOKIE, AUTHORIZATION, USER_AGENT].contains(name) {
        // No lists: every byte counts.
        return Some(lines.join(&b"\n"[..]));
    }
    let commas = lines.iter().flat_map(|line| line.iter()).filter(|byte| **byte == b',').count();
    if commas + lines.len() > MOST_MEMBERS || lines.iter().map(|line| line.len()).sum::<usize>() > MOST_BYTES {
        return Some(lines.join(&b", "[..]));
    }
    let mut members: Vec<Vec<u8>> = Vec::new();
    let is_preference = [ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE].contains(name);
    for line in lines {
        for member in members_of(line) {
            members.push(if is_preference { preference(member) } else { member.to_vec() });
        }
    }
    if is_preference {
        // Best first, and by name where the quality is equal: the order among equals says nothing (RFC 9110 section 12.5.4).
        members.sort_by(|a, b| quality(b).cmp(&quality(a)).then_with(|| a.cmp(b)));
        members.dedup();
    }
    Some(members.join(&b","[..]))
}

/// Members of a list, without the white space around them; commas in quotes do not divide.
fn members_of(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    })
    .map(<[u8]>::trim_ascii)
    .filter(|member| !member.is_empty())
}

/// `De ; Q=0.50` as `de;q=0500`; the quality of 1 is left out.
fn preference(member: &[u8]) -> Vec<u8> {
    let mut parts = member.split(|&b| b == b';').map(|part| part.trim_ascii().to_ascii_lowercase());
    let mut out = parts.next().unwrap_or_default();
    let mut weight = None;
    for part in parts {
        match part.strip_prefix(b"q=") {
            Some(text) if weight.is_none() => weight = thousandths(text),
            _ => {
                out.push(b';');
                out.extend_from_slice(&part);
            }
        }
    }
    if let Some(weight) = weight.filter(|weight| *weight != 1000) {
        out.extend_from_slice(format!(";q={weight:04}").as_bytes());
    }
    out
}

/// `0.5` as 500 (RFC 9110 section 12.4.2).
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, rest) = text.split_first()?;
    let digits = match rest {
        [] => &[],
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut n = match whole {
        b'0' => 0u16,
        b'1' => 1,
        _ => return None,
    };
    for i in 0..3 {
        let digit = digits.get(i).copied().unwrap_or(b'0');
        n = n * 10 + u16::from(digit.checked_sub(b'0').filter(|d| *d < 10)?);
    }
    (n <= 1000).then_some(n)
}

/// The quality in a member made by [`preference`].
fn quality(member: &[u8]) -> u16 {
    match member.len().checked_sub(7).map(|at| member.split_at(at)) {
        Some((_, [b';', b'q', b'=', digits @ ..])) => {
            digits.iter().fold(0, |n, b| n * 10 + u16::from(b.wrapping_sub(b'0') % 10))
        }
        _ => 1000,
    }
}

/// The member of a canonical list that is better than all others.
fn best(canonical: &[u8]) -> Option<&[u8]> {
    let mut members = canonical.split(|&b| b == b',');
    let first = members.next()?;
    let is_best = quality(first) > 0 && members.next().is_none_or(|second| quality(second) < quality(first));
    let name = first.split(|&b| b == b';').next()?;
    (is_best && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
