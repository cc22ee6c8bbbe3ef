use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn response(lines: &[&str]) -> Directives {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(CACHE_CONTROL, HeaderValue::from_bytes(line.as_bytes()).expect("a header value"));
    }
    Directives::of_response(&headers)
}

#[test]
fn max_age_is_digits_alone() {
    // RFC 9111 section 1.2.2 and 4.2.1: what is no number makes the response stale.
    for (text, expected) in [
        ("max-age=3600", Seconds::Given(3600)),
        ("MaX-aGe=3600", Seconds::Given(3600)),
        ("max-age=003600", Seconds::Given(3600)),
        ("max-age=\"3600\"", Seconds::Given(3600)),
        ("max-age=2147483649", Seconds::Given(MAX_SECONDS)),
        ("max-age=99999999999999999999999", Seconds::Given(MAX_SECONDS)),
        ("max-age='3600'", Seconds::Invalid),
        ("max-age=-3600", Seconds::Invalid),
        ("max-age=+3600", Seconds::Invalid),
        ("max-age=3600.0", Seconds::Invalid),
        ("max-age=a100", Seconds::Invalid),
        ("max-age=100a", Seconds::Invalid),
        ("max-age =100", Seconds::Invalid),
        ("max-age= 100", Seconds::Invalid),
        ("max-age", Seconds::Invalid),
        ("max-age=", Seconds::Invalid),
        ("", Seconds::Absent),
        ("extension=\"max-age=3600\"", Seconds::Absent),
        ("extension=\"max-age=100, max-age=200\", max-age=3600", Seconds::Given(3600)),
        ("max-age=3600, extension=\"a\\\", max-age=1\"", Seconds::Given(3600)),
    ] {
        assert_eq!(response(&[text]).max_age, expected, "{text}");
    }
}

#[test]
fn equal_duplicates_agree_and_others_contradict() {
    // RFC 9111 section 4.2.1
    assert_eq!(response(&["max-age=5, max-age=5"]).max_age, Seconds::Given(5));
    assert_eq!(response(&["max-age=5", "max-age=6"]).max_age, Seconds::Invalid);
    assert_eq!(response(&["s-maxage=5", "max-age=6"]).s_maxage, Seconds::Given(5));
}

#[test]
fn restrictions_are_seen_in_any_shape() {
    for text in ["no-store", "nO-StOrE", "no-store=1", " ,, no-store ,", "foo=\"bar, no-store", "no-store =x"] {
        assert!(response(&[text]).no_store, "{text}");
    }
}

#[test]
fn an_open_quote_takes_the_freshness_away() {
    let directives = response(&["max-age=3600, foo=\"bar"]);
    assert!(directives.malformed);
    assert_eq!(directives.max_age, Seconds::Invalid);
}

#[test]
fn a_line_is_read_once_whatever_quotes_are_open_in_it() {
    // Read from each comma to the end again, this takes hours.
    let line = format!("no-store, a=\"{}", "\\\",".repeat(1 << 20));
    assert!(response(&[&line]).no_store);
    let behind = format!("a=\"{}, private", "\\\",".repeat(1 << 20));
    assert!(response(&[&behind]).private.is_all());
}

#[test]
fn no_cache_and_private_may_name_fields() {
    // RFC 9111 sections 5.2.2.4 and 5.2.2.7
    let fields = |names: &[&'static str]| Scope::Fields(names.iter().map(|n| HeaderName::from_static(n)).collect());
    assert_eq!(response(&["no-cache=\"A, b\""]).no_cache, fields(&["a", "b"]));
    assert_eq!(response(&["private=Set-Cookie"]).private, fields(&["set-cookie"]));
    assert_eq!(response(&["no-cache=\"a\", no-cache=\"b\""]).no_cache, fields(&["a", "b"]));
    assert_eq!(response(&["no-cache=\"a\", no-cache"]).no_cache, Scope::All);
    assert_eq!(response(&["private=\"\""]).private, Scope::All);
}

#[test]
fn max_stale_may_stand_alone() {
    // RFC 9111 section 5.2.1.2
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-stale, min-fresh=3, only-if-cached"));
    let directives = RequestDirectives::of_request(&headers);
    assert_eq!(directives.max_stale, Seconds::Given(MAX_SECONDS));
    assert_eq!(directives.min_fresh, Seconds::Given(3));
    assert!(directives.only_if_cached);
}

proptest! {
    #[test]
    fn any_value_is_read_without_panic(line in proptest::collection::vec(32u8..=255, 0..80)) {
        if let Ok(value) = HeaderValue::from_bytes(&line) {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, value);
            Directives::of_response(&headers);
            RequestDirectives::of_request(&headers);
        }
    }

    #[test]
    fn a_restriction_among_good_directives_is_always_seen(
        before in "([a-z-]{1,8}(=[0-9]{1,4}|=\"[a-z ,]{0,8}\")?, ){0,4}",
        after in "(, [a-z-]{1,8}(=[0-9]{1,4})?){0,4}",
    ) {
        let line = format!("{before}no-store{after}");
        prop_assert!(response(&[&line]).no_store, "{line}");
    }
}
