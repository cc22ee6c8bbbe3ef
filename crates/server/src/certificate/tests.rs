#![allow(clippy::unwrap_used)]
use super::*;
use rimward_testkit::{Authority, Lifetime};

/// cloudfront-functions.md sections 13 and 14: colon-separated lower-case hex, names by RFC 4514, ISO 8601, 64 hex.
#[test]
fn a_certificate_is_told_in_the_vendors_texts() {
    let authority = Authority::new();
    let identity = authority.sign_viewer("device 7", &[0x4a, 0x3f, 0x00, 0xd1], Lifetime::Now);
    let certificate = read(identity.der()).unwrap();
    assert_eq!(certificate.serial, "4a:3f:00:d1");
    assert_eq!(certificate.subject, "CN=device 7,O=Viewers");
    assert_eq!(certificate.issuer, "CN=Rimward tests");
    assert_eq!(certificate.not_before, "2020-01-02T00:00:00Z");
    assert_eq!(certificate.not_after, "2999-01-01T00:00:00Z");
    assert_eq!(certificate.sha256, hex(&Sha256::digest(identity.der())));
    assert_eq!(certificate.der, identity.der());
}

/// X.690 section 8.3: the zero of a positive number is none of its digits.
#[test]
fn a_serial_number_has_no_sign() {
    for (bytes, text) in [(&[0, 0xff, 1][..], "ff:01"), (&[0], "00"), (&[0, 0, 1], "00:01"), (&[], "")] {
        assert_eq!(serial(bytes), text);
    }
}

/// RFC 4514 section 2.4; and nothing but visible ASCII comes out, whatever is in a name.
#[test]
fn names_are_escaped() {
    for (value, text) in [
        ("plain", "plain"),
        ("a,b+c\"d\\e<f>g;h", "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"),
        ("#a#", "\\#a#"),
        (" a b ", "\\20a b\\20"),
        ("Lučić", "Lu\\C4\\8Di\\C4\\87"),
        ("a\r\nX-Evil: 1\0", "a\\0D\\0AX-Evil: 1\\00"),
        ("", ""),
    ] {
        let mut out = String::new();
        push_escaped(value, &mut out);
        assert_eq!(out, text);
        assert!(out.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}

/// RFC 5280 section 4.1.2.2, and what a header has room for: who reads it must not have to cut.
#[test]
fn numbers_and_names_of_any_length_are_not_told() {
    let authority = Authority::new();
    for (name, serial, told) in
        [("a".repeat(4000), 20, true), ("a".repeat(5000), 20, false), ("a".to_owned(), 40, false)]
    {
        let identity = authority.sign_viewer(&name, &vec![1; serial], Lifetime::Now);
        assert_eq!(read(identity.der()).is_some(), told, "{} {serial}", name.len());
    }
}

/// RFC 4514 section 2.4: values that are text are told as text, whatever type of string they have.
#[test]
fn the_strings_of_old_authorities_are_text() {
    for (kind, bytes, text) in [
        (0x1e, &b"\0O\x01\x0d"[..], "O\\C4\\8D"),
        (0x1c, b"\0\0\0O\0\0\x01\x0d", "O\\C4\\8D"),
        (0x14, b"O\xe9", "O\\C3\\A9"),
        (0x1e, b"\0O\x01", "#1e03004f01"),
    ] {
        let value = [&[kind, bytes.len() as u8], bytes].concat();
        let attribute = [&b"\x06\x03\x55\x04\x0a"[..], &value].concat();
        let set = [&[0x30, attribute.len() as u8], &attribute[..]].concat();
        let names = [&[0x31, set.len() as u8], &set[..]].concat();
        let sequence = [&[0x30, names.len() as u8], &names[..]].concat();
        let (_, parsed) = X509Name::from_der(&sequence).unwrap();
        assert_eq!(name(&parsed), format!("O={text}"));
    }
}

#[test]
fn what_is_no_certificate_is_none() {
    let authority = Authority::new();
    let whole = authority.sign_viewer("a", &[1], Lifetime::Now);
    for cut in 0..whole.der().len() {
        assert!(read(&whole.der()[..cut]).is_none(), "{cut}");
    }
}
