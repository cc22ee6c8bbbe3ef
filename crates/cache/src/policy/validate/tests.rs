use super::*;
use http::HeaderName;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_750_000_000);
const EARLY: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATE: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for &(name, value) in fields {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

fn stored(fields: &[(&'static str, &'static str)]) -> Validators {
    Validators::of(&map(fields), NOW)
}

fn is_304(stored: &Validators, fields: &[(&'static str, &'static str)]) -> bool {
    evaluate(&map(fields), StatusCode::OK, stored, NOW) == Outcome::NotModified
}

#[test]
fn if_none_match_compares_weakly() {
    // RFC 9110 sections 8.8.3.2 and 13.1.2
    for (own, asked, expected) in [
        ("\"a\"", "\"a\"", true),
        ("W/\"a\"", "\"a\"", true),
        ("\"a\"", "W/\"a\"", true),
        ("\"a\"", "\"b\"", false),
        ("\"a\"", "\"a\", \"b\", \"c\"", true),
        ("\"b\"", "\"a\",\"b\" , \"c\"", true),
        ("\"c\"", "\"a\", W/\"b\", \"c\"", true),
        ("\"a,b\"", "\"x\", \"a,b\"", true),
        ("\"a\"", "*", true),
        ("\"a\"", "a", false),
        ("a", "\"a\"", false),
        ("a", "a", false),
        ("\"a\"", "w/\"a\"", false),
        ("\"a\"", "\"a", false),
        ("\"\"", "\"\"", true),
    ] {
        assert_eq!(is_304(&stored(&[("etag", own)]), &[("if-none-match", asked)]), expected, "{own} {asked}");
    }
}

#[test]
fn if_modified_since_compares_with_last_modified_or_date() {
    // RFC 9111 section 4.3.2
    let changed = stored(&[("last-modified", CHANGED), ("date", LATE)]);
    assert!(is_304(&changed, &[("if-modified-since", CHANGED)]));
    assert!(is_304(&changed, &[("if-modified-since", LATE)]));
    assert!(is_304(&changed, &[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")]));
    assert!(!is_304(&changed, &[("if-modified-since", EARLY)]));
    assert!(!is_304(&changed, &[("if-modified-since", "yesterday")]));
    let dated = stored(&[("date", CHANGED)]);
    assert!(is_304(&dated, &[("if-modified-since", CHANGED)]));
    assert!(!is_304(&dated, &[("if-modified-since", EARLY)]));
}

#[test]
fn if_none_match_comes_before_if_modified_since() {
    // RFC 9110 section 13.2.2
    let both = stored(&[("etag", "\"a\""), ("last-modified", CHANGED)]);
    assert!(!is_304(&both, &[("if-none-match", "\"b\""), ("if-modified-since", LATE)]));
    assert!(is_304(&both, &[("if-none-match", "\"a\""), ("if-modified-since", EARLY)]));
}

#[test]
fn conditions_are_evaluated_in_the_order_of_the_rfc() {
    // RFC 9110 section 13.2.2
    let both = stored(&[("etag", "\"a\""), ("last-modified", CHANGED)]);
    let (a, b) = ("\"a\"", "\"b\"");
    for (fields, expected) in [
        // 1. If-Match goes before all.
        (&[("if-match", b), ("if-none-match", a)][..], Outcome::Failed),
        (&[("if-match", a), ("if-none-match", a)], Outcome::NotModified),
        (&[("if-match", a), ("if-unmodified-since", EARLY)], Outcome::Proceed),
        (&[("if-match", b), ("if-unmodified-since", LATE)], Outcome::Failed),
        // 2. If-Unmodified-Since where there is no If-Match.
        (&[("if-unmodified-since", EARLY), ("if-none-match", a)], Outcome::Failed),
        (&[("if-unmodified-since", LATE), ("if-none-match", a)], Outcome::NotModified),
        // 3. If-None-Match goes before If-Modified-Since.
        (&[("if-none-match", b), ("if-modified-since", LATE)], Outcome::Proceed),
        (&[("if-modified-since", LATE)], Outcome::NotModified),
    ] {
        assert_eq!(evaluate(&map(fields), StatusCode::OK, &both, NOW), expected, "{fields:?}");
    }
}

#[test]
fn if_match_compares_strongly() {
    // RFC 9110 section 13.1.1
    for (own, asked, expected) in [
        ("\"a\"", "\"a\"", Outcome::Proceed),
        ("\"a\"", "\"b\", \"a\"", Outcome::Proceed),
        ("\"a\"", "*", Outcome::Proceed),
        ("\"a\"", "\"b\"", Outcome::Failed),
        ("\"a\"", "W/\"a\"", Outcome::Failed),
        ("W/\"a\"", "W/\"a\"", Outcome::Failed),
        ("W/\"a\"", "\"a\"", Outcome::Failed),
        ("\"a\"", "a", Outcome::Failed),
    ] {
        let outcome = evaluate(&map(&[("if-match", asked)]), StatusCode::OK, &stored(&[("etag", own)]), NOW);
        assert_eq!(outcome, expected, "{own} {asked}");
    }
    let untagged = evaluate(&map(&[("if-match", "\"a\"")]), StatusCode::OK, &stored(&[]), NOW);
    assert_eq!(untagged, Outcome::Failed);
}

#[test]
fn if_unmodified_since_counts_where_the_change_is_known() {
    // RFC 9110 section 13.1.4
    let of = |own: &[(&'static str, &'static str)], asked| {
        evaluate(&map(&[("if-unmodified-since", asked)]), StatusCode::OK, &stored(own), NOW)
    };
    let changed = [("last-modified", CHANGED)];
    assert_eq!(of(&changed, CHANGED), Outcome::Proceed);
    assert_eq!(of(&changed, LATE), Outcome::Proceed);
    assert_eq!(of(&changed, EARLY), Outcome::Failed);
    assert_eq!(of(&changed, "yesterday"), Outcome::Proceed);
    assert_eq!(of(&[("date", LATE)], EARLY), Outcome::Proceed);
}

#[test]
fn conditions_are_for_successful_responses() {
    // RFC 9110 section 13.2.1
    let tagged = stored(&[("etag", "\"a\"")]);
    let asked = map(&[("if-none-match", "\"a\"")]);
    assert_eq!(evaluate(&asked, StatusCode::NOT_FOUND, &tagged, NOW), Outcome::Proceed);
    assert_eq!(evaluate(&asked, StatusCode::FOUND, &tagged, NOW), Outcome::Proceed);
}

#[test]
fn if_range_wants_certainty() {
    // RFC 9110 section 13.1.5
    let old = [("etag", "\"a\""), ("last-modified", CHANGED), ("date", "Sun, 06 Nov 1994 09:49:37 GMT")];
    let young = [("etag", "W/\"a\""), ("last-modified", CHANGED), ("date", LATE)];
    for (own, condition, expected) in [
        (&old, "\"a\"", true),
        (&old, "\"b\"", false),
        (&old, "W/\"a\"", false),
        (&young, "W/\"a\"", false),
        (&young, "\"a\"", false),
        (&old, CHANGED, true),
        (&old, LATE, false),
        (&old, EARLY, false),
        (&young, CHANGED, false),
        (&old, "rubbish", false),
    ] {
        assert_eq!(range_applies(&map(&[("if-range", condition)]), &stored(own), NOW), expected, "{condition}");
    }
    assert!(range_applies(&map(&[]), &stored(&old), NOW));
}

#[test]
fn origin_requests_carry_the_stored_validators_and_no_others() {
    // RFC 9111 section 4.3.1
    let viewer = [
        ("if-match", "\"x\""),
        ("if-none-match", "\"x\""),
        ("if-modified-since", EARLY),
        ("if-unmodified-since", EARLY),
        ("if-range", "\"x\""),
        ("range", "bytes=0-1"),
        ("accept", "a"),
    ];
    let mut request = map(&viewer);
    replace_conditions(
        &mut request,
        Some(&stored(&[("etag", "W/\"a\""), ("last-modified", CHANGED)])),
        std::iter::empty(),
    );
    assert_eq!(request, map(&[("accept", "a"), ("if-none-match", "W/\"a\""), ("if-modified-since", CHANGED)]));
    let mut request = map(&viewer);
    replace_conditions(&mut request, None, std::iter::empty());
    assert_eq!(request, map(&[("accept", "a")]));
}

#[test]
fn a_304_must_speak_of_what_is_stored() {
    // RFC 9111 section 4.3.4
    for (own, told, expected) in [
        (("etag", "\"a\""), ("etag", "\"a\""), true),
        (("etag", "\"a\""), ("etag", "\"b\""), false),
        (("etag", "\"a\""), ("etag", "W/\"a\""), true),
        (("etag", "W/\"a\""), ("etag", "W/\"a\""), true),
        (("etag", "W/\"a\""), ("etag", "\"a\""), false),
        (("etag", "a"), ("etag", "a"), true),
        (("etag", "\"a\""), ("date", CHANGED), true),
        (("last-modified", CHANGED), ("last-modified", CHANGED), true),
        (("last-modified", CHANGED), ("last-modified", LATE), false),
        (("last-modified", CHANGED), ("etag", "\"a\""), true),
    ] {
        assert_eq!(confirms(&map(&[told]), &stored(&[own])), expected, "{own:?} {told:?}");
    }
}

proptest! {
    #[test]
    fn any_condition_is_read_without_panic(
        own in proptest::collection::vec(32u8..=255, 0..20), asked in proptest::collection::vec(32u8..=255, 0..40),
    ) {
        if let (Ok(own), Ok(asked)) = (HeaderValue::from_bytes(&own), HeaderValue::from_bytes(&asked)) {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, own);
            let stored = Validators::of(&headers, NOW);
            for name in [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE] {
                let mut request = HeaderMap::new();
                request.insert(name, asked.clone());
                evaluate(&request, StatusCode::OK, &stored, NOW);
                range_applies(&request, &stored, NOW);
            }
        }
    }

    #[test]
    fn a_tag_is_found_anywhere_in_a_list(
        before in proptest::collection::vec("(W/)?\"[a-z,]{0,4}\"", 0..4), after in proptest::collection::vec("\"[a-z]{0,4}\"", 0..4),
    ) {
        let list = [before, vec!["\"THIS\"".to_owned()], after].concat().join(", ");
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, HeaderValue::try_from(list).expect("a header value"));
        let found = evaluate(&request, StatusCode::OK, &stored(&[("etag", "\"THIS\"")]), NOW);
        prop_assert_eq!(found, Outcome::NotModified);
    }
}
