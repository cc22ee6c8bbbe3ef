//! `security` of a response headers policy.

use super::super::section::Section;
use super::header_value;
use crate::PolicyHeader;
use http::{HeaderName, HeaderValue};
use std::time::Duration;
use toml::Spanned;

/// `max-age` of `Strict-Transport-Security`, at most.
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

pub(super) fn read_security(section: &Section<'_>) -> Vec<PolicyHeader> {
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
