#![allow(clippy::unwrap_used)]
use super::*;
use rimward_types::connection::Tls;

fn added(names: &[&str], connection: &Connection, reused: bool, request: &mut RequestHead) {
    let named: Vec<_> = KNOWN.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect();
    assert_eq!(named.len(), names.len());
    add(&named, connection, reused, request);
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
    let tls = |resumed| Tls { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256".into(), server_name: None, resumed };
    for (resumed, reused, text) in
        [(false, false, "fullHandshake"), (true, false, "sessionResumed"), (true, true, "connectionReused")]
    {
        let mut request = RequestHead::get("/");
        added(&["cloudfront-viewer-tls"], &connection(Some(tls(resumed))), reused, &mut request);
        let expected = format!("TLSv1.3:TLS_AES_128_GCM_SHA256:{text}");
        assert_eq!(request.header("cloudfront-viewer-tls"), Some(&*expected));
    }
}

#[test]
fn what_no_policy_names_is_left_alone() {
    let mut request = RequestHead::get("/");
    request.headers.insert("cloudfront-viewer-address", HeaderValue::from_static("own"));
    add(&[], &connection(None), false, &mut request);
    assert_eq!(request.header("cloudfront-viewer-address"), Some("own"));
}
