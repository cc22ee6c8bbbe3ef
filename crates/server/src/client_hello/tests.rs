#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

/// Records of a hello: `extensions` are types with their contents.
pub(crate) fn records(version: u16, ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.extend([2, 1, 2]);
    body.extend(list(ciphers));
    body.extend([1, 0]);
    let mut all = Vec::new();
    for (kind, content) in extensions {
        all.extend(kind.to_be_bytes());
        all.extend(long(content));
    }
    body.extend(long(&all));
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[CLIENT_HELLO], &length[1..], &body].concat();
    [&[HANDSHAKE, 3, 1][..], &long(&message)].concat()
}

/// With a length of two bytes.
pub(crate) fn long(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
}

/// With a length of one byte.
pub(crate) fn short(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// 16-bit numbers with their length in two bytes.
pub(crate) fn list(numbers: &[u16]) -> Vec<u8> {
    long(&numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>())
}

fn hello() -> Vec<u8> {
    let versions = short(&[0x2a, 0x2a, 3, 4, 3, 3]);
    let extensions = [
        (0x0a0a, vec![]),
        (SERVER_NAME, vec![0; 9]),
        (SUPPORTED_GROUPS, list(&[0x1a1a, 29, 23])),
        (POINT_FORMATS, short(&[0, 1])),
        (SIGNATURE_ALGORITHMS, list(&[0x0403, 0x0804])),
        (ALPN, long(&[short(b"h2"), short(b"http/1.1")].concat())),
        (SUPPORTED_VERSIONS, versions),
        (0xfafa, vec![0]),
    ];
    records(0x0303, &[0xdada, 0x1301, 0xc02f], &extensions)
}

#[test]
fn what_a_viewer_offers_is_read_without_grease() {
    let expected = ClientHello {
        version: 0x0303,
        ciphers: vec![0x1301, 0xc02f],
        extensions: vec![0, 10, 11, 13, 16, 43],
        groups: vec![29, 23],
        point_formats: vec![0, 1],
        signature_algorithms: vec![0x0403, 0x0804],
        versions: vec![0x0304, 0x0303],
        protocol: Some(b"h2".to_vec()),
    };
    assert_eq!(ClientHello::read(&hello()), Some(expected));
}

#[test]
fn a_hello_may_come_in_several_records_with_more_behind_it() {
    let whole = hello();
    let content = &whole[5..];
    let mut split = Vec::new();
    for part in content.chunks(11) {
        split.extend([HANDSHAKE, 3, 1]);
        split.extend(long(part));
    }
    split.extend(b"what follows");
    assert_eq!(ClientHello::read(&split), ClientHello::read(&whole));
}

#[test]
fn a_hello_that_is_cut_or_another_message_is_none() {
    let whole = hello();
    for cut in 0..whole.len() {
        assert_eq!(ClientHello::read(&whole[..cut]), None, "{cut}");
    }
    assert_eq!(ClientHello::read(b"GET / HTTP/1.1\r\n\r\n"), None);
    let mut other = whole.clone();
    other[5] = 2;
    assert_eq!(ClientHello::read(&other), None);
}

#[test]
fn an_extension_that_is_malformed_says_nothing() {
    let hello = ClientHello::read(&records(0x0303, &[1], &[(SUPPORTED_GROUPS, vec![0xff, 0xff, 1])])).unwrap();
    assert_eq!((hello.extensions, hello.groups), (vec![SUPPORTED_GROUPS], vec![]));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        ClientHello::read(&bytes);
        ClientHello::read(&[&[HANDSHAKE, 3, 1][..], &long(&bytes)].concat());
    }

    #[test]
    fn no_changed_byte_makes_it_panic(at in 0usize..150, to in any::<u8>()) {
        let mut hello = hello();
        if let Some(byte) = hello.get_mut(at) {
            *byte = to;
        }
        ClientHello::read(&hello);
    }
}
