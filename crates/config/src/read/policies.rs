//! `[cache-policies.NAME]`, `forward`, and the sets of names in both.

use super::names::check_name;
use super::section::{Section, article};
use crate::{CachePolicy, Forward, ForwardHeaders, NameSet, Profile};
use http::HeaderName;
use rimward_types::ByteSize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// Policies by name.
pub(super) type Policies = BTreeMap<Arc<str>, Arc<CachePolicy>>;

/// 100 years (`cdn-behaviour.md` section 10.1).
const LONGEST: Duration = Duration::from_secs(100 * 31_536_000);
/// Errors that are kept (section 11).
const ERRORS: [u16; 13] = [400, 403, 404, 405, 410, 412, 414, 415, 500, 501, 502, 503, 504];
/// Smaller ones would cost more than they save, larger ones would make viewers wait.
const SMALLEST_SLICE: ByteSize = ByteSize::kb(64);
const LARGEST_SLICE: ByteSize = ByteSize::mb(64);
/// Names in one list (section 20).
const MOST_NAMES: usize = 10;
/// Characters of all names of a policy together (section 6).
const LONGEST_NAMES: usize = 1024;
/// `CloudFront-*` headers that may be forwarded but not be in a key: nearly every viewer has others (section 7.5).
const NOT_IN_KEYS: [&str; 7] = [
    "cloudfront-viewer-address",
    "cloudfront-viewer-asn",
    "cloudfront-viewer-cert-pem",
    "cloudfront-viewer-cert-validity",
    "cloudfront-viewer-ja3-fingerprint",
    "cloudfront-viewer-ja4-fingerprint",
    "cloudfront-viewer-tls",
];

pub(super) fn read_policies(file: &Section<'_>) -> Policies {
    let built_in = CachePolicy::built_in().into_iter().map(|policy| (Arc::clone(&policy.name), Arc::new(policy)));
    let mut policies: Policies = built_in.collect();
    let keys = [
        "profile",
        "min-ttl",
        "default-ttl",
        "max-ttl",
        "error-ttl",
        "headers",
        "cookies",
        "query",
        "accept-encoding",
        "slice",
        "enabled",
    ];
    for (name, value) in file.named("cache-policies") {
        check_name(file.reader, "cache policy", &name);
        let called = format!("[cache-policies.{}]", name.get_ref());
        if policies.contains_key(*name.get_ref()) || CachePolicy::name_of_managed(name.get_ref()).is_some() {
            let message = format!("`{}` is a built-in cache policy", name.get_ref());
            file.reader.report_hint(name.span(), message, "choose another name");
        }
        let name: Arc<str> = (*name.get_ref()).into();
        let policy = match Section::of_value(file.reader, called, value, &keys) {
            Some(section) => read_policy(&name, &section),
            None => CachePolicy::new(Arc::clone(&name), Profile::Rfc),
        };
        policies.insert(name, Arc::new(policy));
    }
    policies
}

fn read_policy(name: &Arc<str>, section: &Section<'_>) -> CachePolicy {
    let profiles = [("rfc", Profile::Rfc), ("cloudfront", Profile::CloudFront)];
    let profile = section.choice("profile", &profiles).unwrap_or_default();
    let defaults = CachePolicy::new(Arc::clone(name), profile);
    let [min, default, max] =
        ["min-ttl", "default-ttl", "max-ttl"].map(|key| section.time(key, Duration::ZERO..=LONGEST));
    report_order(section, ("min-ttl", min), ("default-ttl", default));
    report_order(section, ("default-ttl", default), ("max-ttl", max));
    if default.is_none() {
        report_order(section, ("min-ttl", min), ("max-ttl", max));
    }
    let min_ttl = min.unwrap_or(defaults.min_ttl);
    // A default that is not written gives way to what is (section 6).
    let default_ttl = default.or(defaults.default_ttl.map(|ttl| ttl.min(max.unwrap_or(ttl)).max(min_ttl)));
    let max_ttl = max.unwrap_or(defaults.max_ttl.max(default_ttl.unwrap_or(min_ttl)).max(min_ttl));
    let all_zero = [min, default, max].iter().all(|ttl| *ttl == Some(Duration::ZERO));
    let (error_ttl, error_ttls) = read_error_ttl(section, profile);
    let policy = CachePolicy {
        min_ttl,
        default_ttl,
        max_ttl,
        error_ttl: error_ttl.unwrap_or(defaults.error_ttl),
        error_ttls,
        headers: read_key_headers(section),
        cookies: read_names(section, "cookies").unwrap_or(defaults.cookies),
        query: read_names(section, "query").unwrap_or(defaults.query),
        accept_encoding: section.flag("accept-encoding").unwrap_or(defaults.accept_encoding),
        slice: section.size("slice", SMALLEST_SLICE..=LARGEST_SLICE),
        enabled: section.flag("enabled").unwrap_or(!all_zero),
        ..defaults
    };
    let length = |names: &NameSet| match names {
        NameSet::Only(names) | NameSet::Except(names) => names.iter().map(|name| name.chars().count()).sum(),
        NameSet::None | NameSet::All => 0,
    };
    let headers: usize = policy.headers.iter().map(|name| name.as_str().len()).sum();
    let total = headers + length(&policy.cookies) + length(&policy.query);
    if total > LONGEST_NAMES {
        let message =
            format!("all names of a cache policy have at most {LONGEST_NAMES} characters, these have {total}");
        section.reader.report(section.span.clone(), message);
    }
    policy
}

/// `error-ttl`, a time or a table of times by status; the RFC profile has no use for it.
fn read_error_ttl(section: &Section<'_>, profile: Profile) -> (Option<Duration>, BTreeMap<u16, Duration>) {
    let times = Duration::ZERO..=LONGEST;
    let Some(value) = section.get("error-ttl") else { return (None, BTreeMap::new()) };
    let mut by_status = BTreeMap::new();
    let error_ttl = if value.get_ref().is_table() {
        let statuses = ERRORS.map(|status| status.to_string());
        let keys: Vec<&str> = statuses.iter().map(String::as_str).chain(["default"]).collect();
        let table = Section::of_value(section.reader, "`error-ttl`".to_owned(), value, &keys);
        for (status, key) in ERRORS.into_iter().zip(&statuses) {
            if let Some(time) = table.as_ref().and_then(|table| table.time(key, times.clone())) {
                by_status.insert(status, time);
            }
        }
        table.and_then(|table| table.time("default", times))
    } else {
        section.time("error-ttl", times)
    };
    if profile == Profile::Rfc {
        let hint = "with the profile \"rfc\" errors are kept as long as the origin says";
        section.reader.report_hint(
            section.key_span("error-ttl"),
            "`error-ttl` is for the profile \"cloudfront\"",
            hint,
        );
    }
    (error_ttl, by_status)
}

/// Reports that the first time is longer than the second (`InvalidTTLOrder`, section 10.1).
fn report_order(section: &Section<'_>, low: (&str, Option<Duration>), high: (&str, Option<Duration>)) {
    if let (Some(low_ttl), Some(high_ttl)) = (low.1, high.1)
        && low_ttl > high_ttl
        && let Some(value) = section.get(high.0)
    {
        let message = format!("`{}` is less than `{}`", high.0, low.0);
        section.reader.report_hint(value.span(), message, "min-ttl ≤ default-ttl ≤ max-ttl");
    }
}

fn read_key_headers(section: &Section<'_>) -> Vec<HeaderName> {
    let Some(texts) = section.texts("headers") else { return Vec::new() };
    let headers = header_names(section, "headers", texts.span(), texts.get_ref());
    for (text, header) in texts.get_ref().iter().zip(&headers) {
        if NOT_IN_KEYS.contains(&header.as_str()) {
            let message = format!("`{}` cannot be in a cache key", text.get_ref());
            section.reader.report_hint(text.span(), message, "nearly every viewer has another one; forward it instead");
        }
    }
    headers
}

/// A set of names: `"none"`, `"all"`, `["a"]` or `{ except = ["a"] }`.
fn read_set<T>(
    section: &Section<'_>,
    key: &str,
    read: impl Fn(Range<usize>, &[Spanned<&str>]) -> Vec<T>,
) -> Option<Set<T>> {
    let value = section.get(key)?;
    if value.get_ref().is_array() {
        let texts = section.texts_of(key, value)?;
        return Some(Set::Only(read(value.span(), &texts)));
    }
    if value.get_ref().is_table() {
        let name = format!("`{key}`");
        let table = Section::of_value(section.reader, name, value, &["except"])?;
        if table.get("except").is_none() {
            table.reader.report_hint(value.span(), format!("`{key}` needs `except`"), SET_HINT);
        }
        let texts = table.texts("except")?;
        return Some(Set::Except(read(texts.span(), texts.get_ref())));
    }
    match value.get_ref().as_str() {
        Some("none") => return Some(Set::None),
        Some("all") => return Some(Set::All),
        Some(text) => {
            section.reader.report_hint(
                value.span(),
                format!("`{key}` cannot be \"{}\"", text.escape_debug()),
                SET_HINT,
            );
        }
        None => {
            let message = format!("`{key}` must be a set of names, not {}", article(value.get_ref()));
            section.reader.report_hint(value.span(), message, SET_HINT);
        }
    }
    None
}

enum Set<T> {
    None,
    All,
    Only(Vec<T>),
    Except(Vec<T>),
}

const SET_HINT: &str = "write \"none\", \"all\", [\"a\", \"b\"] or { except = [\"a\"] }";

/// Names of cookies or query parameters.
fn read_names(section: &Section<'_>, key: &str) -> Option<NameSet> {
    let read = |span: Range<usize>, texts: &[Spanned<&str>]| {
        check_list(section, key, span, texts, |a, b| a == b);
        texts.iter().map(|text| (*text.get_ref()).to_owned()).collect()
    };
    Some(match read_set(section, key, read)? {
        Set::None => NameSet::None,
        Set::All => NameSet::All,
        Set::Only(names) => NameSet::Only(names),
        Set::Except(names) => NameSet::Except(names),
    })
}

/// Reports a list that is empty, too long, or has a name twice or an empty one.
fn check_list(
    section: &Section<'_>,
    key: &str,
    span: Range<usize>,
    texts: &[Spanned<&str>],
    same: impl Fn(&str, &str) -> bool,
) {
    if texts.len() > MOST_NAMES {
        let message = format!("`{key}` has {} names; it has at most {MOST_NAMES}", texts.len());
        section.reader.report(span, message);
    }
    for (index, text) in texts.iter().enumerate() {
        if text.get_ref().is_empty() {
            section.reader.report(text.span(), format!("`{key}` has an empty name"));
        } else if texts[..index].iter().any(|other| same(other.get_ref(), text.get_ref())) {
            section.reader.report(text.span(), format!("`{}` is there twice", text.get_ref().escape_debug()));
        }
    }
}

pub(super) fn header_names(
    section: &Section<'_>,
    key: &str,
    span: Range<usize>,
    texts: &[Spanned<&str>],
) -> Vec<HeaderName> {
    check_list(section, key, span, texts, str::eq_ignore_ascii_case);
    let mut names = Vec::new();
    for text in texts.iter().filter(|text| !text.get_ref().is_empty()) {
        match HeaderName::from_bytes(text.get_ref().as_bytes()) {
            Ok(name) => names.push(name),
            Err(_) => {
                section.reader.report(text.span(), format!("`{}` is no header name", text.get_ref().escape_debug()));
            }
        }
    }
    names
}

/// `forward` of a behavior with `policy` (section 7.1).
pub(super) fn read_forward(behavior: &Section<'_>, policy: &CachePolicy) -> Forward {
    let default = || Forward::default_of(policy);
    let Some(value) = behavior.get("forward") else { return default() };
    if value.get_ref().is_table() {
        let keys = ["headers", "cookies", "query"];
        let Some(table) = Section::of_value(behavior.reader, "`forward`".to_owned(), value, &keys) else {
            return default();
        };
        let forward = Forward {
            headers: read_forward_headers(&table),
            cookies: read_names(&table, "cookies").unwrap_or_default(),
            query: read_names(&table, "query").unwrap_or_default(),
        };
        warn_of_unkeyed(behavior, policy, &forward);
        return forward;
    }
    if !value.get_ref().is_str() {
        behavior.report_type("forward", value, "a string or a table");
        return default();
    }
    if let Some(forward) = value.get_ref().as_str().and_then(Forward::managed) {
        warn_of_unkeyed(behavior, policy, &forward);
        return forward;
    }
    let choices = [("all-viewer", 0), ("all-viewer-except-host", 1), ("none", 2)];
    let forward = match behavior.choice("forward", &choices) {
        Some(0) => Forward::all_viewer(),
        Some(1) => Forward::all_viewer_except_host(),
        Some(_) => Forward::none(),
        None => return default(),
    };
    warn_of_unkeyed(behavior, policy, &forward);
    forward
}

/// Says that answers may get to the wrong viewers. With the rules of the RFC the origin has means against it (`Vary`, `private`),
/// and an answer to `Authorization` needs leave; with CloudFront's the key is all.
fn warn_of_unkeyed(behavior: &Section<'_>, policy: &CachePolicy, forward: &Forward) {
    if policy.profile != Profile::CloudFront || !policy.enabled {
        return;
    }
    let unkeyed = forward.beyond(policy);
    let parts =
        [(unkeyed.cookies, "cookies"), (unkeyed.authorization, "`Authorization`"), (unkeyed.query, "query parameters")];
    let parts: Vec<&str> = parts.into_iter().filter_map(|(is_unkeyed, part)| is_unkeyed.then_some(part)).collect();
    let listed = match parts.split_last() {
        None => return,
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    };
    let message = format!(
        "`forward` lets {listed} through that are not in the key of the cache policy `{}`: what the origin makes of one \
         viewer's may be given to another",
        policy.name
    );
    let hint = "leave `forward` out, so that the origin gets what is in the key and no more; or put them into the key, in \
                a cache policy; or take `cache-policy = \"caching-disabled\"`";
    behavior.reader.warn(behavior.key_span("forward"), message, hint);
}

fn read_forward_headers(table: &Section<'_>) -> ForwardHeaders {
    let read = |span, texts: &[Spanned<&str>]| header_names(table, "headers", span, texts);
    match read_set(table, "headers", read) {
        None | Some(Set::None) => ForwardHeaders::None,
        Some(Set::All) => ForwardHeaders::All,
        Some(Set::Except(names)) => ForwardHeaders::Except(names),
        Some(Set::Only(names)) => {
            let alone = [http::header::ACCEPT_ENCODING, http::header::AUTHORIZATION];
            if let Some(name) = names.iter().find(|name| alone.contains(name)) {
                let message = format!("`{name}` cannot be forwarded by name");
                let hint = "put it into the cache policy, or forward \"all-viewer\"";
                table.reader.report_hint(table.key_span("headers"), message, hint);
            }
            ForwardHeaders::Only(names)
        }
    }
}
