#![allow(clippy::unwrap_used)]
use super::*;
use crate::client_hello::tests::{list, long, records, short};

/// The examples of JA3's own description.
#[test]
fn ja3_meets_its_authors_examples() {
    let groups = (10, list(&[23, 24, 25]));
    let first = records(
        769,
        &[47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
        &[(0, vec![0; 4]), groups, (11, short(&[0]))],
    );
    let hello = ClientHello::read(&first).unwrap();
    assert_eq!(ja3(&hello), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    assert_eq!(of(&first).unwrap().ja3, "ada70206e40642a3e4461f35503241d5");
    let second = records(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[]);
    assert_eq!(of(&second).unwrap().ja3, "de350869b8c85de67a350c8d186f11e6");
}

/// The example of JA4's own description: a browser with TLS 1.3 and HTTP/2.
#[test]
fn ja4_meets_its_authors_example() {
    let ciphers = [
        0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    let others = [0x0005, 0x000a, 0x000b, 0x0012, 0x0015, 0x0017, 0x001b, 0x0023, 0x002d, 0x0033, 0x4469, 0xff01];
    let signatures = list(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]);
    let mut extensions = vec![
        (0x3a3a, vec![]),
        (0x0000, vec![0; 4]),
        (0x000d, signatures),
        (0x002b, short(&[0x4a, 0x4a, 3, 4, 3, 3])),
        (0x0010, long(&[short(b"h2"), short(b"http/1.1")].concat())),
    ];
    extensions.extend(others.map(|kind| (kind, vec![])));
    let expected = "t13d1516h2_8daaf6152771_e5627efa2ab1";
    assert_eq!(of(&records(0x0303, &ciphers, &extensions)).unwrap().ja4, expected);
    extensions.reverse();
    assert_eq!(of(&records(0x0303, &ciphers, &extensions)).unwrap().ja4, expected, "browsers shuffle extensions");
}

#[test]
fn ja4_has_zeros_where_nothing_is_said() {
    assert_eq!(of(&records(0x0301, &[], &[])).unwrap().ja4, "t10i000000_000000000000_000000000000");
    let many: Vec<u16> = (1..=120).collect();
    assert!(of(&records(0x0303, &many, &[])).unwrap().ja4.starts_with("t12i9900"));
}

#[test]
fn a_protocol_is_told_by_its_ends() {
    for (name, expected) in
        [(&b"h2"[..], "h2"), (b"http/1.1", "h1"), (b"h", "hh"), (b"", "00"), (b"\xabx", "a8"), (b"\xab", "ab")]
    {
        assert_eq!(protocol(name), expected);
    }
}
