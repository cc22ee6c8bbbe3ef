//! `[functions.NAME]` and `[key-value-stores.NAME]`.

mod aliases;
mod asynchronous;
mod jwks;
mod logging;

use super::Reader;
use super::names::{Names, check_name};
use super::section::{Section, article};
use crate::host::parse_host;
use crate::origin::split_port;
use crate::{
    CodeKind, Function, FunctionKind, Grant, HeaderRules, KeyValueStore, LimitProfile, NetworkLimits, OriginFunction,
    Runtime, SecretSource, Validation, ViewerFunction,
};
use rimward_types::ByteSize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeTable;

const VIEWER_KEYS: [&str; 11] = [
    "code",
    "kind",
    "runtime",
    "key-value-store",
    "timeout",
    "memory",
    "code-limit",
    "header-rules",
    "environment",
    "secrets",
    "jwks",
];
const ORIGIN_KEYS: [&str; 19] = [
    "component",
    "limits",
    "memory",
    "timeout",
    "network",
    "network-limits",
    "network-ca",
    "secrets",
    "environment",
    "tmp",
    "include-body",
    "concurrency",
    "fresh",
    "validation",
    "aliases",
    "log-format",
    "log-level",
    "system-log-level",
    "async",
];
/// Variables that the node sets itself (`lambda-at-edge.md` section 11.2).
const RESERVED: [&str; 4] = ["AWS_", "LAMBDA_", "_HANDLER", "_X_AMZN_"];

/// The functions; `None` for one that is defined but has no tier, so that using it is no second problem.
pub(super) type Functions = BTreeMap<Arc<str>, Option<Function>>;

pub(super) fn read_functions(file: &Section<'_>, stores: &Names) -> Functions {
    let mut functions = Functions::new();
    for (name, value) in file.named("functions") {
        check_name(file.reader, "function", &name);
        let called = format!("[functions.{}]", name.get_ref());
        let name: Arc<str> = (*name.get_ref()).into();
        let kind = read_kind(file.reader, called, value, stores);
        let function = kind.map(|kind| Function { name: Arc::clone(&name), kind });
        functions.insert(name, function);
    }
    asynchronous::check_destinations(file, &functions);
    functions
}

fn read_kind<'a>(
    reader: &'a Reader<'a>,
    called: String,
    value: &'a super::Value<'a>,
    stores: &Names,
) -> Option<FunctionKind> {
    let Some(table) = value.get_ref().as_table() else {
        reader.report(value.span(), format!("`{called}` must be a table, not {}", article(value.get_ref())));
        return None;
    };
    let section = of_a_tier(reader, called, value.span(), table, &[])?;
    Some(if section.get("code").is_some() {
        let store = section.text("key-value-store");
        let store = store.and_then(|name| stores.check(section.reader, "key value store", "key-value-stores", &name));
        FunctionKind::Viewer(ViewerFunction { key_value_store: store, ..read_viewer(&section) })
    } else {
        let component = section.file("component").unwrap_or_default();
        FunctionKind::Origin(read_origin(&section, component))
    })
}

/// The section of a function, whose keys are those of its tier and `more`. Reported when it has none, or keys of the other.
pub(super) fn of_a_tier<'a>(
    reader: &'a Reader<'a>,
    called: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    more: &[&str],
) -> Option<Section<'a>> {
    let (own, other, tier) = match (table.contains_key("code"), table.contains_key("component")) {
        (true, true) => {
            let hint = "`code` makes it a viewer function, `component` an origin function: leave one out";
            reader.report_hint(span, format!("{called} has both `code` and `component`"), hint);
            return None;
        }
        (false, false) => {
            let hint =
                "add `code = \"index.js\"` (viewer function) or `component = \"function.wasm\"` (origin function)";
            reader.report_hint(span, format!("{called} has neither `code` nor `component`"), hint);
            return None;
        }
        (true, false) => (&VIEWER_KEYS[..], &ORIGIN_KEYS[..], "origin functions, those with `component`"),
        (false, true) => (&ORIGIN_KEYS[..], &VIEWER_KEYS[..], "viewer functions, those with `code`"),
    };
    let mut known = [more, own].concat();
    for (key, _) in table.iter() {
        let text = key.get_ref().as_ref();
        if !own.contains(&text) && other.contains(&text) {
            reader.report(key.span(), format!("`{text}` is for {tier}"));
            known.push(text);
        }
    }
    Some(Section::of_table(reader, called, span, table, &known))
}

/// A viewer function without its store.
pub(super) fn read_viewer(section: &Section<'_>) -> ViewerFunction {
    let code = section.file("code").unwrap_or_default();
    let kind = section.choice("kind", &[("viewer", CodeKind::Viewer), ("connection", CodeKind::Connection)]);
    let defaults = match kind.unwrap_or_default() {
        CodeKind::Viewer => ViewerFunction::new(code),
        CodeKind::Connection => ViewerFunction::for_connections(code),
    };
    let runtimes = [Runtime::V1, Runtime::V2].map(|runtime| (runtime.as_str(), runtime));
    let time = Duration::from_micros(100)..=Duration::from_millis(100);
    let runtime = section.choice("runtime", &runtimes).unwrap_or_default();
    if defaults.kind == CodeKind::Connection && runtime == Runtime::V1 {
        let hint = "write \"cloudfront-js-2.0\", or leave it out";
        section.reader.report_hint(section.key_span("runtime"), "a function of connections has runtime 2.0", hint);
    }
    ViewerFunction {
        runtime,
        timeout: section.time("timeout", time).unwrap_or(defaults.timeout),
        memory: section.size("memory", ByteSize::kb(512)..=ByteSize::mb(12)).unwrap_or(defaults.memory),
        code_limit: section.size("code-limit", ByteSize::bytes(1)..=ByteSize::mb(1)).unwrap_or(defaults.code_limit),
        header_rules: section
            .choice("header-rules", &[("strict", HeaderRules::Strict), ("open", HeaderRules::Open)])
            .unwrap_or_default(),
        environment: read_environment(section),
        secrets: read_secrets(section),
        jwks: jwks::read_jwks(section),
        ..defaults
    }
}

pub(super) fn read_origin(section: &Section<'_>, component: PathBuf) -> OriginFunction {
    let defaults = OriginFunction::new(component);
    let profiles =
        [("classic", LimitProfile::Classic), ("2026", LimitProfile::Year2026), ("custom", LimitProfile::Custom)];
    let profile = section.choice("limits", &profiles).unwrap_or_default();
    let longest = Duration::from_secs(if profile == LimitProfile::Custom { 900 } else { 30 });
    OriginFunction {
        profile,
        // The lower end of Lambda's range, 128 MB, is a price list's; a component may well do with less.
        memory: section.size("memory", ByteSize::mb(1)..=ByteSize::mb(4096)).unwrap_or(defaults.memory),
        timeout: section.time("timeout", Duration::from_millis(1)..=longest),
        network: section.texts("network").map(|texts| read_network(section, texts.get_ref())).unwrap_or_default(),
        network_limits: read_network_limits(section),
        network_ca: section.file("network-ca"),
        secrets: read_secrets(section),
        environment: read_environment(section),
        tmp: section.size("tmp", ByteSize::bytes(0)..=defaults.tmp).unwrap_or(defaults.tmp),
        include_body: section.flag("include-body").unwrap_or(defaults.include_body),
        concurrency: section.number("concurrency", 1..=1000).map_or(defaults.concurrency, |n| n as usize),
        fresh: section.flag("fresh").unwrap_or(defaults.fresh),
        validation: section
            .choice("validation", &[("strict", Validation::Strict), ("warn", Validation::Warn)])
            .unwrap_or_default(),
        aliases: aliases::read(section),
        log_format: logging::read_format(section),
        log_level: logging::read_level(section),
        system_log_level: logging::read_system_level(section),
        asynchronous: asynchronous::read(section),
        ..defaults
    }
}

fn read_network(section: &Section<'_>, texts: &[Spanned<&str>]) -> Vec<Grant> {
    let mut grants: Vec<Grant> = Vec::new();
    for text in texts {
        match read_grant(text.get_ref()) {
            Ok(grant) if grants.contains(&grant) => {
                section.reader.report(text.span(), format!("`{}` is there twice", text.get_ref()));
            }
            Ok(grant) => grants.push(grant),
            Err(why) => {
                let message = format!("`{}` is no host and port: {why}", text.get_ref().escape_debug());
                section.reader.report_hint(
                    text.span(),
                    message,
                    "write \"api.example.com:443\" or \"*.example.com:443\"",
                );
            }
        }
    }
    grants
}

fn read_grant(text: &str) -> Result<Grant, String> {
    let (host, Some(port)) = split_port(text) else { return Err("it has no port".to_owned()) };
    let port = Some(port).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let port = port.and_then(|digits| digits.parse().ok()).filter(|port| *port != 0);
    let port = port.ok_or("its port is a number from 1 to 65535")?;
    let host = match host.strip_prefix("*.") {
        Some(name) => format!("*.{}", parse_host(name).map_err(|why| why.to_string())?),
        None => parse_host(host).map_err(|why| why.to_string())?,
    };
    Ok(Grant { host, port })
}

fn read_network_limits(section: &Section<'_>) -> NetworkLimits {
    let defaults = NetworkLimits::default();
    let Some(limits) = section.section("network-limits", "network-limits", &["calls", "bytes", "time"]) else {
        return defaults;
    };
    NetworkLimits {
        calls: limits.number("calls", 1..=1000).map_or(defaults.calls, |calls| calls as u32),
        bytes: limits.size("bytes", ByteSize::bytes(1)..=ByteSize::mb(4096)).unwrap_or(defaults.bytes),
        time: limits.time("time", Duration::from_millis(1)..=Duration::from_secs(900)).unwrap_or(defaults.time),
    }
}

fn read_secrets(section: &Section<'_>) -> BTreeMap<String, SecretSource> {
    let mut secrets = BTreeMap::new();
    for (name, value) in section.named("secrets") {
        check_name(section.reader, "secret", &name);
        let called = format!("secrets.{}", name.get_ref());
        let Some(place) = Section::of_value(section.reader, called, value, &["file", "env"]) else { continue };
        let (file, variable) = (place.file("file"), place.text("env"));
        match (place.get("file").is_some(), place.get("env").is_some()) {
            (true, false) => secrets.extend(file.map(|path| (name.get_ref().to_string(), SecretSource::File(path)))),
            (false, true) => secrets.extend(variable.map(|variable| {
                (name.get_ref().to_string(), SecretSource::Environment(variable.get_ref().to_string()))
            })),
            _ => section.reader.report_hint(
                value.span(),
                format!("`{}` needs one place, `file` or `env`", place.name),
                "write `{ file = \"token.txt\" }` or `{ env = \"TOKEN\" }`",
            ),
        }
    }
    secrets
}

fn read_environment(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    let Some(value) = section.get("environment") else { return environment };
    let Some(table) = value.get_ref().as_table() else {
        section.report_type("environment", value, "a table of strings");
        return environment;
    };
    for (name, value) in table.iter() {
        let text = name.get_ref().as_ref();
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain || text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
            let message = format!("`{}` is no name for a variable", text.escape_debug());
            section.reader.report_hint(name.span(), message, "a name is letters, digits and `_`, no digit first");
        } else if RESERVED.iter().any(|reserved| text.starts_with(reserved)) {
            section.reader.report(name.span(), format!("`{text}` is set by the node itself"));
        }
        match value.get_ref().as_str() {
            Some(content) if content.contains('\0') => {
                section.reader.report(value.span(), format!("`{text}` cannot have a NUL character"));
            }
            Some(content) => {
                environment.insert(text.to_owned(), content.to_owned());
            }
            None => section.report_type(text, value, "a string"),
        }
    }
    environment
}

pub(super) fn read_stores(file: &Section<'_>) -> BTreeMap<Arc<str>, KeyValueStore> {
    let mut stores = BTreeMap::new();
    for (name, value) in file.named("key-value-stores") {
        check_name(file.reader, "key value store", &name);
        let called = format!("[key-value-stores.{}]", name.get_ref());
        let Some(section) = Section::of_value(file.reader, called, value, &["file", "size"]) else { continue };
        let name: Arc<str> = (*name.get_ref()).into();
        let size = section.size("size", ByteSize::kb(1)..=ByteSize::mb(1024)).unwrap_or(ByteSize::mb(5));
        let store = KeyValueStore { name: Arc::clone(&name), file: section.file("file"), size };
        stores.insert(name, store);
    }
    stores
}
