//! `jwks` of a viewer function.

use super::super::section::Section;
use crate::{KeySetPlace, KeySetSource, OriginUrl};
use std::net::IpAddr;
use std::time::Duration;
use toml::Spanned;

pub(super) fn read_jwks(section: &Section<'_>) -> Option<KeySetSource> {
    let jwks = section.section("jwks", "jwks", &["url", "file", "ca", "refresh"])?;
    let place = match (jwks.text("url"), jwks.get("file").is_some()) {
        (Some(url), false) => read_url(&jwks, &url),
        (None, true) => jwks.file("file").map(KeySetPlace::File),
        _ => {
            let hint =
                "write `{ url = \"https://id.example.com/.well-known/jwks.json\" }` or `{ file = \"jwks.json\" }`";
            jwks.reader.report_hint(jwks.span.clone(), "`jwks` has one source, a URL or a file", hint);
            None
        }
    };
    let source = KeySetSource::new(place?);
    let refresh = jwks.time("refresh", Duration::from_secs(10)..=Duration::from_secs(86_400));
    Some(KeySetSource { refresh: refresh.unwrap_or(source.refresh), ..source })
}

/// Keys decide who is let in, so they come over TLS, or from this machine.
fn read_url(jwks: &Section<'_>, url: &Spanned<&str>) -> Option<KeySetPlace> {
    let refuse = |what: String| {
        jwks.reader.report(url.span(), format!("wrong `url` of a key set: {what}"));
        None
    };
    let (before, query) = url.get_ref().split_once('?').unwrap_or((*url.get_ref(), ""));
    match before.parse::<OriginUrl>() {
        Ok(OriginUrl::Http { tls, host, .. }) => {
            let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            if !tls && !local {
                return refuse("it must be https, or http of this machine".to_owned());
            }
            if query.bytes().any(|b| b <= b' ' || b == b'#' || b >= 0x7f) {
                return refuse("its query has characters that must be percent-encoded".to_owned());
            }
            Some(KeySetPlace::Url { url: (*url.get_ref()).to_owned(), ca: jwks.file("ca") })
        }
        Ok(OriginUrl::Demo) => refuse("it must be https".to_owned()),
        Err(error) => refuse(error.to_string()),
    }
}
