use super::*;
use proptest::prelude::*;

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().expect("a name");
        map.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    map
}

#[test]
fn a_star_anywhere_is_a_star() {
    // RFC 9110 section 12.5.5
    for lines in [&["*"][..], &["*, *"], &["*", "*"], &[", *"], &["", "*"], &["*, Foo"], &["Foo, *"], &["Foo Bar"]] {
        let fields: Vec<_> = lines.iter().map(|line| ("vary", *line)).collect();
        assert_eq!(names(&map(&fields)), Names::Star, "{lines:?}");
    }
    let these = |names: &[HeaderName]| Names::These(names.into());
    assert_eq!(names(&map(&[("vary", "Cookie, ,COOKIE"), ("vary", "Accept")])), these(&[COOKIE, ACCEPT]));
    assert_eq!(names(&map(&[])), these(&[]));
}

#[test]
fn too_many_names_are_a_star() {
    let names_of = |count: usize| {
        let list: Vec<String> = (0..count).map(|n| format!("x-{}", n % 40)).collect();
        names(&map(&[("vary", &list.join(","))]))
    };
    assert!(matches!(names_of(32), Names::These(names) if names.len() == 32));
    assert_eq!(names_of(33), Names::Star);
    assert_eq!(
        names(&map(&[("vary", &["foo"; 10_000].join(","))])),
        Names::These([HeaderName::from_static("foo")][..].into())
    );
}

#[test]
fn of_what_is_longer_than_any_browser_sends_the_bytes_are_compared() {
    let list = |members: usize, comma: &str| (0..members).map(|n| format!("a{n}")).collect::<Vec<_>>().join(comma);
    for (members, expected) in [(32, true), (33, false)] {
        let (stored, asked) = (list(members, ","), list(members, ", "));
        let selects = |stored: &str, asked: &str| {
            selects("accept-language", &[("accept-language", stored)], &[("accept-language", asked)], &[])
        };
        assert_eq!(selects(&stored, &asked), expected, "{members}");
        assert!(selects(&stored, &stored));
    }
    let long = format!("en;{}", "x".repeat(1030));
    assert!(!selects(
        "accept-language",
        &[("accept-language", &long)],
        &[("accept-language", &format!("{long} "))],
        &[]
    ));
}

fn selects(vary: &str, stored: &[(&str, &str)], asked: &[(&str, &str)], response: &[(&str, &str)]) -> bool {
    let Names::These(names) = names(&map(&[("vary", vary)])) else { return false };
    Selecting::of(&names, &map(stored), &map(response)).matches(&map(asked))
}

#[test]
fn all_selecting_fields_must_match() {
    // RFC 9111 section 4.1
    for (vary, stored, asked, expected) in [
        ("Foo", &[("foo", "1")][..], &[("foo", "1"), ("other", "2")][..], true),
        ("Foo", &[("foo", "1")], &[("foo", "2")], false),
        ("Foo", &[], &[("foo", "1")], false),
        ("Foo", &[("foo", "1")], &[], false),
        ("Foo", &[], &[], true),
        ("Foo", &[], &[("foo", "")], false),
        ("Foo, Bar", &[("foo", "1"), ("bar", "2")], &[("bar", "2"), ("foo", "1")], true),
        ("Foo, Bar", &[("foo", "1"), ("bar", "2")], &[("foo", "1")], false),
        ("Foo, Bar", &[("foo", "1"), ("bar", "2")], &[("foo", "2"), ("bar", "1")], false),
        ("Foo, Bar", &[("foo", "1")], &[("foo", "1")], true),
    ] {
        assert_eq!(selects(vary, stored, asked, &[]), expected, "{vary} {stored:?} {asked:?}");
    }
}

#[test]
fn values_of_the_same_meaning_match() {
    // RFC 9111 section 4.1
    for (name, stored, asked, expected) in [
        ("foo", &["1,2"][..], &[" 1, 2 "][..], true),
        ("foo", &["1, 2"], &["1", "2"], true),
        ("foo", &["1, 2"], &["2, 1"], false),
        ("foo", &["A"], &["a"], false),
        ("foo", &["\"a, b\""], &["\"a,b\""], false),
        ("accept-language", &["en, de"], &["eN, De"], true),
        ("accept-language", &["en, de"], &["de, en"], true),
        ("accept-language", &["en, de"], &[" en ,   de"], true),
        ("accept-language", &["en, de;q=0.5"], &["de; Q=0.500, en;q=1"], true),
        ("accept-language", &["en, de;q=0.5"], &["en;q=0.5, de"], false),
        ("accept-language", &["en"], &["en, de"], false),
        ("accept-encoding", &["gzip, br"], &["br,gzip"], true),
        ("accept", &["text/html;level=1, */*;q=0.1"], &["*/*;q=0.1,text/html;Level=1"], true),
        ("cookie", &["a=1, b=2"], &["a=1,b=2"], false),
        ("user-agent", &["x (a, b)"], &["x (a,b)"], false),
    ] {
        let lines = |values: &[&'static str]| values.iter().map(|v| (name, *v)).collect::<Vec<_>>();
        assert_eq!(selects(name, &lines(stored), &lines(asked), &[]), expected, "{name} {stored:?} {asked:?}");
    }
}

#[test]
fn the_language_of_a_response_is_chosen_where_it_is_liked_best() {
    let of = |asked: &str| {
        let german = [("content-language", "DE")];
        selects("Accept-Language", &[("accept-language", "en, de")], &[("accept-language", asked)], &german)
    };
    assert!(of("fr;q=0.5, de;q=1.0"));
    assert!(of("de"));
    assert!(!of("fr, de"));
    assert!(!of("fr;q=1, de;q=0.9"));
    assert!(!of("de;q=0"));
}

#[test]
fn qualities_are_read_strictly() {
    // RFC 9110 section 12.4.2
    for (text, expected) in [
        ("1", Some(1000)),
        ("0", Some(0)),
        ("0.5", Some(500)),
        ("0.123", Some(123)),
        ("1.000", Some(1000)),
        ("1.001", None),
        ("0.1234", None),
        ("2", None),
        ("", None),
        (".5", None),
        ("0.x", None),
    ] {
        assert_eq!(thousandths(text.as_bytes()), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn a_request_selects_its_own_response(
        values in proptest::collection::vec("[ -~]{0,30}", 0..3), name in prop::sample::select(vec!["foo", "accept-language", "cookie", "accept"]),
    ) {
        let fields: Vec<_> = values.iter().map(|v| (name, v.trim())).collect();
        prop_assert!(selects(name, &fields, &fields, &[("content-language", "de")]));
    }

    #[test]
    fn any_value_is_normalised_without_panic(value in proptest::collection::vec(32u8..=255, 0..60)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            for name in [ACCEPT_LANGUAGE, COOKIE, VARY] {
                let mut headers = HeaderMap::new();
                headers.insert(name.clone(), value.clone());
                let selecting = Selecting::of(std::slice::from_ref(&name), &headers, &HeaderMap::new());
                prop_assert!(selecting.matches(&headers));
                names(&headers);
            }
        }
    }
}
