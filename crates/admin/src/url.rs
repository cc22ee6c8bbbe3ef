//! URLs in what is asked for.

use http::Uri;
use rimward_config::host::{InvalidHost, parse_domain};

/// The longest URL, in bytes (`cdn-behaviour.md` section 20).
const MAX_URL: usize = 8192;

/// A URL with scheme and host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// Host, as `Config::distribution_for` takes it: lower case, without port.
    pub(crate) host: String,
    /// Host and port as written.
    pub(crate) authority: String,
    /// Whether the scheme is `https`.
    pub(crate) tls: bool,
    /// Path, and `?` and query where there is one, as written.
    pub(crate) path: String,
}

/// A text is no URL that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It is no URL, or has no scheme or host.
    #[error("`{0}` is not a URL with scheme and host")]
    Malformed(String),
    /// Its host is no host.
    #[error("the URL's host is wrong: {0}")]
    Host(InvalidHost),
    /// It has a user, a password or a fragment.
    #[error("the URL cannot have {0}")]
    Part(&'static str),
    /// It is too long.
    #[error("the URL has {0} bytes; it has at most {MAX_URL}")]
    TooLong(usize),
}

impl Url {
    /// Reads `text`.
    ///
    /// # Errors
    /// When it is no URL.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if text.len() > MAX_URL {
            return Err(InvalidUrl::TooLong(text.len()));
        }
        if text.contains('#') {
            return Err(InvalidUrl::Part("a fragment"));
        }
        let invalid = || InvalidUrl::Malformed(text.to_owned());
        let parsed: Uri = text.parse().map_err(|_| invalid())?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return Err(invalid());
        }
        let authority = parsed.authority().ok_or_else(invalid)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Part("a user or a password"));
        }
        let host = parse_domain(authority.host()).map_err(InvalidUrl::Host)?;
        if host.contains('*') {
            return Err(InvalidUrl::Host(InvalidHost::Wildcard));
        }
        let path = parsed.path_and_query().map_or("/", |path| path.as_str());
        // `https://host?query` has an empty path, which is `/` (RFC 9110 section 4.2.3).
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let tls = parsed.scheme_str() == Some("https");
        Ok(Self { host, authority: authority.to_string(), tls, path })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_url_is_host_and_path_with_query() {
        for (text, host, path) in [
            ("https://www.example.com/a/b?c=1", "www.example.com", "/a/b?c=1"),
            ("http://WWW.Example.com:8080/A%2f", "www.example.com", "/A%2f"),
            ("https://a.com", "a.com", "/"),
            ("https://a.com?b", "a.com", "/?b"),
            ("https://[::1]:1/a*b", "[::1]", "/a*b"),
            ("https://a.com//x/../y", "a.com", "//x/../y"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.path.as_str(), url.tls),
                (host, path, text.starts_with("https")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long = format!("https://a.com/{}", "a".repeat(8192));
        for (text, why) in [
            ("/a", InvalidUrl::Malformed("/a".to_owned())),
            ("a.com/a", InvalidUrl::Malformed("a.com/a".to_owned())),
            ("ftp://a.com/a", InvalidUrl::Malformed("ftp://a.com/a".to_owned())),
            ("https://a.com/a b", InvalidUrl::Malformed("https://a.com/a b".to_owned())),
            ("https://a.com/#a", InvalidUrl::Part("a fragment")),
            ("https://u:p@a.com/", InvalidUrl::Part("a user or a password")),
            ("https://*.a.com/", InvalidUrl::Host(InvalidHost::Wildcard)),
            (&long, InvalidUrl::TooLong(8206)),
        ] {
            assert_eq!(Url::parse(text), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|https?://[a-z.:@\\[\\]0-9]{0,9}/?[a-z?#*%]{0,9}") {
            let _ = Url::parse(&text);
        }
    }
}
