#![allow(clippy::unwrap_used)]
use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/geo").join(name)
}

fn files() -> GeoFiles {
    GeoFiles { places: Some(fixture("city.mmdb")), networks: Some(fixture("asn.mmdb")) }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_is_found_in_both_databases() {
    let geo = Geo::read(&files(), &Geo::default()).unwrap();
    let place = geo.place_of(address("203.0.113.7")).unwrap();
    assert_eq!(place.country.as_deref(), Some("DE"));
    assert_eq!((place.region.as_deref(), place.region_name.as_deref()), (Some("NW"), Some("North Rhine-Westphalia")));
    assert_eq!((place.city.as_deref(), place.postal_code.as_deref()), (Some("Köln"), Some("50667")));
    assert_eq!((place.latitude, place.time_zone.as_deref()), (Some(50.9384), Some("Europe/Berlin")));
    assert_eq!(geo.network_of(address("203.0.113.7")), Some(64496));
    // An IPv4 address in IPv6's clothes, and one of IPv6.
    assert_eq!(geo.place_of(address("::ffff:203.0.113.7")), Some(place));
    assert_eq!(geo.place_of(address("2001:db8::1")).unwrap().city.as_deref(), Some("Tokyo"));
    assert_eq!(geo.network_of(address("2001:db8::1")), Some(65551));
}

/// cloudfront-functions.md section 14: metro codes are those of the United States.
#[test]
fn what_a_database_does_not_have_is_left_out() {
    let geo = Geo::read(&files(), &Geo::default()).unwrap();
    assert_eq!(geo.place_of(address("198.51.100.1")).unwrap().metro_code, Some(819));
    let france = geo.place_of(address("192.0.2.1")).unwrap();
    assert_eq!(france, Place { country: Some("FR".into()), country_name: Some("France".into()), ..Place::default() });
    assert_eq!((geo.place_of(address("127.0.0.1")), geo.network_of(address("192.0.2.1"))), (None, None));
    assert_eq!(Geo::default().place_of(address("203.0.113.7")), None);
}

#[test]
fn a_database_that_has_not_changed_is_taken_over() {
    let before = Geo::read(&files(), &Geo::default()).unwrap();
    let after = Geo::read(&files(), &before).unwrap();
    assert!(Arc::ptr_eq(before.places.as_ref().unwrap(), after.places.as_ref().unwrap()));
}

#[test]
fn a_broken_file_is_named_and_no_broken_byte_makes_a_lookup_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    let whole = std::fs::read(fixture("city.mmdb")).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Geo::read(&GeoFiles { places: Some(path.clone()), networks: None }, &Geo::default())
    };
    for cut in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        let error = read(&whole[..cut]).err().unwrap();
        assert!(error.to_string().starts_with(&format!("cannot use {}: ", path.display())), "{cut}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        if let Ok(geo) = read(&bytes) {
            for text in ["203.0.113.7", "198.51.100.1", "192.0.2.1", "2001:db8::1", "::1"] {
                let _whatever = geo.place_of(address(text));
            }
        }
    }
}
