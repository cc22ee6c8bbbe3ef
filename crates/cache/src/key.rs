//! The cache key (`cdn-behaviour.md` section 5).
//!
//! A key is a string of bytes that sorts by distribution, then by URL, so that a purge by URL or prefix is a range:
//! `distribution 00 path[?query] 00 class {part 00}`. A slice's key has one more part. A byte 00 or 01 inside a part is written as 01 02 or 01 03.

use crate::rules::{KeyRules, NameSet};
use crate::slice::Slice;
use http::header::{ACCEPT_ENCODING, COOKIE};
use http::{HeaderMap, Method};
use rimward_types::RequestHead;
use smallvec::SmallVec;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

mod parts;

pub use parts::{Part, Parts};

/// Keyed at random for each process, so that nobody can choose URLs that collide.
static HASHER: LazyLock<ahash::RandomState> = LazyLock::new(ahash::RandomState::new);

const END: u8 = 0;
const ESCAPE: u8 = 1;
/// The kind of the part that a slice adds.
const SLICE: u8 = b's';

type Buffer = SmallVec<[u8; 128]>;

/// Distribution, method class, path and what the cache policy names. Vary variants live beneath it.
#[derive(Debug, Clone)]
pub struct Key {
    hash: u64,
    /// No larger than it must be: each stored object has one.
    bytes: Box<[u8]>,
}

impl Key {
    /// The key of `request` in `distribution`. GET and HEAD share it, as does a POST that is stored for them.
    ///
    /// The scheme and the host are not in it unless `rules` name the header: a policy that sends the viewer's `Host` to
    /// the origin must put it there (RFC 9111 section 2).
    pub fn new(distribution: &str, request: &RequestHead, rules: &KeyRules) -> Self {
        let mut bytes = url_prefix(distribution, &request.path);
        push_query(&mut bytes, request.query.as_deref(), &rules.query);
        bytes.push(END);
        bytes.push(if request.method == Method::OPTIONS { b'O' } else { b'G' });
        push_headers(&mut bytes, &request.headers, rules);
        push_cookies(&mut bytes, &request.headers, &rules.cookies);
        if let Some(codings) = accept_encoding(&request.headers, rules).filter(|codings| *codings != "identity") {
            push_part(&mut bytes, b'e', codings.as_bytes());
        }
        Self::from_stored(&bytes)
    }

    /// The hash of the key; the same for the life of the process.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Path and, when it is in the key, query: what a purge by URL names.
    pub fn url(&self) -> String {
        let mut parts = self.bytes.split(|&b| b == END);
        parts::unescaped(parts.nth(1).unwrap_or_default())
    }

    /// What it is made of.
    pub fn parts(&self) -> Parts {
        parts::read(&self.bytes)
    }

    /// The host that it is for, in lower case and without port; `None` when the host is not in the key.
    pub(crate) fn host(&self) -> Option<String> {
        let mut rest = &self.bytes[..];
        for _ in 0..2 {
            rest = after_end(rest);
        }
        rest = rest.get(1..)?;
        while let Some((kind, part)) = rest.split_first() {
            if *kind != b'h' {
                rest = after_end(part);
                continue;
            }
            let name = part.split(|&b| b == b':' || b == END).next()?;
            let mut values = &part[name.len()..];
            if let Some(value) = values.strip_prefix(b":").filter(|_| name == b"host") {
                let value = String::from_utf8_lossy(value.split(|&b| b == END).next()?);
                return Some(host_of(&value));
            }
            while let Some(value) = values.strip_prefix(b":") {
                values = after_end(value);
            }
            rest = values.get(1..)?;
        }
        None
    }

    /// The key of a slice of what is under this key. It sorts behind it, so that a purge by URL or prefix means it too.
    pub(crate) fn of_slice(&self, slice: Slice) -> Self {
        let mut bytes = Buffer::from_slice(&self.bytes);
        push_part(&mut bytes, SLICE, format!("{}-{}", slice.size, slice.index).as_bytes());
        Self::from_stored(&bytes)
    }

    /// What the keys of all slices of what is under this key begin with.
    pub(crate) fn slice_prefix(&self) -> Box<[u8]> {
        [&self.bytes[..], &[SLICE]].concat().into()
    }

    /// Where its last part begins, if that is the part of a slice.
    fn slice_at(&self) -> Option<usize> {
        let mut rest = after_end(after_end(&self.bytes)).get(1..)?;
        while let Some((kind, part)) = rest.split_first() {
            rest = match *kind {
                SLICE => return Some(self.bytes.len() - rest.len()),
                b'h' => after_header(part),
                _ => after_end(part),
            };
        }
        None
    }

    /// The slice that it is the key of, if it is one.
    pub(crate) fn slice(&self) -> Option<Slice> {
        let part = self.bytes.get(self.slice_at()? + 1..self.bytes.len() - 1)?;
        let (size, index) = std::str::from_utf8(part).ok()?.split_once('-')?;
        Some(Slice { size: size.parse().ok()?, index: index.parse().ok()? })
    }

    /// The key of the whole, if it is that of a slice.
    pub(crate) fn of_whole(&self) -> Option<Self> {
        Some(Self::from_stored(self.bytes.get(..self.slice_at()?)?))
    }

    /// What all keys of its URL begin with.
    pub(crate) fn exact_url(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - after_end(after_end(&self.bytes)).len()]
    }

    /// What all keys of its distribution begin with.
    pub(crate) fn distribution_prefix(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - after_end(&self.bytes).len()]
    }

    /// From what [`Key::as_bytes`] gave.
    pub(crate) fn from_stored(bytes: &[u8]) -> Self {
        Self { hash: HASHER.hash_one(bytes), bytes: bytes.into() }
    }

    /// A key to compare with others by its bytes alone.
    pub(crate) fn probe(prefix: &[u8]) -> Self {
        Self { hash: 0, bytes: prefix.into() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

/// Finishes with the hash that a [`Key`] brings along.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnHash(u64);

impl Hasher for OwnHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys write one u64; anything else would only be slower, not wrong.
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Builds [`OwnHash`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeepHash;

impl BuildHasher for KeepHash {
    type Hasher = OwnHash;

    fn build_hasher(&self) -> OwnHash {
        OwnHash::default()
    }
}

/// The beginning of every key of a distribution.
pub(crate) fn distribution_prefix(distribution: &str) -> SmallVec<[u8; 128]> {
    let mut bytes = Buffer::new();
    push_escaped(&mut bytes, distribution.as_bytes());
    bytes.push(END);
    bytes
}

/// The beginning of every key of a distribution whose URL begins with `url`.
pub(crate) fn url_prefix(distribution: &str, url: &str) -> SmallVec<[u8; 128]> {
    let mut bytes = distribution_prefix(distribution);
    push_escaped(&mut bytes, url.as_bytes());
    bytes
}

/// The beginning of every key of one URL, whatever its headers and cookies.
pub(crate) fn exact_url_prefix(distribution: &str, url: &str) -> SmallVec<[u8; 128]> {
    let mut bytes = url_prefix(distribution, url);
    bytes.push(END);
    bytes
}

/// Whether `prefix` is what [`exact_url_prefix`] gives.
pub(crate) fn is_exact_url(prefix: &[u8]) -> bool {
    prefix.ends_with(&[END]) && prefix.iter().filter(|byte| **byte == END).count() == 2
}

/// What follows the first [`END`].
fn after_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&b| b == END);
    end.and_then(|end| bytes.get(end + 1..)).unwrap_or_default()
}

/// What follows the part of a header, `name {: value 00} 00`, without its kind.
fn after_header(part: &[u8]) -> &[u8] {
    let name = part.iter().position(|&b| b == b':' || b == END).unwrap_or(part.len());
    let mut rest = &part[name..];
    while let Some(value) = rest.strip_prefix(b":") {
        rest = after_end(value);
    }
    rest.get(1..).unwrap_or_default()
}

/// The host of a `Host` field.
pub(crate) fn host_of(field: &str) -> String {
    let name = match field.strip_prefix('[') {
        Some(_) => field.split_inclusive(']').next(),
        None => field.split(':').next(),
    };
    name.unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Path and query of `path_and_query` as far as `rules` keep them.
pub(crate) fn kept_url(path_and_query: &str, rules: &KeyRules) -> String {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let mut url = path.to_owned();
    for (i, parameter) in kept_parameters(query, &rules.query).enumerate() {
        url.push(if i == 0 { '?' } else { '&' });
        url.push_str(parameter);
    }
    url
}

fn push_escaped(bytes: &mut Buffer, text: &[u8]) {
    if !text.iter().any(|&b| b <= ESCAPE) {
        bytes.extend_from_slice(text);
        return;
    }
    for &byte in text {
        if byte <= ESCAPE {
            bytes.extend_from_slice(&[ESCAPE, byte + 2]);
        } else {
            bytes.push(byte);
        }
    }
}

fn push_part(bytes: &mut Buffer, kind: u8, text: &[u8]) {
    bytes.push(kind);
    push_escaped(bytes, text);
    bytes.push(END);
}

fn push_query(bytes: &mut Buffer, query: Option<&str>, set: &NameSet) {
    for (i, parameter) in kept_parameters(query, set).enumerate() {
        bytes.push(if i == 0 { b'?' } else { b'&' });
        push_escaped(bytes, parameter.as_bytes());
    }
}

/// The parameters of a query that are in the key, in the viewer's order (`cdn-behaviour.md` section 5). With all of
/// them the query is one piece, byte for byte.
fn kept_parameters<'a>(query: Option<&'a str>, set: &'a NameSet) -> impl Iterator<Item = &'a str> {
    let (whole, listed) = match (set, query) {
        (NameSet::None, _) | (_, None) => (None, None),
        (NameSet::All, whole) => (whole, None),
        (_, Some(query)) => (None, Some(query)),
    };
    let named = listed
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|parameter| !parameter.is_empty() && set.contains(parameter.split('=').next().unwrap_or_default()));
    whole.into_iter().chain(named)
}

/// Names are written too: a policy that changes its list must not find what another list stored.
fn push_headers(bytes: &mut Buffer, headers: &HeaderMap, rules: &KeyRules) {
    for name in &rules.headers {
        bytes.push(b'h');
        bytes.extend_from_slice(name.as_str().as_bytes());
        for value in headers.get_all(name) {
            bytes.push(b':');
            push_escaped(bytes, value.as_bytes());
            bytes.push(END);
        }
        bytes.push(END);
    }
}

/// Cookies sorted by name (`cdn-behaviour.md` section 5).
fn push_cookies(bytes: &mut Buffer, headers: &HeaderMap, set: &NameSet) {
    if *set == NameSet::None {
        return;
    }
    let mut kept: SmallVec<[Cookie<'_>; 8]> = cookies(headers).filter(|cookie| cookie.is_in(set)).collect();
    kept.sort_by_key(|cookie| cookie.name);
    for cookie in kept {
        push_part(bytes, b'c', cookie.pair);
    }
}

/// One cookie of a request, as it came: neither its name nor its value need be text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// Its name; empty in `=value`.
    pub name: &'a [u8],
    /// `name=value`, without the spaces around it.
    pub pair: &'a [u8],
}

impl Cookie<'_> {
    /// Whether `set` has it. A name that is no text is in no list.
    pub fn is_in(&self, set: &NameSet) -> bool {
        match std::str::from_utf8(self.name) {
            Ok(name) => set.contains(name),
            Err(_) => matches!(set, NameSet::All | NameSet::Except(_)),
        }
    }
}

/// The cookies of a request in their order. The key and the origin's request are made from this one reading: what the origin
/// sees besides the key would be in an answer for all.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|&b| b == b';'));
    pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()).map(|pair| {
        let name = pair.split(|&b| b == b'=').next().unwrap_or_default();
        Cookie { name, pair }
    })
}

/// `Accept-Encoding` as it is sent to the origin: `br,gzip`, `gzip`, `br`, or `identity` when the viewer takes none of
/// the enabled codings (`cdn-behaviour.md` section 6); `zstd,gzip` and `zstd` where that is enabled, an extension.
/// `None`: do not send it. All but `identity` are in the key.
pub fn accept_encoding(headers: &HeaderMap, rules: &KeyRules) -> Option<&'static str> {
    if !(rules.gzip || rules.brotli || rules.zstd) || !headers.contains_key(ACCEPT_ENCODING) {
        return None;
    }
    let takes = |coding: &[u8]| headers.get_all(ACCEPT_ENCODING).iter().any(|line| lists(line.as_bytes(), coding));
    let gzip = rules.gzip && takes(b"gzip");
    Some(match (rules.brotli && takes(b"br"), rules.zstd && takes(b"zstd"), gzip) {
        (true, _, true) => "br,gzip",
        (true, _, false) => "br",
        (false, true, true) => "zstd,gzip",
        (false, true, false) => "zstd",
        (false, false, true) => "gzip",
        (false, false, false) => "identity",
    })
}

fn lists(line: &[u8], coding: &[u8]) -> bool {
    line.split(|&b| b == b',').any(|member| {
        let mut parts = member.split(|&b| b == b';').map(<[u8]>::trim_ascii);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        // `q=0`, `q=0.0`: not acceptable (RFC 9110 section 12.4.2).
        let is_refused = parts.any(|part| match part {
            [b'q' | b'Q', b'=', b'0', rest @ ..] => rest.iter().all(|b| matches!(b, b'.' | b'0')),
            _ => false,
        });
        is_it && !is_refused
    })
}

#[cfg(test)]
mod tests;
