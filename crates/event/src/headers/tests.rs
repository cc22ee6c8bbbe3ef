use super::*;
use proptest::prelude::*;

const DISALLOWED: &str = "Connection Expect Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection Trailer \
    Upgrade X-Accel-Buffering X-Accel-Charset X-Accel-Limit-Rate X-Accel-Redirect X-Amz-Cf-Id X-Amz-Cf-Pop X-Amzn-Auth \
    X-Amzn-Cf-Billing X-Amzn-Cf-Id X-Amzn-Cf-Xff X-Amzn-Errortype X-Amzn-Fle-Profile X-Amzn-Header-Count \
    X-Amzn-Header-Order X-Amzn-Lambda-Integration-Tag X-Amzn-RequestId X-Cache X-Edge-Location X-Forwarded-Proto X-Real-IP";

/// A returned header in tests.
pub(crate) struct Line(pub(crate) &'static str, pub(crate) Vec<Vec<u8>>);

impl Field for Line {
    fn name(&self) -> &str {
        self.0
    }

    fn values(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.1.iter().map(Vec::as_slice)
    }
}

fn line(name: &'static str, values: &[&str]) -> Line {
    Line(name, values.iter().map(|value| value.as_bytes().to_vec()).collect())
}

fn map(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())).collect()
}

fn lines(map: &HeaderMap) -> Vec<(&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn rules(tier: Tier, hook: Hook) -> Rules {
    Rules { tier, hook, strictness: Strictness::Strict, encoding: Encoding::Text, response: hook.is_response() }
}

const REQUEST: fn() -> Rules = || rules(Tier::Viewer, Hook::ViewerRequest);

/// cloudfront-functions.md section 5, lambda-at-edge.md section 6.1.
#[test]
fn disallowed_headers_are_the_documented_ones() {
    for name in DISALLOWED.split_whitespace() {
        assert!(is_disallowed(&name.to_lowercase()), "{name}");
    }
    for name in
        ["host", "via", "te", "cookie", "x-amz-id-2", "x-amzn-trace-id", "x-edge", "x-custom", "", "x-cache-status"]
    {
        assert!(!is_disallowed(name), "{name}");
    }
}

/// cloudfront-functions.md section 5, lambda-at-edge.md section 6.2.
#[test]
fn read_only_headers_are_the_documented_ones() {
    let viewer_request = "cdn-loop content-length host transfer-encoding via";
    let table = [
        (Tier::Viewer, Hook::ViewerRequest, viewer_request),
        (Tier::Viewer, Hook::ViewerResponse, "warning via"),
        (Tier::Lambda, Hook::ViewerRequest, viewer_request),
        (
            Tier::Lambda,
            Hook::OriginRequest,
            "accept-encoding cdn-loop content-length if-modified-since if-none-match if-range if-unmodified-since \
             transfer-encoding via",
        ),
        (Tier::Lambda, Hook::OriginResponse, "transfer-encoding via"),
        (Tier::Lambda, Hook::ViewerResponse, "warning via content-length content-encoding transfer-encoding"),
    ];
    let all: Vec<&str> =
        table.iter().flat_map(|(.., names)| names.split_whitespace()).chain(["accept", "x-a"]).collect();
    for (tier, hook, names) in table {
        let names: Vec<&str> = names.split_whitespace().collect();
        for name in &all {
            assert_eq!(is_read_only(tier, hook, name), names.contains(name), "{tier:?} {hook} {name}");
        }
    }
}

/// cdn-behaviour.md section 7.4.
#[test]
fn an_origin_s_custom_headers_have_a_deny_list_of_their_own() {
    for name in ["cache-control", "te", "x-amz-date", "x-edge-id", "x-real-ip", "range", "host"] {
        assert!(is_denied_at_origin(name), "{name}");
    }
    for name in ["x-cache", "x-api-key", "user-agent", "authorization"] {
        assert!(!is_denied_at_origin(name), "{name}");
    }
}

/// cloudfront-functions.md section 3.3.
#[test]
fn hidden_and_unchanged_headers_survive_in_place_and_byte_for_byte() {
    let original = map(&[
        ("host", b"example.org"),
        ("connection", b"keep-alive"),
        ("x-latin", b"caf\xe9"),
        ("accept", b"a"),
        ("accept", b"b"),
        ("cookie", b"a=1"),
        ("x-gone", b"1"),
        ("x-changed", b"1"),
    ]);
    let fields = [
        line("x-new", &["1", "2"]),
        line("x-changed", &["2"]),
        line("host", &["example.org"]),
        line("x-latin", &["café"]),
        line("accept", &["a", "b"]),
    ];
    let merged = merge(&original, Some(&fields), None, &REQUEST()).unwrap();
    let expected: [(&str, &[u8]); 9] = [
        ("host", b"example.org"),
        ("connection", b"keep-alive"),
        ("x-latin", b"caf\xe9"),
        ("accept", b"a"),
        ("accept", b"b"),
        ("cookie", b"a=1"),
        ("x-changed", b"2"),
        ("x-new", b"1"),
        ("x-new", b"2"),
    ];
    assert_eq!(lines(&merged), expected);
}

#[test]
fn a_changed_value_is_sent_in_utf_8() {
    let original = map(&[("x-latin", b"caf\xe9")]);
    let merged = merge(&original, Some(&[line("x-latin", &["cafés"])]), None, &REQUEST()).unwrap();
    assert_eq!(lines(&merged), [("x-latin", "cafés".as_bytes())]);
    let bytes = Rules { encoding: Encoding::Bytes, ..REQUEST() };
    let merged = merge(&original, Some(&[line("x-latin", &["café"])]), None, &bytes).unwrap();
    assert_eq!(lines(&merged), [("x-latin", "café".as_bytes())]);
}

/// cloudfront-functions.md section 17: `delete request.headers.host` is 502 in production.
#[test]
fn read_only_headers_may_not_be_added_changed_or_deleted() {
    let original = map(&[("host", b"a"), ("via", b"1"), ("via", b"2")]);
    let host = || line("host", &["a"]);
    let via = || line("via", &["1", "2"]);
    let refused = |fields: &[Line]| match merge(&original, Some(fields), None, &REQUEST()) {
        Err(Invalid::ReadOnly { name, change }) => (name, change),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[via()]), ("host".to_owned(), Change::Deleted));
    assert_eq!(refused(&[host(), line("via", &["1"])]), ("via".to_owned(), Change::Changed));
    assert_eq!(refused(&[host(), line("via", &["1", "2", "3"])]), ("via".to_owned(), Change::Changed));
    assert_eq!(refused(&[host(), line("via", &[])]), ("via".to_owned(), Change::Changed));
    assert_eq!(refused(&[host(), via(), line("cdn-loop", &["x"])]), ("cdn-loop".to_owned(), Change::Added));
    // The test operation does not look.
    let test = Rules { strictness: Strictness::Test, ..REQUEST() };
    assert!(merge(&original, Some(&[line("x-cache", &["1"])]), None, &test).is_ok());
}

#[test]
fn names_and_values_must_be_fit_for_the_wire() {
    let empty = HeaderMap::new();
    let refused = |field| merge(&empty, Some(&[field]), None, &REQUEST()).unwrap_err();
    assert_eq!(refused(line("X-Foo", &["1"])), Invalid::HeaderCase("X-Foo".to_owned()));
    assert_eq!(refused(line("x foo", &["1"])), Invalid::HeaderName("x foo".to_owned()));
    assert_eq!(refused(line("", &["1"])), Invalid::HeaderName(String::new()));
    assert_eq!(refused(line("x-cache", &["1"])), Invalid::Disallowed("x-cache".to_owned()));
    assert_eq!(refused(line("cookie", &["a=1"])), Invalid::CookieHeader("cookie".to_owned()));
    let injected = refused(line("x-a", &["1\r\nset-cookie: a=1"]));
    assert_eq!(injected, Invalid::HeaderValue { name: "x-a".to_owned(), character: '\r' });
}

#[test]
fn a_name_given_twice_cannot_slip_past_the_rules() {
    let original = map(&[("host", b"a")]);
    let twice = [line("host", &["a"]), line("host", &["b"])];
    assert!(matches!(merge(&original, Some(&twice), None, &REQUEST()), Err(Invalid::ReadOnly { .. })));
    let original = map(&[("x-a", b"a")]);
    let twice = [line("x-a", &["a"]), line("x-a", &["b"])];
    assert!(matches!(merge(&original, Some(&twice), None, &REQUEST()), Err(Invalid::Shape(_))));
}

/// lambda-at-edge.md section 6.3.
#[test]
fn the_viewer_s_country_is_not_a_viewer_function_s_to_say() {
    let fields = [line("cloudfront-viewer-country", &["CH"])];
    let lambda = rules(Tier::Lambda, Hook::ViewerRequest);
    assert!(matches!(merge(&HeaderMap::new(), Some(&fields), None, &lambda), Err(Invalid::ReadOnly { .. })));
    let lambda = rules(Tier::Lambda, Hook::OriginRequest);
    assert!(merge(&HeaderMap::new(), Some(&fields), None, &lambda).is_ok());
}

/// lambda-at-edge.md section 15 rule 4.
#[test]
fn a_generated_response_starts_from_an_empty_input() {
    let generated = Rules { response: true, ..rules(Tier::Lambda, Hook::OriginRequest) };
    for name in ["content-length", "transfer-encoding", "via"] {
        let result = merge(&HeaderMap::new(), Some(&[line(name, &["1"])]), None, &generated);
        assert!(matches!(result, Err(Invalid::ReadOnly { change: Change::Added, .. })), "{name}");
    }
    assert!(merge(&HeaderMap::new(), Some(&[line("accept-encoding", &["gzip"])]), None, &generated).is_ok());
}

#[test]
fn framing_of_a_response_stays_the_node_s() {
    let original = map(&[("content-length", b"3")]);
    let response = rules(Tier::Viewer, Hook::ViewerResponse);
    let fields = [line("content-length", &["9"]), line("transfer-encoding", &["chunked"])];
    let merged = merge(&original, Some(&fields), None, &response).unwrap();
    assert_eq!(lines(&merged), [("content-length", &b"3"[..])]);
}

proptest! {
    #[test]
    fn what_comes_back_as_it_was_changes_nothing(values in prop::collection::vec(prop::collection::vec(0x20u8..=0xff, 0..8), 0..9)) {
        const NAMES: [&str; 4] = ["x-a", "x-b", "host", "upgrade"];
        let values: Vec<Vec<u8>> = values.into_iter().map(|v| v.into_iter().filter(|b| *b != 0x7f).collect()).collect();
        let original: HeaderMap = values.iter().enumerate()
            .map(|(i, v)| (HeaderName::from_static(NAMES[i % 4]), HeaderValue::from_bytes(v).unwrap()))
            .collect();
        let fields: Vec<Line> = NAMES[..3].iter()
            .map(|name| Line(name, original.get_all(*name).iter().map(|v| presented(v.as_bytes()).as_bytes().to_vec()).collect()))
            .filter(|line: &Line| !line.1.is_empty())
            .collect();
        let merged = merge(&original, Some(&fields), None, &REQUEST()).unwrap();
        prop_assert_eq!(lines(&merged), lines(&original));
    }
}
