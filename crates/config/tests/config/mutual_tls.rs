//! Trust stores, `mutual-tls`, and what is said of wrong ones.

use super::{parse, problems, right, shown, wrong};
use rimward_config::{MutualTlsMode, MutualTlsSites};

const HTTPS: &str =
    "[node.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificates = [{ cert = \"site.pem\", key = \"site.key\" }]\n";
const STORE: &str = "[trust-stores.partners]\nauthorities = \"roots.pem\"\n";

fn site(keys: &str) -> String {
    format!(
        "{HTTPS}{STORE}[origins.app]\nurl = \"builtin:demo\"\n\
         [[distributions]]\ndomains = [\"a.example\"]\nbehaviors = [{{ origin = \"app\" }}]\n{keys}\n"
    )
}

#[test]
fn every_setting_of_mutual_tls() {
    let text = format!(
        "{}[[distributions]]\ndomains = [\"*.b.example\", \"127.0.0.1\"]\nbehaviors = [{{ origin = \"app\" }}]\n\
         mutual-tls = {{ trust-store = \"others\", mode = \"optional\", ignore-expiry = true, advertise-names = true }}\n\
         [trust-stores.others]\nauthorities = \"site.pem\"\nrevocations = [\"roots.pem\", \"site.key\"]\n\
         [[distributions]]\nid = \"C\"\ndomains = [\"c.example\"]\nbehaviors = [{{ origin = \"app\" }}]\n",
        site("mutual-tls = { trust-store = \"partners\" }")
    );
    let config = parse(&text).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    let [first, second] = [0, 1].map(|place| config.distributions[place].mutual_tls.clone().unwrap());
    assert_eq!((&*first.trust_store.name, first.mode), ("partners", MutualTlsMode::Required));
    assert_eq!((first.ignore_expiry, first.advertise_names), (false, false));
    assert_eq!((second.trust_store.revocations.len(), second.mode), (2, MutualTlsMode::Optional));
    assert_eq!((second.ignore_expiry, second.advertise_names), (true, true));
    assert_eq!(config.distributions[2].mutual_tls, None);
    let sites = config.mutual_tls_sites();
    assert_eq!(sites.iter().map(|(place, _)| place).collect::<Vec<_>>(), [0, 1]);
    let [loopback, other]: [std::net::IpAddr; 2] = [[127, 0, 0, 1].into(), [127, 0, 0, 2].into()];
    for (name, place) in [(Some("A.Example"), Some(0)), (Some("x.b.example"), Some(1)), (Some("d.example"), None)] {
        assert_eq!(sites.place_of(name, loopback), place, "{name:?}");
    }
    // RFC 6066 section 3: an address is never named.
    assert_eq!([loopback, other].map(|local| sites.place_of(None, local)), [Some(1), None]);
    assert_eq!(MutualTlsSites::none().place_of(Some("a.example"), loopback), None);
}

#[test]
fn mutual_tls_is_off_by_default() {
    assert_eq!(right("").mutual_tls_sites().iter().count(), 0);
}

#[test]
fn mutual_tls_needs_https_and_a_trust_store() {
    let without_https = site("mutual-tls = { trust-store = \"partners\" }").replace(HTTPS, "");
    assert_eq!(
        problems(&without_https),
        ["8:1 mutual TLS needs a listener for HTTPS", "hint: add `[node.tls]` with `listen` and `certificates`"]
    );
    for (keys, said) in [
        (
            "mutual-tls = \"required\"",
            [
                "11:14 `mutual-tls` must be a table, not a string",
                "hint: write `mutual-tls = { trust-store = \"NAME\", mode = \"required\" }`",
            ],
        ),
        ("mutual-tls = {}", ["11:14 `mutual-tls` needs `trust-store`", "hint: add `trust-store = \"partners\"`"]),
        (
            "mutual-tls = { trust-store = \"partner\" }",
            ["11:30 there is no trust store `partner`", "hint: did you mean `partners`?"],
        ),
        (
            "mutual-tls = { trust-store = \"partners\", mode = \"verify\" }",
            ["11:49 `mode` cannot be \"verify\"", "hint: it is one of \"required\", \"optional\""],
        ),
        (
            "mutual-tls = { trust-store = \"partners\", IgnoreCertificateExpiry = true }",
            ["11:42 unknown key `IgnoreCertificateExpiry` in mutual-tls", "hint: it is called `ignore-expiry` here"],
        ),
    ] {
        assert_eq!(problems(&site(keys)), said);
    }
}

wrong! {
    a_trust_store_has_authorities: "[trust-stores.a]" => [
        "1:1 `[trust-stores.a]` needs `authorities`", "hint: add `authorities = \"authorities.pem\"`",
    ]
}
