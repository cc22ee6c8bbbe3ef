//! `[node.acl]`: who may do what, by address.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `[node.acl]`. The address that counts is that of the connection's other end: a header cannot change it, and behind a
/// proxy it is the proxy's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// `purge`: who may use the method PURGE. Default: nobody.
    pub purge: Networks,
    /// `explain`: who is told in `Rimward-Explain` how an answer came about. Default: nobody.
    pub explain: Networks,
    /// `admin`: who may use the admin API. Default: this machine, by loopback.
    pub admin: Networks,
    /// `many-connections`: who may have more connections than `connections-per-address`, as load balancers do. Default: this
    /// machine, by loopback.
    pub many_connections: Networks,
}

impl Default for Acl {
    fn default() -> Self {
        Self {
            purge: Networks::default(),
            explain: Networks::default(),
            admin: Networks::loopback(),
            many_connections: Networks::loopback(),
        }
    }
}

/// A set of addresses: `["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<IpNet>);

/// A text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// It is neither an address nor an address with a prefix length.
    #[error("`{}` is no network", .0.escape_debug())]
    Malformed(String),
    /// The address has bits behind the prefix, so that it may be mistyped.
    #[error("`{0}` has bits set behind its prefix")]
    HostBits(IpNet),
}

/// RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3.
const LOOPBACK: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
];

impl Networks {
    /// The addresses by which a machine reaches itself alone.
    pub fn loopback() -> Self {
        Self(LOOPBACK.to_vec())
    }

    /// Whether nobody but the machine itself is in it.
    pub fn is_loopback(&self) -> bool {
        self.0.iter().all(|network| LOOPBACK.iter().any(|loopback| loopback.contains(network)))
    }

    /// Adds an address or a network.
    ///
    /// # Errors
    /// When `text` is neither.
    pub fn add(&mut self, text: &str) -> Result<(), InvalidNetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| InvalidNetwork::Malformed(text.to_owned()))?,
        };
        if network.trunc() != network {
            return Err(InvalidNetwork::HostBits(network));
        }
        self.0.push(network);
        Ok(())
    }

    /// Whether `address` is in one of them. An IPv4 address that came in at an IPv6 listener counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl InvalidNetwork {
    /// What was most likely meant.
    pub fn meant(&self) -> Option<IpNet> {
        match self {
            InvalidNetwork::Malformed(_) => None,
            InvalidNetwork::HostBits(network) => Some(network.trunc()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn networks(texts: &[&str]) -> Networks {
        let mut networks = Networks::default();
        texts.iter().for_each(|text| networks.add(text).unwrap());
        networks
    }

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        let set = networks(&["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);
        for (address, is_in) in [
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::1", false),
        ] {
            assert_eq!(set.contains(address.parse().unwrap()), is_in, "{address}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
        assert!(networks(&["0.0.0.0/0"]).contains("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let mut set = Networks::default();
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "::/129", "10.0.0.1:80"] {
            assert_eq!(set.add(text), Err(InvalidNetwork::Malformed(text.to_owned())), "{text}");
        }
        let why = set.add("10.0.0.1/8").unwrap_err();
        assert_eq!(why.meant().unwrap().to_string(), "10.0.0.0/8");
        assert!(set.is_empty());
    }

    #[test]
    fn loopback_is_what_reaches_no_further() {
        let own = Networks::loopback();
        for (address, is_in) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::2", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(own.contains(address.parse().unwrap()), is_in, "{address}");
        }
        assert!(own.is_loopback() && Networks::default().is_loopback() && networks(&["127.1.0.0/16"]).is_loopback());
        assert!(!networks(&["::1", "10.0.0.1"]).is_loopback() && !networks(&["126.0.0.0/7"]).is_loopback());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f:./]{0,20}") {
            let _ = Networks::default().add(&text);
        }

        #[test]
        fn a_network_contains_what_shares_its_prefix(address: [u8; 4], other: [u8; 4], length in 0u8..=32) {
            let network = IpNet::new(address.into(), length).unwrap().trunc();
            let mut set = Networks::default();
            set.add(&network.to_string()).unwrap();
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            let shares = u32::from_be_bytes(address) & mask == u32::from_be_bytes(other) & mask;
            prop_assert_eq!(set.contains(other.into()), shares);
        }
    }
}
