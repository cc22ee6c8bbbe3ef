//! RFC 9112 sections 2.2, 3, 5, 6, 11.2: bytes in which two servers might see different requests.

use crate::stage::Stage;
use rimward_server::Refusal;

/// Sends a request and one behind it. The first must be refused with `refusal`, the connection must close, and the
/// second must never be seen.
async fn refused(bytes: &str, refusal: Refusal) {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send(format!("{bytes}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let answer = raw.try_response(bytes.starts_with("HEAD ")).await;
    let answer = answer.unwrap_or_else(|| panic!("no answer to {bytes:?}"));
    assert_eq!(answer.status, refusal.status(), "{bytes:?}: {}", answer.head);
    // HTTP/1.0 closes without saying so.
    assert!(bytes.contains("HTTP/1.0") || answer.header("connection") == Some("close"), "{bytes:?}");
    assert!(raw.is_closed().await, "{bytes:?}: the connection stayed open");
    assert_eq!(*stage.script.started.borrow(), 0, "{bytes:?}: the service saw a request");
    assert_eq!(stage.counters.refused(refusal), 1, "{bytes:?}");
    let refusals = stage.refusals();
    assert!(refusals.len() == 1 && refusals[0].starts_with(refusal.as_str()), "{bytes:?}: {refusals:?}");
}

#[tokio::test]
async fn length_and_encoding_together_are_refused_in_either_order() {
    for fields in ["Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked"]
    {
        refused(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n0\r\n\r\n"), Refusal::LengthAndEncoding).await;
    }
}

#[tokio::test]
async fn more_than_one_length_is_refused() {
    for (fields, refusal) in [
        ("Content-Length: 5\r\nContent-Length: 6", Refusal::LengthRepeated),
        ("Content-Length: 5\r\nContent-Length: 5", Refusal::LengthRepeated),
        ("Content-Length: 5, 5", Refusal::LengthInvalid),
    ] {
        refused(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\nhello"), refusal).await;
    }
}

#[tokio::test]
async fn a_length_is_digits_alone() {
    for length in ["+5", "-5", "0x5", "5a", "", "1e1", "99999999999999999999999"] {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        refused(&format!("{head}hello"), Refusal::LengthInvalid).await;
    }
}

#[tokio::test]
async fn an_encoding_other_than_chunked_is_refused() {
    for (encoding, refusal) in [
        ("identity", Refusal::EncodingInvalid),
        ("xchunked", Refusal::EncodingInvalid),
        ("gzip", Refusal::EncodingInvalid),
        ("chunked, gzip", Refusal::EncodingInvalid),
        ("chunked, chunked", Refusal::EncodingInvalid),
        ("chunked\r\nTransfer-Encoding: identity", Refusal::EncodingInvalid),
        ("chunked;q=1", Refusal::EncodingInvalid),
        ("gzip, chunked", Refusal::EncodingUnsupported),
    ] {
        refused(&format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {encoding}\r\n\r\n0\r\n\r\n"), refusal)
            .await;
    }
    refused("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refusal::EncodingInvalid)
        .await;
}

#[tokio::test]
async fn a_malformed_field_is_refused() {
    for (field, refusal) in [
        ("X: a\r\n b", Refusal::ObsFold),
        ("X: a\r\n\tb", Refusal::ObsFold),
        (" X: a", Refusal::ObsFold),
        ("X : a", Refusal::HeaderName),
        ("X\t: a", Refusal::HeaderName),
        (": a", Refusal::HeaderName),
        ("X a", Refusal::HeaderName),
        ("X(y): a", Refusal::HeaderName),
        ("X: a\rb", Refusal::LineEnd),
        ("X: a\nY: b", Refusal::LineEnd),
        ("X: a\0b", Refusal::HeaderValue),
        ("X: a\x7fb", Refusal::HeaderValue),
        ("Transfer-Encoding\0: chunked", Refusal::HeaderName),
    ] {
        refused(&format!("GET / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"), refusal).await;
    }
}

#[tokio::test]
async fn a_malformed_request_line_is_refused() {
    for (line, refusal) in [
        ("GET  / HTTP/1.1", Refusal::RequestLine),
        ("GET /a b HTTP/1.1", Refusal::RequestLine),
        ("GET / HTTP/1.1 ", Refusal::RequestLine),
        ("GET /", Refusal::RequestLine),
        ("G(T / HTTP/1.1", Refusal::RequestLine),
        (" GET / HTTP/1.1", Refusal::RequestLine),
        ("GET / http/1.1", Refusal::RequestLine),
        ("GET / HTTP/1.2", Refusal::HttpVersion),
        ("GET / HTTP/3.0", Refusal::HttpVersion),
        ("GET index.html HTTP/1.1", Refusal::Target),
        ("GET * HTTP/1.1", Refusal::Target),
        ("GET ftp://x/ HTTP/1.1", Refusal::Target),
        ("GET http:///a HTTP/1.1", Refusal::Target),
        ("GET /a\tb HTTP/1.1", Refusal::Target),
        ("GET /<b> HTTP/1.1", Refusal::Target),
        ("GET /a\\b HTTP/1.1", Refusal::Target),
        ("GET /\u{e9} HTTP/1.1", Refusal::Target),
        ("GET /a#b HTTP/1.1", Refusal::Fragment),
        ("CONNECT x:443 HTTP/1.1", Refusal::Method),
        ("TRACE / HTTP/1.1", Refusal::Method),
    ] {
        refused(&format!("{line}\r\nHost: x\r\n\r\n"), refusal).await;
    }
}

#[tokio::test]
async fn exactly_one_good_host_is_needed() {
    for (fields, refusal) in [
        ("", Refusal::HostMissing),
        ("Host: a\r\nHost: b\r\n", Refusal::HostRepeated),
        ("Host: a\r\nHost: a\r\n", Refusal::HostRepeated),
        ("Host:\r\n", Refusal::HostInvalid),
        ("Host: a b\r\n", Refusal::HostInvalid),
        ("Host: a/b\r\n", Refusal::HostInvalid),
        ("Host: u@a\r\n", Refusal::HostInvalid),
        ("Host: a:port\r\n", Refusal::HostInvalid),
        ("Host: a, b\r\n", Refusal::HostInvalid),
        ("Host: [::1\r\n", Refusal::HostInvalid),
        ("Host: [x]\r\n", Refusal::HostInvalid),
    ] {
        refused(&format!("GET / HTTP/1.1\r\n{fields}\r\n"), refusal).await;
    }
    refused("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", Refusal::HostMismatch).await;
}

#[tokio::test]
async fn good_hosts_pass() {
    let stage = Stage::start().await;
    for host in ["a", "www.Example.com", "a_b.example", "127.0.0.1:8080", "[::1]:80", "x:"] {
        let status = stage.status_of(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(status, 200, "{host}");
    }
    assert_eq!(stage.status_of("GET http://A:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n").await, 200);
}

#[tokio::test]
async fn a_line_feed_alone_ends_no_line() {
    refused("GET / HTTP/1.1\nHost: x\n\n", Refusal::LineEnd).await;
    refused("GET / HTTP/1.1\r\nHost: x\n\r\n", Refusal::LineEnd).await;
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_even_when_refused() {
    refused("HEAD /a#b HTTP/1.1\r\nHost: x\r\n\r\n", Refusal::Fragment).await;
}

#[tokio::test]
async fn a_request_before_the_refused_one_is_answered_first() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    raw.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\nGET /third HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let first = raw.response().await;
    assert!(first.text().starts_with("GET /first"), "{}", first.text());
    assert_eq!(raw.response().await.status, 400);
    assert!(raw.is_closed().await);
    assert_eq!(*stage.script.started.borrow(), 1);
    assert_eq!(stage.refusals(), ["host-repeated GET / HTTP/1.1"]);
}

#[tokio::test]
async fn a_refused_head_behind_a_body_is_found() {
    let stage = Stage::start().await;
    for body in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
        let mut raw = stage.raw().await;
        raw.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{body}GET / HTTP/1.1\r\nHost : x\r\n\r\n")).await;
        assert!(raw.response().await.text().ends_with("\n\nhello"));
        assert_eq!(raw.response().await.status, 400);
        assert!(raw.is_closed().await);
    }
}

#[tokio::test]
async fn broken_chunks_end_the_body_and_the_connection() {
    for chunks in
        ["5\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n"]
    {
        let stage = Stage::start().await;
        let mut raw = stage.raw().await;
        raw.send(format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")).await;
        raw.send("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let rest = String::from_utf8(raw.rest().await).unwrap();
        assert!(!rest.contains("200 OK") && !rest.contains("smuggled"), "{chunks:?}: {rest}");
        assert!(*stage.script.started.borrow() <= 1);
    }
}

#[tokio::test]
async fn bytes_that_come_one_by_one_mean_the_same() {
    let stage = Stage::start().await;
    let mut raw = stage.raw().await;
    let text = "\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: u\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    for byte in text.as_bytes() {
        raw.send([*byte]).await;
    }
    let first = raw.response().await;
    assert!(
        first.text().starts_with("POST /a Some(\"b\") HTTP/1.1\n") && first.text().ends_with("\n\nabc"),
        "{}",
        first.text()
    );
    assert!(raw.response().await.text().starts_with("GET /next"));
    assert_eq!(raw.response().await.status, 400);
}
