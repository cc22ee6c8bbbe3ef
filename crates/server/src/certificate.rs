//! What a viewer's certificate says.

use crate::fingerprint::hex;
use bytes::Bytes;
use rimward_types::connection::ViewerCertificate;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::prelude::{ASN1Time, AttributeTypeAndValue, FromDer, X509Certificate, X509Name};

/// Bytes of a serial number: RFC 5280 section 4.1.2.2 allows 20, some authorities have a few more.
const SERIAL: usize = 32;
/// Bytes of a name's text, which functions and origins get as a header.
const NAME: usize = 4 * 1024;

/// Reads a certificate; `None` when it is none, or when its serial number or a name is too long to be told to anybody.
pub(crate) fn read(der: &[u8]) -> Option<ViewerCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let short = |name: String| (name.len() <= NAME).then_some(name);
    Some(ViewerCertificate {
        serial: Some(certificate.raw_serial()).filter(|serial| serial.len() <= SERIAL).map(serial)?,
        issuer: short(name(certificate.issuer()))?,
        subject: short(name(certificate.subject()))?,
        not_before: time(&certificate.validity().not_before),
        not_after: time(&certificate.validity().not_after),
        sha256: hex(&Sha256::digest(der)),
        der: Bytes::copy_from_slice(der),
    })
}

/// Bytes with colons between them. A zero that only says that the number is positive (X.690 section 8.3) is left out.
fn serial(bytes: &[u8]) -> String {
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let mut text = String::with_capacity(bytes.len() * 3);
    for (place, byte) in bytes.iter().enumerate() {
        let colon = if place > 0 { ":" } else { "" };
        let _infallible = write!(text, "{colon}{byte:02x}");
    }
    text
}

fn time(time: &ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// The short names that RFC 4514 section 3 has, and the one for addresses that everybody writes.
const SHORT: [(&str, &str); 10] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// A name as RFC 4514 writes it: the last part first, `CN=client,O=Example`.
fn name(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    for (place, part) in name.iter_rdn().collect::<Vec<_>>().into_iter().rev().enumerate() {
        if place > 0 {
            text.push(',');
        }
        for (place, attribute) in part.iter().enumerate() {
            if place > 0 {
                text.push('+');
            }
            let kind = attribute.attr_type().to_id_string();
            let short = SHORT.iter().find(|(id, _)| *id == kind).map(|(_, short)| *short);
            text.push_str(short.unwrap_or(&kind));
            text.push('=');
            match (string(attribute), short) {
                (Some(value), Some(_)) => push_escaped(&value, &mut text),
                // Section 2.4: values of types without a name, and those that are no text, are written as their encoding.
                _ => {
                    text.push('#');
                    text.push_str(&hex(&encoding(attribute.attr_value())));
                }
            }
        }
    }
    text
}

/// The text of a value, also in the types that old authorities use: BMPString, UniversalString, and T61String, which is taken for
/// ISO 8859-1 as everywhere.
fn string<'a>(attribute: &'a AttributeTypeAndValue<'_>) -> Option<Cow<'a, str>> {
    if let Ok(value) = attribute.as_str() {
        return Some(Cow::Borrowed(value));
    }
    let value = attribute.attr_value();
    let text = match value.tag() {
        Tag::BmpString if value.data.len() % 2 == 0 => {
            let units = value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()?
        }
        Tag::UniversalString if value.data.len() % 4 == 0 => {
            let numbers =
                value.data.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
            numbers.map(char::from_u32).collect::<Option<String>>()?
        }
        Tag::TeletexString => value.data.iter().copied().map(char::from).collect(),
        _ => return None,
    };
    Some(Cow::Owned(text))
}

/// RFC 4514 section 2.4. What is not visible ASCII is escaped too, so that the text can be a header's value, and so are spaces at its
/// ends, by their number: a header's value may not end with one.
fn push_escaped(value: &str, out: &mut String) {
    let last = value.len().saturating_sub(1);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'#' if at == 0 => out.push_str("\\#"),
            b' ' if at == 0 || at == last => out.push_str("\\20"),
            b' '..=b'~' => out.push(char::from(byte)),
            other => {
                let _infallible = write!(out, "\\{other:02X}");
            }
        }
    }
}

/// A value's DER, made anew: the parser keeps its parts.
fn encoding(value: &x509_parser::der_parser::asn1_rs::Any<'_>) -> Vec<u8> {
    let mut der = Vec::with_capacity(value.data.len() + 4);
    // Types of texts have tags below 31, in one byte.
    der.push(u8::try_from(value.header.tag().0 & 0x1f).unwrap_or_default());
    match value.data.len() {
        short @ 0..=0x7f => der.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let bytes = &bytes[long.leading_zeros() as usize / 8..];
            der.push(0x80 | bytes.len() as u8);
            der.extend_from_slice(bytes);
        }
    }
    der.extend_from_slice(value.data);
    der
}

#[cfg(test)]
mod tests;
