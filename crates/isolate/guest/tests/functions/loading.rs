//! Compiling, imports, finding the handler (`cloudfront-functions.md` sections 1 and 10.4).

use rimward_guest::engine::{Runtime, Terms, TopLevel};
use rimward_wire::{abi::Loaded, event::Event};

use crate::harness::{Function, TERMS, eval_with};

fn not_loaded(source: &str, terms: Terms) -> (Loaded, String, u32, u32) {
    let (_, result) = Function::load(source, terms);
    let (status, failed) = result.expect_err(source);
    (status, failed.message, failed.line, failed.column)
}

#[test]
fn the_handler_may_be_any_function_named_so() {
    let result = "{statusCode: 200, body: 'ok'}";
    for source in [
        format!("function handler() {{ return {result} }}"),
        format!("var handler = function () {{ return {result} }}"),
        format!("const handler = () => ({result});"),
        format!("let handler; handler = async e => {{ return {result} }}"),
        format!("async function handler(e) {{ return {result} }} // trailing comment"),
        format!("import c from 'crypto'; const handler = async () => ({result});"),
        format!("import c from \"crypto\"\nimport q from 'querystring';\nfunction handler() {{ return {result} }}"),
    ] {
        assert_eq!(Function::new(&source).body(&Event::default()), "ok", "{source}");
    }
}

#[test]
fn a_source_without_handler_is_refused() {
    for source in ["", "function main() {}", "var handler = 1;", "import c from 'crypto'; function main() {}"] {
        let (status, message, ..) = not_loaded(source, TERMS);
        assert_eq!(status, Loaded::NoHandler, "{source}");
        assert_eq!(message, "ReferenceError: the source has no function named handler");
    }
}

#[test]
fn syntax_errors_have_line_and_column() {
    let (status, message, line, column) = not_loaded("function handler(event) {\n  return event request;\n}", TERMS);
    assert_eq!((status, line, column), (Loaded::Syntax, 2, 16), "{message}");
    let (status, message, line, _) = not_loaded("import c from 'crypto';\nfunction handler( {}\n", TERMS);
    assert_eq!((status, line), (Loaded::Syntax, 2), "{message}");
    // What is missing at the end is missing in the author's text, not in ours.
    let (status, message, line, _) = not_loaded("function handler() {", TERMS);
    assert_eq!((status, line), (Loaded::Syntax, 1), "{message}");
    let (_, result) = Function::load("", TERMS);
    assert!(result.is_err());
}

#[test]
fn only_default_imports_of_known_modules_work() {
    for source in [
        "import {createHash} from 'crypto'; function handler() {}",
        "import * as c from 'crypto'; function handler() {}",
    ] {
        let (status, message, ..) = not_loaded(source, TERMS);
        assert_eq!((status, message.as_str()), (Loaded::Syntax, "SyntaxError: Non-default import is not supported"));
    }
    let (status, message, ..) = not_loaded("export function handler() {}", TERMS);
    assert_eq!((status, message.as_str()), (Loaded::Syntax, "SyntaxError: Illegal export statement"));
    let (status, message, ..) = not_loaded("import http from 'http'; function handler() {}", TERMS);
    assert_eq!((status, message.as_str()), (Loaded::Threw, "Error: Cannot find module \"http\""));
    let (status, message, line, _) = not_loaded("\nvar h = require('http'); function handler() {}", TERMS);
    assert_eq!((status, message.as_str(), line), (Loaded::Threw, "Error: Cannot find module \"http\"", 2));
}

#[test]
fn modules_come_by_import_and_by_require() {
    let expected = "function function function";
    let all = "[typeof crypto.createHash, typeof qs.parse, typeof b.Buffer.from].join(' ')";
    let import = "import crypto from 'crypto'; import qs from 'querystring'; import b from 'buffer';";
    assert_eq!(eval_with(import, all), expected);
    let require = "var crypto = require('crypto'), qs = require('querystring'), b = require('buffer');";
    assert_eq!(eval_with(require, all), expected);
    assert_eq!(eval_with("", "require('cloudfront')"), "Error: Cannot find module \"cloudfront\"");
}

#[test]
fn runtime_1_has_no_buffer_and_digests_are_byte_strings() {
    let terms = Terms { runtime: Runtime::V1, ..TERMS };
    let source = "var c = require('crypto'); function handler() {
        return {statusCode: 200, body: [typeof Buffer, typeof atob, c.createHash('md5').update('').digest().length].join()}
    }";
    let (mut function, loaded) = Function::load(source, terms);
    assert_eq!(loaded, Ok(Loaded::Ready));
    assert_eq!(function.body(&Event::default()), "undefined,undefined,16");
    let (status, ..) = not_loaded("require('buffer'); function handler() {}", terms);
    assert_eq!(status, Loaded::Threw);
}

#[test]
fn a_top_level_that_asks_the_host_is_reported_and_can_be_deferred() {
    for source in [
        "var t = Date.now(); function handler() { return {statusCode: 200, body: String(t)} }",
        "var t = Math.random() && new Date().getTime(); function handler() { return {statusCode: 200, body: String(t)} }",
        "import cf from 'cloudfront'; let t = 0; cf.kvs().get('greeting').then(v => { t = 1700000000123 });
         function handler() { return {statusCode: 200, body: String(t)} }",
    ] {
        let (_, loaded) = Function::load(source, TERMS);
        assert_eq!(loaded, Ok(Loaded::Impure), "{source}");
        let (mut function, loaded) = Function::load(source, Terms { top_level: TopLevel::Deferred, ..TERMS });
        assert_eq!(loaded, Ok(Loaded::Ready));
        assert_eq!(function.body(&Event::default()), "1700000000123");
    }
    let (_, loaded) = Function::load("import cf from 'cloudfront'; const s = cf.kvs(); function handler() {}", TERMS);
    assert_eq!(loaded, Ok(Loaded::Ready), "making a handle asks nothing");
}

#[test]
fn strict_mode_cannot_be_switched_off() {
    assert_eq!(eval_with("", "(function () { return typeof this })()"), "undefined");
    assert!(eval_with("", "(undeclared = 1)").starts_with("ReferenceError"));
    assert_eq!(not_loaded("with (Math) {} function handler() {}", TERMS).0, Loaded::Syntax);
}
