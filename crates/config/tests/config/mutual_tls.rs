//! Trust stores, `mutual-tls`, and what is said of wrong ones.

use super::{parse, problems, right, shown, wrong};
use rimward_config::{AccessLog, CodeKind, MutualTlsMode, MutualTlsSites};
use std::time::Duration;

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

const DOOR: &str = "[functions.door]\ncode = \"index.js\"\nkind = \"connection\"\n";

/// cloudfront-functions.md section 13: 5 ms, one for each distribution, runtime 2.0.
#[test]
fn a_distribution_has_a_function_of_connections() {
    let site = site("mutual-tls = { trust-store = \"partners\" }\nconnection-function = \"door\"");
    let config = parse(&format!("{site}{DOOR}")).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    let function = config.functions["door"].viewer().unwrap();
    assert_eq!((function.kind, function.timeout), (CodeKind::Connection, Duration::from_millis(5)));
    assert_eq!(config.distributions[0].connection_function.as_deref(), Some("door"));
    assert_eq!(config.mutual_tls_sites().iter().next().unwrap().1.function.as_deref(), Some("door"));
    assert_eq!(config.node.connection_log, AccessLog::Off);
}

#[test]
fn functions_of_connections_and_of_viewers_are_told_apart() {
    let mutual = "mutual-tls = { trust-store = \"partners\" }";
    let with = |keys: &str, functions: &str| problems(&format!("{}{functions}", site(keys)));
    assert_eq!(
        with("connection-function = \"door\"", DOOR),
        [
            "11:1 `connection-function` needs `mutual-tls`: it runs for connections over which viewers show certificates",
            "hint: add `mutual-tls`"
        ]
    );
    assert_eq!(
        with(&format!("{mutual}\nconnection-function = \"dor\""), DOOR),
        ["12:23 there is no function `dor`", "hint: did you mean `door`?"]
    );
    assert_eq!(
        with(&format!("{mutual}\nconnection-function = \"door\""), &DOOR.replace("kind = \"connection\"\n", "")),
        [
            "12:23 `door` is no function of connections",
            "hint: set `kind = \"connection\"` in `[functions.door]`, whose code has `connectionHandler(connection)`"
        ]
    );
    let behaviors =
        "[[distributions]]\ndomains = [\"b.example\"]\nbehaviors = [{ origin = \"app\", viewer-request = \"door\" }]\n";
    assert_eq!(
        with("", &format!("{behaviors}{DOOR}")),
        [
            "14:49 `door` is a function of connections and cannot run at viewer-request",
            "hint: name it in `connection-function` of the distribution"
        ]
    );
}

wrong! {
    a_function_of_connections_has_runtime_2: "[functions.door]\ncode = \"index.js\"\nkind = \"connection\"\nruntime = \"cloudfront-js-1.0\"" => [
        "4:1 a function of connections has runtime 2.0", "hint: write \"cloudfront-js-2.0\", or leave it out",
    ]
    the_two_logs_do_not_mix: "[node]\naccess-log = \"a.log\"\nconnection-log = \"a.log\"" => [
        "3:1 `connection-log` and `access-log` go to the same place", "hint: give each its own place",
    ]
    a_trust_store_has_authorities: "[trust-stores.a]" => [
        "1:1 `[trust-stores.a]` needs `authorities`", "hint: add `authorities = \"authorities.pem\"`",
    ]
}
