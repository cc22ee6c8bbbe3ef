//! Refuses who may not use the API, and requests that a web page made a browser send.
//!
//! Who may is told by the address of the connection's other end (`node.acl.admin`). Every page in a browser at such an
//! address can reach the API too. Two headers tell its requests: `Origin`, which a browser adds to what a page of another
//! site sends (cross-site request forgery), and `Host`, which has the attacker's name when that name was made to lead
//! here (DNS rebinding).

use http::{HeaderMap, HeaderValue, header};
use rimward_config::Networks;
use rimward_config::host::parse_host;
use std::net::{IpAddr, SocketAddr};

/// A request that was not meant for the API, or comes from where nobody may use it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// `node.acl.admin` does not have the address.
    #[error("{0} may not use the admin API")]
    Peer(IpAddr),
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
            Foreign::Peer(_) => {
                "list the address in `admin` of `[node.acl]` and reload, or call it from where it is listed"
            }
            Foreign::Host(_) => {
                "call it by the address that the connection came to, or on the machine itself by `localhost`"
            }
            Foreign::Origin(_) => "call it from a program, without `Origin`",
        }
    }
}

/// Judges a request of `peer` that came in at `bound`; `admitted` may use the API.
///
/// # Errors
/// It was not meant for the API, or comes from elsewhere.
pub fn check(admitted: &Networks, peer: IpAddr, bound: SocketAddr, headers: &HeaderMap) -> Result<(), Foreign> {
    if !admitted.contains(peer) {
        return Err(Foreign::Peer(peer.to_canonical()));
    }
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

/// Whether `host`, with or without port, is `bound`, or loopback where `bound` is. The port does not count: it may be
/// forwarded.
fn is_ours(bound: IpAddr, host: &str) -> bool {
    let name_end = host.rfind(']').map_or(0, |at| at + 1);
    let name = match host[name_end..].split_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => &host[..name_end + name.len()],
        Some(_) => return false,
        None => host,
    };
    let Ok(name) = parse_host(name) else { return false };
    let bound = bound.to_canonical();
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address == bound || (bound.is_loopback() && address.is_loopback())
        }
        // RFC 6761 section 6.3: `localhost` and what is below it lead to loopback alone.
        Err(_) => bound.is_loopback() && (name == "localhost" || name.ends_with(".localhost")),
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
        let bound = bound.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 1)));
        check(&Networks::loopback(), IpAddr::from([127, 0, 0, 1]), bound, &headers)
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
    fn loopback_by_name_is_not_what_was_reached_elsewhere() {
        for host in ["localhost", "a.localhost:8081", "127.0.0.1:8081", "[::1]"] {
            assert_eq!(judge("10.0.0.1:8081", Some(host), None), Err(Foreign::Host(host.to_owned())));
        }
    }

    #[test]
    fn who_is_not_listed_may_not_use_it() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("10.0.0.1:8081"));
        let mut listed = Networks::loopback();
        let judge = |admitted: &Networks, peer: [u8; 4]| {
            check(admitted, IpAddr::from(peer), SocketAddr::from(([10, 0, 0, 1], 8081)), &headers)
        };
        assert_eq!(judge(&listed, [127, 0, 0, 1]), Ok(()));
        assert_eq!(judge(&listed, [10, 0, 0, 9]), Err(Foreign::Peer(IpAddr::from([10, 0, 0, 9]))));
        assert_eq!(listed.add("10.0.0.0/24"), Ok(()));
        assert_eq!(judge(&listed, [10, 0, 0, 9]), Ok(()));
        assert!(judge(&Networks::default(), [127, 0, 0, 1]).is_err(), "an empty list admits nobody");
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
