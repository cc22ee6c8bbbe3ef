//! Results of Lambda@Edge handlers in JSON, held against the rules one section of `lambda-at-edge.md` after the other.

#![allow(clippy::unwrap_used)]

use rimward_event::invalid::Change;
use rimward_event::lambda::json::event_from_json;
use rimward_event::lambda::{Outcome, from_json};
use rimward_event::{BodyChange, Invalid, Strictness};
use rimward_types::{Hook, RequestHead, ResponseHead};
use serde_json::{Value, json};

/// An event at `hook` whose message has `headers`, as a fixture.
fn fixture(hook: Hook, headers: &Value) -> Value {
    let mut request = json!({
        "clientIp": "203.0.113.178", "method": "GET", "uri": "/a%20b", "querystring": "q=1",
        "headers": { "host": [{ "key": "Host", "value": "www.example.com" }] },
    });
    if !hook.is_viewer() {
        request["origin"] = json!({ "custom": custom_origin() });
    }
    let mut cf = json!({ "config": { "eventType": hook.as_str() }, "request": request });
    if hook.is_response() {
        cf["response"] = json!({ "status": "200", "statusDescription": "OK", "headers": headers });
    } else {
        for (name, lines) in headers.as_object().unwrap() {
            cf["request"]["headers"][name] = lines.clone();
        }
    }
    json!({ "Records": [{ "cf": cf }] })
}

fn custom_origin() -> Value {
    json!({
        "customHeaders": {}, "domainName": "example.org", "keepaliveTimeout": 5, "path": "", "port": 443,
        "protocol": "https", "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
    })
}

/// What becomes of the event when the handler returns its own request or response after `edit`.
fn edited(hook: Hook, headers: &Value, edit: impl FnOnce(&mut Value)) -> Result<Outcome, Invalid> {
    let owned = event_from_json(&fixture(hook, headers).to_string()).unwrap();
    let shown: Value = serde_json::from_str(&owned.as_event().to_json()).unwrap();
    let member = if hook.is_response() { "response" } else { "request" };
    let mut result = shown["Records"][0]["cf"][member].clone();
    edit(&mut result);
    from_json(&owned.as_event(), &result.to_string(), Strictness::Strict)
}

/// What becomes of the event when the handler returns `result`, made from scratch.
fn returned(hook: Hook, result: &Value) -> Result<Outcome, Invalid> {
    let owned = event_from_json(&fixture(hook, &json!({})).to_string()).unwrap();
    from_json(&owned.as_event(), &result.to_string(), Strictness::Strict)
}

fn lines(value: &str) -> Value {
    json!([{ "key": "Any", "value": value }])
}

fn request(outcome: Result<Outcome, Invalid>) -> (RequestHead, BodyChange) {
    match outcome.unwrap() {
        Outcome::Request { head, body, .. } => (head, body),
        other => panic!("{other:?}"),
    }
}

fn response(outcome: Result<Outcome, Invalid>) -> (ResponseHead, BodyChange) {
    match outcome.unwrap() {
        Outcome::Response(head, body) => (head, body),
        other => panic!("{other:?}"),
    }
}

fn read_only(name: &str, change: Change) -> Invalid {
    Invalid::ReadOnly { name: name.to_owned(), change }
}

const DISALLOWED: &str = "Connection Expect Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection Trailer \
    Upgrade X-Accel-Buffering X-Accel-Charset X-Accel-Limit-Rate X-Accel-Redirect X-Amz-Cf-Any X-Amzn-Auth \
    X-Amzn-Cf-Billing X-Amzn-Cf-Id X-Amzn-Cf-Xff X-Amzn-Errortype X-Amzn-Fle-Profile X-Amzn-Header-Count \
    X-Amzn-Header-Order X-Amzn-Lambda-Integration-Tag X-Amzn-RequestId X-Cache X-Edge-Any X-Forwarded-Proto X-Real-IP";

const READ_ONLY: [(Hook, &str); 4] = [
    (Hook::ViewerRequest, "cdn-loop content-length host transfer-encoding via"),
    (
        Hook::OriginRequest,
        "accept-encoding cdn-loop content-length if-modified-since if-none-match if-range if-unmodified-since \
         transfer-encoding via",
    ),
    (Hook::OriginResponse, "transfer-encoding via"),
    (Hook::ViewerResponse, "warning via content-length content-encoding transfer-encoding"),
];

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

/// lambda-at-edge.md 3.4: an outer key is lowered, and it alone names the header.
#[test]
fn section_3_4_the_outer_key_names_a_header_whatever_its_case() {
    let outcome = edited(Hook::OriginRequest, &json!({}), |request| {
        request["headers"]["X-Mixed"] = json!([{ "value": "1" }, { "key": "X-Other", "value": "2" }]);
    });
    let (head, _) = request(outcome);
    assert_eq!(head.headers.get_all("x-mixed").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(head.header("x-other"), None);
}

/// lambda-at-edge.md 3.4 and 6.2: lines that stand under two spellings of a name are one header.
#[test]
fn section_3_4_two_spellings_of_a_name_do_not_get_past_the_rules() {
    let outcome = edited(Hook::ViewerRequest, &json!({}), |request| {
        request["headers"]["HOST"] = lines("evil.example");
    });
    assert_eq!(outcome.unwrap_err(), read_only("host", Change::Changed));
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

/// lambda-at-edge.md 6.1.
#[test]
fn section_6_1_a_disallowed_header_is_not_shown_and_cannot_be_added_at_any_hook() {
    for hook in Hook::ALL {
        for name in DISALLOWED.split_whitespace() {
            let lower = name.to_lowercase();
            let headers = json!({ lower.as_str(): lines("hidden") });
            let owned = event_from_json(&fixture(hook, &headers).to_string()).unwrap();
            assert!(!owned.as_event().to_json().contains("hidden"), "{hook} {name}");
            let kept = edited(hook, &headers, |_| {}).unwrap();
            let map = match &kept {
                Outcome::Request { head, .. } => &head.headers,
                Outcome::Response(head, _) => &head.headers,
            };
            assert_eq!(map.get(lower.as_str()).map(http::HeaderValue::as_bytes), Some(&b"hidden"[..]), "{hook} {name}");
            let added = edited(hook, &json!({}), |message| message["headers"][name] = lines("1"));
            assert_eq!(added.unwrap_err(), Invalid::Disallowed(lower.clone()), "{hook} {name}");
            let generated = returned(hook, &json!({ "status": "200", "headers": { name: lines("1") } }));
            assert_eq!(generated.unwrap_err(), Invalid::Disallowed(lower), "{hook} {name}");
        }
    }
}

/// lambda-at-edge.md 6.2.
#[test]
fn section_6_2_a_read_only_header_is_shown_and_cannot_be_added_changed_or_deleted_at_its_hook() {
    for (hook, names) in READ_ONLY {
        for name in names.split_whitespace() {
            let headers = json!({ name: lines("1") });
            let owned = event_from_json(&fixture(hook, &headers).to_string()).unwrap();
            assert!(owned.as_event().to_json().contains(&format!("\"{name}\":[{{")), "{hook} {name}");
            let changed = edited(hook, &headers, |message| message["headers"][name] = lines("2"));
            assert_eq!(changed.unwrap_err(), read_only(name, Change::Changed), "{hook}");
            let longer = edited(hook, &headers, |message| {
                message["headers"][name] = json!([{ "value": "1" }, { "value": "1" }]);
            });
            assert_eq!(longer.unwrap_err(), read_only(name, Change::Changed), "{hook}");
            let deleted = edited(hook, &headers, |message| {
                message["headers"].as_object_mut().unwrap().remove(name);
            });
            assert_eq!(deleted.unwrap_err(), read_only(name, Change::Deleted), "{hook}");
            if name != "host" {
                let added = edited(hook, &json!({}), |message| message["headers"][name] = lines("1"));
                assert_eq!(added.unwrap_err(), read_only(name, Change::Added), "{hook}");
            }
            let recased = edited(hook, &headers, |message| {
                message["headers"][name] = json!([{ "key": name.to_uppercase(), "value": "1" }]);
            });
            assert!(recased.is_ok(), "{hook} {name}: re-casing `key` is no change");
        }
    }
}

/// lambda-at-edge.md 6.2: what is read-only at one hook is not at another.
#[test]
fn section_6_2_each_hook_has_a_list_of_its_own() {
    let all: Vec<&str> = READ_ONLY.iter().flat_map(|(_, names)| names.split_whitespace()).collect();
    for (hook, names) in READ_ONLY {
        let own: Vec<&str> = names.split_whitespace().collect();
        for name in all.iter().filter(|name| !own.contains(name)) {
            let changed = edited(hook, &json!({ *name: lines("1") }), |message| message["headers"][*name] = lines("2"));
            assert!(changed.is_ok(), "{hook} {name}: {changed:?}");
        }
    }
}

/// lambda-at-edge.md 6.3.
#[test]
fn section_6_3_cloudfront_headers_are_functions_to_edit_but_for_the_viewers_country() {
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        for name in ["cloudfront-is-mobile-viewer", "cloudfront-any"] {
            let added = edited(hook, &json!({}), |request| request["headers"][name] = lines("true"));
            assert_eq!(request(added).0.header(name), Some("true"), "{hook}");
            let removed = edited(hook, &json!({ name: lines("true") }), |request| {
                request["headers"].as_object_mut().unwrap().remove(name);
            });
            assert_eq!(request(removed).0.header(name), None, "{hook}");
        }
        let country = edited(hook, &json!({}), |request| request["headers"]["cloudfront-viewer-country"] = lines("CH"));
        assert_eq!(country.is_ok(), hook == Hook::OriginRequest, "{hook}");
    }
}

/// lambda-at-edge.md 6.4.
#[test]
fn section_6_4_values_have_no_control_characters_and_names_are_tokens() {
    for hook in Hook::ALL {
        for character in (0..=0x1f).chain([0x7f]).map(char::from).filter(|c| *c != '\t') {
            let outcome = edited(hook, &json!({}), |message| {
                message["headers"]["x-a"] = lines(&format!("a{character}b"));
            });
            assert_eq!(outcome.unwrap_err(), Invalid::HeaderValue { name: "x-a".to_owned(), character }, "{hook}");
        }
        for name in ["", "a b", "a:b", "a\r\nb", "ä", "a(b"] {
            let outcome = edited(hook, &json!({}), |message| message["headers"][name] = lines("1"));
            assert_eq!(outcome.unwrap_err(), Invalid::HeaderName(name.to_owned()), "{hook}");
        }
    }
}

/// lambda-at-edge.md 6.4: shown as UTF-8; unchanged ones go on as they came, changed ones as UTF-8.
#[test]
fn section_6_4_an_unchanged_value_goes_on_byte_for_byte_and_a_changed_one_as_utf_8() {
    let mut head = RequestHead::get("/");
    head.headers.insert("x-latin", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
    let mut owned = event_from_json(&fixture(Hook::OriginRequest, &json!({})).to_string()).unwrap();
    owned.request.headers.extend(head.headers);
    let shown: Value = serde_json::from_str(&owned.as_event().to_json()).unwrap();
    let mut result = shown["Records"][0]["cf"]["request"].clone();
    assert_eq!(result["headers"]["x-latin"][0]["value"], "café");
    let run = |result: &Value| from_json(&owned.as_event(), &result.to_string(), Strictness::Strict);
    assert_eq!(request(run(&result)).0.headers["x-latin"].as_bytes(), b"caf\xe9");
    result["headers"]["x-latin"] = lines("cafés");
    assert_eq!(request(run(&result)).0.headers["x-latin"].as_bytes(), "cafés".as_bytes());
}

/// lambda-at-edge.md 7: `uri` is as it was received, and what comes back is not encoded once more.
#[test]
fn section_7_percent_encoding_is_neither_undone_nor_done_again() {
    for hook in [Hook::ViewerRequest, Hook::OriginRequest] {
        let owned = event_from_json(&fixture(hook, &json!({})).to_string()).unwrap();
        assert!(owned.as_event().to_json().contains("\"uri\":\"/a%20b\""));
        let outcome = edited(hook, &json!({}), |request| {
            request["uri"] = json!("/ü%2F%zz");
            request["querystring"] = json!("a=%25&b=+");
        });
        let (head, _) = request(outcome);
        assert_eq!((head.path.as_str(), head.query.as_deref()), ("/ü%2F%zz", Some("a=%25&b=+")));
        let emptied = edited(hook, &json!({}), |request| request["querystring"] = json!(""));
        assert_eq!(request(emptied).0.query, None);
    }
}

/// lambda-at-edge.md 8: bodies that a function gives back.
#[test]
fn section_8_returned_bodies_have_limits_as_text_and_as_base64() {
    for (hook, text, base64) in [(Hook::ViewerRequest, 40 << 10, 54_476), (Hook::OriginRequest, 1 << 20, 1_394_606)] {
        let with = |encoding: &str, size: usize| {
            edited(hook, &json!({}), |request| {
                request["body"] = json!({ "action": "replace", "encoding": encoding, "data": "A".repeat(size) });
            })
        };
        assert!(with("text", text).is_ok(), "{hook}");
        assert!(matches!(with("text", text + 1), Err(Invalid::TooLarge { .. })), "{hook}");
        assert!(with("base64", base64 / 4 * 4).is_ok(), "{hook}");
        assert!(matches!(with("base64", base64 + 4), Err(Invalid::TooLarge { .. })), "{hook}");
    }
    let replaced =
        |size: usize| edited(Hook::OriginResponse, &json!({}), |response| response["body"] = json!("x".repeat(size)));
    assert!(replaced(1 << 20).is_ok());
    assert!(matches!(replaced((1 << 20) + 1), Err(Invalid::TooLarge { .. })));
}

/// lambda-at-edge.md 9: which sentence the viewer reads.
#[test]
fn section_9_each_breach_has_a_sentence_that_tells_nothing_of_the_function() {
    use rimward_event::headers::Tier;
    for (invalid, ending) in [
        (read_only("host", Change::Changed), "read-only header."),
        (Invalid::Disallowed("x-cache".to_owned()), "blacklisted header."),
        (
            Invalid::Body("is not valid base64"),
            "The body is not a string, is not an object, or exceeds the maximum size.",
        ),
        (
            Invalid::Type { member: "response.headers.x".to_owned(), expected: "an array" },
            "Each header entry in the headers object must be an array.",
        ),
    ] {
        let sentence = invalid.sentence(Tier::Lambda);
        assert!(sentence.ends_with(ending), "{invalid}: {sentence}");
        let (head, body) = invalid.answer(Tier::Lambda, "ID==");
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!((head.status.as_u16(), head.header("content-type")), (502, Some("text/html")));
        assert_eq!(head.header("x-cache"), Some("LambdaValidationError from cloudfront"));
        assert!(body.contains(sentence) && body.contains("Request ID: ID=="), "{body}");
        assert!(body.contains("Generated by cloudfront (CloudFront)"), "{body}");
    }
}
