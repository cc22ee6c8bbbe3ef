//! `Cache-Control` (RFC 9111 section 5.2). Strict in what makes a response live longer, tolerant in what shortens it.

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName};
use std::time::Duration;

/// An argument in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seconds {
    /// The directive is not there.
    #[default]
    Absent,
    /// It is there with a bad or contradictory argument: the response counts as stale (RFC 9111 section 4.2.1).
    Invalid,
    /// As given; more than 2^31 counts as 2^31 (RFC 9111 section 1.2.2).
    Given(u32),
}

/// The largest number of seconds (RFC 9111 section 1.2.2).
pub const MAX_SECONDS: u32 = 1 << 31;

impl Seconds {
    /// As a duration, when it is there and good.
    pub fn given(self) -> Option<Duration> {
        match self {
            Seconds::Given(s) => Some(Duration::from_secs(u64::from(s))),
            Seconds::Absent | Seconds::Invalid => None,
        }
    }

    /// Whether the directive is there, good or bad.
    pub fn is_present(self) -> bool {
        self != Seconds::Absent
    }

    /// Digits alone; leading zeros are fine.
    pub fn parse(text: &[u8]) -> Self {
        if text.is_empty() {
            return Seconds::Invalid;
        }
        let mut n = 0u64;
        for byte in text {
            if !byte.is_ascii_digit() {
                return Seconds::Invalid;
            }
            n = (n * 10 + u64::from(byte - b'0')).min(u64::from(MAX_SECONDS));
        }
        Seconds::Given(n as u32)
    }

    /// Two of the same directive: equal ones are one, others contradict.
    pub(super) fn and(&mut self, other: Seconds) {
        *self = match *self {
            Seconds::Absent => other,
            same if same == other => same,
            _ => Seconds::Invalid,
        };
    }
}

/// The reach of `no-cache` and `private`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Not there.
    #[default]
    Nothing,
    /// These fields (`no-cache="set-cookie"`).
    Fields(Vec<HeaderName>),
    /// The whole response.
    All,
}

impl Scope {
    /// Whether it is the whole response.
    pub fn is_all(&self) -> bool {
        matches!(self, Scope::All)
    }

    fn widen(&mut self, argument: Option<&[u8]>) {
        let fields: Vec<HeaderName> = argument
            .unwrap_or_default()
            .split(|&b| b == b',')
            .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
            .collect();
        match self {
            _ if fields.is_empty() => *self = Scope::All,
            Scope::Nothing => *self = Scope::Fields(fields),
            Scope::Fields(known) => known.extend(fields),
            Scope::All => {}
        }
    }
}

/// The field that directives of a response come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum ControlField {
    /// `Rimward-Cache-Control`: for nodes such as this one alone (RFC 9213 section 2).
    RimwardCacheControl,
    /// `CDN-Cache-Control`: for every CDN (RFC 9213 section 3).
    CdnCacheControl,
    /// `Cache-Control`, with `Expires` beside it.
    #[default]
    CacheControl,
}

impl ControlField {
    /// The field's name.
    pub fn as_str(self) -> &'static str {
        match self {
            ControlField::RimwardCacheControl => "Rimward-Cache-Control",
            ControlField::CdnCacheControl => "CDN-Cache-Control",
            ControlField::CacheControl => "Cache-Control",
        }
    }
}

/// Directives of a response (RFC 9111 section 5.2.2, RFC 5861).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directives {
    /// `max-age`.
    pub max_age: Seconds,
    /// `s-maxage`.
    pub s_maxage: Seconds,
    /// `stale-while-revalidate`.
    pub stale_while_revalidate: Seconds,
    /// `stale-if-error`.
    pub stale_if_error: Seconds,
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache`.
    pub no_cache: Scope,
    /// `private`.
    pub private: Scope,
    /// `public`.
    pub public: bool,
    /// `must-revalidate`.
    pub must_revalidate: bool,
    /// `proxy-revalidate`.
    pub proxy_revalidate: bool,
    /// `must-understand`.
    pub must_understand: bool,
    /// The field breaks its grammar: freshness in it is not believed.
    pub malformed: bool,
}

impl Directives {
    /// Reads every line of `Cache-Control`.
    pub fn of_response(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            let good = each(line.as_bytes(), |directive| directives.take(directive));
            directives.malformed |= !good;
        }
        if directives.malformed {
            for seconds in [&mut directives.max_age, &mut directives.s_maxage] {
                if seconds.is_present() {
                    *seconds = Seconds::Invalid;
                }
            }
        }
        directives
    }

    fn take(&mut self, directive: Directive<'_>) {
        let Directive { name, argument, .. } = directive;
        match name {
            b"max-age" => self.max_age.and(directive.seconds()),
            b"s-maxage" => self.s_maxage.and(directive.seconds()),
            b"stale-while-revalidate" => self.stale_while_revalidate.and(directive.seconds()),
            b"stale-if-error" => self.stale_if_error.and(directive.seconds()),
            b"no-store" => self.no_store = true,
            b"no-cache" => self.no_cache.widen(argument),
            b"private" => self.private.widen(argument),
            b"public" => self.public = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            _ => {}
        }
    }
}

/// Directives of a request (RFC 9111 section 5.2.1, RFC 5861 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestDirectives {
    /// `max-age`.
    pub max_age: Seconds,
    /// `min-fresh`.
    pub min_fresh: Seconds,
    /// `max-stale`; without argument any staleness will do, which is [`MAX_SECONDS`].
    pub max_stale: Seconds,
    /// `stale-if-error`.
    pub stale_if_error: Seconds,
    /// `no-cache`.
    pub no_cache: bool,
    /// `no-store`.
    pub no_store: bool,
    /// `only-if-cached`.
    pub only_if_cached: bool,
}

impl RequestDirectives {
    /// Reads every line of `Cache-Control`.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            each(line.as_bytes(), |directive| directives.take(directive));
        }
        directives
    }

    fn take(&mut self, directive: Directive<'_>) {
        match directive.name {
            b"max-age" => self.max_age.and(directive.seconds()),
            b"min-fresh" => self.min_fresh.and(directive.seconds()),
            b"max-stale" if directive.argument.is_none() => self.max_stale.and(Seconds::Given(MAX_SECONDS)),
            b"max-stale" => self.max_stale.and(directive.seconds()),
            b"stale-if-error" => self.stale_if_error.and(directive.seconds()),
            b"no-cache" => self.no_cache = true,
            b"no-store" => self.no_store = true,
            b"only-if-cached" => self.only_if_cached = true,
            _ => {}
        }
    }
}

/// One directive; the name in lower case.
struct Directive<'a> {
    name: &'a [u8],
    argument: Option<&'a [u8]>,
    /// White space around `=`, or text after the closing quote: no grammar allows it.
    crooked: bool,
}

impl Directive<'_> {
    fn seconds(&self) -> Seconds {
        match self.argument {
            Some(text) if !self.crooked => Seconds::parse(text),
            _ => Seconds::Invalid,
        }
    }
}

/// Calls `take` for each directive of a line. False when a quote is left open; the line is then cut at every comma,
/// so that a restriction behind the quote is still seen.
fn each(line: &[u8], mut take: impl FnMut(Directive<'_>)) -> bool {
    let mut good = true;
    let mut rest = line;
    while !rest.is_empty() {
        // Once a quote is left open nothing behind it is looked through twice: the line is the viewer's, or the origin's.
        let member = if good { end_of_member(rest) } else { None };
        good = member.is_some();
        let end = member.unwrap_or_else(|| rest.iter().position(|&b| b == b',').unwrap_or(rest.len()));
        read(rest[..end].trim_ascii(), &mut take);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    good
}

/// Where the first member ends: at a comma outside quotes. `None`: a quote is left open.
fn end_of_member(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (i, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return Some(i),
            _ => {}
        }
    }
    (!quoted).then_some(text.len())
}

fn read(member: &[u8], take: &mut impl FnMut(Directive<'_>)) {
    // Longer names are none of ours.
    let mut lower = [0u8; 32];
    let (name, argument) = match member.iter().position(|&b| b == b'=') {
        Some(at) => (&member[..at], Some(&member[at + 1..])),
        None => (member, None),
    };
    let trimmed = name.trim_ascii_end();
    let Some(lower) = lower.get_mut(..trimmed.len()) else { return };
    lower.copy_from_slice(trimmed);
    lower.make_ascii_lowercase();
    let mut crooked = trimmed.len() != name.len();
    let argument = argument.map(|argument| {
        let text = argument.trim_ascii_start();
        crooked |= text.len() != argument.len();
        match text {
            [b'"', inner @ .., b'"'] => inner,
            [b'"', inner @ ..] => {
                crooked = true;
                inner
            }
            token => token,
        }
    });
    take(Directive { name: lower, argument, crooked });
}

#[cfg(test)]
mod tests;
