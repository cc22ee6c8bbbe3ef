#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use rimward_types::ByteSize;

fn limits() -> Limits {
    Limits::default()
}

fn judge(head: &str) -> Inspected {
    inspect(head.as_bytes(), &limits())
}

#[test]
fn the_framing_is_what_the_fields_say() {
    for (fields, body) in [
        ("", Framing::Length(0)),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("content-length:7 \r\n", Framing::Length(7)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("TRANSFER-encoding:\tChunked\t\r\n", Framing::Chunked),
    ] {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        assert_eq!(
            judge(&format!("{head}POST")),
            Inspected::Good { len: head.len(), body, switch: false },
            "{fields:?}"
        );
    }
}

#[test]
fn a_head_that_is_cut_is_partial_and_never_wrong() {
    let head = "GET /a?b HTTP/1.1\r\nHost: x\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n";
    for end in 1..head.len() {
        assert_eq!(judge(&head[..end]), Inspected::Partial, "{:?}", &head[..end]);
    }
}

#[test]
fn a_url_at_the_limit_passes_and_one_byte_more_does_not() {
    let limits = Limits { url: ByteSize::bytes(300), ..limits() };
    let get = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(len - 1));
    assert!(matches!(inspect(get(300).as_bytes(), &limits), Inspected::Good { .. }));
    assert_eq!(inspect(get(301).as_bytes(), &limits), Inspected::Refused(Refusal::UrlTooLong));
}

#[test]
fn a_backslash_is_good_in_a_query_alone() {
    assert_eq!(check_path_and_query(b"/a?b\\c"), Ok(()));
    assert_eq!(check_path_and_query(b"/a\\b?c"), Err(Refusal::Target));
}

/// What asks for a WebSocket in bytes does so in the parsed head, and the other way round: the gate goes by the one, the
/// proxy by the other.
#[test]
fn a_websocket_is_asked_for_as_the_parsed_head_says() {
    for (line, fields, asks) in [
        ("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n", true),
        ("GET / HTTP/1.1", "Connection: a\r\nConnection: b,UPGRADE\r\nUpgrade: h2c, websocket\r\n", true),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", true),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nConnection: close\r\nUpgrade: websocket\r\n", false),
        ("GET / HTTP/1.1", "Upgrade: websocket\r\n", false),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: h2c, foo/1\r\n", false),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket/2\r\n", false),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n", false),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", false),
        ("GET / HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", false),
        ("POST / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\n", false),
    ] {
        let text = format!("{line}\r\nHost: x\r\n{fields}\r\n");
        match judge(&text) {
            Inspected::Good { switch, .. } => assert_eq!(switch, asks, "{text}"),
            other => panic!("{other:?}"),
        }
        let mut parsed = rimward_types::RequestHead::get("/");
        parsed.method = line.split(' ').next().unwrap().parse().unwrap();
        parsed.version = if line.ends_with("1.0") { http::Version::HTTP_10 } else { http::Version::HTTP_11 };
        for field in fields.lines() {
            let (name, value) = field.split_once(": ").unwrap();
            parsed.headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        assert_eq!(parsed.asks_for_websocket(), asks, "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = inspect(&bytes, &limits());
    }

    #[test]
    fn no_fields_panic(text in "(GET|POST|OPTIONS|CONNECT) (/|\\*|http://x)[ -~]{0,20} HTTP/1\\.[0-2]\r\n([A-Za-z-]{0,17}[: \t]{0,2}[ -~]{0,10}\r?\n){0,6}\r\n") {
        let _ = judge(&text);
    }

    /// What passes has one length field or one encoding, never both, in whatever case and place they stand.
    #[test]
    fn what_passes_has_one_meaning(
        lengths in prop::collection::vec(prop::sample::select(vec!["Content-Length: 3", "content-length:3", "CONTENT-LENGTH: 4"]), 0..3),
        encodings in prop::collection::vec(prop::sample::select(vec!["Transfer-Encoding: chunked", "transfer-encoding:gzip"]), 0..3),
        first in any::<bool>(),
    ) {
        let (mut fields, mut others) = (lengths.clone(), encodings.clone());
        if first {
            std::mem::swap(&mut fields, &mut others);
        }
        fields.extend(others);
        let text: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let good = matches!(judge(&format!("POST / HTTP/1.1\r\nHost: x\r\n{text}\r\n")), Inspected::Good { .. });
        let one_meaning = lengths.len() + encodings.len() <= 1 && !encodings.iter().any(|e| e.ends_with("gzip"));
        prop_assert_eq!(good, one_meaning);
    }
}
