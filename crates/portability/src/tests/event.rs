//! `cloudfront-functions.md` sections 3 to 5: writes that end in 502.

use super::*;

const SENTENCE: &str = "The CloudFront function returned an invalid value";

#[track_caller]
fn writes(rule: Rule, body: &str, expected: &str) {
    let code = format!("function handler(event) {{\n{body}\n}}");
    let text = expected.replace("{S}", SENTENCE);
    refused(rule, V2, &[(&code, &text)]);
}

#[test]
fn section_5_disallowed_headers() {
    let names = [
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-redirect",
        "x-amz-cf-id",
        "x-amzn-auth",
        "x-cache",
        "x-edge-location",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    for name in names {
        let body = format!("event.response.headers['{name}'] = {{ value: '1' }};");
        let text = format!("2:1: {{S}}: response.headers must not have the disallowed header `{name}`");
        writes(Rule::Header, &body, &text);
    }
}

#[test]
fn section_5_read_only_headers() {
    for name in ["cdn-loop", "content-length", "host", "transfer-encoding", "via"] {
        let text = format!("2:1: {{S}}: request.headers has a change of the read-only header `{name}`");
        writes(Rule::Header, &format!("event.request.headers['{name}'] = {{ value: '1' }};"), &text);
        let text = format!("2:8: {{S}}: request.headers has a change of the read-only header `{name}`");
        writes(Rule::Header, &format!("delete event.request.headers['{name}'];"), &text);
    }
    for name in ["warning", "via"] {
        let text = format!("2:1: {{S}}: response.headers has a change of the read-only header `{name}`");
        writes(Rule::Header, &format!("event.response.headers['{name}'] = {{ value: '1' }};"), &text);
    }
}

#[test]
fn section_3_2_header_names_are_lower_case() {
    let text = "{S}: response.headers must have header names in lower case.";
    writes(Rule::Header, "event.response.headers['X-Foo'] = { value: '1' };", &format!("2:1: {text}"));
    writes(
        Rule::Header,
        "return { statusCode: 302, headers: { Location: { value: '/' } } };",
        &format!("2:38: {text}"),
    );
    writes(
        Rule::Header,
        "var response = { statusCode: 200 }; response.headers = { 'X-A': { value: '1' } }; return response;",
        &format!("2:58: {text}"),
    );
}

#[test]
fn sections_3_and_5_maps_and_names_are_followed_through_variables() {
    let host = "{S}: request.headers has a change of the read-only header `host`";
    writes(
        Rule::Header,
        "const request = event.request; request.headers.host = { value: 'a' };",
        &format!("2:32: {host}"),
    );
    writes(
        Rule::Header,
        "const headers = event.request.headers; headers.host = { value: 'a' };",
        &format!("2:40: {host}"),
    );
    let body = "const r = event.request; const h = r.headers; const NAME = 'host'; h[NAME] = { value: 'a' };";
    writes(Rule::Header, body, &format!("2:68: {host}"));
    let upper = "{S}: headers must have header names in lower case.";
    let code = "function f(headers) {\n headers['X-A'] = { value: '1' };\n}";
    refused(Rule::Header, V2, &[(code, &format!("2:2: {}", upper.replace("{S}", SENTENCE)))]);
}

#[test]
fn section_4_other_writes() {
    writes(Rule::Event, "event.request.method = 'GET';", "2:1: {S}: request.method is read-only");
    writes(Rule::Event, "event.request.origin = {};", "2:1: {S}: request.origin is not a member of a request");
    writes(
        Rule::Event,
        "event.response.headers['set-cookie'] = { value: 'a=b' };",
        "2:1: {S}: response.headers must not have `set-cookie`",
    );
    writes(Rule::Event, "event.request.headers['x-a'] = 'text';", "2:32: {S}: the header `x-a` is not an object");
}

#[test]
fn sections_3_to_5_what_is_allowed_is_not_found() {
    accepted(
        V2,
        &[
            "function handler(event) { event.request.headers['x-a'] = { value: '1' }; return event.request; }",
            "function handler(event) { delete event.request.headers.authorization; return event.request; }",
            "function handler(event) { delete event.response.headers['x-cache']; return event.response; }",
            "function handler(event) { event.response.headers['content-length'] = { value: '1' }; return event.response; }",
            "function handler(event) { var host = event.request.headers.host.value; console.log(host); }",
            "function handler(event) { event.request.uri = '/'; event.request.querystring = 'a=1'; }",
            "function handler(event, name) { event.request.headers[name] = { value: '1' }; }",
            "var table = { Host: 1, 'X-A': 2 }; var other = { headers: { 'X-A': 1 } };",
            "return_; function return_() { return { statusCode: 200, headers: { 'x-a': { value: '1' } } }; }",
        ],
    );
}
