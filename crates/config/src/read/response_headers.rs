//! `[response-headers-policies.NAME]`.

mod cors;
mod security;

use super::names::check_name;
use super::section::{Section, article};
use crate::{PolicyHeader, ResponseHeadersPolicy, Share};
use http::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeValue;

/// Policies by name.
pub(super) type ResponsePolicies = BTreeMap<Arc<str>, Arc<ResponseHeadersPolicy>>;

/// Headers in `headers` and in `remove`, at most; the vendor has ten.
const MOST_HEADERS: usize = 50;
/// Bytes of a value, at most; the vendor has 1,783 for a content security policy.
const LONGEST_VALUE: usize = 8192;
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
        cors: cors::read_cors(section),
        security: security::read_security(section),
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
