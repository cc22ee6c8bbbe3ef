//! Runtime 1.0 (`cloudfront-functions.md` sections 10.2 to 10.5).

use rimward_guest::engine::{Runtime, Terms};
use rimward_wire::{
    abi::Loaded,
    event::{Event, Request},
    reply::{Reply, Value},
};

use crate::harness::{Function, TERMS, eval as eval_2};

const V1: Terms = Terms { runtime: Runtime::V1, ..TERMS };

fn load(source: &str) -> Function {
    let (function, loaded) = Function::load(source, V1);
    assert_eq!(loaded, Ok(Loaded::Ready));
    function
}

/// What an expression gives in runtime 1.0, as text.
fn eval(expression: &str) -> String {
    let source = format!(
        "var crypto = require('crypto');
        function handler(event) {{
            try {{ return {{ statusCode: 200, body: String({expression}) }}; }}
            catch (e) {{ return {{ statusCode: 200, body: String(e) }}; }}
        }}"
    );
    load(&source).body(&Event::default())
}

/// Section 10.3: the non-standard methods of strings.
#[test]
fn byte_strings_hold_bytes_until_they_are_made_text() {
    for (expression, expected) in [
        ("String.bytesFrom([0x61, 0xc3, 0xa9]).length", "3"),
        ("String.bytesFrom([0x61, 0xc3, 0xa9]).fromUTF8()", "aé"),
        ("String.bytesFrom([0x61, 0xc3]).fromUTF8()", "null"),
        ("String.bytesFrom([0xe9]).fromBytes()", "é"),
        ("String.bytesFrom('c3a9', 'hex').fromUTF8()", "é"),
        ("String.bytesFrom('w6k=', 'base64').fromUTF8()", "é"),
        ("String.bytesFrom('eyJhIjoiw6kifQ', 'base64url').fromUTF8()", r#"{"a":"é"}"#),
        ("'é'.toUTF8().length", "2"),
        ("'é'.toUTF8().toUTF8().fromUTF8()", "é"),
        ("'é'.toBytes().length", "1"),
        ("'家'.toBytes()", "null"),
        ("'äöü'.toUTF8().fromUTF8(2, 4)", "ö"),
        ("'äöü'.toUTF8(-1).fromUTF8()", "ü"),
        ("'text'.fromUTF8() + 'text'.fromBytes(1, 3)", "textex"),
        ("new String('é').toUTF8().length", "2"),
    ] {
        assert_eq!(eval(expression), expected, "{expression}");
    }
    assert_eq!(eval("String.bytesFrom('00', 'latin1')"), r#"TypeError: Unknown encoding: "latin1""#);
    assert_eq!(eval("String.bytesFrom(1)"), "TypeError: value must be a string or array");
}

#[test]
fn strings_are_encoded_by_to_string() {
    assert_eq!(eval("'user:pass'.toString('base64')"), "dXNlcjpwYXNz");
    assert_eq!(eval("'é'.toString('hex') + ' ' + String.bytesFrom([0xe9]).toString('hex')"), "c3a9 e9");
    assert_eq!(eval("String.bytesFrom([251, 255]).toString('base64url')"), "-_8");
    assert_eq!(eval("'plain'.toString()"), "plain");
}

/// Section 10.5: without an encoding a digest is a byte string, and serves as a key.
#[test]
fn digests_are_byte_strings_and_keys_are_taken_as_bytes() {
    assert_eq!(eval("crypto.createHash('sha256').update('x').digest().length"), "32");
    let chained = "crypto.createHmac('sha256', crypto.createHmac('sha256', 'key').update('a').digest()).update('b').digest('hex')";
    let in_2 = chained.replace("crypto.", "require('crypto').");
    assert_eq!(eval(chained), eval_2(&in_2));
    let text = "crypto.createHash('md5').update('é').digest('hex')";
    assert_eq!(eval(text), eval_2(&text.replace("crypto.", "require('crypto').")));
}

#[test]
fn json_and_results_take_byte_strings_as_utf_8() {
    assert_eq!(eval(r#"JSON.parse(String.bytesFrom('eyJhIjoiw6kifQ', 'base64url')).a"#), "é");
    let mut function = load(
        "function handler(event) {
            event.request.headers['x-name'] = { value: String.bytesFrom('w6k=', 'base64') };
            return event.request;
        }",
    );
    let request = Request { method: "GET", uri: "/", ..Request::default() };
    let reply = function.reply(&Event { request, ..Event::default() });
    let Ok(Reply::Request { headers: Some(headers), .. }) = Reply::read(&reply) else { panic!("{reply:?}") };
    assert_eq!(headers[0].values, [Value { text: "é", attributes: None }]);
}

/// Section 10.3: what came with 2.0 is not there, and what 2.0 dropped is.
#[test]
fn each_runtime_has_its_own_globals() {
    let names = "['Buffer', 'atob', 'btoa', 'MemoryError', 'InternalError', 'TextEncoder', 'Promise', 'Symbol']";
    let shown = format!("{names}.filter(function (n) {{ return typeof globalThis[n] !== 'undefined' }}).join()");
    assert_eq!(eval(&shown), "MemoryError,InternalError,TextEncoder,Promise,Symbol");
    assert_eq!(eval_2(&shown), "Buffer,atob,btoa,InternalError,TextEncoder,Promise,Symbol");
    assert!(eval_2("String.bytesFrom([1])").starts_with("TypeError"));
    assert!(eval_2("'x'.toUTF8()").starts_with("TypeError"));
    assert_eq!(eval("require('buffer')"), r#"Error: Cannot find module "buffer""#);
    assert_eq!(eval("typeof require('crypto').createHash + typeof require('querystring').parse"), "functionfunction");
}

#[test]
fn the_vendors_error_classes_are_errors() {
    let test = "(function () { var e = new MemoryError('m'); return [e instanceof Error, e.name, e.message, String(e)].join() })()";
    assert_eq!(eval(test), "true,MemoryError,m,MemoryError: m");
    assert_eq!(eval("Object.getPrototypeOf(InternalError) === Error"), "true");
}
