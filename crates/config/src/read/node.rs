//! `[node]`.

use super::geo::read_geo_files;
use super::section::Section;
use crate::{AccessLog, Acl, Certificate, Compile, Limits, Location, Networks, Node, TlsListen};
use rimward_types::ByteSize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use toml::Spanned;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn read_node(file: &Section<'_>) -> Node {
    let keys = [
        "listen",
        "admin",
        "workers",
        "state",
        "tls",
        "limits",
        "acl",
        "location",
        "geo",
        "compile",
        "access-log",
        "connection-log",
    ];
    let Some(node) = file.section("node", "[node]", &keys) else { return Node::default() };
    let mut used = HashMap::new();
    let tls = read_tls(&node, &mut used);
    let listen = match node.texts("listen") {
        Some(texts) => read_addresses(&node, "listen", &texts, &mut used),
        None if tls.is_some() => Vec::new(),
        None => vec![Node::DEFAULT_LISTEN],
    };
    let list = node.get("listen").and_then(|value| value.get_ref().as_array());
    if list.is_some_and(|list| list.is_empty()) && node.get("tls").is_none() {
        let hint = "write `listen = [\"127.0.0.1:8080\"]`, or add `[node.tls]`";
        node.reader.report_hint(node.key_span("listen"), "the node listens nowhere", hint);
    }
    let admin = node.text("admin").and_then(|text| read_address(&node, "admin", &text, &mut used));
    let access_log = read_log(&node, "access-log").unwrap_or_default();
    let connection_log = read_log(&node, "connection-log").unwrap_or(AccessLog::Off);
    if connection_log != AccessLog::Off && connection_log == access_log {
        let hint = "give each its own place";
        node.reader.report_hint(
            node.key_span("connection-log"),
            "`connection-log` and `access-log` go to the same place",
            hint,
        );
    }
    Node {
        listen,
        admin,
        workers: node.number("workers", 1..=1024).and_then(|n| NonZeroUsize::new(n as usize)),
        state: node.text("state").and_then(|text| node.path(&text)),
        tls,
        limits: read_limits(&node),
        acl: read_acl(&node),
        location: read_location(&node),
        geo: read_geo_files(&node),
        compile: read_compile(&node),
        access_log,
        connection_log,
    }
}

fn read_location(node: &Section<'_>) -> Location {
    let Some(location) = node.section("location", "[node.location]", &["name", "region"]) else {
        return Location::default();
    };
    let text = |key: &str| {
        let Some(text) = location.text(key) else { return String::new() };
        if text.get_ref().chars().count() > 64 || text.get_ref().chars().any(char::is_control) {
            let message = format!("`{key}` must have at most 64 characters, and no control characters");
            location.reader.report(text.span(), message);
        }
        (*text.get_ref()).to_owned()
    };
    Location { name: text("name"), region: text("region") }
}

fn read_compile(node: &Section<'_>) -> Compile {
    let defaults = Compile::default();
    let Some(compile) = node.section("compile", "[node.compile]", &["memory", "time"]) else { return defaults };
    Compile {
        memory: compile.size("memory", ByteSize::mb(64)..=ByteSize::mb(64 << 10)).unwrap_or(defaults.memory),
        time: compile.time("time", SECOND..=HOUR).unwrap_or(defaults.time),
    }
}

fn read_log(node: &Section<'_>, key: &str) -> Option<AccessLog> {
    let text = node.text(key)?;
    match *text.get_ref() {
        "off" => Some(AccessLog::Off),
        "stdout" => Some(AccessLog::Stdout),
        "stderr" => Some(AccessLog::Stderr),
        _ => node.path(&text).map(AccessLog::File),
    }
}

/// An address that no other listener has. `used` knows the lines of those before.
fn read_address(
    section: &Section<'_>,
    key: &str,
    text: &Spanned<&str>,
    used: &mut HashMap<SocketAddr, usize>,
) -> Option<SocketAddr> {
    let reader = section.reader;
    let Ok(address) = text.get_ref().parse::<SocketAddr>() else {
        let message = format!("`{}` is not an address", text.get_ref().escape_debug());
        reader.report_hint(
            text.span(),
            message,
            format!("`{key}` has IP address and port, such as \"127.0.0.1:8080\""),
        );
        return None;
    };
    // Port 0 asks the system for a free port, another one each time.
    if address.port() != 0
        && let Some(line) = used.insert(address, reader.line(text.span().start))
    {
        let message = format!("`{address}` is listened on twice");
        reader.report_hint(text.span(), message, format!("the other is in line {line}"));
    }
    Some(address)
}

fn read_addresses(
    section: &Section<'_>,
    key: &str,
    texts: &Spanned<Vec<Spanned<&str>>>,
    used: &mut HashMap<SocketAddr, usize>,
) -> Vec<SocketAddr> {
    texts.get_ref().iter().filter_map(|text| read_address(section, key, text, used)).collect()
}

fn read_tls(node: &Section<'_>, used: &mut HashMap<SocketAddr, usize>) -> Option<TlsListen> {
    let tls = node.section("tls", "[node.tls]", &["listen", "certificates"])?;
    let listen = tls.texts("listen");
    if listen.as_ref().is_none_or(|texts| texts.get_ref().is_empty()) && !tls.get("listen").is_some_and(is_no_list) {
        tls.report_missing("listen", "[\"127.0.0.1:8443\"]");
    }
    let listen = listen.map(|texts| read_addresses(&tls, "listen", &texts, used)).unwrap_or_default();
    let mut certificates = Vec::new();
    match tls.get("certificates").map(|value| (value, value.get_ref().as_array())) {
        Some((value, None)) => tls.report_type("certificates", value, "a list of tables"),
        Some((_, Some(list))) if !list.is_empty() => {
            for item in list.iter() {
                certificates.extend(read_certificate(&tls, item));
            }
        }
        _ => tls.report_missing("certificates", "[{ cert = \"site.pem\", key = \"site.key\" }]"),
    }
    Some(TlsListen { listen, certificates })
}

fn is_no_list(value: &super::Value<'_>) -> bool {
    !value.get_ref().is_array()
}

fn read_certificate<'a>(tls: &Section<'a>, item: &'a super::Value<'a>) -> Option<Certificate> {
    let name = "[[node.tls.certificates]]".to_owned();
    let certificate = Section::of_value(tls.reader, name, item, &["cert", "key"])?;
    for (key, example) in [("cert", "\"site.pem\""), ("key", "\"site.key\"")] {
        if certificate.get(key).is_none() {
            certificate.report_missing(key, example);
        }
    }
    let (cert, key) = (certificate.file("cert"), certificate.file("key"));
    Some(Certificate { cert: cert?, key: key? })
}

fn read_limits(node: &Section<'_>) -> Limits {
    let defaults = Limits::default();
    let keys = [
        "url",
        "head",
        "headers",
        "connections",
        "connections-per-address",
        "requests-per-connection",
        "idle",
        "head-timeout",
        "body-idle",
        "body-rate",
        "body-grace",
        "request-body",
        "websockets",
        "websocket-idle",
        "grpc-idle",
        "drain",
    ];
    let Some(limits) = node.section("limits", "[node.limits]", &keys) else { return defaults };
    let count = |key, most, default| limits.number(key, 1..=most).map_or(default, |n| n as usize);
    Limits {
        url: limits.size("url", ByteSize::bytes(256)..=ByteSize::kb(64)).unwrap_or(defaults.url),
        head: limits.size("head", ByteSize::kb(1)..=ByteSize::mb(1)).unwrap_or(defaults.head),
        headers: count("headers", 1000, defaults.headers),
        connections: count("connections", 1_000_000, defaults.connections),
        connections_per_address: limits
            .number("connections-per-address", 0..=1_000_000)
            .map_or(defaults.connections_per_address, |n| (n > 0).then_some(n as usize)),
        requests_per_connection: limits.number("requests-per-connection", 1..=u32::MAX.into()).map(|n| n as usize),
        idle: limits.time("idle", SECOND..=HOUR).unwrap_or(defaults.idle),
        head_timeout: limits.time("head-timeout", SECOND..=HOUR / 6).unwrap_or(defaults.head_timeout),
        body_idle: limits.time("body-idle", SECOND..=HOUR).unwrap_or(defaults.body_idle),
        body_rate: limits.size("body-rate", ByteSize::bytes(0)..=ByteSize::mb(1)).unwrap_or(defaults.body_rate),
        body_grace: limits.time("body-grace", SECOND..=HOUR).unwrap_or(defaults.body_grace),
        request_body: limits
            .size("request-body", ByteSize::bytes(0)..=defaults.request_body)
            .unwrap_or(defaults.request_body),
        websockets: limits.number("websockets", 0..=1_000_000).map(|n| n as usize),
        websocket_idle: limits.time("websocket-idle", SECOND..=24 * HOUR).unwrap_or(defaults.websocket_idle),
        grpc_idle: limits.time("grpc-idle", SECOND..=24 * HOUR).unwrap_or(defaults.grpc_idle),
        drain: limits.time("drain", Duration::ZERO..=HOUR).unwrap_or(defaults.drain),
    }
}

fn read_acl(node: &Section<'_>) -> Acl {
    let Some(acl) = node.section("acl", "[node.acl]", &["purge", "explain", "admin", "many-connections"]) else {
        return Acl::default();
    };
    let networks = |key: &str| read_networks(&acl, key);
    let or_loopback = |key: &str| if acl.get(key).is_some() { networks(key) } else { Networks::loopback() };
    Acl {
        purge: networks("purge"),
        explain: networks("explain"),
        admin: or_loopback("admin"),
        many_connections: or_loopback("many-connections"),
    }
}

fn read_networks(acl: &Section<'_>, key: &str) -> Networks {
    let mut networks = Networks::default();
    for text in acl.texts(key).map(Spanned::into_inner).unwrap_or_default() {
        if let Err(why) = networks.add(text.get_ref()) {
            let hint = "write an IP address or a network, such as \"127.0.0.1\" or \"10.0.0.0/8\"";
            let hint = why.meant().map_or_else(|| hint.to_owned(), |meant| format!("did you mean \"{meant}\"?"));
            acl.reader.report_hint(text.span(), why.to_string(), hint);
        }
    }
    networks
}
