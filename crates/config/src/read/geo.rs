//! `[node.geo]` and `geo-restriction`.

use super::section::Section;
use crate::geo::code;
use crate::{GeoFiles, GeoRestriction};
use std::collections::BTreeSet;

pub(super) fn read_geo_files(node: &Section<'_>) -> GeoFiles {
    let Some(geo) = node.section("geo", "[node.geo]", &["places", "networks"]) else { return GeoFiles::default() };
    if geo.get("places").is_none() && geo.get("networks").is_none() {
        let hint = "add `places = \"GeoLite2-City.mmdb\"`, or leave it out";
        geo.reader.report_hint(geo.span.clone(), "`[node.geo]` has neither `places` nor `networks`", hint);
    }
    GeoFiles { places: geo.file("places"), networks: geo.file("networks") }
}

/// `geo-restriction` of a distribution. `known`: whether the node knows where viewers are.
pub(super) fn read_geo_restriction(distribution: &Section<'_>, known: bool) -> Option<GeoRestriction> {
    const KEY: &str = "geo-restriction";
    let section = distribution.section(KEY, KEY, &["allow", "deny"])?;
    if !known {
        let hint = "add `[node.geo]` with `places = \"GeoLite2-Country.mmdb\"`";
        section.reader.report_hint(
            distribution.key_span(KEY),
            "`geo-restriction` needs to know where viewers are",
            hint,
        );
    }
    match (section.get("allow").is_some(), section.get("deny").is_some()) {
        (true, false) => Some(GeoRestriction::Allow(read_countries(&section, "allow"))),
        (false, true) => Some(GeoRestriction::Deny(read_countries(&section, "deny"))),
        _ => {
            let hint = "write `{ allow = [\"DE\"] }` or `{ deny = [\"DE\"] }`";
            section.reader.report_hint(section.span.clone(), "`geo-restriction` has one list, `allow` or `deny`", hint);
            None
        }
    }
}

fn read_countries(section: &Section<'_>, key: &str) -> BTreeSet<[u8; 2]> {
    let mut countries = BTreeSet::new();
    let Some(texts) = section.texts(key) else { return countries };
    if texts.get_ref().is_empty() {
        section.reader.report(texts.span(), format!("`{key}` names at least one country"));
    }
    for text in texts.get_ref() {
        match code(text.get_ref()) {
            Some(code) if !countries.insert(code) => {
                section.reader.report(text.span(), format!("`{}` is there twice", text.get_ref()));
            }
            Some(_) => {}
            None => {
                let message = format!("`{}` is no code of a country", text.get_ref().escape_debug());
                let hint = "a code is two capital letters, such as \"DE\" (ISO 3166-1 alpha-2)";
                section.reader.report_hint(text.span(), message, hint);
            }
        }
    }
    countries
}
