//! Signature Version 4 as S3 wants it: which parts of a request are signed, and in which spelling. Pure.
//!
//! Keys and signature are those of `aws-sigv4`. The canonical request is made here: what is sent is spelled as S3 will
//! spell it when it computes the signature anew, so that no byte is left to two readings, UTF-8 or not.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use crate::credentials::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use rimward_config::SigningBehavior;
use rimward_types::{Body, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The payload that is not hashed: it streams through, and TLS protects it.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Bodies up to here are hashed where they are in memory; a larger one would hold its thread too long.
const HASHED: usize = 64 << 10;

/// Who signs, for which region, and when.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) region: Arc<str>,
    pub(crate) behavior: SigningBehavior,
    pub(crate) now: Timestamp,
}

impl Signer {
    /// Whether it signs a request with these headers: with `no-override` one that brings `Authorization` is left alone.
    pub(crate) fn applies(&self, headers: &HeaderMap) -> bool {
        match self.behavior {
            SigningBehavior::Always => true,
            SigningBehavior::Never => false,
            SigningBehavior::NoOverride => !headers.contains_key(header::AUTHORIZATION),
        }
    }

    /// Signs. `target` is as [`spell`] gives it, `host` is in `headers`. Signed are `host`, `content-type`, `content-md5`
    /// and all that begin with `x-amz-`: S3 refuses one of those that is not.
    ///
    /// # Errors
    /// Where keys or region have a character that no header can have: nothing goes out unsigned.
    pub(crate) fn sign(
        &self,
        method: &Method,
        target: &Uri,
        headers: &mut HeaderMap,
        body: &Body,
    ) -> Result<(), String> {
        let payload = payload(headers, body);
        let time = compact(self.now);
        // A viewer's own would be for its own signature.
        headers.remove(header::AUTHORIZATION);
        headers.remove(X_AMZ_SECURITY_TOKEN);
        set(headers, X_AMZ_CONTENT_SHA256, &payload)?;
        set(headers, X_AMZ_DATE, &time)?;
        if let Some(token) = &self.credentials.session_token {
            set_secret(headers, X_AMZ_SECURITY_TOKEN, token)?;
        }
        let is_signed = |name: &HeaderName| {
            let name = name.as_str();
            matches!(name, "host" | "content-type" | "content-md5") || name.starts_with("x-amz-")
        };
        let mut names: Vec<&HeaderName> = headers.keys().filter(|name| is_signed(name)).collect();
        names.sort_unstable_by_key(|name| name.as_str());
        let (signature, names) = self.signature(method, target, headers, &names, &payload, &time);
        let scope = self.scope(&time);
        let id = &self.credentials.access_key_id;
        let value = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        set_secret(headers, header::AUTHORIZATION, &value)
    }

    /// The signature of the headers `names`, which are sorted, and their names as the canonical request has them.
    fn signature(
        &self,
        method: &Method,
        target: &Uri,
        headers: &HeaderMap,
        names: &[&HeaderName],
        payload: &str,
        time: &str,
    ) -> (String, String) {
        let mut canonical = format!("{method}\n{}\n{}\n", target.path(), sorted(target.query())).into_bytes();
        let mut list = String::new();
        for name in names {
            canonical.extend_from_slice(name.as_str().as_bytes());
            for (i, value) in headers.get_all(*name).iter().enumerate() {
                canonical.push(if i == 0 { b':' } else { b',' });
                one_spaced(value.as_bytes(), &mut canonical);
            }
            canonical.push(b'\n');
            list.push_str(if list.is_empty() { "" } else { ";" });
            list.push_str(name.as_str());
        }
        canonical.extend_from_slice(format!("\n{list}\n{payload}").as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{}\n{}", self.scope(time), sha256(&canonical));
        let secret = &self.credentials.secret_access_key;
        let key = generate_signing_key(secret, self.now.as_system_time(), &self.region, "s3");
        (calculate_signature(key, text.as_bytes()), list)
    }

    fn scope(&self, time: &str) -> String {
        format!("{}/{}/s3/aws4_request", time.get(..8).unwrap_or_default(), self.region)
    }
}

/// A path or a query as S3 spells it: everything but letters, digits, `-`, `.`, `_`, `~` percent-encoded, once. In paths
/// `/` stays, and so does the meaning of `+`, a plus; in queries `+` is a space, as in forms.
pub(crate) fn spell(path: &str, query: Option<&str>) -> String {
    let mut out = String::with_capacity(path.len() + query.map_or(0, str::len) + 8);
    encode(path, Some('/'), false, &mut out);
    let mut sign = '?';
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        out.push(sign);
        sign = '&';
        let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
        encode(name, None, true, &mut out);
        if let Some(value) = value {
            out.push('=');
            encode(value, None, true, &mut out);
        }
    }
    out
}

/// Whether a path has two readings: S3 takes `%2F` for `/`, and behaviors, functions and the cache did not. With the bucket in the
/// path, a dot segment would leave it.
pub(crate) fn is_ambiguous(path: &str, in_path: bool) -> bool {
    let lower = path.to_ascii_lowercase();
    let dots = || spell(path, None).split('/').any(|segment| matches!(segment, "." | ".."));
    lower.contains("%2f") || (in_path && dots())
}

fn encode(text: &str, kept: Option<char>, plus_is_space: bool, out: &mut String) {
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        let decoded = match (byte, rest) {
            (b'%', [high, low, rest @ ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, rest)),
            (b'+', rest) if plus_is_space => Some((b' ', rest)),
            _ => None,
        };
        let (byte, rest) = decoded.unwrap_or((*byte, rest));
        bytes = rest;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.is_some_and(|kept| byte == kept as u8) {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The canonical query of one that is spelled already: in the order of its bytes, each name with `=`.
fn sorted(query: Option<&str>) -> String {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// What is said of the body: its digest where it is known, be it from whoever sent it.
fn payload(headers: &HeaderMap, body: &Body) -> String {
    let told = headers.get(X_AMZ_CONTENT_SHA256).and_then(|value| value.to_str().ok());
    let digest = |text: &&str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match (body, told.filter(digest)) {
        _ if body.is_empty() => sha256(b""),
        (_, Some(told)) => told.to_owned(),
        (Body::Full(bytes), None) if bytes.len() <= HASHED => sha256(bytes),
        _ => UNSIGNED.to_owned(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `20130524T000000Z`.
fn compact(time: Timestamp) -> String {
    let text = time.iso8601();
    let whole = text.split('.').next().unwrap_or_default();
    let mut compact: String = whole.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    compact.push('Z');
    compact
}

/// A value without spaces at its ends and with one where there were several.
fn one_spaced(value: &[u8], out: &mut Vec<u8>) {
    let mut words = value.split(|b| *b == b' ').filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), String> {
    let wrong = |_| format!("`{name}` cannot have the value that signing asks for");
    headers.insert(&name, HeaderValue::from_str(value).map_err(wrong)?);
    Ok(())
}

/// A value that no log shows.
fn set_secret(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), String> {
    set(headers, name.clone(), value)?;
    if let Some(value) = headers.get_mut(name) {
        value.set_sensitive(true);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
