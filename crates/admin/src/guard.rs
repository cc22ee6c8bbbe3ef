//! Refuses requests that a web page made a browser send.
//!
//! The API listens on loopback, where every page in a browser on the same machine can reach it. Two headers tell such
//! requests: `Origin`, which a browser adds to what a page of another site sends (cross-site request forgery), and
//! `Host`, which has the attacker's name when that name was made to lead to loopback (DNS rebinding).

use http::{HeaderMap, HeaderValue, header};
use rimward_config::host::parse_host;
use std::net::{IpAddr, SocketAddr};

/// A request that was not meant for the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// `Host` is neither loopback nor the address that the request came to.
    #[error("the host `{0}` is not this node's")]
    Host(String),
    /// `Origin` is another site.
    #[error("a page of `{0}` may not use the admin API")]
    Origin(String),
}

impl Foreign {
    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Foreign::Host(_) => "call it by `localhost`, by a loopback address, or by the address it is bound to",
            Foreign::Origin(_) => "call it from a program, without `Origin`",
        }
    }
}

/// Judges a request that came in at `bound`.
///
/// # Errors
/// It was not meant for the API.
pub fn check(bound: SocketAddr, headers: &HeaderMap) -> Result<(), Foreign> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = headers.get(header::HOST).map(text).unwrap_or_default();
    if !is_ours(bound.ip(), &host) {
        return Err(Foreign::Host(host));
    }
    // A page of this very API has the same host and port in both headers.
    let same_site = |origin: &str| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(&host))
    };
    match headers.get_all(header::ORIGIN).iter().map(text).find(|origin| !same_site(origin)) {
        Some(origin) => Err(Foreign::Origin(origin)),
        None => Ok(()),
    }
}

/// Whether `host`, with or without port, is loopback or `bound`. The port does not count: it may be forwarded.
fn is_ours(bound: IpAddr, host: &str) -> bool {
    let name_end = host.rfind(']').map_or(0, |at| at + 1);
    let name = match host[name_end..].split_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => &host[..name_end + name.len()],
        Some(_) => return false,
        None => host,
    };
    let Ok(name) = parse_host(name) else { return false };
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address == bound.to_canonical()
        }
        // RFC 6761 section 6.3: `localhost` and what is below it lead to loopback alone.
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOOPBACK: &str = "127.0.0.1:8081";

    fn judge(bound: &str, host: Option<&str>, origin: Option<&str>) -> Result<(), Foreign> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        }
        check(bound.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 1))), &headers)
    }

    #[test]
    fn loopback_by_any_of_its_names_is_ours() {
        for host in
            ["localhost", "localhost:8081", "LOCALHOST.:1", "a.localhost", "127.0.0.1:8081", "127.9.9.9", "[::1]:80"]
        {
            assert_eq!(judge(LOOPBACK, Some(host), None), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_name_that_was_made_to_lead_here_is_not_ours() {
        for host in [
            "evil.com",
            "evil.com:8081",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "",
            "10.0.0.1",
            "localhost:8081:1",
            "[::1",
        ] {
            assert_eq!(judge(LOOPBACK, Some(host), None), Err(Foreign::Host(host.to_owned())));
        }
        assert_eq!(judge(LOOPBACK, None, None), Err(Foreign::Host(String::new())));
    }

    #[test]
    fn the_address_that_it_is_bound_to_is_ours() {
        assert_eq!(judge("10.0.0.1:8081", Some("10.0.0.1:8081"), None), Ok(()));
        assert_eq!(judge("[::ffff:10.0.0.1]:8081", Some("10.0.0.1"), None), Ok(()));
        assert!(judge("10.0.0.1:8081", Some("10.0.0.2:8081"), None).is_err());
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let host = Some("localhost:8081");
        assert_eq!(judge(LOOPBACK, host, Some("http://localhost:8081")), Ok(()));
        for origin in ["http://localhost:3000", "http://localhost", "https://evil.com", "null", "file://", ""] {
            assert_eq!(judge(LOOPBACK, host, Some(origin)), Err(Foreign::Origin(origin.to_owned())), "{origin}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(host in "[a-z0-9.:\\[\\]\u{e9}]{0,20}", origin in "\\PC{0,20}") {
            let _ = judge(LOOPBACK, Some(&host), Some(&origin));
        }
    }
}
