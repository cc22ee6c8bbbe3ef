//! Failures of a run, in words (`cloudfront-functions.md` sections 6 and 18).

use rimward_wire::{event::Event, reply::Failure};

use crate::harness::{Failed, Function};

fn failure(source: &str) -> Failed {
    Function::new(source).failure(&Event::default())
}

#[test]
fn a_throw_has_its_text_line_and_column() {
    let failed = failure("function handler(event) {\n  throw new TypeError('no ' + event.request.method.length);\n}");
    assert_eq!((failed.failure, failed.message.as_str(), failed.line), (Failure::Execution, "TypeError: no 0", 2));
    let failed = failure("function handler(event) {\n  var a;\n\n  return a.b.c;\n}");
    assert_eq!((failed.failure, failed.line), (Failure::Execution, 4), "{failed:?}");
    assert!(failed.message.starts_with("TypeError: "), "{failed:?}");
    assert!(failed.column > 0);
}

#[test]
fn a_rejection_is_a_throw() {
    let failed = failure("async function handler() {\n\n  throw new Error('later');\n}");
    assert_eq!((failed.message.as_str(), failed.line), ("Error: later", 3));
    let failed = failure("async function handler(e) {\n  await null;\n  return e.none.such;\n}");
    assert_eq!((failed.failure, failed.line), (Failure::Execution, 3), "{failed:?}");
    let failed = failure("function handler() { return Promise.reject('text') }");
    assert_eq!(failed.message, "text");
}

#[test]
fn the_position_is_that_of_the_innermost_call() {
    let failed = failure("function f(a) {\n  return a.b.c;\n}\nfunction handler() {\n  return f({});\n}");
    assert_eq!(failed.line, 2, "{failed:?}");
    let failed =
        failure("async function f(a) {\n  return a.b.c;\n}\nasync function handler() {\n  return await f({});\n}");
    assert_eq!(failed.line, 2, "{failed:?}");
}

#[test]
fn thrown_values_that_are_no_errors_are_shown() {
    assert_eq!(failure("function handler() { throw {a: 1, b: [2, 'x']} }").message, "{a:1,b:[2,'x']}");
    assert_eq!(failure("function handler() { throw null }").message, "null");
    let own = "class Mine extends Error { constructor(m) { super(m); this.name = 'Mine' } } function handler() { throw new Mine('m') }";
    assert_eq!(failure(own).message, "Mine: m");
}

#[test]
fn a_promise_that_never_settles_is_an_execution_failure() {
    let failed = failure("function handler() { return new Promise(function () {}) }");
    assert_eq!(failed.failure, Failure::Execution);
    assert_eq!(failed.message, "the promise of the handler never settles");
}

#[test]
fn endless_recursion_is_a_range_error() {
    let failed = failure("function f(n) { return f(n + 1) + 1 } function handler() { return f(0) }");
    assert_eq!(failed.message, "RangeError: Maximum call stack size exceeded");
    let failed = failure("function f(n) { return [n].map(f) } function handler() { return f(0) }");
    assert_eq!(failed.message, "RangeError: Maximum call stack size exceeded");
}

#[test]
fn the_engine_is_usable_after_a_failure() {
    let source = "function handler(e) { if (e.request.uri === '/bad') throw 1; return e.request }";
    let mut function = Function::new(source);
    let mut event = Event::default();
    event.request.uri = "/bad";
    assert_eq!(function.failure(&event).message, "1");
    event.request.uri = "/good";
    assert_eq!(function.reply(&event)[0], 0);
}

/// Section 18: the texts of the vendor's engine, as far as this engine knows the same facts.
#[test]
fn common_mistakes_have_the_vendors_texts() {
    for (body, text) in [
        ("var a; return a.value", r#"TypeError: cannot get property "value" of undefined"#),
        ("var a = null; return a['b']", r#"TypeError: cannot get property "b" of null"#),
        ("return e.none.such()", r#"TypeError: cannot get property "such" of undefined"#),
        ("return abc", r#"ReferenceError: "abc" is not defined"#),
        ("const c = 1; c = 2", "TypeError: assignment to constant variable"),
        ("var a; a.b = 1", "TypeError: property set on primitive undefined type"),
        ("e.none[0] = 1", "TypeError: property set on primitive undefined type"),
        ("decodeURIComponent('%')", "URIError: malformed URI"),
        ("decodeURI('%E5%AE')", "URIError: malformed URI"),
        ("JSON.parse('{a}')", "SyntaxError: Unexpected token at position 1"),
        ("JSON.parse('')", "SyntaxError: Unexpected end of input at position 0"),
        ("require('http')", r#"Error: Cannot find module "http""#),
    ] {
        assert_eq!(failure(&format!("function handler(e) {{ {body} }}")).message, text, "{body}");
    }
}
