//! `[origins.NAME]` and `[origin-groups.NAME]`.

use super::bucket;
use super::grpc;
use super::names::{check_name, report_unknown};
use super::section::{Section, spanned};
use crate::host::parse_host;
use crate::origin::split_port;
use crate::{Origin, OriginGroup, OriginUrl};
use http::{HeaderName, HeaderValue};
use rimward_types::is_denied_at_origin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Origins by name.
pub(super) type Origins = BTreeMap<Arc<str>, Arc<Origin>>;
/// Origin groups by name.
pub(super) type Groups = BTreeMap<Arc<str>, Arc<OriginGroup>>;

const SECOND: Duration = Duration::from_secs(1);
/// Custom headers: how many, bytes of a name, of a value, of all (`cdn-behaviour.md` section 7.4).
const HEADERS: (usize, usize, usize, usize) = (30, 256, 1783, 10_240);
pub(super) fn read_origins(file: &Section<'_>) -> Origins {
    let keys = [
        "url",
        "host-header",
        "connect-timeout",
        "read-timeout",
        "completion-timeout",
        "keepalive",
        "attempts",
        "headers",
        "max-connections",
        "ca",
        "h2c",
        "s3",
    ];
    let mut origins = Origins::new();
    for (name, value) in file.named("origins") {
        check_name(file.reader, "origin", &name);
        let called = format!("[origins.{}]", name.get_ref());
        let name: Arc<str> = (*name.get_ref()).into();
        // A wrong origin is kept with defaults: a behavior that names it is no second problem.
        let origin = match Section::of_value(file.reader, called, value, &keys) {
            Some(section) => read_origin(&name, &section),
            None => Origin::new(Arc::clone(&name), OriginUrl::Demo),
        };
        origins.insert(name, Arc::new(origin));
    }
    origins
}

fn read_origin(name: &Arc<str>, section: &Section<'_>) -> Origin {
    let reader = section.reader;
    let url = section.required_text("url", "\"http://127.0.0.1:9000\"").and_then(|text| {
        let parsed = text.get_ref().parse::<OriginUrl>();
        parsed.inspect_err(|why| reader.report(text.span(), format!("wrong URL of an origin: {why}"))).ok()
    });
    let bucket = bucket::read(section, url.as_ref());
    let h2c = grpc::read_h2c(section, url.as_ref(), bucket.is_some());
    let defaults = Origin::new(Arc::clone(name), url.unwrap_or(OriginUrl::Demo));
    let read_timeout = section.time("read-timeout", SECOND..=SECOND * 120).unwrap_or(defaults.read_timeout);
    Origin {
        host_header: read_host_header(section),
        connect_timeout: section.time("connect-timeout", SECOND..=SECOND * 10).unwrap_or(defaults.connect_timeout),
        read_timeout,
        completion_timeout: section.time("completion-timeout", read_timeout..=SECOND * 86_400),
        keepalive: section.time("keepalive", SECOND..=SECOND * 300).unwrap_or(defaults.keepalive),
        attempts: section.number("attempts", 1..=3).map_or(defaults.attempts, |n| n as u8),
        headers: read_headers(section),
        max_connections: section.number("max-connections", 1..=65_535).map_or(defaults.max_connections, |n| n as usize),
        ca: section.file("ca"),
        h2c,
        bucket,
        ..defaults
    }
}

fn read_host_header(section: &Section<'_>) -> Option<String> {
    let text = section.text("host-header")?;
    let (host, port) = split_port(text.get_ref());
    let port_is_right = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    match parse_host(host) {
        Ok(_) if port_is_right => Some((*text.get_ref()).to_owned()),
        Ok(_) => {
            section.reader.report(text.span(), "wrong host: its port is a number from 1 to 65535");
            None
        }
        Err(why) => {
            section.reader.report(text.span(), format!("wrong host: {why}"));
            None
        }
    }
}

fn read_headers(section: &Section<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let reader = section.reader;
    let (most, longest_name, longest_value, longest) = HEADERS;
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
    let Some(value) = section.get("headers") else { return headers };
    let Some(table) = value.get_ref().as_table() else {
        section.report_type("headers", value, "a table of strings");
        return headers;
    };
    for (key, value) in table.iter() {
        let key = spanned(key);
        let text = *key.get_ref();
        let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
            reader.report(key.span(), format!("`{}` is no header name", text.escape_debug()));
            continue;
        };
        if text.len() > longest_name {
            reader.report(key.span(), format!("a header name has at most {longest_name} characters"));
        }
        if is_denied_at_origin(name.as_str()) {
            reader.report(key.span(), format!("`{text}` cannot be a custom header: the node sets it itself"));
        }
        if headers.iter().any(|(other, _)| *other == name) {
            reader.report(key.span(), format!("header `{text}` is there twice"));
        }
        let Some(content) = value.get_ref().as_str() else {
            section.report_type(text, value, "a string");
            continue;
        };
        if content.len() > longest_value {
            reader.report(value.span(), format!("a header's value has at most {longest_value} characters"));
        }
        match HeaderValue::from_str(content) {
            Ok(content) => headers.push((name, content)),
            Err(_) => reader.report(value.span(), format!("the value of `{text}` has a control character")),
        }
    }
    let total: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > most || total > longest {
        let message = format!("an origin has at most {most} custom headers, {longest} characters together");
        reader.report(section.key_span("headers"), message);
    }
    headers
}

pub(super) fn read_groups(file: &Section<'_>, origins: &Origins) -> Groups {
    let mut groups = Groups::new();
    for (name, value) in file.named("origin-groups") {
        check_name(file.reader, "origin group", &name);
        if origins.contains_key(*name.get_ref()) {
            let message = format!("`{}` is the name of an origin already", name.get_ref());
            file.reader.report_hint(name.span(), message, "a behavior's `origin` could not tell them apart");
        }
        let called = format!("[origin-groups.{}]", name.get_ref());
        let keys = ["primary", "secondary", "failover"];
        let section = Section::of_value(file.reader, called, value, &keys);
        let name: Arc<str> = (*name.get_ref()).into();
        // As with origins: a wrong group is kept.
        let placeholder = || Arc::new(Origin::new("", OriginUrl::Demo));
        let (primary, secondary, failover) = match &section {
            Some(section) => {
                let primary = read_member(section, "primary", origins);
                let secondary = read_member(section, "secondary", origins);
                if let (Some(primary), Some(other)) = (&primary, &secondary)
                    && primary == other
                    && let Some(value) = section.get("secondary")
                {
                    section.reader.report(value.span(), "the secondary origin is the primary one");
                }
                (primary, secondary, read_failover(section))
            }
            None => (None, None, None),
        };
        let group = OriginGroup {
            name: Arc::clone(&name),
            primary: primary.unwrap_or_else(placeholder),
            secondary: secondary.unwrap_or_else(placeholder),
            failover: failover.unwrap_or_else(|| BTreeSet::from([500, 502, 503, 504])),
        };
        groups.insert(name, Arc::new(group));
    }
    groups
}

fn read_member(section: &Section<'_>, key: &str, origins: &Origins) -> Option<Arc<Origin>> {
    let name = section.required_text(key, "\"app\"")?;
    let origin = origins.get(*name.get_ref());
    if origin.is_none() {
        report_unknown(section.reader, "origin", "origins", &name, origins.keys().map(AsRef::as_ref));
    }
    origin.cloned()
}

fn read_failover(section: &Section<'_>) -> Option<BTreeSet<u16>> {
    let value = section.get("failover")?;
    let Some(list) = value.get_ref().as_array() else {
        section.report_type("failover", value, "a list of statuses");
        return None;
    };
    let mut statuses = BTreeSet::new();
    for item in list.iter() {
        let status = item.get_ref().as_integer().and_then(|n| u16::from_str_radix(n.as_str(), n.radix()).ok());
        match status.filter(|status| OriginGroup::STATUSES.contains(status)) {
            Some(status) => {
                statuses.insert(status);
            }
            None => {
                let hint =
                    format!("statuses here: {}", OriginGroup::STATUSES.map(|status| status.to_string()).join(", "));
                section.reader.report_hint(item.span(), "not a status that an origin group can act on", hint);
            }
        }
    }
    if list.is_empty() {
        section.reader.report(value.span(), "`failover` has at least one status");
    }
    Some(statuses)
}
