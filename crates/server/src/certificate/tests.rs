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
        (" a b ", "\\ a b\\ "),
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

#[test]
fn what_is_no_certificate_is_none() {
    let authority = Authority::new();
    let whole = authority.sign_viewer("a", &[1], Lifetime::Now);
    for cut in 0..whole.der().len() {
        assert!(read(&whole.der()[..cut]).is_none(), "{cut}");
    }
}
