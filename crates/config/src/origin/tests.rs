#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn url(tls: bool, host: &str, port: u16, path: &str) -> OriginUrl {
    OriginUrl::Http { tls, host: host.to_owned(), port, path: path.to_owned() }
}

#[test]
fn an_origins_url_is_scheme_host_port_and_path() {
    for (text, expected) in [
        ("http://127.0.0.1:9000", url(false, "127.0.0.1", 9000, "")),
        ("https://App.Example.com", url(true, "app.example.com", 443, "")),
        ("HTTP://a/", url(false, "a", 80, "")),
        ("http://a/base/x/", url(false, "a", 80, "/base/x")),
        ("http://[::1]:81/x", url(false, "::1", 81, "/x")),
        ("builtin:demo", OriginUrl::Demo),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_url_of_an_origin_is_refused() {
    for (text, why) in [
        ("", InvalidUrl::Scheme),
        ("127.0.0.1:9000", InvalidUrl::Scheme),
        ("ftp://a", InvalidUrl::Scheme),
        ("builtin:other", InvalidUrl::Scheme),
        ("http://user:pass@a", InvalidUrl::User),
        ("http://", InvalidUrl::Host(InvalidHost::Empty)),
        ("http://*.a", InvalidUrl::Host(InvalidHost::Wildcard)),
        ("http://a:0", InvalidUrl::Port),
        ("http://a:65536", InvalidUrl::Port),
        ("http://a:+80", InvalidUrl::Port),
        ("http://a:", InvalidUrl::Port),
        ("http://a/?q", InvalidUrl::Part('?')),
        ("http://a#f", InvalidUrl::Part('#')),
        ("http://a/b c", InvalidUrl::Character(' ')),
        ("http://a/é", InvalidUrl::Character('é')),
    ] {
        assert_eq!(text.parse::<OriginUrl>(), Err(why), "{text}");
    }
}

#[test]
fn the_authority_leaves_out_the_schemes_own_port() {
    for (text, authority) in
        [("http://a:80", "a"), ("https://a:443", "a"), ("https://a:80", "a:80"), ("http://[::1]:9", "[::1]:9")]
    {
        assert_eq!(text.parse::<OriginUrl>().unwrap().authority(), authority);
    }
}

#[test]
fn the_host_header_goes_before_the_urls_host() {
    let mut origin = Origin::new("app", url(false, "a", 9000, ""));
    assert_eq!(origin.host(), "a:9000");
    origin.host_header = Some("www.example.com".to_owned());
    assert_eq!(origin.host(), "www.example.com");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,30}|https?://[a-z0-9:@/\\[\\]?#.]{0,20}") {
        let _ = text.parse::<OriginUrl>();
    }
}
