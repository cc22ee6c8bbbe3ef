//! Header names, values and who may change them (sections 3.4, 6 and 7).

use super::*;

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
