//! What `POST /purge` asks for: `{"url": "https://host/path?query"}`, `{"prefix": "https://host/path*"}` or
//! `{"everything": true}`, each with `"dry-run": true` to count only.

use crate::Purged;
use http::{StatusCode, Uri};
use rimward_config::host::{InvalidHost, parse_domain};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest URL, in bytes (`cdn-behaviour.md` section 20).
const MAX_URL: usize = 8192;
/// URLs that a receipt names.
const MAX_EXAMPLES: usize = 10;

/// A purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// What to remove.
    pub target: Target,
    /// Whether it is counted only.
    pub dry_run: bool,
}

/// What to remove. Hosts are as `Config::distribution_for` takes them; paths are as they were stored, after
/// viewer-request, in the viewer's own encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every variant of one URL.
    Url {
        /// Host.
        host: String,
        /// Path, and `?` and query where there is one.
        path: String,
    },
    /// Every URL that begins with this.
    Prefix {
        /// Host.
        host: String,
        /// Beginning of path and query, without the `*`.
        prefix: String,
    },
    /// Everything, of every distribution.
    Everything,
}

/// A body that asks for no purge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPurge {
    /// It is no JSON, or has unknown keys.
    #[error("the body is not what it should be: {0}")]
    Json(String),
    /// None or several of the three ways to say what.
    #[error("a purge has exactly one of `url`, `prefix` and `everything`")]
    NotOne,
    /// `"everything": false`.
    #[error("`everything` can only be true")]
    EverythingFalse,
    /// The URL is no URL, or has no scheme or host.
    #[error("`{0}` is not a URL with scheme and host")]
    Url(String),
    /// The URL's host is no host.
    #[error("the URL's host is wrong: {0}")]
    Host(InvalidHost),
    /// The URL has a user, a password or a fragment.
    #[error("the URL cannot have {0}")]
    Part(&'static str),
    /// The URL is too long.
    #[error("the URL has {0} bytes; it has at most {MAX_URL}")]
    TooLong(usize),
    /// A prefix does not end with `*`.
    #[error("a prefix ends with `*`")]
    NoStar,
    /// A URL ends with `*`.
    #[error("a URL does not end with `*`")]
    Star,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Request {
    url: Option<String>,
    prefix: Option<String>,
    everything: Option<bool>,
    #[serde(default)]
    dry_run: bool,
}

impl Purge {
    /// Reads a body.
    ///
    /// # Errors
    /// When it asks for nothing, for several things, or for a URL that is none.
    pub fn from_json(body: &[u8]) -> Result<Self, InvalidPurge> {
        let request: Request = serde_json::from_slice(body).map_err(|error| InvalidPurge::Json(error.to_string()))?;
        let target = match (request.url, request.prefix, request.everything) {
            (Some(url), None, None) => {
                if url.ends_with('*') {
                    return Err(InvalidPurge::Star);
                }
                let (host, path) = split(&url)?;
                Target::Url { host, path }
            }
            (None, Some(prefix), None) => {
                // `cdn-behaviour.md` section 17: `*` is a wildcard as the last character, and itself elsewhere.
                let prefix = prefix.strip_suffix('*').ok_or(InvalidPurge::NoStar)?;
                let (host, prefix) = split(prefix)?;
                Target::Prefix { host, prefix }
            }
            (None, None, Some(true)) => Target::Everything,
            (None, None, Some(false)) => return Err(InvalidPurge::EverythingFalse),
            _ => return Err(InvalidPurge::NotOne),
        };
        Ok(Self { target, dry_run: request.dry_run })
    }

    /// What the caller gets.
    pub(crate) fn receipt(&self, purged: &Purged) -> Value {
        let examples = &purged.examples[..purged.examples.len().min(MAX_EXAMPLES)];
        json!({ "removed": purged.removed, "bytes": purged.bytes, "examples": examples, "dry-run": self.dry_run })
    }
}

/// Host, and path with query.
fn split(url: &str) -> Result<(String, String), InvalidPurge> {
    if url.len() > MAX_URL {
        return Err(InvalidPurge::TooLong(url.len()));
    }
    if url.contains('#') {
        return Err(InvalidPurge::Part("a fragment"));
    }
    let invalid = || InvalidPurge::Url(url.to_owned());
    let parsed: Uri = url.parse().map_err(|_| invalid())?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err(invalid());
    }
    let authority = parsed.authority().ok_or_else(invalid)?;
    if authority.as_str().contains('@') {
        return Err(InvalidPurge::Part("a user or a password"));
    }
    let host = parse_domain(authority.host()).map_err(InvalidPurge::Host)?;
    if host.contains('*') {
        return Err(InvalidPurge::Host(InvalidHost::Wildcard));
    }
    let path = parsed.path_and_query().map_or("/", |path| path.as_str());
    // `https://host?query` has an empty path, which is `/` (RFC 9110 section 4.2.3).
    Ok((host, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }))
}

// === impl InvalidPurge ===

impl InvalidPurge {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            InvalidPurge::Json(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            InvalidPurge::Star => "to purge all that begins with it, call it `prefix`",
            InvalidPurge::NoStar => "write {\"prefix\": \"https://host/images/*\"}, or call it `url`",
            _ => {
                "write {\"url\": \"https://host/path\"}, {\"prefix\": \"https://host/path*\"} or {\"everything\": true}"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Target, InvalidPurge> {
        Purge::from_json(body.as_bytes()).map(|purge| purge.target)
    }

    fn url(url: &str) -> Result<(String, String), InvalidPurge> {
        match read(&json!({ "url": url }).to_string())? {
            Target::Url { host, path } => Ok((host, path)),
            other => panic!("{other:?}"),
        }
    }

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
            assert_eq!(url(text), Ok((host.to_owned(), path.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_prefix_ends_with_a_star() {
        let prefix = |text: &str| Target::Prefix { host: "a.com".to_owned(), prefix: text.to_owned() };
        assert_eq!(read(r#"{"prefix":"https://a.com/images/*"}"#), Ok(prefix("/images/")));
        assert_eq!(read(r#"{"prefix":"https://a.com/*"}"#), Ok(prefix("/")));
        assert_eq!(read(r#"{"prefix":"https://a.com/a*b?c*"}"#), Ok(prefix("/a*b?c")));
        assert_eq!(read(r#"{"prefix":"https://a.com/images/"}"#), Err(InvalidPurge::NoStar));
        assert_eq!(url("https://a.com/images/*"), Err(InvalidPurge::Star));
    }

    #[test]
    fn everything_is_said_in_so_many_words() {
        assert_eq!(read(r#"{"everything":true}"#), Ok(Target::Everything));
        assert_eq!(read(r#"{"everything":false}"#), Err(InvalidPurge::EverythingFalse));
        for body in ["{}", r#"{"dry-run":true}"#, r#"{"everything":true,"url":"https://a.com/"}"#] {
            assert_eq!(read(body), Err(InvalidPurge::NotOne), "{body}");
        }
    }

    #[test]
    fn a_dry_run_is_asked_for() {
        assert!(Purge::from_json(br#"{"everything":true,"dry-run":true}"#).unwrap().dry_run);
        assert!(!Purge::from_json(br#"{"everything":true}"#).unwrap().dry_run);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long = format!("https://a.com/{}", "a".repeat(8192));
        for (text, why) in [
            ("/a", InvalidPurge::Url("/a".to_owned())),
            ("a.com/a", InvalidPurge::Url("a.com/a".to_owned())),
            ("ftp://a.com/a", InvalidPurge::Url("ftp://a.com/a".to_owned())),
            ("https://a.com/a b", InvalidPurge::Url("https://a.com/a b".to_owned())),
            ("https://a.com/#a", InvalidPurge::Part("a fragment")),
            ("https://u:p@a.com/", InvalidPurge::Part("a user or a password")),
            ("https://*.a.com/", InvalidPurge::Host(InvalidHost::Wildcard)),
            (&long, InvalidPurge::TooLong(8206)),
        ] {
            assert_eq!(url(text), Err(why), "{text}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused() {
        for body in ["", "[", "null", "1", r#"{"urls":[]}"#, r#"{"url":1}"#, r#"{"everything":true,"dry_run":true}"#] {
            assert!(matches!(read(body), Err(InvalidPurge::Json(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(text in "\\PC{0,40}|https?://[a-z.:@\\[\\]0-9]{0,9}/?[a-z?#*%]{0,9}", raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = url(&text);
            let _ = read(&json!({ "prefix": text }).to_string());
            let _ = Purge::from_json(&raw);
        }
    }
}
