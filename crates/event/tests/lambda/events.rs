//! Events and what may be returned (sections 3 and 5).

use super::*;

/// lambda-at-edge.md 3.3.
#[test]
fn section_3_3_status_and_reason_are_origin_responses_to_change_and_not_viewer_responses() {
    let none = json!({});
    for (status, allowed) in [(json!("200"), true), (json!(599), true), (json!("199"), false), (json!("600"), false)] {
        let changed = edited(Hook::OriginResponse, &none, |response| response["status"] = status.clone());
        assert_eq!(changed.is_ok(), allowed, "{status}");
    }
    let reason = |hook| {
        let outcome = edited(hook, &none, |response| response["statusDescription"] = json!("Fine"));
        response(outcome).0.reason
    };
    assert_eq!(reason(Hook::OriginResponse).as_deref(), Some("Fine"));
    assert_eq!(reason(Hook::ViewerResponse), None, "passed over");
    let injected = edited(Hook::OriginResponse, &none, |response| response["statusDescription"] = json!("a\r\nb"));
    assert_eq!(injected.unwrap_err(), Invalid::Reason);
}

/// lambda-at-edge.md 3.3: the origin's body is never shown; absent keeps it, a string replaces it.
#[test]
fn section_3_3_the_body_of_a_response_is_never_shown_and_may_be_replaced_at_origin_response() {
    for hook in [Hook::OriginResponse, Hook::ViewerResponse] {
        let owned = event_from_json(&fixture(hook, &json!({})).to_string()).unwrap();
        assert!(!owned.as_event().to_json().contains("\"body\""), "{hook}");
        assert_eq!(response(edited(hook, &json!({}), |_| {})).1, BodyChange::Keep, "{hook}");
    }
    let headers = json!({ "content-length": lines("10") });
    let replaced = edited(Hook::OriginResponse, &headers, |response| response["body"] = json!("hello"));
    let (head, body) = response(replaced);
    assert_eq!((head.header("content-length"), body), (Some("5"), BodyChange::Replace("hello".into())));
}

/// lambda-at-edge.md 3.6.
#[test]
fn section_3_6_an_origin_is_one_object_of_one_kind_with_all_that_it_needs() {
    let with = |origin: Value| edited(Hook::OriginRequest, &json!({}), |request| request["origin"] = origin);
    let field = |outcome: Result<Outcome, Invalid>| match outcome {
        Err(Invalid::Origin { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let bucket = json!({
        "customHeaders": {}, "domainName": "b.s3.amazonaws.com", "path": "/v", "authMethod": "none", "region": "",
    });
    assert!(with(json!({ "s3": bucket })).is_ok(), "from custom to s3");
    for origin in [json!({}), json!([]), json!("x"), json!({ "custom": custom_origin(), "s3": bucket })] {
        assert!(matches!(with(origin.clone()), Err(Invalid::Origin { .. })), "{origin}");
    }
    for name in
        ["domainName", "path", "customHeaders", "port", "protocol", "keepaliveTimeout", "readTimeout", "sslProtocols"]
    {
        let mut custom = custom_origin();
        custom.as_object_mut().unwrap().remove(name);
        assert_eq!(field(with(json!({ "custom": custom }))), format!("custom.{name}"));
    }
    for name in ["domainName", "path", "customHeaders", "authMethod"] {
        let mut s3 = bucket.clone();
        s3.as_object_mut().unwrap().remove(name);
        assert_eq!(field(with(json!({ "s3": s3 }))), format!("s3.{name}"));
    }
    for (name, value) in [
        ("port", json!("443")),
        ("port", json!(70_000)),
        ("protocol", json!("ftp")),
        ("sslProtocols", json!(["TLSv1.3"])),
        ("sslProtocols", json!([])),
        ("readTimeout", json!(1.5)),
        ("customHeaders", json!([])),
    ] {
        let mut custom = custom_origin();
        custom[name] = value;
        assert_eq!(field(with(json!({ "custom": custom }))), format!("custom.{name}"));
    }
    for (name, value) in [("domainName", json!("B.s3.amazonaws.com")), ("authMethod", json!("origin-access-control"))] {
        let mut s3 = bucket.clone();
        s3[name] = value;
        assert_eq!(field(with(json!({ "s3": s3 }))), format!("s3.{name}"));
    }
    let mut custom = custom_origin();
    custom["responseCompletionTimeout"] = json!(0);
    let unlimited = with(json!({ "custom": custom })).unwrap();
    assert!(matches!(unlimited, Outcome::Request { origin: None, .. }), "0 is no limit, as before: nothing changed");
}

/// lambda-at-edge.md 3.6: an origin's custom header must not be in the request too.
#[test]
fn section_3_6_a_custom_header_that_is_in_the_request_is_refused() {
    let outcome = edited(Hook::OriginRequest, &json!({ "x-key": lines("viewer") }), |request| {
        request["origin"]["custom"]["customHeaders"]["x-key"] = lines("origin");
    });
    assert!(matches!(outcome, Err(Invalid::Origin { field, .. }) if field == "custom.customHeaders"));
}

/// lambda-at-edge.md 5.1.
#[test]
fn section_5_1_request_hooks_return_either_and_response_hooks_a_response() {
    for hook in Hook::ALL {
        let own = returned(hook, &json!({ "method": "GET", "uri": "/", "querystring": "", "headers": {} }));
        let made = returned(hook, &json!({ "status": "200" }));
        assert!(made.is_ok(), "{hook}: {made:?}");
        if hook.is_response() {
            assert!(matches!(own, Err(Invalid::Type { ref member, .. }) if member == "response.status"), "{hook}");
        } else {
            // It has lost `host` and, at viewer-request, may not.
            assert_eq!(own.is_ok(), hook == Hook::OriginRequest, "{hook}: {own:?}");
        }
    }
}

/// lambda-at-edge.md 5.2.
#[test]
fn section_5_2_each_member_of_a_generated_response_has_its_type() {
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        for (name, value) in [
            ("body", json!(1)),
            ("body", json!({})),
            ("bodyEncoding", json!("gzip")),
            ("bodyEncoding", json!(true)),
            ("statusDescription", json!(404)),
            ("headers", json!("x")),
        ] {
            let mut result = json!({ "status": "200", "body": "x" });
            result[name] = value.clone();
            assert!(matches!(returned(hook, &result), Err(Invalid::Type { .. })), "{hook} {name} {value}");
        }
        let wrong = json!({ "status": "200", "body": "%%", "bodyEncoding": "base64" });
        assert!(matches!(returned(hook, &wrong), Err(Invalid::Body(_))), "{hook}");
        let binary = json!({ "status": "200", "body": "/w==", "bodyEncoding": "base64" });
        assert_eq!(response(returned(hook, &binary)).1, BodyChange::Replace(b"\xff".as_slice().into()), "{hook}");
    }
}

/// lambda-at-edge.md 5.2: decoded body and header bytes count together.
#[test]
fn section_5_2_headers_count_in_the_size_of_a_generated_response() {
    for (hook, limit) in [(Hook::ViewerRequest, 40 << 10), (Hook::OriginRequest, 1 << 20)] {
        // `x-a: v\r\n` and nothing else.
        let with = |body: usize| {
            let result = json!({ "status": "200", "headers": { "x-a": [{ "value": "v" }] }, "body": "x".repeat(body) });
            returned(hook, &result)
        };
        assert!(with(limit - 8).is_ok(), "{hook}");
        assert!(matches!(with(limit - 7), Err(Invalid::TooLarge { size, .. }) if size == limit + 1), "{hook}");
    }
}

/// lambda-at-edge.md 5.3.
#[test]
fn section_5_3_the_header_map_is_a_full_replacement() {
    let headers = json!({ "x-gone": lines("1"), "x-kept": lines("2") });
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        let outcome = edited(hook, &headers, |request| {
            request["headers"].as_object_mut().unwrap().remove("x-gone");
            request["headers"]["x-new"] = lines("3");
        });
        let (head, _) = request(outcome);
        assert_eq!((head.header("x-gone"), head.header("x-kept"), head.header("x-new")), (None, Some("2"), Some("3")));
    }
}

/// lambda-at-edge.md 5.3.
#[test]
fn section_5_3_method_and_client_address_are_read_only_and_an_origin_at_viewer_request_means_nothing() {
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        let method = edited(hook, &json!({}), |request| request["method"] = json!("POST"));
        assert!(matches!(method, Err(Invalid::Method { .. })), "{hook}");
        let ip = edited(hook, &json!({}), |request| request["clientIp"] = json!("192.0.2.1"));
        assert_eq!(ip.unwrap_err(), Invalid::ClientIp, "{hook}");
    }
    let outcome = edited(Hook::ViewerRequest, &json!({}), |request| request["origin"] = json!({ "custom": 1 }));
    assert!(matches!(outcome, Ok(Outcome::Request { origin: None, .. })));
}

/// lambda-at-edge.md 5.4: whoever builds the response anew drops what the origin sent.
#[test]
fn section_5_4_a_response_from_scratch_fails_when_it_drops_a_read_only_header() {
    for hook in [Hook::OriginResponse, Hook::ViewerResponse] {
        for name in ["via", "transfer-encoding"] {
            let outcome = edited(hook, &json!({ name: lines("x") }), |response| *response = json!({ "status": "200" }));
            assert_eq!(outcome.unwrap_err(), read_only(name, Change::Deleted), "{hook}");
        }
    }
}
