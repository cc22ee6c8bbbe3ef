//! Compression (`cdn-behaviour.md` sections 6 and 13), in front of an origin that answers with text.

use rimward_testkit::{Answer as Given, Origin, Received, step};
use rimward_tests::{Answer, TestNode, request};
use rimward_types::Body;
use std::io::Read;

/// 20,000 bytes that compress well.
fn page() -> String {
    "All work and no play. ".repeat(1000).chars().take(20_000).collect()
}

fn html(received: &Received) -> Given {
    if received.header("if-none-match").is_some_and(|tags| tags.contains("\"v1\"")) {
        return Given::new(304, "").header("etag", "\"v1\"").header("cache-control", "max-age=60");
    }
    let head = Given::cached(60, if received.method == "HEAD" { String::new() } else { page() });
    let head = head.header("content-type", "text/html; charset=utf-8").header("etag", "\"v1\"");
    if received.method == "HEAD" { head.header("content-length", "20000") } else { head }
}

fn config(origin: &Origin, more: &str) -> String {
    format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\n\
         origin = \"app\"\ncompress = true\n{more}",
        origin.url()
    )
}

async fn node(origin: &Origin) -> TestNode {
    TestNode::start(&config(origin, ""), &[]).await
}

async fn taking(node: &TestNode, codings: &str) -> Answer {
    node.get_with("/page", &[("accept-encoding", codings)]).await
}

fn decode(answer: &Answer) -> String {
    let (mut text, bytes) = (String::new(), &answer.bytes[..]);
    match answer.header("content-encoding") {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text),
        "zstd" => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_string(&mut text),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
        other => panic!("no coding of ours: {other:?}"),
    }
    .unwrap();
    text
}

#[tokio::test]
async fn each_coding_is_made_once_and_then_comes_from_the_cache() {
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    for (codings, coding) in [("gzip, deflate, br, zstd", "br"), ("zstd", "zstd"), ("gzip;q=0.5, br;q=0", "gzip")] {
        let first = taking(&node, codings).await;
        assert_eq!((first.header("content-encoding"), first.header("x-cache")), (coding, "Miss from cloudfront"));
        assert_eq!(decode(&first), page());
        assert!(first.bytes.len() < 2000, "{coding}: {} bytes", first.bytes.len());
        assert_eq!((first.header("etag"), first.header("vary")), ("W/\"v1\"", "Accept-Encoding"));
        assert_eq!(first.header("content-length"), "");
        assert_eq!(node.record()["compression"], coding);
        let second = taking(&node, codings).await;
        assert_eq!((second.header("content-encoding"), second.header("x-cache")), (coding, "Hit from cloudfront"));
        assert_eq!(second.bytes, first.bytes);
        node.record();
    }
    assert_eq!(origin.calls(), 3);
}

#[tokio::test]
async fn who_takes_no_coding_gets_none_and_the_answer_varies() {
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    for codings in ["identity", "deflate", "gzip;q=0", "*;q=0", "identity;q=1, *;q=0.5"] {
        let answer = taking(&node, codings).await;
        assert_eq!((answer.header("content-encoding"), answer.body.as_str()), ("", page().as_str()), "{codings}");
        assert_eq!((answer.head.header("etag"), answer.head.header("vary")), (Some("\"v1\""), Some("Accept-Encoding")));
    }
    assert_eq!(node.get("/page").await.body, page());
    assert_eq!(origin.calls(), 1, "all of them are one variant");
    assert_eq!(node.record()["compression"], "not-asked-for");
}

#[tokio::test]
async fn a_coded_answer_is_validated_by_its_weak_entity_tag() {
    // RFC 9110 section 13.1.2, on both sides of the node
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    let first = taking(&node, "br").await;
    let condition = [("accept-encoding", "br"), ("if-none-match", "W/\"v1\"")];
    let unchanged = node.get_with("/page", &condition).await;
    assert_eq!((unchanged.status(), unchanged.body.as_str()), (304, ""));
    assert_eq!((unchanged.header("etag"), unchanged.header("vary")), ("W/\"v1\"", "Accept-Encoding"));
    node.advance(61);
    let refreshed = taking(&node, "br").await;
    assert_eq!(refreshed.header("x-cache"), "RefreshHit from cloudfront");
    assert_eq!(origin.received()[1].header("if-none-match"), Some("W/\"v1\""));
    assert_eq!((refreshed.header("etag"), refreshed.header("content-encoding")), ("W/\"v1\"", "br"));
    assert_eq!(refreshed.bytes, first.bytes);
}

#[tokio::test]
async fn the_answer_to_head_is_that_to_get_without_its_body() {
    // RFC 9110 section 9.3.2, from the origin and from the cache
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    let head = || node.send(request("HEAD", "/page", &[("accept-encoding", "gzip")]), Body::Empty);
    let from_origin = head().await;
    let get = taking(&node, "gzip").await;
    let from_cache = head().await;
    assert_eq!(from_cache.header("x-cache"), "Hit from cloudfront");
    for head in [&from_origin, &from_cache] {
        for name in ["content-encoding", "etag", "vary", "content-type"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        assert!(head.bytes.is_empty());
    }
    assert_eq!(from_origin.header("content-length"), "", "nobody knows it");
}

#[tokio::test]
async fn a_range_is_a_part_of_what_is_not_coded() {
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    taking(&node, "gzip").await;
    let part = node.get_with("/page", &[("accept-encoding", "gzip"), ("range", "bytes=0-9")]).await;
    assert_eq!((part.status(), part.body.as_str()), (206, "All work a"));
    assert_eq!((part.header("content-encoding"), part.header("etag")), ("", "\"v1\""));
}

#[tokio::test]
async fn what_must_stay_as_it_is_stays_so() {
    let long = page();
    for (reason, header, value, body) in [
        ("not-for-type", "content-type", "image/png", long.clone()),
        ("coded-before", "content-encoding", "gzip", long.clone()),
        ("no-transform", "cache-control", "max-age=60, no-transform", long.clone()),
        ("has-digest", "repr-digest", "sha-256=:AAAA:", long.clone()),
        ("not-for-size", "x-any", "1", "short".to_owned()),
    ] {
        let origin = Origin::new(move |_| {
            let typed = if header == "content-type" { "x-none" } else { "content-type" };
            Given::ok(body.clone()).header(typed, "text/plain").header(header, value).header("etag", "\"v1\"")
        })
        .await;
        let node = node(&origin).await;
        let answer = taking(&node, "br, gzip").await;
        assert_eq!(answer.header("etag"), "\"v1\"", "{reason}");
        assert!(answer.bytes.len() == long.len() || answer.body == "short", "{reason}");
        assert_eq!(node.record()["compression"], reason);
    }
}

#[tokio::test]
async fn a_viewer_that_wants_no_transformation_or_speaks_http_1_0_gets_none() {
    // RFC 9111 section 5.2.1.6; `cdn-behaviour.md` section 21
    let origin = Origin::new(html).await;
    let node = node(&origin).await;
    let mut old = request("GET", "/page", &[("accept-encoding", "gzip")]);
    old.version = http::Version::HTTP_10;
    assert_eq!(node.send(old, Body::Empty).await.body, page());
    let wish = [("accept-encoding", "gzip"), ("cache-control", "no-transform")];
    assert_eq!(node.get_with("/page", &wish).await.body, page());
}

#[tokio::test]
async fn what_is_not_stored_is_compressed_on_its_way() {
    let origin = Origin::new(|_| {
        Given::ok(page()).header("content-type", "application/json").header("cache-control", "no-store")
    })
    .await;
    let node = node(&origin).await;
    for _ in 0..2 {
        let answer = taking(&node, "gzip").await;
        assert_eq!((answer.header("x-cache"), decode(&answer)), ("Miss from cloudfront", page()));
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_sent_on_when_the_origin_pauses() {
    let (go, wait) = step();
    let wait = std::sync::Mutex::new(Some(wait));
    let origin = Origin::new(move |_| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n6\r\nfirst \r\n";
        Given::raw(head).then_wait(wait.lock().unwrap().take().unwrap()).then("6\r\nsecond\r\n0\r\n\r\n")
    })
    .await;
    let node = node(&origin).await;
    let (head, mut body) = node.open(request("GET", "/page", &[("accept-encoding", "gzip")]), Body::Empty).await;
    assert_eq!(head.header("content-encoding"), Some("gzip"));
    // The rest of the page waits until this part was seen.
    let mut coded = Vec::new();
    while !readable(&coded).starts_with("first ") {
        coded.extend_from_slice(&next(&mut body).await.unwrap());
    }
    go.go();
    while let Some(part) = next(&mut body).await {
        coded.extend_from_slice(&part);
    }
    assert_eq!(readable(&coded), "first second");
}

async fn next(body: &mut rimward_proxy::RecordedBody) -> Option<bytes::Bytes> {
    use http_body_util::BodyExt;
    Some(body.frame().await?.unwrap().into_data().unwrap())
}

/// What can be read of gzip that has no end yet.
fn readable(coded: &[u8]) -> String {
    let (mut decoder, mut text, mut part) = (flate2::read::GzDecoder::new(coded), Vec::new(), [0; 64]);
    while let Ok(count @ 1..) = decoder.read(&mut part) {
        text.extend_from_slice(&part[..count]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn with_a_policy_of_cloudfronts_kind_the_key_has_the_coding() {
    // `cdn-behaviour.md` section 6
    let origin = Origin::new(html).await;
    let node = TestNode::start(&config(&origin, "cache-policy = \"caching-optimized\"\n"), &[]).await;
    for (codings, coding, asked) in [
        ("gzip, br", "br", Some("br,gzip")),
        ("gzip", "gzip", Some("gzip")),
        ("zstd, gzip", "zstd", Some("zstd,gzip")),
        ("deflate", "", Some("identity")),
    ] {
        assert_eq!(taking(&node, codings).await.header("content-encoding"), coding);
        assert_eq!(origin.received().last().unwrap().header("accept-encoding"), asked);
        assert_eq!(taking(&node, codings).await.header("x-cache"), "Hit from cloudfront");
    }
    assert_eq!(node.get("/page").await.header("x-cache"), "Hit from cloudfront", "absent is as none of ours");
    assert_eq!(origin.calls(), 4);
}

#[tokio::test]
async fn without_the_key_nothing_is_coded() {
    let origin = Origin::new(html).await;
    let plain = config(&origin, "").replace("compress = true\n", "");
    let node = TestNode::start(&plain, &[]).await;
    let answer = taking(&node, "gzip").await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary"), answer.header("etag")), ("", "", "\"v1\""));
}

#[tokio::test]
async fn what_the_origin_has_coded_goes_to_those_who_take_it_alone() {
    // nginx: gzip_static without gzip_vary. The node has changed what the origin chose by.
    let origin = Origin::new(|received| match received.header("accept-encoding") {
        Some(codings) if codings.contains("gzip") => {
            Given::cached(60, "coded").header("content-type", "text/html").header("content-encoding", "gzip")
        }
        _ => Given::cached(60, page()).header("content-type", "text/html"),
    })
    .await;
    let node = node(&origin).await;
    assert_eq!(taking(&node, "gzip").await.header("vary"), "Accept-Encoding");
    let answer = node.get("/page").await;
    assert_eq!((&answer.body, answer.header("content-encoding")), (&page(), ""));
    assert_eq!(taking(&node, "gzip").await.body, "coded");
}

#[tokio::test]
async fn http_1_0_viewers_of_a_coded_key_get_what_everybody_can_read() {
    // cdn-behaviour.md section 21
    let origin =
        Origin::new(|received| Given::cached(60, received.header("accept-encoding").unwrap_or("none").to_owned()))
            .await;
    let policy = "[cache-policies.p]\nprofile = \"cloudfront\"\naccept-encoding = true\n";
    let config = config(&origin, &format!("cache-policy = \"p\"\n{policy}")).replace("compress = true\n", "");
    let node = TestNode::start(&config, &[]).await;
    let mut old = request("GET", "/", &[("accept-encoding", "gzip")]);
    old.version = http::Version::HTTP_10;
    assert_eq!(node.send(old, Body::Empty).await.body, "none");
    assert_eq!(node.get_with("/", &[("accept-encoding", "gzip")]).await.body, "gzip");
}

#[tokio::test]
async fn what_is_not_kept_is_not_coded_with_a_policy_of_cloudfronts_kind() {
    // cdn-behaviour.md section 13: TTL > 0
    let origin = Origin::new(|received| {
        let control = received.target.trim_start_matches('/').to_owned();
        Given::ok(page()).header("content-type", "text/html").header("cache-control", &control)
    })
    .await;
    let policy = "cache-policy = \"p\"\n[cache-policies.p]\nprofile = \"cloudfront\"\naccept-encoding = true\n";
    let node = TestNode::start(&config(&origin, policy), &[]).await;
    for (path, coding, word) in
        [("/no-store", "", "not-kept"), ("/max-age=0", "", "not-kept"), ("/max-age=9", "gzip", "gzip")]
    {
        let answer = node.get_with(path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(answer.header("content-encoding"), coding, "{path}");
        assert_eq!(node.record()["compression"], word, "{path}");
    }
}
