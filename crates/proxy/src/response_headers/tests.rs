//! `cdn-behaviour.md` section 14: what a policy makes of an answer's headers.
#![allow(clippy::unwrap_used)]

use super::*;
use http::header::VARY;
use rimward_config::{AllowedHeaders, Cors, PolicyHeader};
use rimward_telemetry::ResultType;
use std::time::Duration;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn header(name: &'static str, value: &'static str, overrides: bool) -> PolicyHeader {
    PolicyHeader { name: HeaderName::from_static(name), value: HeaderValue::from_static(value), overrides }
}

fn shown(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

fn asked(origin: &'static str) -> Asked {
    Asked { origin: (!origin.is_empty()).then(|| HeaderValue::from_static(origin)), ..Asked::default() }
}

fn cors(origins: &[&str]) -> Cors {
    Cors {
        origins: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
        methods: vec![Method::GET, Method::PUT],
        headers: AllowedHeaders::Only(vec![HeaderName::from_static("x-token")]),
        expose: AllowedHeaders::Only(vec![HeaderName::from_static("x-id")]),
        credentials: false,
        max_age: Some(Duration::from_secs(600)),
        overrides: true,
    }
}

fn with_cors(cors: Cors) -> ResponseHeadersPolicy {
    ResponseHeadersPolicy { cors: Some(cors), ..ResponseHeadersPolicy::new("p") }
}

#[test]
fn headers_are_removed_first_and_added_then() {
    let policy = ResponseHeadersPolicy {
        remove: vec![HeaderName::from_static("x-a"), HeaderName::from_static("x-none")],
        headers: vec![header("x-a", "policy", false), header("x-empty", "", true)],
        ..ResponseHeadersPolicy::new("p")
    };
    let mut answer = headers(&[("x-a", "origin"), ("x-a", "twice"), ("x-b", "origin")]);
    let changes = apply(&policy, &asked(""), &mut answer);
    assert_eq!(shown(&answer), ["x-a: policy", "x-b: origin", "x-empty: "]);
    let name = HeaderName::from_static;
    assert_eq!(
        changes,
        [(name("x-a"), Reason::Removed), (name("x-a"), Reason::Added), (name("x-empty"), Reason::Added)]
    );
}

#[test]
fn override_says_whose_value_wins() {
    let policy = ResponseHeadersPolicy {
        security: vec![header("x-frame-options", "DENY", true)],
        headers: vec![header("x-own", "policy", false)],
        ..ResponseHeadersPolicy::new("p")
    };
    let mut answer = headers(&[("x-frame-options", "SAMEORIGIN"), ("x-own", "origin")]);
    let changes = apply(&policy, &asked(""), &mut answer);
    assert_eq!(shown(&answer), ["x-frame-options: DENY", "x-own: origin"]);
    let reasons: Vec<Reason> = changes.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, [Reason::Overrode, Reason::Kept]);
    let mut silent = HeaderMap::new();
    apply(&policy, &asked(""), &mut silent);
    assert_eq!(shown(&silent), ["x-frame-options: DENY", "x-own: policy"]);
}

#[test]
fn a_removed_server_gives_way_to_the_nodes_own() {
    let policy = ResponseHeadersPolicy { remove: vec![SERVER], ..ResponseHeadersPolicy::new("p") };
    let mut answer = headers(&[("server", "Apache")]);
    apply(&policy, &asked(""), &mut answer);
    assert_eq!(shown(&answer), ["server: Rimward"]);
}

#[test]
fn cors_headers_are_for_requests_with_an_origin() {
    let policy = with_cors(cors(&["*"]));
    let mut answer = headers(&[]);
    assert_eq!(apply(&policy, &asked(""), &mut answer), []);
    apply(&policy, &asked("https://a.example"), &mut answer);
    assert_eq!(shown(&answer), ["access-control-allow-origin: *", "access-control-expose-headers: x-id"]);
}

#[test]
fn credentials_that_the_policy_denies_are_not_granted_by_the_origin() {
    let granted = [("access-control-allow-credentials", "true")];
    let policy = with_cors(cors(&["https://a.example"]));
    let mut answer = headers(&granted);
    let changes = apply(&policy, &asked("https://a.example"), &mut answer);
    assert!(!answer.contains_key("access-control-allow-credentials"));
    assert!(changes.contains(&(http::header::ACCESS_CONTROL_ALLOW_CREDENTIALS, Reason::NotAllowed)));
    let lenient = with_cors(Cors { overrides: false, ..cors(&["https://a.example"]) });
    let mut answer = headers(&granted);
    apply(&lenient, &asked("https://a.example"), &mut answer);
    assert!(answer.contains_key("access-control-allow-credentials"));
}

#[test]
fn a_preflight_is_told_methods_headers_and_age() {
    let policy = with_cors(cors(&["*"]));
    let mut answer = headers(&[("access-control-allow-methods", "GET")]);
    let preflight = Asked { preflight: true, ..asked("https://a.example") };
    apply(&policy, &preflight, &mut answer);
    assert_eq!(
        shown(&answer),
        [
            "access-control-allow-headers: x-token",
            "access-control-allow-methods: GET, PUT",
            "access-control-allow-origin: *",
            "access-control-expose-headers: x-id",
            "access-control-max-age: 600",
        ]
    );
}

#[test]
fn an_allowed_origin_is_echoed_and_another_is_told_nothing() {
    let policy = with_cors(Cors { credentials: true, ..cors(&["https://*.example.org", "https://b.example"]) });
    let mut answer = headers(&[("vary", "accept-encoding")]);
    apply(&policy, &asked("https://a.example.org"), &mut answer);
    assert_eq!(
        shown(&answer),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://a.example.org",
            "access-control-expose-headers: x-id",
            "vary: Origin",
            "vary: accept-encoding",
        ]
    );
    let mut answer = headers(&[("access-control-allow-origin", "*"), ("vary", "Origin")]);
    let changes = apply(&policy, &asked("https://evil.example"), &mut answer);
    assert_eq!(shown(&answer), ["vary: Origin"], "the policy goes before the origin");
    assert_eq!(changes, [(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, Reason::NotAllowed)]);
    let lenient = with_cors(Cors { overrides: false, ..cors(&["https://b.example"]) });
    let mut answer = headers(&[("access-control-allow-origin", "*")]);
    apply(&lenient, &asked("https://evil.example"), &mut answer);
    assert_eq!(answer["access-control-allow-origin"], "*", "the origin goes before the policy");
    assert_eq!(answer[VARY], "Origin");
}

#[test]
fn with_credentials_everybody_is_echoed() {
    let policy = with_cors(Cors { credentials: true, ..cors(&["*"]) });
    let mut answer = headers(&[]);
    apply(&policy, &asked("https://a.example"), &mut answer);
    assert_eq!(answer["access-control-allow-origin"], "https://a.example");
}

#[test]
fn the_managed_policies_do_what_the_vendor_says() {
    let policies = ResponseHeadersPolicy::built_in();
    let named = |name: &str| policies.iter().find(|policy| &*policy.name == name).unwrap();
    let preflight = Asked { preflight: true, ..asked("https://a.example") };
    let mut answer = HeaderMap::new();
    apply(named("cors-with-preflight-and-security-headers"), &preflight, &mut answer);
    assert_eq!(
        shown(&answer),
        [
            "access-control-allow-methods: GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE",
            "access-control-allow-origin: *",
            "access-control-expose-headers: *",
            "referrer-policy: strict-origin-when-cross-origin",
            "strict-transport-security: max-age=31536000",
            "x-content-type-options: nosniff",
            "x-frame-options: SAMEORIGIN",
            "x-xss-protection: 1; mode=block",
        ]
    );
    let mut own = headers(&[("referrer-policy", "no-referrer"), ("x-content-type-options", "other")]);
    apply(named("security-headers"), &asked(""), &mut own);
    assert_eq!(
        (own["referrer-policy"].as_bytes(), own["x-content-type-options"].as_bytes()),
        (&b"no-referrer"[..], &b"nosniff"[..])
    );
}

#[test]
fn what_counts_is_read_from_the_request() {
    let mut request = RequestHead::get("/");
    assert_eq!(Asked::of(&request), Asked::default());
    request.method = Method::OPTIONS;
    request.headers =
        headers(&[("origin", "null"), ("access-control-request-method", "PUT"), ("pragma", "no-cache, Server-Timing")]);
    assert_eq!(
        Asked::of(&request),
        Asked { origin: Some(HeaderValue::from_static("null")), preflight: true, timing: true }
    );
}

#[test]
fn server_timing_tells_what_the_record_knows() {
    let timing = |result, upstream| Timing {
        result,
        place: Some("FRA"),
        id: "ID==",
        upstream,
        downstream: Duration::from_millis(3),
    };
    let added = |timing: Timing<'_>| {
        let mut answer = headers(&[("server-timing", "db;dur=9")]);
        timing.add_to(&mut answer);
        answer["server-timing"].to_str().unwrap().to_owned()
    };
    assert_eq!(
        added(timing(ResultType::Miss, Some(Duration::from_micros(12_700)))),
        "db;dur=9,cdn-upstream-layer;desc=\"EDGE\",cdn-upstream-fbl;dur=12,cdn-cache-miss,cdn-pop;desc=\"FRA\",cdn-rid;desc=\"ID==\",cdn-downstream-fbl;dur=3"
    );
    assert_eq!(
        added(timing(ResultType::Hit, None)),
        "cdn-cache-hit,cdn-pop;desc=\"FRA\",cdn-rid;desc=\"ID==\",cdn-hit-layer;desc=\"EDGE\",cdn-downstream-fbl;dur=3",
        "what is stored tells of another request"
    );
    assert_eq!(
        added(Timing { place: None, ..timing(ResultType::FunctionGeneratedResponse, None) }),
        "db;dur=9,cdn-rid;desc=\"ID==\",cdn-downstream-fbl;dur=3"
    );
}
