//! `[response-headers-policies.NAME]`, right and wrong.

use super::{right, wrong};
use http::{HeaderName, HeaderValue, Method};
use rimward_config::{AllowedHeaders, Cors, PolicyHeader, ResponseHeadersPolicy, Share};
use std::time::Duration;

fn header(name: &'static str, value: &'static str, overrides: bool) -> PolicyHeader {
    PolicyHeader { name: HeaderName::from_static(name), value: HeaderValue::from_static(value), overrides }
}

#[test]
fn every_setting_of_response_headers_policies() {
    let text = r#"
        [response-headers-policies.mine]
        remove = ["X-Powered-By", "server"]
        server-timing = 12.5
        headers = { x-own = "1", x-other = { value = "", override = false } }
        [response-headers-policies.mine.cors]
        origins = ["https://www.example.com", "*.example.org", "localhost:*"]
        methods = ["GET", "PUT"]
        headers = ["X-Token"]
        expose = ["x-id"]
        credentials = true
        max-age = "10 min"
        override = false
        [response-headers-policies.mine.security]
        content-security-policy = { value = "default-src 'self'", override = false }
        content-type-options = {}
        frame-options = { value = "DENY" }
        referrer-policy = { value = "same-origin" }
        strict-transport-security = { max-age = "1 y", include-subdomains = true, preload = true }
        xss-protection = { report = "https://r.example/" }
    "#;
    let origins = ["https://www.example.com", "*.example.org", "localhost:*"].map(|text| text.parse().unwrap());
    let expected = ResponseHeadersPolicy {
        name: "mine".into(),
        remove: vec![HeaderName::from_static("x-powered-by"), http::header::SERVER],
        cors: Some(Cors {
            origins: origins.to_vec(),
            methods: vec![Method::GET, Method::PUT],
            headers: AllowedHeaders::Only(vec![HeaderName::from_static("x-token")]),
            expose: AllowedHeaders::Only(vec![HeaderName::from_static("x-id")]),
            credentials: true,
            max_age: Some(Duration::from_secs(600)),
            overrides: false,
        }),
        security: vec![
            header("content-security-policy", "default-src 'self'", false),
            header("x-content-type-options", "nosniff", true),
            header("x-frame-options", "DENY", true),
            header("referrer-policy", "same-origin", true),
            header("strict-transport-security", "max-age=31536000; includeSubDomains; preload", true),
            header("x-xss-protection", "1; report=https://r.example/", true),
        ],
        headers: vec![header("x-other", "", false), header("x-own", "1", true)],
        server_timing: Share::of_percent(12.5),
    };
    let config = right(text);
    let mut read = ResponseHeadersPolicy::clone(&config.response_headers_policies["mine"]);
    read.headers.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    assert_eq!(read, expected);
}

#[test]
fn a_small_policy_has_defaults_for_the_rest() {
    let text = "[response-headers-policies.mine]\ncors = { origins = [\"*\"] }\nserver-timing = 100\n\
                security = { xss-protection = { enabled = false } }\n";
    let policy = right(text).response_headers_policies["mine"].clone();
    let cors = policy.cors.as_ref().unwrap();
    assert_eq!((&cors.methods[..], cors.max_age, cors.overrides), (&[Method::GET, Method::HEAD][..], None, true));
    assert_eq!((cors.credentials, &cors.expose), (false, &AllowedHeaders::Only(Vec::new())));
    assert_eq!(policy.security, [header("x-xss-protection", "0", true)]);
    assert_eq!(policy.server_timing, Share::of_percent(100.0));
}

/// cdn-behaviour.md section 14: the managed policies.
#[test]
fn the_vendors_policies_are_there_by_name() {
    let config = right("");
    let names: Vec<&str> = config.response_headers_policies.keys().map(AsRef::as_ref).collect();
    assert_eq!(
        names,
        [
            "cors-and-security-headers",
            "cors-with-preflight",
            "cors-with-preflight-and-security-headers",
            "security-headers",
            "simple-cors",
        ]
    );
    let behavior = "[origins.a]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"a.example\"]\n\
                    behaviors = [{ origin = \"a\", response-headers-policy = \"security-headers\" }]\n";
    let config = right(behavior);
    let policy = config.distributions[0].behaviors[0].response_headers_policy.as_ref().unwrap();
    assert_eq!(policy.security[0], header("strict-transport-security", "max-age=31536000", false));
}

wrong! {
    a_policy_that_is_not_there_is_named: "[[distributions]]\ndomains = [\"a.example\"]\nbehaviors = [{ origin = \"app\", response-headers-policy = \"security-header\" }]\n" => [
        "3:58 there is no response headers policy `security-header`", "hint: did you mean `security-headers`?",
    ]
    a_built_in_name_is_taken: "[response-headers-policies.simple-cors]\n" => [
        "1:28 `simple-cors` is a built-in response headers policy", "hint: choose another name",
    ]
    what_a_message_needs_cannot_be_removed: "[response-headers-policies.p]\nremove = [\"Via\", \"x-edge-a\", \"X-A\", \"x-a\", \"a b\"]" => [
        "2:11 `Via` cannot be removed",
        "2:18 `x-edge-a` cannot be removed",
        "2:37 `x-a` is there twice in `remove`",
        "2:44 `a b` is no header name",
    ]
    headers_have_names_and_values: "[response-headers-policies.p.headers]\nvia = \"1\"\nset-cookie = \"a=1\"\nx-a = 1\nx-b = { }\nx-c = \"a\\nb\"" => [
        "2:1 `via` cannot be added by a policy",
        "3:1 `set-cookie` cannot be added by a policy",
        "4:7 `headers.x-a` must be a string or a table, not an integer",
        "5:7 `headers.x-b` needs `value`", "hint: add `value = \"1\"`",
        "6:7 a header's value has no control characters",
    ]
    cors_needs_origins: "[response-headers-policies.p]\ncors = { methods = \"some\", origins = [\"ftp://a\", \"*.a.b:x\"] }" => [
        "2:20 `methods` must be \"all\" or a list of methods, not a string",
        "2:39 `ftp://a` is no origin: its scheme is http or https, or left out",
        "hint: write \"*\", \"https://www.example.com\", \"*.example.com\" or \"localhost:*\"",
        "2:50 `*.a.b:x` is no origin: its port is a number from 1 to 65535, or `*`",
        "hint: write \"*\", \"https://www.example.com\", \"*.example.com\" or \"localhost:*\"",
    ]
    every_header_is_none_for_browsers_with_credentials: "[response-headers-policies.p]\ncors = { origins = [\"*\"], credentials = true, headers = [\"*\"], expose = [\"*\"] }" => [
        "2:57 `headers` cannot be \"*\" with `credentials`: browsers take it for a name then",
        "hint: list the names, or leave `credentials` out",
        "2:73 `expose` cannot be \"*\" with `credentials`: browsers take it for a name then",
        "hint: list the names, or leave `credentials` out",
    ]
    server_timing_is_a_share: "[response-headers-policies.p]\nserver-timing = 100.5" => [
        "2:17 `server-timing` is 100.5; it must be from 0 to 100, with at most 4 decimals",
    ]
    security_headers_have_the_values_of_their_kind: "[response-headers-policies.p.security]\nframe-options = { value = \"ALLOW\" }\nxss-protection = { block = true, report = \"https://a\" }\nstrict-transport-security = { preload = true }" => [
        "2:27 `value` cannot be \"ALLOW\"", "hint: it is one of \"DENY\", \"SAMEORIGIN\"",
        "3:34 `block` and `report` exclude each other",
        "4:29 `strict-transport-security` needs `max-age`", "hint: add `max-age = \"1 y\"`",
    ]
}
