//! No text makes the reader panic.

use proptest::prelude::*;
use std::path::Path;

/// Something like a configuration: tables and keys that exist, values of every kind.
fn file() -> impl Strategy<Value = String> {
    let table = prop_oneof![
        Just("[node]"),
        Just("[node.tls]"),
        Just("[node.limits]"),
        Just("[cache]"),
        Just("[functions.f]"),
        Just("[functions.g]"),
        Just("[key-value-stores.s]"),
        Just("[origins.app]"),
        Just("[origin-groups.both]"),
        Just("[cache-policies.p]"),
        Just("[[distributions]]"),
        Just("[[distributions.behaviors]]"),
        Just("functions = 1"),
        Just("[other]"),
    ];
    let key = prop::sample::select(vec![
        "listen",
        "admin",
        "workers",
        "state",
        "tls",
        "limits",
        "access-log",
        "certificates",
        "memory",
        "max-object",
        "tag-headers",
        "code",
        "component",
        "timeout",
        "network",
        "environment",
        "key-value-store",
        "file",
        "url",
        "host-header",
        "headers",
        "attempts",
        "primary",
        "secondary",
        "failover",
        "profile",
        "min-ttl",
        "max-ttl",
        "error-ttl",
        "slice",
        "cookies",
        "query",
        "domains",
        "id",
        "behaviors",
        "path",
        "origin",
        "forward",
        "methods",
        "cache-policy",
        "viewer-request",
        "origin-request",
        "default-root-object",
        "error-pages",
        "compress",
        "acl",
        "domain-name",
        "\"\"",
        "\"ключ\"",
    ]);
    let value = prop_oneof![
        "\"[a-z0-9 .:/*\\[\\]é]{0,12}\"",
        "-?[0-9]{1,25}",
        "[0-9]\\.[0-9]e[0-9]",
        "true|false|nan|1979-05-27",
        "\"(1 s|5 KB|f|g|app|both|s|p|none|all|http://a:1|127\\.0\\.0\\.1:0|index\\.js)\"",
        "\\[(\"(f|app|\\*|a\\.b|GET|HEAD)\"(, )?){0,3}\\]",
        "\\[(500|\"x\"|\\{ origin = \"app\" \\}|\\{ cert = 1 \\})\\]",
        "\\{ (except = \\[\"a\"\\]|x = 1|headers = \"all\"|QUALITY = \"80\") \\}",
    ];
    let part = (table, prop::collection::vec((key, value), 0..5)).prop_map(|(table, keys)| {
        let lines: String = keys.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("{table}\n{lines}")
    });
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// Reads `text`; every problem can be shown and has a place in the file.
fn check(text: &str) {
    if let Err(problems) = rimward_config::parse(text, Path::new("/nowhere"), "rimward.toml") {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(problem.line >= 1 && problem.line <= text.matches('\n').count() + 1, "{problem}");
            assert!(problem.to_string().starts_with("error: "));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_configuration_makes_it_panic(text in file()) {
        check(&text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|[\n\\[\\]=\"{}.,'#]){0,60}") {
        check(&text);
    }
}

#[test]
fn deep_nesting_ends_in_a_problem() {
    check(&format!("a = {}", "[".repeat(100_000)));
    check(&format!("a = {}1{}", "{a=".repeat(50_000), "}".repeat(50_000)));
    check(&format!("{}x = 1", "a.".repeat(50_000)));
}

#[test]
fn a_right_file_cut_anywhere_does_not_panic() {
    let text = super::REST;
    for end in 0..text.len() {
        check(&text[..end]);
    }
}
