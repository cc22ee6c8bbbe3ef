//! JA3 and JA4: what a viewer's TLS library is, told by what it offers.
//!
//! Both name kinds of clients, not clients. JA4 sorts what browsers shuffle, so it stays the same where JA3 does not.

use crate::client_hello::ClientHello;
use md5::Md5;
use rimward_types::connection::Fingerprints;
use sha2::{Digest, Sha256};
use std::fmt::{self, Display, Write};

/// Both fingerprints of a viewer that begins with `records`; `None` when they hold no whole hello.
pub(crate) fn of(records: &[u8]) -> Option<Fingerprints> {
    let hello = ClientHello::read(records)?;
    Some(Fingerprints { ja3: hex(&Md5::digest(ja3(&hello))), ja4: ja4(&hello) })
}

/// `version,ciphers,extensions,groups,point formats`, in decimal and in the viewer's order.
fn ja3(hello: &ClientHello) -> String {
    // Five digits and a sign for each number: one allocation.
    let mut text = String::with_capacity(16 + 6 * (hello.ciphers.len() + hello.extensions.len() + hello.groups.len()));
    let _ = write!(text, "{}", hello.version);
    for list in [&hello.ciphers, &hello.extensions, &hello.groups] {
        text.push(',');
        join(&mut text, '-', list.iter());
    }
    text.push(',');
    join(&mut text, '-', hello.point_formats.iter());
    text
}

/// `t13d1516h2_8daaf6152771_e5627efa2ab1`: what it is, then digests of ciphers, and of extensions with signature algorithms.
fn ja4(hello: &ClientHello) -> String {
    let version = hello.versions.iter().max().copied().unwrap_or(hello.version);
    let version = match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let host = if hello.names_a_host() { 'd' } else { 'i' };
    let (ciphers, extensions) = (hello.ciphers.len().min(99), hello.extensions.len().min(99));
    let protocol = protocol(hello.protocol.as_deref().unwrap_or_default());
    let mut others = sorted(hello.other_extensions());
    if !hello.signature_algorithms.is_empty() && !others.is_empty() {
        others.push('_');
        others.push_str(&listed(hello.signature_algorithms.iter().copied()));
    }
    let digests = [sorted(hello.ciphers.iter().copied()), others].map(|text| short_digest(&text));
    format!("t{version}{host}{ciphers:02}{extensions:02}{protocol}_{}_{}", digests[0], digests[1])
}

/// First and last character; of their hexadecimal form where one is no letter or digit.
fn protocol(name: &[u8]) -> String {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].iter().collect();
    }
    let text = hex(name);
    text.chars().next().into_iter().chain(text.chars().next_back()).collect()
}

fn sorted(numbers: impl Iterator<Item = u16>) -> String {
    let mut numbers: Vec<u16> = numbers.collect();
    numbers.sort_unstable();
    listed(numbers.into_iter())
}

/// `002f,1301`.
fn listed(numbers: impl Iterator<Item = u16>) -> String {
    let mut text = String::with_capacity(256);
    join(&mut text, ',', numbers.map(Hex));
    text
}

/// A number of 16 bits in four hexadecimal digits.
struct Hex(u16);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// Writes items with a sign between them.
fn join(text: &mut String, between: char, items: impl Iterator<Item = impl Display>) {
    for (n, item) in items.enumerate() {
        if n > 0 {
            text.push(between);
        }
        let _ = write!(text, "{item}");
    }
}

/// The first 12 digits of SHA-256; zeros for nothing.
fn short_digest(text: &str) -> String {
    match text {
        "" => "0".repeat(12),
        text => hex(&Sha256::digest(text)[..6]),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
