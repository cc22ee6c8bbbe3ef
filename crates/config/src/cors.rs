//! Origins that `cors` of a response headers policy allows (`cdn-behaviour.md` section 14).

use crate::host::{InvalidHost, parse_host};
use crate::origin::split_port;
use std::fmt;
use std::str::FromStr;

/// Who may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: everybody, `null` among them.
    Any,
    /// The origins of a host.
    Of {
        /// `https://` or `http://`; `None` is both.
        tls: Option<bool>,
        /// In lower case, IPv6 addresses in brackets.
        host: String,
        /// `*.`: those below the host, at any depth, and not the host itself.
        below: bool,
        /// The port.
        port: OriginPort,
    },
}

/// The port of an [`AllowedOrigin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginPort {
    /// Left out: the scheme's own.
    Default,
    /// `:*`.
    Any,
    /// This one.
    Exactly(u16),
}

/// Why a text is no [`AllowedOrigin`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowedOrigin {
    /// Another scheme.
    #[error("its scheme is http or https, or left out")]
    Scheme,
    /// A path, or more.
    #[error("it ends with the host or the port")]
    Path,
    /// A port that is none.
    #[error("its port is a number from 1 to 65535, or `*`")]
    Port,
    /// A host that is none.
    #[error("{0}")]
    Host(#[from] InvalidHost),
}

impl FromStr for AllowedOrigin {
    type Err = InvalidAllowedOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidAllowedOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (tls, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("https", rest)) => (Some(true), rest),
            Some(("http", rest)) => (Some(false), rest),
            Some(_) => return Err(InvalidAllowedOrigin::Scheme),
        };
        if rest.contains(['/', '?', '#']) {
            return Err(InvalidAllowedOrigin::Path);
        }
        let (host, port) = match rest.strip_suffix(":*") {
            Some(host) => (host, OriginPort::Any),
            None => match split_port(rest) {
                (host, None) => (host, OriginPort::Default),
                (host, Some(port)) => {
                    let number = Some(port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
                    let number = number.and_then(|port| port.parse().ok()).filter(|port| *port != 0);
                    (host, OriginPort::Exactly(number.ok_or(InvalidAllowedOrigin::Port)?))
                }
            },
        };
        let (host, below) = host.strip_prefix("*.").map_or((host, false), |host| (host, true));
        let host = parse_host(host)?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Ok(Self::Of { tls, host, below, port })
    }
}

impl AllowedOrigin {
    /// Whether the value of a request's `Origin` is one of them.
    pub fn matches(&self, origin: &str) -> bool {
        let Self::Of { tls, host, below, port } = self else { return true };
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        let (is_tls, default) = match scheme {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return false,
        };
        let (asked, given) = split_port(rest);
        let given = match given.map(str::parse::<u16>) {
            None => default,
            Some(Ok(port)) => port,
            Some(Err(_)) => return false,
        };
        let asked = asked.to_ascii_lowercase();
        let same_host = match below {
            true => {
                asked.strip_suffix(host.as_str()).and_then(|left| left.strip_suffix('.')).is_some_and(|l| !l.is_empty())
            }
            false => asked == *host,
        };
        let same_port = match port {
            OriginPort::Default => given == default,
            OriginPort::Any => true,
            OriginPort::Exactly(port) => given == *port,
        };
        tls.is_none_or(|tls| tls == is_tls) && same_host && same_port
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Of { tls, host, below, port } = self else { return f.write_str("*") };
        match tls {
            None => {}
            Some(true) => f.write_str("https://")?,
            Some(false) => f.write_str("http://")?,
        }
        write!(f, "{}{host}", if *below { "*." } else { "" })?;
        match port {
            OriginPort::Default => Ok(()),
            OriginPort::Any => f.write_str(":*"),
            OriginPort::Exactly(port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// cdn-behaviour.md section 14: patterns of allowed origins.
    #[test]
    fn a_pattern_allows_what_it_says_and_nothing_else() {
        for (pattern, allowed, others) in [
            ("*", &["https://a.example", "null", "http://[::1]:1"][..], &[][..]),
            (
                "example.org",
                &[
                    "https://example.org",
                    "http://example.org",
                    "https://EXAMPLE.org",
                    "https://example.org:443",
                    "http://example.org:80",
                ],
                &[
                    "https://a.example.org",
                    "https://example.org:8443",
                    "http://example.org:443",
                    "null",
                    "ftp://example.org",
                    "example.org",
                    "",
                ],
            ),
            ("https://example.org", &["https://example.org"], &["http://example.org", "https://example.org.evil.test"]),
            (
                "*.example.org",
                &["https://a.b.example.org", "http://a.example.org"],
                &["https://example.org", "https://evilexample.org", "https://.example.org", "https://a.example.org:81"],
            ),
            (
                "http://localhost:*",
                &["http://localhost", "http://localhost:5173"],
                &["https://localhost:5173", "http://localhost:x"],
            ),
            ("example.org:8443", &["https://example.org:8443", "http://example.org:8443"], &["https://example.org"]),
            ("https://[::1]:8443", &["https://[::1]:8443"], &["https://[::1]"]),
        ] {
            let parsed: AllowedOrigin = pattern.parse().unwrap();
            assert_eq!(parsed.to_string(), pattern);
            for origin in allowed {
                assert!(parsed.matches(origin), "{pattern} allows {origin}");
            }
            for origin in others {
                assert!(!parsed.matches(origin), "{pattern} does not allow {origin}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "",
            "ftp://a.example",
            "https://a.example/",
            "a.*.example",
            "*example.org",
            "a.example:0",
            "a.example:x",
            "https://",
        ] {
            assert!(wrong.parse::<AllowedOrigin>().is_err(), "{wrong}");
        }
    }
}
