#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn grants() -> Vec<Grant> {
    vec![
        Grant::new("api.example.com", 443),
        Grant::new("*.cdn.example.com", 443),
        Grant::new("127.0.0.1", 8080),
        Grant::new("localhost", 9000),
        Grant::new("[::1]", 8080),
    ]
}

#[test]
fn a_host_is_reached_only_under_a_grant_of_its_name_and_port() {
    for (host, port, expected) in [
        ("api.example.com", 443, Access::Public),
        ("API.Example.com", 443, Access::Public),
        ("api.example.com.", 443, Access::Public),
        ("api.example.com", 80, Access::Refused),
        ("example.com", 443, Access::Refused),
        ("xapi.example.com", 443, Access::Refused),
        ("a.cdn.example.com", 443, Access::Public),
        ("a.b.cdn.example.com", 443, Access::Public),
        ("cdn.example.com", 443, Access::Refused),
        (".cdn.example.com", 443, Access::Refused),
        ("evilcdn.example.com", 443, Access::Refused),
        ("127.0.0.1", 8080, Access::Any),
        ("127.0.0.1", 8081, Access::Refused),
        ("127.0.0.2", 8080, Access::Refused),
        ("LOCALHOST", 9000, Access::Any),
        ("::1", 8080, Access::Any),
        ("[::1]", 8080, Access::Any),
        ("", 443, Access::Refused),
    ] {
        assert_eq!(access(&grants(), host, port), expected, "{host}:{port}");
    }
    assert_eq!(access(&[], "api.example.com", 443), Access::Refused);
}

#[test]
fn addresses_of_our_own_network_are_not_public() {
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "3fff::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "fec0::1",
        "100::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

proptest! {
    #[test]
    fn whatever_the_host_it_is_refused_without_a_grant_that_ends_like_it(host in "\\PC{0,40}", port: u16) {
        if access(&grants(), &host, port) != Access::Refused {
            let host = bare(&host).to_ascii_lowercase();
            prop_assert!(["api.example.com", "127.0.0.1", "localhost", "::1"].contains(&&*host)
                || host.ends_with(".cdn.example.com"));
        }
    }

    #[test]
    fn a_mapped_address_is_judged_as_the_address_within(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        prop_assert_eq!(is_public(v4.into()), is_public(v4.to_ipv6_mapped().into()));
    }
}
