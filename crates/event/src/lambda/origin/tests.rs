use super::*;

fn custom() -> CustomOrigin {
    CustomOrigin {
        domain_name: "example.org".to_owned(),
        path: String::new(),
        custom_headers: Vec::new(),
        port: 443,
        protocol: Protocol::Https,
        keepalive_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(30),
        completion_timeout: None,
        ssl_protocols: vec![SslProtocol::TlsV1_2],
    }
}

fn s3() -> S3Origin {
    S3Origin {
        domain_name: "bucket.s3.eu-central-1.amazonaws.com".to_owned(),
        path: String::new(),
        custom_headers: Vec::new(),
        auth: S3Auth::None,
        region: None,
        read_timeout: None,
        completion_timeout: None,
    }
}

fn checked(edit: impl FnOnce(&mut CustomOrigin)) -> Result<(), Invalid> {
    let mut origin = custom();
    edit(&mut origin);
    check(Some(&LambdaOrigin::Custom(custom())), &LambdaOrigin::Custom(origin), &HeaderMap::new())
}

fn field(result: Result<(), Invalid>) -> String {
    match result {
        Err(Invalid::Origin { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

/// lambda-at-edge.md section 3.6; port and timeouts as in section 16.
#[test]
fn a_changed_custom_origin_keeps_to_its_bounds() {
    for name in ["", "a:80", "192.0.2.1", "[::1]", "a..b", "a b", "-.1", &"a.".repeat(130)] {
        assert_eq!(field(checked(|origin| origin.domain_name = name.to_owned())), "custom.domainName", "{name}");
    }
    for name in ["beta", "a-b.example", "xn--bcher-kva.example", "1.example"] {
        assert_eq!(checked(|origin| origin.domain_name = name.to_owned()), Ok(()), "{name}");
    }
    for path in ["a", "/", "/a/", "/ a", "/a?b"] {
        assert_eq!(field(checked(|origin| origin.path = path.to_owned())), "custom.path", "{path}");
    }
    assert_eq!(checked(|origin| origin.path = "/a%20b".to_owned()), Ok(()));
    for (port, good) in [(0, false), (22, false), (80, true), (443, true), (1023, false), (1024, true), (65535, true)] {
        assert_eq!(checked(|origin| origin.port = port).is_ok(), good, "{port}");
    }
    for (seconds, good) in [(0, false), (1, true), (120, true), (121, false)] {
        let limit = Duration::from_secs(seconds);
        assert_eq!(checked(|origin| origin.read_timeout = limit).is_ok(), good, "{seconds}");
        assert_eq!(checked(|origin| origin.keepalive_timeout = limit).is_ok(), good, "{seconds}");
    }
    let short = checked(|origin| origin.completion_timeout = Some(Duration::from_secs(29)));
    assert_eq!(field(short), "custom.responseCompletionTimeout");
    assert_eq!(checked(|origin| origin.completion_timeout = Some(Duration::from_secs(30))), Ok(()));
}

#[test]
fn a_configured_value_outside_the_bounds_may_stay() {
    let mut local = custom();
    local.domain_name = "127.0.0.1".to_owned();
    local.port = 81;
    let mut edited = local.clone();
    edited.path = "/v2".to_owned();
    assert_eq!(check(Some(&LambdaOrigin::Custom(local)), &LambdaOrigin::Custom(edited), &HeaderMap::new()), Ok(()));
    let local = S3Origin { domain_name: "127.0.0.1".to_owned(), ..s3() };
    let edited = S3Origin { path: "/bucket".to_owned(), ..local.clone() };
    let moved = S3Origin { domain_name: "127.0.0.2".to_owned(), ..local.clone() };
    let (local, edited, moved) = (LambdaOrigin::S3(local), LambdaOrigin::S3(edited), LambdaOrigin::S3(moved));
    assert_eq!(check(Some(&local), &edited, &HeaderMap::new()), Ok(()));
    assert_eq!(field(check(Some(&local), &moved, &HeaderMap::new())), "s3.domainName");
}

/// lambda-at-edge.md section 16: from a bucket to a server and back; an identity is not made up.
#[test]
fn kinds_may_change_but_no_identity_appears() {
    let (custom, s3) = (LambdaOrigin::Custom(custom()), s3());
    let bucket = LambdaOrigin::S3(s3.clone());
    assert_eq!(check(Some(&custom), &bucket, &HeaderMap::new()), Ok(()));
    assert_eq!(check(Some(&bucket), &custom, &HeaderMap::new()), Ok(()));
    let signed = S3Origin { auth: S3Auth::OriginAccessIdentity, region: Some("eu-central-1".to_owned()), ..s3 };
    let signed = LambdaOrigin::S3(signed);
    assert_eq!(field(check(Some(&custom), &signed, &HeaderMap::new())), "s3.authMethod");
    assert_eq!(field(check(Some(&bucket), &signed, &HeaderMap::new())), "s3.authMethod");
    assert_eq!(check(Some(&signed), &signed, &HeaderMap::new()), Ok(()));
}

/// cdn-behaviour.md section 7.4. (lambda-at-edge.md 3.6)
#[test]
fn custom_headers_have_rules() {
    let with = |name: &'static str, value: &str, headers: &HeaderMap| {
        let mut origin = custom();
        origin.custom_headers = vec![(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())];
        check(Some(&LambdaOrigin::Custom(custom())), &LambdaOrigin::Custom(origin), headers)
    };
    let mut headers = HeaderMap::new();
    assert_eq!(with("x-key", "1", &headers), Ok(()));
    assert_eq!(with("range", "1", &headers), Err(Invalid::Disallowed("range".to_owned())));
    assert_eq!(field(with("x-key", &"v".repeat(1784), &headers)), "custom.customHeaders");
    headers.insert("x-key", HeaderValue::from_static("viewer"));
    assert_eq!(field(with("x-key", "1", &headers)), "custom.customHeaders");
}
