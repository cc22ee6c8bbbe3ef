#![allow(clippy::unwrap_used)]
use super::known::KNOWN;
use super::*;
use rimward_types::connection::{Fingerprints, Tls};

fn added(names: &[&str], connection: &Connection, reused: bool, request: &mut RequestHead) {
    let named: Vec<_> = KNOWN.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect();
    assert_eq!(named.len(), names.len());
    of_viewer(&named, Viewer { connection, reused, mutual: connection.mutual("E1"), geo: &Geo::default() }, request)
        .put(request);
}

fn tls(resumed: bool) -> Tls {
    let fingerprints = Some(Fingerprints { ja3: "ada7".into(), ja4: "t13d".into() });
    Tls {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        server_name: None,
        resumed,
        fingerprints,
        mutual: None,
    }
}

fn connection(tls: Option<Tls>) -> Connection {
    Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), tls)
}

/// cloudfront-functions.md section 14.
#[test]
fn named_headers_tell_of_the_viewer_whatever_it_says_itself() {
    let mut request = RequestHead::get("/");
    for (name, value) in
        [("host", "a.example"), ("user-agent", "x (iPhone)"), ("cloudfront-viewer-address", "1.1.1.1:1")]
    {
        request.headers.append(name, HeaderValue::from_static(value));
    }
    let names = [
        "cloudfront-viewer-address",
        "cloudfront-viewer-http-version",
        "cloudfront-forwarded-proto",
        "cloudfront-is-mobile-viewer",
        "cloudfront-is-desktop-viewer",
        "cloudfront-viewer-header-order",
        "cloudfront-viewer-header-count",
        "cloudfront-viewer-tls",
    ];
    added(&names, &connection(None), false, &mut request);
    for (name, value) in [
        ("cloudfront-viewer-address", "203.0.113.7:4711"),
        ("cloudfront-viewer-http-version", "1.1"),
        ("cloudfront-forwarded-proto", "http"),
        ("cloudfront-is-mobile-viewer", "true"),
        ("cloudfront-is-desktop-viewer", "false"),
        ("cloudfront-viewer-header-order", "Host:User-Agent:Cloudfront-Viewer-Address"),
        ("cloudfront-viewer-header-count", "3"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("cloudfront-viewer-tls"), None, "over HTTPS alone");
}

#[test]
fn tls_is_told_with_its_handshake() {
    for (resumed, reused, text) in
        [(false, false, "fullHandshake"), (true, false, "sessionResumed"), (true, true, "connectionReused")]
    {
        let mut request = RequestHead::get("/");
        added(&["cloudfront-viewer-tls"], &connection(Some(tls(resumed))), reused, &mut request);
        let expected = format!("TLSv1.3:TLS_AES_128_GCM_SHA256:{text}");
        assert_eq!(request.header("cloudfront-viewer-tls"), Some(&*expected));
    }
}

/// cloudfront-functions.md section 14: over HTTPS alone, whatever the viewer says itself.
#[test]
fn a_viewers_tls_library_is_told_by_its_fingerprints() {
    let names = ["cloudfront-viewer-ja3-fingerprint", "cloudfront-viewer-ja4-fingerprint"];
    for (tls, expected) in [(Some(tls(false)), [Some("ada7"), Some("t13d")]), (None, [None, None])] {
        let mut request = RequestHead::get("/");
        request.headers.insert(names[0], HeaderValue::from_static("own"));
        added(&names, &connection(tls), false, &mut request);
        assert_eq!(names.map(|name| request.header(name)), expected);
    }
}

#[test]
fn what_no_policy_names_is_left_alone() {
    let mut request = RequestHead::get("/");
    request.headers.insert("cloudfront-viewer-address", HeaderValue::from_static("own"));
    let connection = connection(None);
    let viewer = Viewer { connection: &connection, reused: false, mutual: None, geo: &Geo::default() };
    of_viewer(&[], viewer, &request).put(&mut request);
    assert_eq!(request.header("cloudfront-viewer-address"), Some("own"));
}

/// cloudfront-functions.md section 14: names joined by `:`, cut at 7,680 characters; lower case is HTTP/2's.
#[test]
fn the_order_of_header_names_is_told_up_to_a_limit() {
    let names = ["cloudfront-viewer-header-order", "cloudfront-viewer-header-count", "cloudfront-viewer-http-version"];
    let mut request = RequestHead { version: Version::HTTP_2, ..RequestHead::get("/") };
    for name in ["x-b", "accept", "x-b"] {
        request.headers.append(name, HeaderValue::from_static("1"));
    }
    added(&names, &connection(None), false, &mut request);
    assert_eq!(names.map(|name| request.header(name)), [Some("x-b:accept"), Some("3"), Some("2.0")]);
    let mut long = RequestHead::get("/");
    for n in 0..120 {
        let name = HeaderName::from_bytes(format!("x-{n:03}-{}", "a".repeat(90)).as_bytes()).unwrap();
        long.headers.insert(name, HeaderValue::from_static("1"));
    }
    added(&names[..2], &connection(None), false, &mut long);
    let order = long.header(names[0]).unwrap();
    assert_eq!((order.len(), long.header(names[1])), (7680, Some("120")));
    assert!(order.starts_with("X-000-A"), "{order}");
}

/// cloudfront-functions.md section 14: the text that the vendor's examples have for each version.
#[test]
fn versions_have_their_texts() {
    for (version, text) in
        [(Version::HTTP_10, "1.0"), (Version::HTTP_11, "1.1"), (Version::HTTP_2, "2.0"), (Version::HTTP_3, "3.0")]
    {
        let mut request = RequestHead { version, ..RequestHead::get("/") };
        added(&["cloudfront-viewer-http-version"], &connection(None), false, &mut request);
        assert_eq!(request.header("cloudfront-viewer-http-version"), Some(text));
    }
}

/// An origin in CGI's tradition reads `HTTP_CLOUDFRONT_VIEWER_CERT_SUBJECT`, whichever mark stood between the words.
#[test]
fn what_a_viewer_says_under_the_nodes_names_goes_however_they_are_spelled() {
    let mut request = RequestHead::get("/");
    for name in [
        "cloudfront-viewer-cert-subject",
        "cloudfront_viewer_cert_subject",
        "cloudfront-viewer_cert-pem",
        "cloudfront_forwarded_proto",
    ] {
        request.headers.append(name, HeaderValue::from_static("CN=admin"));
    }
    for (name, _) in &KNOWN {
        request.headers.append(name, HeaderValue::from_static("forged"));
    }
    for name in ["cloudfront", "cloudfrontXviewer-cert-a", "x-cloudfront-viewer-cert-subject"] {
        request.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("own"));
    }
    strip(&mut request);
    assert!(request.headers.values().all(|value| value == "own"));
    assert_eq!(request.headers.len(), 3);
}
