#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn hosts(domains: &[&str]) -> Hosts {
    let mut hosts = Hosts::default();
    for (index, domain) in domains.iter().enumerate() {
        hosts.insert(domain, index).unwrap();
    }
    hosts
}

#[test]
fn an_exact_domain_goes_before_a_longer_wildcard_before_a_shorter_one_before_all() {
    let hosts = hosts(&["*", "*.example.com", "*.eu.example.com", "www.eu.example.com"]);
    for (host, index) in [
        ("www.eu.example.com", 3),
        ("api.eu.example.com", 2),
        ("a.b.eu.example.com", 2),
        ("eu.example.com", 1),
        ("example.com", 0),
        ("other.org", 0),
        ("", 0),
    ] {
        assert_eq!(hosts.find(host), Some(index), "{host}");
    }
}

#[test]
fn a_wildcard_stands_for_at_least_one_character() {
    let hosts = hosts(&["*.example.com"]);
    assert_eq!(hosts.find("a.example.com"), Some(0));
    for host in ["example.com", ".example.com", "badexample.com", "", "127.0.0.1"] {
        assert_eq!(hosts.find(host), None, "{host}");
    }
}

#[test]
fn a_domain_belongs_to_one_distribution() {
    let mut hosts = Hosts::default();
    for domain in ["*", "*.a.b", "a.b"] {
        assert_eq!(hosts.insert(domain, 0), Ok(()));
        assert_eq!(hosts.insert(domain, 0), Ok(()));
        assert_eq!(hosts.insert(domain, 1), Err(0));
    }
}

#[test]
fn domains_are_in_lower_case_and_addresses_in_brackets() {
    for (text, domain) in [
        ("WWW.Example.com", "www.example.com"),
        ("example.com.", "example.com"),
        ("*.Example.com", "*.example.com"),
        ("*", "*"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[0:0::1]", "[::1]"),
        ("my_host", "my_host"),
    ] {
        assert_eq!(parse_domain(text).as_deref(), Ok(domain));
    }
}

#[test]
fn what_is_no_domain_is_refused() {
    for (text, why) in [
        ("", InvalidHost::Empty),
        ("https://example.com", InvalidHost::Url),
        ("example.com:8080", InvalidHost::Port),
        ("[::1]:8080", InvalidHost::Port),
        ("a.*.com", InvalidHost::Wildcard),
        ("*a.com", InvalidHost::Wildcard),
        ("*.127.0.0.1", InvalidHost::Wildcard),
        ("*.*.com", InvalidHost::Wildcard),
        ("bücher.de", InvalidHost::Character('ü')),
        ("a b.de", InvalidHost::Character(' ')),
        ("a..b", InvalidHost::Length),
        (".a", InvalidHost::Length),
        ("*.", InvalidHost::Empty),
    ] {
        assert_eq!(parse_domain(text), Err(why), "{text}");
    }
    assert_eq!(parse_domain(&"a".repeat(64)), Err(InvalidHost::Length));
}

proptest! {
    #[test]
    fn a_domain_reads_back_as_itself(text in "\\PC{0,20}|[a-z*.:\\[\\]0-9]{0,12}") {
        if let Ok(domain) = parse_domain(&text) {
            prop_assert_eq!(parse_domain(&domain), Ok(domain.clone()));
        }
    }
}
