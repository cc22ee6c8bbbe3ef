//! `CloudFront-Viewer-Country` and its kin: where a viewer is, when the operator has a database of it.

use super::ViewerHeader;
use crate::geo::Place;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What is not visible ASCII, and the sign of the encoding itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The text of a header; `None` for what is not known, and for headers of other kinds.
pub(super) fn value(header: ViewerHeader, place: &Place) -> Option<String> {
    let text = |text: &Option<String>| text.as_deref().map(|text| utf8_percent_encode(text, ENCODED).to_string());
    match header {
        ViewerHeader::Country => text(&place.country),
        ViewerHeader::CountryName => text(&place.country_name),
        ViewerHeader::CountryRegion => text(&place.region).filter(|region| region.len() <= 3),
        ViewerHeader::CountryRegionName => text(&place.region_name),
        ViewerHeader::City => text(&place.city),
        ViewerHeader::PostalCode => text(&place.postal_code),
        ViewerHeader::TimeZone => text(&place.time_zone),
        ViewerHeader::Latitude => place.latitude.map(degrees),
        ViewerHeader::Longitude => place.longitude.map(degrees),
        ViewerHeader::MetroCode => place.metro_code.map(|code| code.to_string()),
        _ => None,
    }
}

/// Five decimals, as the vendor's examples have them.
fn degrees(degrees: f64) -> String {
    format!("{degrees:.5}")
}
