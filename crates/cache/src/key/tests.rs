use super::*;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

fn only(names: &[&str]) -> NameSet {
    NameSet::Only(names.iter().map(|n| (*n).to_owned()).collect())
}

fn except(names: &[&str]) -> NameSet {
    NameSet::Except(names.iter().map(|n| (*n).to_owned()).collect())
}

fn get(url: &str, fields: &[(&'static str, &'static str)]) -> RequestHead {
    let mut request = RequestHead::get(url);
    for &(name, value) in fields {
        request.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

fn same(rules: &KeyRules, a: &RequestHead, b: &RequestHead) -> bool {
    Key::new("E1", a, rules) == Key::new("E1", b, rules)
}

#[test]
fn query_parameters_count_in_their_order() {
    // cdn-behaviour.md section 5
    for (query, a, b, expected) in [
        (NameSet::All, "/?a=1&b=2", "/?b=2&a=1", false),
        (NameSet::All, "/?", "/", false),
        (NameSet::None, "/?a=1", "/", true),
        (only(&["a"]), "/?a=1&b=2", "/?b=3&a=1", true),
        (only(&["a"]), "/?a=1", "/?A=1", false),
        (only(&["a"]), "/?a=1", "/?a=2", false),
        (only(&["a"]), "/?a", "/", false),
        (only(&["a", "b"]), "/?a=1&b=2", "/?b=2&a=1", false),
        (except(&["utm"]), "/?a=1&utm=x", "/?utm=y&a=1", true),
        (except(&["utm"]), "/?a=1", "/?a=1&b", false),
        (NameSet::All, "/a", "/A", false),
    ] {
        let rules = KeyRules { query, ..KeyRules::default() };
        assert_eq!(same(&rules, &get(a, &[]), &get(b, &[])), expected, "{rules:?} {a} {b}");
    }
}

#[test]
fn listed_headers_count_verbatim() {
    // cdn-behaviour.md section 5
    let rules = KeyRules { headers: vec![HeaderName::from_static("x-a")], ..KeyRules::default() };
    let plain = get("/", &[]);
    assert!(same(&rules, &plain, &get("/", &[("x-b", "1")])));
    assert!(!same(&rules, &plain, &get("/", &[("x-a", "")])));
    assert!(!same(&rules, &get("/", &[("x-a", "1")]), &get("/", &[("x-a", "2")])));
    assert!(!same(&rules, &get("/", &[("x-a", "1"), ("x-a", "2")]), &get("/", &[("x-a", "1, 2")])));
    let other = KeyRules { headers: vec![HeaderName::from_static("x-b")], ..KeyRules::default() };
    let of = |rules: &KeyRules, name| Key::new("E1", &get("/", &[(name, "1")]), rules);
    assert_ne!(of(&rules, "x-a"), of(&other, "x-b"));
}

#[test]
fn cookies_are_sorted_by_name() {
    // cdn-behaviour.md section 5
    let rules = KeyRules { cookies: only(&["a", "b"]), ..KeyRules::default() };
    let first = get("/", &[("cookie", "a=1; b=2; c=3")]);
    assert!(same(&rules, &first, &get("/", &[("cookie", "c=4;b=2"), ("cookie", "a=1")])));
    assert!(!same(&rules, &first, &get("/", &[("cookie", "a=1")])));
    assert!(!same(&rules, &first, &get("/", &[("cookie", "a=1; B=2")])));
    assert!(same(&KeyRules::default(), &first, &get("/", &[])));
}

#[test]
fn accept_encoding_is_normalised() {
    // cdn-behaviour.md section 6
    let both = KeyRules { gzip: true, brotli: true, ..KeyRules::default() };
    let gzip = KeyRules { gzip: true, ..KeyRules::default() };
    let zstd = KeyRules { zstd: true, ..both.clone() };
    for (rules, value, expected) in [
        (&both, Some("gzip, deflate, br"), Some("br,gzip")),
        (&both, Some("GZIP"), Some("gzip")),
        (&both, Some("br;q=0.5"), Some("br")),
        (&both, Some("br;q=0, gzip;q=0.0"), Some("identity")),
        (&both, Some("deflate"), Some("identity")),
        (&both, None, None),
        (&gzip, Some("br, gzip"), Some("gzip")),
        (&zstd, Some("zstd, gzip"), Some("zstd,gzip")),
        (&zstd, Some("zstd"), Some("zstd")),
        (&zstd, Some("zstd, br, gzip"), Some("br,gzip")),
        (&both, Some("zstd"), Some("identity")),
        (&gzip, Some("br"), Some("identity")),
        (&KeyRules::default(), Some("gzip"), None),
    ] {
        let fields: Vec<_> = value.map(|v| ("accept-encoding", v)).into_iter().collect();
        let request = get("/", &fields);
        assert_eq!(accept_encoding(&request.headers, rules), expected, "{value:?}");
        let in_key = !same(rules, &request, &get("/", &[]));
        assert_eq!(in_key, expected.is_some_and(|codings| codings != "identity"), "{value:?}");
    }
}

#[test]
fn get_and_head_share_and_options_does_not() {
    // cdn-behaviour.md section 4
    let of = |method: Method| RequestHead { method, ..get("/", &[]) };
    let rules = KeyRules::default();
    assert!(same(&rules, &of(Method::GET), &of(Method::HEAD)));
    assert!(same(&rules, &of(Method::GET), &of(Method::POST)));
    assert!(!same(&rules, &of(Method::GET), &of(Method::OPTIONS)));
    assert_ne!(Key::new("E1", &get("/", &[]), &rules), Key::new("E2", &get("/", &[]), &rules));
}

#[test]
fn prefixes_hold_the_keys_of_a_url() {
    let rules = KeyRules { query: NameSet::All, ..KeyRules::default() };
    let key = |url| Key::new("E1", &get(url, &[]), &rules);
    let holds = |prefix: SmallVec<[u8; 128]>, url| key(url).as_bytes().starts_with(&prefix);
    assert!(holds(exact_url_prefix("E1", "/x.jpg"), "/x.jpg"));
    assert!(!holds(exact_url_prefix("E1", "/x.jpg"), "/x.jpg?a=1"));
    assert!(!holds(exact_url_prefix("E", "/x.jpg"), "/x.jpg"));
    assert!(holds(url_prefix("E1", "/x.jpg"), "/x.jpg?a=1"));
    assert!(holds(distribution_prefix("E1"), "/x.jpg?a=1"));
    assert!(!holds(distribution_prefix("E"), "/x.jpg"));
    assert_eq!(kept_url("/x?b=1&a=2", &KeyRules { query: only(&["a"]), ..rules.clone() }), "/x?a=2");
    assert_eq!(kept_url("/x?b=1", &KeyRules { query: only(&["a"]), ..rules }), "/x");
}

#[test]
fn a_key_can_be_taken_apart() {
    let x = HeaderName::from_static;
    let rules = KeyRules {
        query: only(&["a"]),
        headers: vec![x("x"), x("y"), x("z")],
        cookies: NameSet::All,
        brotli: true,
        gzip: true,
        zstd: false,
    };
    let fields = [("x", "1:2"), ("x", ""), ("z", "3"), ("cookie", "b=2; a=1"), ("accept-encoding", "gzip")];
    let header = |name: &str, values: &[&str]| Part::Header {
        name: name.to_owned(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    let parts = Key::new("E1", &get("/p?a=1&b=2", &fields), &rules).parts();
    assert_eq!((parts.distribution.as_str(), parts.url.as_str(), parts.method), ("E1", "/p?a=1", "GET"));
    assert_eq!(
        parts.parts,
        [
            header("x", &["1:2", ""]),
            header("y", &[]),
            header("z", &["3"]),
            Part::Cookie { cookie: "a=1".to_owned() },
            Part::Cookie { cookie: "b=2".to_owned() },
            Part::AcceptEncoding { codings: "gzip".to_owned() },
        ]
    );
    let options = RequestHead { method: Method::OPTIONS, ..get("/", &[]) };
    assert_eq!(Key::new("E1", &options, &KeyRules::default()).parts().method, "OPTIONS");
}

proptest! {
    #[test]
    fn a_key_tells_what_went_into_it(
        values in proptest::collection::vec("[ -~]{0,5}", 0..3), url in "/[a-z:]{0,5}", cookie in "[a-z]=[a-z:]{0,4}",
    ) {
        let rules = KeyRules {
            headers: vec![HeaderName::from_static("x")], cookies: NameSet::All, ..KeyRules::default()
        };
        let mut request = RequestHead::get(&url);
        for value in &values {
            request.headers.append("x", HeaderValue::from_str(value).expect("a header value"));
        }
        request.headers.insert(COOKIE, HeaderValue::from_str(&cookie).expect("a header value"));
        let parts = Key::new("E1", &request, &rules).parts();
        prop_assert_eq!(parts.url, url);
        prop_assert_eq!(parts.parts, [Part::Header { name: "x".to_owned(), values }, Part::Cookie { cookie }]);
    }

    #[test]
    fn a_key_tells_its_url(path in "/[ -~\\x00\\x01]{0,20}", query in proptest::option::of("[ -~]{0,20}")) {
        prop_assume!(!path.contains('?'));
        let rules = KeyRules { query: NameSet::All, ..KeyRules::default() };
        let request = RequestHead { path: path.clone(), query, ..RequestHead::get("/") };
        let key = Key::new("E1", &request, &rules);
        prop_assert_eq!(key.url(), request.path_and_query());
        prop_assert!(key.as_bytes().starts_with(&exact_url_prefix("E1", &request.path_and_query())));
    }

    #[test]
    fn different_requests_have_different_keys(
        a in ("[ab\\x00\\x01]{0,3}", "[ab=&]{0,3}", "[ab;=]{0,4}", "[ab]{0,2}"), b in ("[ab\\x00\\x01]{0,3}", "[ab=&]{0,3}", "[ab;=]{0,4}", "[ab]{0,2}"),
    ) {
        let rules = KeyRules {
            query: NameSet::All, cookies: NameSet::None, headers: vec![COOKIE, HeaderName::from_static("x")], ..KeyRules::default()
        };
        let request = |(path, query, cookie, x): &(String, String, String, String)| {
            let mut request = RequestHead { path: format!("/{path}"), query: Some(query.clone()), ..RequestHead::get("/") };
            request.headers.insert(COOKIE, HeaderValue::from_str(cookie).expect("a header value"));
            request.headers.insert("x", HeaderValue::from_str(x).expect("a header value"));
            request
        };
        prop_assert_eq!(same(&rules, &request(&a), &request(&b)), a == b);
    }
}

#[test]
fn a_key_tells_the_host_that_it_is_for() {
    let names = ["x-a", "host", "x-b"].map(HeaderName::from_static).to_vec();
    let rules = KeyRules { headers: names, cookies: NameSet::All, gzip: true, ..KeyRules::default() };
    let of = |fields: &[(&'static str, &'static str)], rules: &KeyRules| {
        Key::new("E1", &get("/a:b?host:c", fields), rules).host()
    };
    let fields = [("x-a", "host:no"), ("x-a", ""), ("cookie", "host=no"), ("accept-encoding", "gzip")];
    for (host, expected) in
        [("A.example.COM:8080", "a.example.com"), ("a.example.", "a.example"), ("[::1]:80", "[::1]")]
    {
        assert_eq!(of(&[&fields[..], &[("host", host)]].concat(), &rules).as_deref(), Some(expected));
    }
    assert_eq!(of(&fields, &rules), None);
    assert_eq!(of(&[("host", "a.example")], &KeyRules { cookies: NameSet::All, ..KeyRules::default() }), None);
    assert_eq!(Key::new("E1", &get("/", &[]), &rules).distribution_prefix(), b"E1\0");
}

#[test]
fn a_slice_has_a_key_of_its_own_under_that_of_the_whole() {
    let x = HeaderName::from_static;
    let rules = KeyRules { headers: vec![x("x"), x("host")], cookies: NameSet::All, ..KeyRules::default() };
    // Neither a header nor a cookie is taken for a slice.
    let fields = [("x", "s100-1"), ("host", "a.com"), ("cookie", "s100-2=s100-3")];
    for whole in [Key::new("E1", &get("/film", &fields), &rules), Key::new("E1", &get("/", &[]), &KeyRules::default())]
    {
        assert_eq!((whole.slice(), whole.of_whole()), (None, None));
        let slice = Slice { size: 1 << 20, index: 70_000 };
        let key = whole.of_slice(slice);
        assert_eq!((key.slice(), key.of_whole()), (Some(slice), Some(whole.clone())));
        assert!(
            key.as_bytes().starts_with(&whole.slice_prefix()) && !whole.as_bytes().starts_with(&whole.slice_prefix())
        );
        assert_eq!((key.url(), key.host()), (whole.url(), whole.host()));
        assert_eq!(key.parts().parts.last(), Some(&Part::Slice { slice: "1048576-70000".to_owned() }));
    }
}
