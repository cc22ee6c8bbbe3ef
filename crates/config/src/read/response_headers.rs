//! `[response-headers-policies.NAME]`.

use super::names::check_name;
use super::section::{Section, article};
use crate::{AllowedHeaders, Cors, PolicyHeader, ResponseHeadersPolicy, Share};
use http::{HeaderName, HeaderValue, Method};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// Policies by name.
pub(super) type ResponsePolicies = BTreeMap<Arc<str>, Arc<ResponseHeadersPolicy>>;

/// Headers in `headers` and in `remove`, at most; the vendor has ten.
const MOST_HEADERS: usize = 50;
/// Bytes of a value, at most; the vendor has 1,783 for a content security policy.
const LONGEST_VALUE: usize = 8192;
const DAY: Duration = Duration::from_secs(86_400);
const YEARS: Duration = Duration::from_secs(100 * 31_536_000);

/// The values of `Referrer-Policy` (`cdn-behaviour.md` section 14).
const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

pub(super) fn read_response_policies(file: &Section<'_>) -> ResponsePolicies {
    let built_in = ResponseHeadersPolicy::built_in();
    let mut policies: ResponsePolicies =
        built_in.into_iter().map(|policy| (Arc::clone(&policy.name), Arc::new(policy))).collect();
    let keys = ["remove", "cors", "security", "headers", "server-timing"];
    for (name, value) in file.named("response-headers-policies") {
        check_name(file.reader, "response headers policy", &name);
        let called = format!("[response-headers-policies.{}]", name.get_ref());
        if policies.contains_key(*name.get_ref()) {
            let message = format!("`{}` is a built-in response headers policy", name.get_ref());
            file.reader.report_hint(name.span(), message, "choose another name");
        }
        let name: Arc<str> = (*name.get_ref()).into();
        let policy = match Section::of_value(file.reader, called, value, &keys) {
            Some(section) => read_policy(&name, &section),
            None => ResponseHeadersPolicy::new(Arc::clone(&name)),
        };
        policies.insert(name, Arc::new(policy));
    }
    policies
}

fn read_policy(name: &Arc<str>, section: &Section<'_>) -> ResponseHeadersPolicy {
    ResponseHeadersPolicy {
        name: Arc::clone(name),
        remove: read_remove(section),
        cors: read_cors(section),
        security: read_security(section),
        headers: read_headers(section),
        server_timing: read_share(section),
    }
}

/// Whether a policy may not take a header away, since the message would break or tell what is not so
/// (`cdn-behaviour.md` section 14). `name` is lower case.
fn is_kept(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-encoding"
            | "content-length"
            | "expect"
            | "host"
            | "keep-alive"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "via"
            | "warning"
            | "x-cache"
            | "x-forwarded-proto"
            | "x-real-ip"
    ) || ["proxy-", "x-accel-", "x-amz-cf-", "x-amzn-", "x-edge-"].iter().any(|start| name.starts_with(start))
}

fn read_remove(section: &Section<'_>) -> Vec<HeaderName> {
    let Some(texts) = section.texts("remove") else { return Vec::new() };
    let names = read_names(section, "remove", texts.get_ref());
    for text in texts.get_ref().iter().filter(|text| is_kept(&text.get_ref().to_ascii_lowercase())) {
        section.reader.report(text.span(), format!("`{}` cannot be removed", text.get_ref()));
    }
    if names.len() > MOST_HEADERS {
        let message = format!("`remove` has {} names; it has at most {MOST_HEADERS}", names.len());
        section.reader.report(texts.span(), message);
    }
    names
}

fn read_names(section: &Section<'_>, key: &str, texts: &[Spanned<&str>]) -> Vec<HeaderName> {
    let mut names = Vec::new();
    for text in texts {
        match HeaderName::from_bytes(text.get_ref().as_bytes()) {
            Ok(name) if names.contains(&name) => {
                section.reader.report(text.span(), format!("`{}` is there twice in `{key}`", text.get_ref()));
            }
            Ok(name) => names.push(name),
            Err(_) => {
                section.reader.report(text.span(), format!("`{}` is no header name", text.get_ref().escape_debug()));
            }
        }
    }
    names
}

fn read_cors(section: &Section<'_>) -> Option<Cors> {
    let keys = ["origins", "methods", "headers", "expose", "credentials", "max-age", "override"];
    let cors = section.section("cors", "cors", &keys)?;
    let mut origins = Vec::new();
    match cors.texts("origins") {
        Some(texts) if texts.get_ref().is_empty() => cors.reader.report(texts.span(), "`origins` has at least one"),
        Some(texts) => {
            for text in texts.get_ref() {
                match text.get_ref().parse() {
                    Ok(origin) => origins.push(origin),
                    Err(why) => {
                        let hint = "write \"*\", \"https://www.example.com\", \"*.example.com\" or \"localhost:*\"";
                        let message = format!("`{}` is no origin: {why}", text.get_ref().escape_debug());
                        cors.reader.report_hint(text.span(), message, hint);
                    }
                }
            }
        }
        None if cors.get("origins").is_none() => cors.report_missing("origins", "[\"https://www.example.com\"]"),
        None => {}
    }
    Some(Cors {
        origins,
        methods: read_methods(&cors),
        headers: read_allowed(&cors, "headers"),
        expose: read_allowed(&cors, "expose"),
        credentials: cors.flag("credentials").unwrap_or(false),
        max_age: cors.time("max-age", Duration::ZERO..=DAY),
        overrides: cors.flag("override").unwrap_or(true),
    })
}

fn read_methods(cors: &Section<'_>) -> Vec<Method> {
    let default = vec![Method::GET, Method::HEAD];
    let Some(value) = cors.get("methods") else { return default };
    if value.get_ref().as_str() == Some("all") {
        return Cors::all_methods();
    }
    if !value.get_ref().is_array() {
        cors.report_type("methods", value, "\"all\" or a list of methods");
        return default;
    }
    let mut methods = Vec::new();
    for text in cors.texts_of("methods", value).unwrap_or_default() {
        match Method::from_bytes(text.get_ref().as_bytes()) {
            Ok(method) if Cors::all_methods().contains(&method) => methods.push(method),
            _ => {
                let hint = "methods here: GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE";
                let message = format!("`{}` is no method", text.get_ref().escape_debug());
                cors.reader.report_hint(text.span(), message, hint);
            }
        }
    }
    methods
}

fn read_allowed(cors: &Section<'_>, key: &str) -> AllowedHeaders {
    let Some(texts) = cors.texts(key) else { return AllowedHeaders::Only(Vec::new()) };
    match texts.get_ref().as_slice() {
        [one] if *one.get_ref() == "*" => AllowedHeaders::All,
        names => AllowedHeaders::Only(read_names(cors, key, names)),
    }
}

fn read_security(section: &Section<'_>) -> Vec<PolicyHeader> {
    let keys = [
        "content-security-policy",
        "content-type-options",
        "frame-options",
        "referrer-policy",
        "strict-transport-security",
        "xss-protection",
    ];
    let Some(security) = section.section("security", "security", &keys) else { return Vec::new() };
    let frames = [("DENY", "DENY"), ("SAMEORIGIN", "SAMEORIGIN")];
    let referrers = REFERRER_POLICIES.map(|policy| (policy, policy));
    [
        with_value(&security, "content-security-policy", "content-security-policy", None),
        nosniff(&security),
        with_value(&security, "frame-options", "x-frame-options", Some(&frames)),
        with_value(&security, "referrer-policy", "referrer-policy", Some(&referrers)),
        transport_security(&security),
        xss_protection(&security),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A header whose value is written: any, or one of a few.
fn with_value(
    security: &Section<'_>,
    key: &str,
    header: &'static str,
    choices: Option<&[(&'static str, &'static str)]>,
) -> Option<PolicyHeader> {
    let table = security.section(key, key, &["value", "override"])?;
    let value = match choices {
        Some(choices) => {
            if table.get("value").is_none() {
                table.report_missing("value", &format!("\"{}\"", choices[0].0));
            }
            HeaderValue::from_static(table.choice("value", choices)?)
        }
        None => {
            let text = table.required_text("value", "\"default-src 'self'\"")?;
            header_value(&table, &text)?
        }
    };
    Some(added(&table, header, value))
}

fn nosniff(security: &Section<'_>) -> Option<PolicyHeader> {
    let table = security.section("content-type-options", "content-type-options", &["override"])?;
    Some(added(&table, "x-content-type-options", HeaderValue::from_static("nosniff")))
}

fn transport_security(security: &Section<'_>) -> Option<PolicyHeader> {
    let key = "strict-transport-security";
    let table = security.section(key, key, &["max-age", "include-subdomains", "preload", "override"])?;
    if table.get("max-age").is_none() {
        table.report_missing("max-age", "\"1 y\"");
    }
    let age = table.time("max-age", Duration::ZERO..=YEARS)?;
    let mut text = format!("max-age={}", age.as_secs());
    for (flag, directive) in [("include-subdomains", "; includeSubDomains"), ("preload", "; preload")] {
        if table.flag(flag).unwrap_or(false) {
            text.push_str(directive);
        }
    }
    Some(added(&table, key, HeaderValue::try_from(text).ok()?))
}

fn xss_protection(security: &Section<'_>) -> Option<PolicyHeader> {
    let table = security.section("xss-protection", "xss-protection", &["enabled", "block", "report", "override"])?;
    let (enabled, block) = (table.flag("enabled").unwrap_or(true), table.flag("block").unwrap_or(false));
    let report = table.text("report");
    if block && report.is_some() {
        let message = "`block` and `report` exclude each other";
        table.reader.report(table.key_span("report"), message);
    }
    if !enabled && (block || report.is_some()) {
        table.reader.report(table.span.clone(), "`block` and `report` need `enabled = true`");
    }
    let text = match (enabled, block, &report) {
        (false, ..) => "0".to_owned(),
        (true, true, _) => "1; mode=block".to_owned(),
        (true, false, Some(url)) => format!("1; report={}", url.get_ref()),
        (true, false, None) => "1".to_owned(),
    };
    let value = match report {
        Some(url) => header_value(&table, &Spanned::new(url.span(), text.as_str()))?,
        None => HeaderValue::try_from(text).ok()?,
    };
    Some(added(&table, "x-xss-protection", value))
}

fn added(table: &Section<'_>, header: &'static str, value: HeaderValue) -> PolicyHeader {
    let overrides = table.flag("override").unwrap_or(true);
    PolicyHeader { name: HeaderName::from_static(header), value, overrides }
}

fn read_headers(section: &Section<'_>) -> Vec<PolicyHeader> {
    let mut headers: Vec<PolicyHeader> = Vec::new();
    for (name, value) in section.named("headers") {
        let Ok(header) = HeaderName::from_bytes(name.get_ref().as_bytes()) else {
            section.reader.report(name.span(), format!("`{}` is no header name", name.get_ref().escape_debug()));
            continue;
        };
        if is_kept(header.as_str()) || header == http::header::SET_COOKIE {
            section.reader.report(name.span(), format!("`{}` cannot be added by a policy", name.get_ref()));
        }
        if headers.iter().any(|other| other.name == header) {
            section.reader.report(name.span(), format!("`{}` is there twice", name.get_ref()));
        }
        let (value, overrides) = match value.get_ref() {
            DeValue::String(text) => (header_value(section, &Spanned::new(value.span(), text.as_ref())), true),
            DeValue::Table(_) => {
                let called = format!("headers.{}", name.get_ref());
                let Some(table) = Section::of_value(section.reader, called, value, &["value", "override"]) else {
                    continue;
                };
                let text = table.required_text("value", "\"1\"");
                (text.and_then(|text| header_value(&table, &text)), table.flag("override").unwrap_or(true))
            }
            other => {
                let message =
                    format!("`headers.{}` must be a string or a table, not {}", name.get_ref(), article(other));
                section.reader.report(value.span(), message);
                continue;
            }
        };
        headers.extend(value.map(|value| PolicyHeader { name: header, value, overrides }));
    }
    if headers.len() > MOST_HEADERS {
        let message = format!("`headers` has {} headers; it has at most {MOST_HEADERS}", headers.len());
        section.reader.report(section.key_span("headers"), message);
    }
    headers
}

fn header_value(table: &Section<'_>, text: &Spanned<&str>) -> Option<HeaderValue> {
    let length = text.get_ref().len();
    if length > LONGEST_VALUE {
        table.reader.report(text.span(), format!("a header's value has at most {LONGEST_VALUE} bytes, not {length}"));
        return None;
    }
    let value = HeaderValue::from_str(text.get_ref()).ok();
    if value.is_none() {
        table.reader.report(text.span(), "a header's value has no control characters");
    }
    value
}

/// `server-timing`: percent.
fn read_share(section: &Section<'_>) -> Option<Share> {
    let value = section.get("server-timing")?;
    let text = match value.get_ref() {
        DeValue::Integer(number) => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => {
            section.report_type("server-timing", value, "a number of percent");
            return None;
        }
    };
    let share = text.parse().ok().and_then(Share::of_percent);
    if share.is_none() {
        let message = format!("`server-timing` is {text}; it must be from 0 to 100, with at most 4 decimals");
        section.reader.report(value.span(), message);
    }
    share
}
