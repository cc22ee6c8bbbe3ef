use super::*;
use std::time::Duration;

fn decoded(call: OriginCall, arguments: &str) -> Result<OriginRewrite, Invalid> {
    let mut headers = HeaderMap::new();
    headers.insert("x-present", HeaderValue::from_static("1"));
    decode(&Origin { call, arguments }, &headers)
}

fn update(properties: &str) -> OriginUpdate {
    match decoded(OriginCall::Update, &format!("[{properties}]")).unwrap() {
        OriginRewrite::Update(update) => *update,
        other => panic!("{other:?}"),
    }
}

fn refused(call: OriginCall, arguments: &str) -> String {
    decoded(call, arguments).unwrap_err().to_string()
}

/// cloudfront-functions.md section 11.3: all properties that a custom origin has.
#[test]
fn an_update_takes_every_documented_property() {
    let all = r#"{
        "domainName": "other.example.com", "hostHeader": "host.example.com", "originPath": "/base/v1",
        "customHeaders": {"x-key": "secret", "x-empty": ""}, "connectionAttempts": 2,
        "originShield": {"enabled": true, "region": "eu-central-1"},
        "originAccessControlConfig": {"enabled": false, "region": "any"},
        "timeouts": {"readTimeout": 5, "responseCompletionTimeout": 9, "keepAliveTimeout": 7, "connectionTimeout": 3},
        "customOriginConfig": {"port": 8443, "protocol": "https", "sslProtocols": ["TLSv1.1", "TLSv1.2"], "ipAddressType": "dualstack"},
        "sni": "sni.example.com", "allowedCertificateNames": ["*.example.com", "other.example.org"],
        "mTLSConfig": "off", "somethingNew": 1 }"#;
    let update = update(all);
    assert_eq!(update.domain_name.as_deref(), Some("other.example.com"));
    assert_eq!(update.path.as_deref(), Some("/base/v1"));
    let headers = update.custom_headers.unwrap();
    assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x-key", "x-empty"]);
    assert_eq!(update.attempts, Some(2));
    assert_eq!(update.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(update.read_timeout, Some(Duration::from_secs(5)));
    assert_eq!(update.completion_timeout, Some(Duration::from_secs(9)));
    assert_eq!(update.keepalive_timeout, Some(Duration::from_secs(7)));
    let ssl_protocols = vec![SslProtocol::TlsV1_1, SslProtocol::TlsV1_2];
    assert_eq!(update.endpoint, Some(Endpoint { port: 8443, protocol: Protocol::Https, ssl_protocols }));
    assert_eq!(update.overrides.host_header.as_deref(), Some("host.example.com"));
    assert_eq!(update.overrides.sni.as_deref(), Some("sni.example.com"));
    assert_eq!(update.overrides.certificate_names.unwrap().len(), 2);
}

#[test]
fn what_is_left_out_is_inherited_and_an_empty_object_clears_headers() {
    assert_eq!(update("{}"), OriginUpdate::default());
    assert_eq!(update("{}").access_control, None);
    assert_eq!(update(r#"{"customHeaders": {}}"#).custom_headers, Some(Vec::new()));
    assert_eq!(update(r#"{"domainName": null}"#).domain_name, None);
}

fn control(behavior: &str, kind: &str) -> String {
    format!(
        r#"{{"originAccessControlConfig": {{"enabled": true, "signingBehavior": "{behavior}", "signingProtocol": "sigv4",
            "originType": "{kind}", "region": "eu-central-1"}}}}"#
    )
}

/// cloudfront-functions.md section 11.3.
#[test]
fn an_access_control_is_on_or_off() {
    let sign = |no_override| AccessControl::Sign { no_override, region: Some("eu-central-1".to_owned()) };
    for (properties, expected) in [
        (r#"{"originAccessControlConfig": {"enabled": false, "region": "any"}}"#.to_owned(), AccessControl::Off),
        (control("never", "lambda"), AccessControl::Off),
        (control("always", "s3"), sign(false)),
        (control("no-override", "s3"), sign(true)),
    ] {
        assert_eq!(update(&properties).access_control, Some(expected), "{properties}");
    }
}

/// cloudfront-functions.md sections 5 and 11.3: each constraint, with the property that broke it.
#[test]
fn an_update_that_breaks_a_rule_is_refused_by_name() {
    let long = "a".repeat(64);
    for (properties, property) in [
        (r#"{"domainName": 5}"#.to_owned(), "domainName"),
        (r#"{"domainName": "a.example:8080"}"#.to_owned(), "domainName"),
        (r#"{"domainName": "192.0.2.1"}"#.to_owned(), "domainName"),
        (r#"{"domainName": ""}"#.to_owned(), "domainName"),
        (format!(r#"{{"domainName": "{}.example"}}"#, [&*long; 4].join(".")), "domainName"),
        (r#"{"domainName": "Bucket.s3.eu-central-1.amazonaws.com"}"#.to_owned(), "domainName"),
        (r#"{"domainName": "b.s3.amazonaws.com", "hostHeader": "a.example"}"#.to_owned(), "hostHeader"),
        (r#"{"hostHeader": "a:1"}"#.to_owned(), "hostHeader"),
        (r#"{"originPath": "x"}"#.to_owned(), "originPath"),
        (r#"{"originPath": "/x/"}"#.to_owned(), "originPath"),
        (r#"{"originPath": "/a b"}"#.to_owned(), "originPath"),
        (r#"{"customHeaders": {"X-Key": "1"}}"#.to_owned(), "customHeaders.X-Key"),
        (r#"{"customHeaders": {"x-key": 1}}"#.to_owned(), "customHeaders.x-key"),
        (r#"{"customHeaders": {"x-key": {"value": "1"}}}"#.to_owned(), "customHeaders.x-key"),
        (r#"{"customHeaders": {"x-key": "a\nb"}}"#.to_owned(), "customHeaders.x-key"),
        (r#"{"customHeaders": {"x-present": "2"}}"#.to_owned(), "customHeaders.x-present"),
        (r#"{"connectionAttempts": 4}"#.to_owned(), "connectionAttempts"),
        (r#"{"originShield": {"enabled": true}}"#.to_owned(), "originShield.region"),
        (r#"{"originAccessControlConfig": {"enabled": true}}"#.to_owned(), "originAccessControlConfig.signingBehavior"),
        (control("sometimes", "s3"), "originAccessControlConfig.signingBehavior"),
        (control("always", "lambda"), "originAccessControlConfig.originType"),
        (control("always", "s3").replacen('{', r#"{"hostHeader": "a.example","#, 1), "hostHeader"),
        (r#"{"timeouts": {"readTimeout": 121}}"#.to_owned(), "timeouts.readTimeout"),
        (r#"{"timeouts": {"readTimeout": 1.5}}"#.to_owned(), "timeouts.readTimeout"),
        (r#"{"timeouts": {"connectionTimeout": 11}}"#.to_owned(), "timeouts.connectionTimeout"),
        (
            r#"{"timeouts": {"readTimeout": 9, "responseCompletionTimeout": 8}}"#.to_owned(),
            "timeouts.responseCompletionTimeout",
        ),
        (r#"{"customOriginConfig": {"port": 443}}"#.to_owned(), "customOriginConfig.protocol"),
        (
            r#"{"customOriginConfig": {"port": 443, "protocol": "https"}}"#.to_owned(),
            "customOriginConfig.sslProtocols",
        ),
        (
            r#"{"customOriginConfig": {"port": 81, "protocol": "http", "sslProtocols": ["TLSv1.2"]}}"#.to_owned(),
            "customOriginConfig.port",
        ),
        (
            r#"{"customOriginConfig": {"port": 80, "protocol": "http", "sslProtocols": ["TLSv1.2"], "ipAddressType": "ipv4"}}"#.to_owned(),
            "customOriginConfig.ipAddressType",
        ),
        (r#"{"allowedCertificateNames": ["a", ""]}"#.to_owned(), "allowedCertificateNames"),
        (r#"{"mTLSConfig": "on"}"#.to_owned(), "mTLSConfig"),
    ] {
        let text = refused(OriginCall::Update, &format!("[{properties}]"));
        assert!(text.starts_with(&format!("updateRequestOrigin.{property} ")), "{properties}: {text}");
    }
    assert_eq!(refused(OriginCall::Update, "[]"), "updateRequestOrigin must be an object");
}

/// cloudfront-functions.md section 5: the deny list of custom origin headers.
#[test]
fn no_denied_header_becomes_a_custom_header() {
    for name in [
        "cache-control",
        "connection",
        "content-length",
        "cookie",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "request-range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-real-ip",
        "x-amz-meta",
        "x-edge-any",
    ] {
        let text = refused(OriginCall::Update, &format!(r#"[{{"customHeaders": {{"{name}": "1"}}}}]"#));
        assert_eq!(text, format!("updateRequestOrigin.customHeaders.{name} cannot be a custom header"));
    }
}

/// cloudfront-functions.md section 11.4.
#[test]
fn an_origin_is_selected_by_its_id() {
    let chosen = decoded(OriginCall::Select, r#"["app", {"hostHeader": "a.example", "sni": "b.example"}]"#).unwrap();
    let OriginRewrite::Select(OriginChoice { id, overrides }) = chosen else { panic!() };
    assert_eq!((id.as_str(), overrides.host_header.as_deref()), ("app", Some("a.example")));
    assert!(decoded(OriginCall::Select, r#"["app"]"#).is_ok());
    assert_eq!(refused(OriginCall::Select, "[5]"), "selectRequestOriginById needs an origin's id");
    assert!(
        refused(OriginCall::Select, r#"["app", {"sni": "1.2.3.4"}]"#)
            .starts_with("selectRequestOriginById.overrides.sni ")
    );
}

/// cloudfront-functions.md section 11.5.
#[test]
fn a_group_has_two_origins_and_its_statuses() {
    let group = r#"[{"originIds": ["a", {"originId": "b", "originOverrides": {"hostHeader": "b.example"}}],
        "selectionCriteria": "default", "failoverCriteria": {"statusCodes": [500, 404]}}]"#;
    let OriginRewrite::Group { primary, secondary, failover } = decoded(OriginCall::Group, group).unwrap() else {
        panic!()
    };
    assert_eq!((primary.id.as_str(), secondary.id.as_str()), ("a", "b"));
    assert_eq!(secondary.overrides.host_header.as_deref(), Some("b.example"));
    assert_eq!(failover.into_iter().collect::<Vec<_>>(), [404, 500]);
    for (properties, property) in [
        (r#"{"originIds": ["a"], "failoverCriteria": {"statusCodes": [500]}}"#, "originIds"),
        (r#"{"originIds": ["a", "a"], "failoverCriteria": {"statusCodes": [500]}}"#, "originIds"),
        (r#"{"originIds": ["a", {}], "failoverCriteria": {"statusCodes": [500]}}"#, "originIds[1].originId"),
        (r#"{"originIds": ["a", "b"]}"#, "failoverCriteria.statusCodes"),
        (r#"{"originIds": ["a", "b"], "failoverCriteria": {"statusCodes": []}}"#, "failoverCriteria.statusCodes"),
        (r#"{"originIds": ["a", "b"], "failoverCriteria": {"statusCodes": [200]}}"#, "failoverCriteria.statusCodes"),
        (
            r#"{"originIds": ["a", "b"], "selectionCriteria": "x", "failoverCriteria": {"statusCodes": [500]}}"#,
            "selectionCriteria",
        ),
    ] {
        let text = refused(OriginCall::Group, &format!("[{properties}]"));
        assert!(text.starts_with(&format!("createRequestOriginGroup.{property} ")), "{properties}: {text}");
    }
}

/// cloudfront-functions.md section 18: what the viewer reads, whatever was wrong.
#[test]
fn the_viewer_learns_no_more_than_that_the_rewrite_was_wrong() {
    let error = decoded(OriginCall::Update, r#"[{"domainName": "secret host"}]"#).unwrap_err();
    let tier = crate::headers::Tier::Viewer;
    assert_eq!(error.category(tier), crate::FailureCategory::FunctionValidation);
    assert_eq!(error.sentence(tier), "The CloudFront function returned an invalid value for origin rewrite.");
}
