//! `cloudfront-functions.md` sections 10.3 to 10.5 and 11.

use super::*;

fn undefined(name: &str, column: usize) -> String {
    format!("1:{column}: ReferenceError: \"{name}\" is not defined")
}

#[test]
fn section_10_3_globals_that_neither_runtime_has() {
    let names = [
        "Map",
        "Set",
        "WeakMap",
        "Proxy",
        "Reflect",
        "Intl",
        "BigInt",
        "URL",
        "URLSearchParams",
        "fetch",
        "structuredClone",
        "process",
        "module",
        "window",
        "crypto",
        "querystring",
    ];
    for name in names {
        for runtime in [V1, V2] {
            refused(Rule::BuiltIn, runtime, &[(&format!("var a = {name};"), &undefined(name, 9))]);
        }
    }
}

#[test]
fn section_10_3_globals_that_2_0_adds() {
    for name in ["Buffer", "atob", "btoa", "DataView", "Symbol"] {
        refused(Rule::BuiltIn, V1, &[(&format!("var a = {name};"), &undefined(name, 9))]);
        accepted(V2, &[&format!("var a = {name};")]);
    }
}

#[test]
fn section_10_3_asking_with_typeof_and_names_of_ones_own_are_fine() {
    accepted(
        V2,
        &[
            "var has = typeof Map === 'function';",
            "var Map = function () {}; var m = new Map();",
            "function f(URL) { return URL; }",
            "var o = { Map: 1 }; o.Map;",
        ],
    );
}

#[test]
fn section_10_2_undeclared_names_and_functions_in_blocks() {
    refused(Rule::BuiltIn, V2, &[("function f() { a = 1; }", &undefined("a", 16))]);
    refused(Rule::BuiltIn, V2, &[("if (true) { function g() {} } g();", &undefined("g", 31))]);
}

#[test]
fn section_10_3_methods_of_built_ins() {
    let cases = [
        ("Object.fromEntries([]);", "1:1: TypeError: (intermediate value)[\"fromEntries\"] is not a function"),
        ("Object.groupBy([]);", "1:1: TypeError: (intermediate value)[\"groupBy\"] is not a function"),
        ("String.raw('a');", "1:1: TypeError: (intermediate value)[\"raw\"] is not a function"),
        ("String.bytesFrom('00', 'hex');", "1:1: TypeError: (intermediate value)[\"bytesFrom\"] is not a function"),
        ("var a = [].flat();", "1:12: TypeError: (intermediate value)[\"flat\"] is not a function"),
        ("var a = [].flatMap(a);", "1:12: TypeError: (intermediate value)[\"flatMap\"] is not a function"),
        ("var a = [1].at(-1);", "1:13: TypeError: (intermediate value)[\"at\"] is not a function"),
        ("var a = [1].findLast(a);", "1:13: TypeError: (intermediate value)[\"findLast\"] is not a function"),
        ("var a = 'a'.matchAll(a);", "1:13: TypeError: (intermediate value)[\"matchAll\"] is not a function"),
        ("var a = 'a'.normalize();", "1:13: TypeError: (intermediate value)[\"normalize\"] is not a function"),
        (
            "var a = 'a'.localeCompare('b');",
            "1:13: TypeError: (intermediate value)[\"localeCompare\"] is not a function",
        ),
        ("var a = 'a'['toBytes']();", "1:13: TypeError: (intermediate value)[\"toBytes\"] is not a function"),
        ("console.error('a');", "1:1: TypeError: (intermediate value)[\"error\"] is not a function"),
    ];
    refused(Rule::BuiltIn, V2, &cases);
    accepted(
        V2,
        &[
            "var a = Object.entries({}).map(function (e) { return e[0]; }); Array.from(a); 'a'.replaceAll('a', 'b');",
            "var all = Promise.all([]); Object.getOwnPropertyDescriptors({}); Math.hypot(1, 2); console.log('a');",
            "var list = { at: function (i) { return i; } }; list.at(1);",
            "function L() {} L.prototype.flat = function () {}; new L().flat();",
            "if (Object.fromEntries) { }",
            "Object.prototype.hasOwnProperty.call({}, 'a'); Uint8Array.from([1]);",
        ],
    );
}

#[test]
fn section_10_3_methods_that_1_0_lacks_or_has_alone() {
    let cases = [
        ("'a'.replaceAll('a', 'b');", "1:5: TypeError: (intermediate value)[\"replaceAll\"] is not a function"),
        ("Promise.all([]);", "1:1: TypeError: (intermediate value)[\"all\"] is not a function"),
        ("Array.from([]);", "1:1: TypeError: (intermediate value)[\"from\"] is not a function"),
        (
            "Object.getOwnPropertyDescriptors({});",
            "1:1: TypeError: (intermediate value)[\"getOwnPropertyDescriptors\"] is not a function",
        ),
        ("Uint8Array.from([]);", "1:1: TypeError: (intermediate value)[\"from\"] is not a function"),
    ];
    refused(Rule::BuiltIn, V1, &cases);
    accepted(V1, &["String.bytesFrom('00', 'hex').toUTF8(); 'a'.toBytes(); 'a'.fromUTF8();"]);
}

#[test]
fn section_10_4_what_is_switched_off() {
    let constructor = "TypeError: function constructor is disabled in \"safe\" mode";
    let cases = [
        ("eval('1');", "1:1: InternalError: Not implemented".to_owned()),
        ("var a = new Function('return 1');", format!("1:9: {constructor}")),
        ("var a = Function('return 1');", format!("1:9: {constructor}")),
        ("setTimeout(a, 1); var a;", undefined("setTimeout", 1)),
        ("setImmediate(a); var a;", undefined("setImmediate", 1)),
        ("clearTimeout(1);", undefined("clearTimeout", 1)),
        ("require('http');", "1:9: Error: Cannot find module \"http\"".to_owned()),
        ("var name = 'fs'; require(name);", "1:26: Error: Cannot find module \"fs\"".to_owned()),
        ("require('cloudfront');", "1:9: Error: Cannot find module \"cloudfront\"".to_owned()),
        ("import fs from 'fs';", "1:16: Error: Cannot find module \"fs\"".to_owned()),
    ];
    for (code, expected) in &cases {
        refused(Rule::Restricted, V2, &[(code, expected)]);
    }
    refused(Rule::Restricted, V1, &[("require('buffer');", "1:9: Error: Cannot find module \"buffer\"")]);
    accepted(V2, &["require('crypto'); require('querystring'); require('buffer');"]);
    accepted(V1, &["require('crypto'); require('querystring');"]);
}

#[test]
fn section_10_5_crypto() {
    let cases = [
        ("import c from 'crypto'; c.createHash('sha512');", "1:38: TypeError: not supported algorithm: \"sha512\""),
        (
            "import c from 'crypto'; c.createHmac('SHA256', 'k');",
            "1:38: TypeError: not supported algorithm: \"SHA256\"",
        ),
        (
            "var c = require('crypto'); c.verify('a');",
            "1:30: TypeError: (intermediate value)[\"verify\"] is not a function",
        ),
        (
            "require('crypto').createHash('md5').update('a').digest('latin1');",
            "1:56: TypeError: Unknown digest encoding: \"latin1\"",
        ),
    ];
    refused(Rule::Module, V2, &cases);
    accepted(
        V2,
        &[
            "import c from 'crypto'; c.createHash('sha1').update('a').digest('base64url');",
            "import c from 'crypto'; c.createHmac('sha256', 'k').digest();",
        ],
    );
}

#[test]
fn section_10_5_querystring_and_buffer() {
    let cases = [
        (
            "import q from 'querystring'; q.format({});",
            "1:32: TypeError: (intermediate value)[\"format\"] is not a function",
        ),
        ("Buffer.from('a', 'latin1');", "1:18: TypeError: \"latin1\" encoding is not supported"),
        ("Buffer.from('a').toString('ascii');", "1:27: TypeError: \"ascii\" encoding is not supported"),
        ("Buffer.allocUnsafeSlow(1);", "1:8: TypeError: (intermediate value)[\"allocUnsafeSlow\"] is not a function"),
    ];
    refused(Rule::Module, V2, &cases);
    accepted(
        V2,
        &[
            "import q from 'querystring'; q.parse(q.stringify({})); q.unescape(q.escape('a'));",
            "Buffer.from('YQ', 'base64url').toString('utf8'); Buffer.concat([Buffer.alloc(1)]); (15).toString(16);",
        ],
    );
}

#[test]
fn section_11_the_module_cloudfront() {
    let cases = [
        (
            "import cf from 'cloudfront'; cf.overrideRequestOrigin({});",
            "1:33: TypeError: (intermediate value)[\"overrideRequestOrigin\"] is not a function",
        ),
        (
            "import cf from 'cloudfront'; cf.environment;",
            "1:33: TypeError: (intermediate value)[\"environment\"] is not a function",
        ),
        (
            "import cf from 'cloudfront'; cf.kvs().put('a', 'b');",
            "1:30: TypeError: (intermediate value)[\"put\"] is not a function",
        ),
        (
            "import cf from 'cloudfront'; const kvs = cf.kvs('id'); kvs.count();",
            "1:56: TypeError: (intermediate value)[\"count\"] is not a function",
        ),
    ];
    refused(Rule::CloudFront, V2, &cases);
    accepted(
        V2,
        &[
            "import cf from 'cloudfront'; const kvs = cf.kvs(); kvs.get('a', { format: 'json' }); kvs.exists('a'); kvs.meta();",
            "import cf from 'cloudfront'; cf.updateRequestOrigin({}); cf.selectRequestOriginById('a'); cf.edgeLocation.name;",
            "import cf from 'cloudfront'; cf.createRequestOriginGroup({}); cf.cwt.validateToken; cf.distributionTenant.id;",
        ],
    );
}

/// Section 10.4: the module of this node is no module there; both ways to it are found, with their places.
#[test]
fn the_nodes_own_module_is_found_with_a_hint_of_its_own() {
    let imported = "import rimward from 'rimward';\nfunction handler(e) { return e.request; }";
    let required = "var r;\nfunction handler(e) { r = require('rimward'); return e.request; }";
    refused(Rule::Restricted, V2, &[(imported, "1:21: Error: Cannot find module \"rimward\"")]);
    for runtime in [V1, V2] {
        let findings = check(required, runtime);
        assert_eq!(
            findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["2:35: Error: Cannot find module \"rimward\""]
        );
        assert!(findings[0].hint.as_ref().is_some_and(|hint| hint.starts_with("the module is this node's own")));
    }
}
