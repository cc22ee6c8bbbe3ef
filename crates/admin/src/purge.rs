//! What `POST /purge` asks for: `{"url": "https://host/path?query"}`, `{"prefix": "https://host/path*"}`,
//! `{"tag": "post-7"}`, `{"tag": "post-7", "host": "www.example.com"}`, `{"host": "www.example.com"}` or
//! `{"everything": true}`, each with `"soft": true` to make stale instead of removing, and `"dry-run": true` to count
//! only.

use crate::Purged;
use crate::node::date;
use crate::url::{InvalidUrl, Url};
use http::StatusCode;
use rimward_config::host::{InvalidHost, parse_domain};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// URLs that a receipt names.
const MAX_EXAMPLES: usize = 10;

/// A purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// What to remove.
    pub target: Target,
    /// Whether it is made stale instead of removed.
    pub soft: bool,
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
    /// Every answer that carries this tag, with all variants of its key, in one distribution or in all.
    Tag {
        /// Tag, as written.
        tag: String,
        /// Host; `None`: every distribution.
        host: Option<String>,
    },
    /// Everything that may be served at this host.
    Host {
        /// Host.
        host: String,
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
    /// None or several of the ways to say what.
    #[error("a purge has exactly one of `url`, `prefix`, `tag`, `host` and `everything`, or `tag` and `host`")]
    NotOne,
    /// The host is no host.
    #[error("the host is wrong: {0}")]
    Host(InvalidHost),
    /// `"everything": false`.
    #[error("`everything` can only be true")]
    EverythingFalse,
    /// The URL is wrong.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
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
    tag: Option<String>,
    host: Option<String>,
    everything: Option<bool>,
    #[serde(default)]
    soft: bool,
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
        let host = request.host.as_deref().map(host).transpose()?;
        let target = match (request.url, request.prefix, (request.tag, host), request.everything) {
            (Some(url), None, (None, None), None) => {
                if url.ends_with('*') {
                    return Err(InvalidPurge::Star);
                }
                let Url { host, path, .. } = Url::parse(&url)?;
                Target::Url { host, path }
            }
            (None, Some(prefix), (None, None), None) => {
                // `cdn-behaviour.md` section 17: `*` is a wildcard as the last character, and itself elsewhere.
                let prefix = prefix.strip_suffix('*').ok_or(InvalidPurge::NoStar)?;
                let Url { host, path: prefix, .. } = Url::parse(prefix)?;
                Target::Prefix { host, prefix }
            }
            (None, None, (Some(tag), host), None) => Target::Tag { tag, host },
            (None, None, (None, Some(host)), None) => Target::Host { host },
            (None, None, (None, None), Some(true)) => Target::Everything,
            (None, None, (None, None), Some(false)) => return Err(InvalidPurge::EverythingFalse),
            _ => return Err(InvalidPurge::NotOne),
        };
        Ok(Self { target, soft: request.soft, dry_run: request.dry_run })
    }

    /// What the caller gets. `took`: until everything was removed.
    pub(crate) fn receipt(&self, purged: &Purged, took: Duration) -> Value {
        let examples = &purged.examples[..purged.examples.len().min(MAX_EXAMPLES)];
        json!({
            "target": self.target.to_json(),
            "removed": purged.removed,
            "bytes": purged.bytes,
            "fetches": purged.fetches,
            "examples": examples,
            "soft": self.soft,
            "dry-run": self.dry_run,
            "at": date(purged.at),
            "microseconds": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        })
    }
}

impl Target {
    fn to_json(&self) -> Value {
        match self {
            Target::Url { host, path } => json!({ "host": host, "url": path }),
            Target::Prefix { host, prefix } => json!({ "host": host, "prefix": prefix }),
            Target::Tag { tag, host: None } => json!({ "tag": tag }),
            Target::Tag { tag, host: Some(host) } => json!({ "tag": tag, "host": host }),
            Target::Host { host } => json!({ "host": host }),
            Target::Everything => json!({ "everything": true }),
        }
    }
}

/// A host by itself, without port and wildcard.
fn host(text: &str) -> Result<String, InvalidPurge> {
    let host = parse_domain(text).map_err(InvalidPurge::Host)?;
    if host.contains('*') { Err(InvalidPurge::Host(InvalidHost::Wildcard)) } else { Ok(host) }
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
            InvalidPurge::Host(_) => "write a host such as \"www.example.com\", without scheme and port",
            _ => {
                "write {\"url\": \"https://host/path\"}, {\"prefix\": \"https://host/path*\"}, {\"tag\": \"post-7\"}, \
                 {\"host\": \"www.example.com\"} or {\"everything\": true}"
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

    fn target(host: &str, path: &str) -> Target {
        Target::Url { host: host.to_owned(), path: path.to_owned() }
    }

    #[test]
    fn a_url_is_host_and_path() {
        assert_eq!(read(r#"{"url":"https://a.com/b?c*d"}"#), Ok(target("a.com", "/b?c*d")));
        let malformed = InvalidUrl::Malformed("/b".to_owned());
        assert_eq!(read(r#"{"url":"/b"}"#), Err(InvalidPurge::Url(malformed)));
    }

    #[test]
    fn a_prefix_ends_with_a_star() {
        let prefix = |text: &str| Target::Prefix { host: "a.com".to_owned(), prefix: text.to_owned() };
        assert_eq!(read(r#"{"prefix":"https://a.com/images/*"}"#), Ok(prefix("/images/")));
        assert_eq!(read(r#"{"prefix":"https://a.com/*"}"#), Ok(prefix("/")));
        assert_eq!(read(r#"{"prefix":"https://a.com/a*b?c*"}"#), Ok(prefix("/a*b?c")));
        assert_eq!(read(r#"{"prefix":"https://a.com/images/"}"#), Err(InvalidPurge::NoStar));
        assert_eq!(read(r#"{"url":"https://a.com/images/*"}"#), Err(InvalidPurge::Star));
    }

    #[test]
    fn everything_is_said_in_so_many_words() {
        assert_eq!(read(r#"{"everything":true}"#), Ok(Target::Everything));
        assert_eq!(read(r#"{"everything":false}"#), Err(InvalidPurge::EverythingFalse));
        for body in [
            "{}",
            r#"{"dry-run":true}"#,
            r#"{"everything":true,"url":"https://a.com/"}"#,
            r#"{"host":"a.com","everything":true}"#,
        ] {
            assert_eq!(read(body), Err(InvalidPurge::NotOne), "{body}");
        }
    }

    #[test]
    fn a_tag_is_that_of_one_host_or_of_all() {
        let tag = |host: Option<&str>| Target::Tag { tag: "Post-7".to_owned(), host: host.map(str::to_owned) };
        assert_eq!(read(r#"{"tag":"Post-7"}"#), Ok(tag(None)));
        assert_eq!(read(r#"{"tag":"Post-7","host":"A.com"}"#), Ok(tag(Some("a.com"))));
        assert_eq!(read(r#"{"host":"A.com"}"#), Ok(Target::Host { host: "a.com".to_owned() }));
        for (host, why) in
            [("https://a.com", InvalidHost::Url), ("a.com:80", InvalidHost::Port), ("*", InvalidHost::Wildcard)]
        {
            assert_eq!(read(&json!({ "host": host }).to_string()), Err(InvalidPurge::Host(why)), "{host}");
        }
    }

    #[test]
    fn a_dry_run_is_asked_for() {
        assert!(Purge::from_json(br#"{"everything":true,"dry-run":true}"#).unwrap().dry_run);
        assert!(!Purge::from_json(br#"{"everything":true}"#).unwrap().dry_run);
    }

    #[test]
    fn a_soft_purge_is_asked_for() {
        assert!(Purge::from_json(br#"{"everything":true,"soft":true}"#).unwrap().soft);
        assert!(!Purge::from_json(br#"{"everything":true}"#).unwrap().soft);
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
            let _ = read(&json!({ "url": text }).to_string());
            let _ = read(&json!({ "prefix": text }).to_string());
            let _ = Purge::from_json(&raw);
        }
    }
}
