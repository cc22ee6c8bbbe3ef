//! HTTPS to origins (`cdn-behaviour.md` section 8).

use crate::{fetch, get, text};
use rimward_config::{Origin as Configured, OriginUrl};
use rimward_origin::{ErrorKind, Origins};
use rimward_testkit::{Answer, Authority, Origin};
use rimward_types::{Body, RequestHead};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

pub(crate) fn https(origin: &Origin, ca: Option<&Authority>) -> Configured {
    let url =
        OriginUrl::Http { tls: true, host: "localhost".to_owned(), port: origin.address().port(), path: String::new() };
    Configured { ca: ca.map(Authority::file), ..Configured::new("app", url) }
}

#[tokio::test]
async fn a_trusted_certificate_with_the_origins_name_is_taken_and_the_connection_kept() {
    let authority = Authority::new();
    let origin = Origin::tls(authority.server(&["localhost"]), |_| Answer::ok("x")).await;
    let (origins, to) = (Origins::new(), https(&origin, Some(&authority)));
    origins.prepare(&to).unwrap();
    for reused in [false, true] {
        let fetched = get(&origins, &to, "/").await.unwrap();
        assert_eq!(fetched.connection_reused, reused);
        assert_eq!(text(fetched).await, "x");
    }
}

#[tokio::test]
async fn a_certificate_with_another_name_or_from_another_authority_is_502() {
    let authority = Authority::new();
    let other = Origin::tls(authority.server(&["other.example"]), |_| Answer::ok("x")).await;
    let mine = Origin::tls(authority.server(&["localhost"]), |_| Answer::ok("x")).await;
    for to in [https(&other, Some(&authority)), https(&mine, None), https(&mine, Some(&Authority::new()))] {
        // The name in `Host` does not help: it is the viewer's.
        let mut head = RequestHead::get("/");
        head.headers.insert("host", "other.example".parse().unwrap());
        let error = fetch(&Origins::new(), &to, head, Body::Empty).await.unwrap_err();
        assert_eq!((error.status().as_u16(), error.attempts), (502, 1), "{error}");
        assert_eq!(error.kind, ErrorKind::Tls);
    }
    assert_eq!(other.calls() + mine.calls(), 0);
}

#[tokio::test]
async fn an_origin_without_tls_is_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    };
    let url = OriginUrl::Http { tls: true, host: "localhost".to_owned(), port, path: String::new() };
    let (origins, to) = (Origins::new(), Configured::new("app", url));
    let (fetched, ()) = tokio::join!(get(&origins, &to, "/"), plain);
    assert_eq!(fetched.unwrap_err().kind, ErrorKind::Tls);
}

#[tokio::test]
async fn a_bad_authority_file_is_named_before_it_serves() {
    let authority = Authority::new();
    let origin = Origin::tls(authority.server(&["localhost"]), |_| Answer::ok("x")).await;
    let mut to = https(&origin, None);
    for file in ["/nowhere/ca.pem".into(), authority.sign(&["localhost"]).key] {
        to.ca = Some(file);
        let error = Origins::new().prepare(&to).unwrap_err();
        assert!(error.contains("cannot use"), "{error}");
    }
}

/// cloudfront-functions.md section 11.3: `sni` names the handshake, `allowedCertificateNames` what the certificate may be for.
#[tokio::test]
async fn a_function_may_name_the_handshake_and_the_certificate() {
    let authority = Authority::new();
    let origin = Origin::tls(authority.server(&["other.example", "*.wild.example"]), |_| Answer::ok("x")).await;
    let with = |sni: Option<&str>, names: &[&str]| {
        let mut to = https(&origin, Some(&authority));
        to.overrides.sni = sni.map(str::to_owned);
        to.overrides.certificate_names = names.iter().map(|name| (*name).to_owned()).collect();
        to
    };
    let origins = Origins::new();
    for (sni, names) in [
        (Some("other.example"), &[][..]),
        (None, &["no.example", "other.example"]),
        (None, &["*.wild.example"]),
        (Some("any.example"), &["other.example"]),
    ] {
        let fetched = get(&origins, &with(sni, names), "/").await;
        assert!(fetched.is_ok(), "{sni:?} {names:?}: {:?}", fetched.err());
    }
    for (sni, names) in
        [(Some("no.example"), &[][..]), (Some("other.example"), &["no.example"]), (None, &["*.example"])]
    {
        let error = get(&origins, &with(sni, names), "/").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Tls, "{sni:?} {names:?}");
    }
}
