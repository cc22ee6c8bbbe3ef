//! What a viewer's certificate says.

use crate::fingerprint::hex;
use bytes::Bytes;
use rimward_types::connection::ViewerCertificate;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate, X509Name};

/// Reads a certificate; `None` when it is none.
pub(crate) fn read(der: &[u8]) -> Option<ViewerCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(ViewerCertificate {
        serial: serial(certificate.raw_serial()),
        issuer: name(certificate.issuer()),
        subject: name(certificate.subject()),
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
            match (attribute.as_str(), short) {
                (Ok(value), Some(_)) => push_escaped(value, &mut text),
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

/// RFC 4514 section 2.4. What is not visible ASCII is escaped too, so that the text can be a header's value.
fn push_escaped(value: &str, out: &mut String) {
    let last = value.len().saturating_sub(1);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'#' if at == 0 => out.push_str("\\#"),
            b' ' if at == 0 || at == last => out.push_str("\\ "),
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
