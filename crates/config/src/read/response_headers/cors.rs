//! `cors` of a response headers policy.

use super::super::section::Section;
use super::read_names;
use crate::{AllowedHeaders, Cors};
use http::Method;
use std::time::Duration;

/// How long a browser may keep a preflight's answer, at most.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn read_cors(section: &Section<'_>) -> Option<Cors> {
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
    let credentials = cors.flag("credentials").unwrap_or(false);
    Some(Cors {
        origins,
        methods: read_methods(&cors),
        headers: read_allowed(&cors, "headers", credentials),
        expose: read_allowed(&cors, "expose", credentials),
        credentials,
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

fn read_allowed(cors: &Section<'_>, key: &str, credentials: bool) -> AllowedHeaders {
    let Some(texts) = cors.texts(key) else { return AllowedHeaders::Only(Vec::new()) };
    match texts.get_ref().as_slice() {
        [one] if *one.get_ref() == "*" => {
            // Fetch standard, section 3.3.4: with credentials it is a header of that name.
            if credentials {
                let message = format!("`{key}` cannot be \"*\" with `credentials`: browsers take it for a name then");
                cors.reader.report_hint(texts.span(), message, "list the names, or leave `credentials` out");
            }
            AllowedHeaders::All
        }
        names => AllowedHeaders::Only(read_names(cors, key, names)),
    }
}
