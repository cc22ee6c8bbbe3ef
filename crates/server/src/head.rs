//! Reads the head of an HTTP/1 request as it came off the wire and says what is wrong with it.
//!
//! The parser behind us forgives some of what makes two servers see different requests in the same bytes, and drops
//! one of `Content-Length` and `Transfer-Encoding` before we could look. So the bytes are judged here, before it has
//! them, more strictly than it does: whatever passes has one meaning (RFC 9112 sections 2.2, 3, 5, 6.3 and 11.2).

use crate::refusal::Refusal;
use memchr::memchr;
use rimward_config::Limits;
use rimward_types::head::has_token;

/// What the head in a buffer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inspected {
    /// The head has not come in full.
    Partial,
    /// It is good and this long; a body follows as told. `switch`: it asks to go on as a WebSocket.
    Good { len: usize, body: Framing, switch: bool },
    /// It is refused.
    Refused(Refusal),
}

/// How the body after a head is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes, often none.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Longest method we read; every registered one is shorter.
const METHOD_LIMIT: usize = 32;

/// What a request line has besides target and method: two spaces, `HTTP/1.1`, CR LF.
const REQUEST_LINE_REST: usize = METHOD_LIMIT + 12;

/// Judges the head at the start of `bytes`, which do not begin with an empty line.
pub(crate) fn inspect(bytes: &[u8], limits: &Limits) -> Inspected {
    match read(bytes, limits) {
        Ok(Some((len, body, switch))) => Inspected::Good { len, body, switch },
        Ok(None) => Inspected::Partial,
        Err(refusal) => Inspected::Refused(refusal),
    }
}

fn read(bytes: &[u8], limits: &Limits) -> Result<Option<(usize, Framing, bool)>, Refusal> {
    let head_limit = limits.head.as_usize();
    let Some((line, mut at)) = next_line(bytes, 0)? else {
        if bytes.len() > limits.url.as_usize() + REQUEST_LINE_REST {
            return Err(Refusal::UrlTooLong);
        }
        return if bytes.len() > head_limit { Err(Refusal::HeadTooLarge) } else { Ok(None) };
    };
    let request = RequestLine::read(line, limits)?;
    let mut fields = Fields::default();
    let mut count = 0usize;
    loop {
        let Some((line, next)) = next_line(bytes, at)? else {
            return if bytes.len() > head_limit { Err(Refusal::HeadTooLarge) } else { Ok(None) };
        };
        at = next;
        if at > head_limit {
            return Err(Refusal::HeadTooLarge);
        }
        if line.is_empty() {
            let body = fields.judge(&request, limits)?;
            return Ok(Some((at, body, fields.ask_for_websocket(&request, body))));
        }
        count += 1;
        if count > limits.headers {
            return Err(Refusal::TooManyHeaders);
        }
        fields.take(line)?;
    }
}

/// The line at `at` without its CR LF, and where the next one begins.
fn next_line(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Refusal> {
    let rest = &bytes[at..];
    match memchr(b'\n', rest) {
        // A carriage return within the line is found where control characters are.
        Some(end) => match rest[..end].strip_suffix(b"\r") {
            Some(line) => Ok(Some((line, at + end + 1))),
            None => Err(Refusal::LineEnd),
        },
        None => Ok(None),
    }
}

/// The parts of a request line that decide.
struct RequestLine<'a> {
    /// Host and port of an absolute target.
    authority: Option<&'a [u8]>,
    http_10: bool,
    get: bool,
}

impl<'a> RequestLine<'a> {
    fn read(line: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        let space = memchr(b' ', line).ok_or(Refusal::RequestLine)?;
        let (method, rest) = (&line[..space], &line[space + 1..]);
        if method.is_empty() || method.len() > METHOD_LIMIT || !method.iter().all(|b| is_token(*b)) {
            return Err(Refusal::RequestLine);
        }
        let space = memchr(b' ', rest).ok_or(Refusal::RequestLine)?;
        let (target, version) = (&rest[..space], &rest[space + 1..]);
        let http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            [b'H', b'T', b'T', b'P', b'/', a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit() => {
                return Err(Refusal::HttpVersion);
            }
            _ => return Err(Refusal::RequestLine),
        };
        if target.len() > limits.url.as_usize() {
            return Err(Refusal::UrlTooLong);
        }
        if matches!(method, b"CONNECT" | b"TRACE") {
            return Err(Refusal::Method);
        }
        let authority = match target {
            [b'/', ..] => {
                check_path_and_query(target)?;
                None
            }
            b"*" if method == b"OPTIONS" => None,
            _ => {
                let (authority, path) = split_absolute(target).ok_or(Refusal::Target)?;
                check_path_and_query(path)?;
                Some(authority)
            }
        };
        Ok(Self { authority, http_10, get: method == b"GET" })
    }
}

/// Authority and the rest of `http://host/path`.
fn split_absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = ["http://", "https://"]
        .iter()
        .find(|s| target.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s.as_bytes())))?;
    let rest = &target[scheme.len()..];
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// Whether the bytes of path and query are such as a URL has. More than RFC 3986 allows, since browsers send
/// `|`, `^`, `[` and others as they are; never what could end the target or name a fragment.
pub(crate) fn check_path_and_query(target: &[u8]) -> Result<(), Refusal> {
    let all = target.iter().fold(0u8, |all, b| all | TARGET[usize::from(*b)]);
    // `\` is a letter like others in a query, but in a path some servers take it for `/`.
    if all & BACKSLASH != 0 {
        let path = &target[..memchr(b'?', target).unwrap_or(target.len())];
        if memchr(b'\\', path).is_some() {
            return Err(Refusal::Target);
        }
    }
    match all {
        _ if all & BAD != 0 => Err(Refusal::Target),
        _ if all & FRAGMENT != 0 => Err(Refusal::Fragment),
        _ => Ok(()),
    }
}

const BAD: u8 = 1;
const FRAGMENT: u8 = 2;
const BACKSLASH: u8 = 4;

static TARGET: [u8; 256] = {
    let mut table = [BAD; 256];
    let mut b = 0x21;
    while b < 0x7f {
        table[b] = 0;
        b += 1;
    }
    table[b'<' as usize] = BAD;
    table[b'>' as usize] = BAD;
    table[b'#' as usize] = FRAGMENT;
    table[b'\\' as usize] = BACKSLASH;
    table
};

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0x21;
    while b < 0x7f {
        table[b] = !matches!(
            b as u8,
            b'"' | b'('
                | b')'
                | b','
                | b'/'
                | b':'
                | b';'
                | b'<'
                | b'='
                | b'>'
                | b'?'
                | b'@'
                | b'['
                | b'\\'
                | b']'
                | b'{'
                | b'}'
        );
        b += 1;
    }
    table
};

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// What the fields say about host, framing and protocol.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    hosts: u32,
    length: Option<u64>,
    lengths: u32,
    encoding: Encoding,
    /// `Upgrade` has `websocket`.
    websocket: bool,
    /// `Connection` has `upgrade`, and `close`.
    upgrade: bool,
    close: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    #[default]
    None,
    Chunked,
    /// Others, then `chunked`.
    Unsupported,
    Invalid,
}

impl<'a> Fields<'a> {
    fn take(&mut self, line: &'a [u8]) -> Result<(), Refusal> {
        if matches!(line[0], b' ' | b'\t') {
            return Err(Refusal::ObsFold);
        }
        let colon = line.iter().position(|b| !is_token(*b)).ok_or(Refusal::HeaderName)?;
        if colon == 0 || line[colon] != b':' {
            return Err(Refusal::HeaderName);
        }
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if value.iter().fold(false, |bad, b| bad | ((*b < 0x20) & (*b != b'\t')) | (*b == 0x7f)) {
            let bare = memchr(b'\r', value).is_some();
            return Err(if bare { Refusal::LineEnd } else { Refusal::HeaderValue });
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                self.hosts += 1;
                self.host = Some(value.trim_ascii());
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.lengths += 1;
                self.length = parse_length(value.trim_ascii());
                if self.length.is_none() {
                    return Err(Refusal::LengthInvalid);
                }
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.encoding = self.encoding.with(value),
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.websocket |= has_token(value, b"websocket"),
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.upgrade |= has_token(value, b"upgrade");
                self.close |= has_token(value, b"close");
            }
            _ => {}
        }
        Ok(())
    }

    fn judge(&self, request: &RequestLine<'_>, limits: &Limits) -> Result<Framing, Refusal> {
        match (self.hosts, self.host) {
            (0, _) if request.http_10 => {}
            (0, _) => return Err(Refusal::HostMissing),
            (1, Some(host)) if is_authority(host) => {
                if request.authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
                    return Err(Refusal::HostMismatch);
                }
            }
            (1, _) => return Err(Refusal::HostInvalid),
            _ => return Err(Refusal::HostRepeated),
        }
        if request.authority.is_some_and(|authority| !is_authority(authority)) {
            return Err(Refusal::Target);
        }
        if self.lengths > 0 && self.encoding != Encoding::None {
            return Err(Refusal::LengthAndEncoding);
        }
        if self.lengths > 1 {
            return Err(Refusal::LengthRepeated);
        }
        let framing = match (self.encoding, self.length) {
            (Encoding::Chunked, _) if !request.http_10 => Framing::Chunked,
            (Encoding::Unsupported, _) if !request.http_10 => return Err(Refusal::EncodingUnsupported),
            (Encoding::None, length) => Framing::Length(length.unwrap_or(0)),
            _ => return Err(Refusal::EncodingInvalid),
        };
        if matches!(framing, Framing::Length(length) if length > limits.request_body.as_u64()) {
            return Err(Refusal::BodyTooLarge);
        }
        Ok(framing)
    }

    /// The same as [`RequestHead::asks_for_websocket`](rimward_types::RequestHead::asks_for_websocket), of the bytes.
    /// Other protocols may be offered and are ignored (RFC 9110 section 7.8).
    fn ask_for_websocket(&self, request: &RequestLine<'_>, body: Framing) -> bool {
        self.websocket && self.upgrade && !self.close && request.get && !request.http_10 && body == Framing::Length(0)
    }
}

impl Encoding {
    /// With one more `Transfer-Encoding` line. Nothing may follow `chunked`.
    fn with(self, value: &[u8]) -> Self {
        let mut now = self;
        for coding in value.split(|b| *b == b',') {
            let coding = coding.trim_ascii();
            let chunked = coding.eq_ignore_ascii_case(b"chunked");
            now = match now {
                Encoding::None if chunked => Encoding::Chunked,
                // Known codings may come before `chunked`; they wait for it as `Invalid` until then.
                Encoding::None if is_known_coding(coding) => Encoding::Invalid,
                Encoding::Invalid if chunked => Encoding::Unsupported,
                _ => return Encoding::Invalid,
            };
        }
        now
    }
}

/// RFC 9112 section 7.2.
fn is_known_coding(coding: &[u8]) -> bool {
    ["gzip", "x-gzip", "deflate", "compress", "x-compress"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known.as_bytes()))
}

/// RFC 9110 section 8.6: digits alone; the standard parser would take a plus sign.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Whether `value` is a host name, IPv4 or bracketed IPv6 address, with or without port (RFC 9110 section 7.2). No
/// user information, no percent signs, no other marks: no host name has them.
pub(crate) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => match memchr(b']', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => return false,
        },
        _ => value.split_at(memchr(b':', value).unwrap_or(value.len())),
    };
    let good_host = if value.first() == Some(&b'[') {
        std::str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok())
    } else {
        !host.is_empty() && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let good_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    good_host && good_port
}

#[cfg(test)]
mod tests;
