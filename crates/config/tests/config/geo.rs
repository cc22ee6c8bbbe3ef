//! `[node.geo]`, `geo-restriction`, and what is said of wrong ones.

use super::{problems, right, shown, wrong};
use rimward_config::GeoRestriction;

const GEO: &str = "[node.geo]\nplaces = \"roots.pem\"\n";

fn site(keys: &str) -> String {
    format!(
        "[origins.app]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\nbehaviors = [{{ origin = \"app\" }}]\n{keys}\n"
    )
}

/// cdn-behaviour.md section 16: unknown places are served.
#[test]
fn a_restriction_allows_or_denies_countries() {
    let of = |keys: &str| {
        let config =
            super::parse(&format!("{GEO}{}", site(keys))).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
        config.distributions[0].geo_restriction.clone()
    };
    let allow = of("geo-restriction = { allow = [\"DE\", \"AT\"] }").unwrap();
    assert_eq!(allow, GeoRestriction::Allow([*b"DE", *b"AT"].into()));
    assert_eq!([Some("DE"), Some("FR"), None].map(|country| allow.serves(country)), [true, false, true]);
    let deny = of("geo-restriction = { deny = [\"FR\"] }").unwrap();
    assert_eq!([Some("DE"), Some("FR"), None].map(|country| deny.serves(country)), [true, false, true]);
    assert_eq!(right("").distributions[0].geo_restriction, None);
}

#[test]
fn a_wrong_restriction_is_named() {
    for (keys, said) in [
        (
            "geo-restriction = {}",
            [
                "8:19 `geo-restriction` has one list, `allow` or `deny`",
                "hint: write `{ allow = [\"DE\"] }` or `{ deny = [\"DE\"] }`",
            ],
        ),
        (
            "geo-restriction = { deny = [\"de\"] }",
            [
                "8:29 `de` is no code of a country",
                "hint: a code is two capital letters, such as \"DE\" (ISO 3166-1 alpha-2)",
            ],
        ),
        (
            "GeoRestriction = { deny = [\"DE\"] }",
            ["8:1 unknown key `GeoRestriction` in [[distributions]]", "hint: it is called `geo-restriction` here"],
        ),
    ] {
        assert_eq!(problems(&format!("{GEO}{}", site(keys))), said);
    }
    assert_eq!(
        problems(&site("geo-restriction = { deny = [\"DE\"] }")),
        [
            "6:1 `geo-restriction` needs to know where viewers are",
            "hint: add `[node.geo]` with `places = \"GeoLite2-Country.mmdb\"`"
        ]
    );
    assert_eq!(
        problems(&format!("{GEO}{}", site("geo-restriction = { deny = [\"DE\", \"DE\"] }"))),
        ["8:35 `DE` is there twice"]
    );
    assert_eq!(
        problems(&format!("{GEO}{}", site("geo-restriction = { allow = [] }"))),
        ["8:29 `allow` names at least one country"]
    );
}

wrong! {
    geo_has_a_database: "[node.geo]" => [
        "1:1 `[node.geo]` has neither `places` nor `networks`",
        "hint: add `places = \"GeoLite2-City.mmdb\"`, or leave it out",
    ]
    a_database_is_there: "[node.geo]\nplaces = \"no.mmdb\"" => [
        "2:10 cannot read `no.mmdb`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
}
