//! The global scope (`cloudfront-functions.md` sections 10.3 and 10.4).

use rimward_guest::host::native::take_logs;
use rimward_wire::event::Event;

use crate::harness::{Function, eval};

fn logged(statement: &str) -> Vec<String> {
    let source = format!("function handler() {{ {statement}; return {{statusCode: 200, body: ''}} }}");
    let mut function = Function::new(&source);
    take_logs();
    function.body(&Event::default());
    take_logs()
}

#[test]
fn console_log_shows_strings_as_they_are_and_values_inspected() {
    let members = "{s: 'x', n: -0, u: undefined, f: function g() {}, d: new Date(0), e: new TypeError('t'), 'a-b': null, r: /x/g}";
    let expected =
        "{s:'x',n:-0,u:undefined,f:[Function: g],d:1970-01-01T00:00:00.000Z,e:TypeError: t,'a-b':null,r:/x/g}";
    for (arguments, line) in [
        ("'plain'", "plain"),
        ("'a', 1, true, null", "a 1 true null"),
        ("{a: 1, b: [1, 2]}", "{a:1,b:[1,2]}"),
        ("", ""),
        (members, expected),
        ("Buffer.from('ab')", "Buffer [97,98]"),
        ("new Uint8Array(2)", "Uint8Array [0,0]"),
    ] {
        assert_eq!(logged(&format!("console.log({arguments})")), [line], "{arguments}");
    }
    assert_eq!(logged("var o = {}; o.self = o; console.log(o)"), ["{self:[Circular]}"]);
}

#[test]
fn console_has_log_alone() {
    assert_eq!(eval("Object.getOwnPropertyNames(console)"), "log");
    assert!(eval("console.error('x')").starts_with("TypeError"));
}

#[test]
fn code_cannot_be_made_from_text() {
    for attempt in ["eval('1')", "(0, eval)('1')"] {
        assert_eq!(eval(attempt), "InternalError: Not implemented", "{attempt}");
    }
    for attempt in ["new Function('return 1')()", "Function('return 1')()", "(async () => {}).constructor('1')()"] {
        assert_eq!(eval(attempt), "TypeError: function constructor is disabled in \"safe\" mode", "{attempt}");
    }
}

#[test]
fn there_are_no_timers_and_no_outside() {
    let names =
        "['setTimeout','setInterval','setImmediate','process','fetch','global','SharedArrayBuffer','Atomics','Intl']";
    assert_eq!(eval(&format!("{names}.map(n => typeof globalThis[n]).filter(t => t !== 'undefined').length")), "0");
}

#[test]
fn the_clock_stands_still() {
    assert_eq!(eval("(() => { const a = Date.now(); for (let i = 0; i < 1e4; i++); return Date.now() - a })()"), "0");
    assert_eq!(eval("new Date().toISOString()"), "2023-11-14T22:13:20.123Z");
    assert_eq!(eval("new Date(0).getHours() + new Date(0).getTimezoneOffset()"), "0");
}

#[test]
fn random_numbers_lie_between_0_and_1_and_differ() {
    assert_eq!(eval("[1,2,3].map(Math.random).every(x => x >= 0 && x < 1)"), "true");
    assert_eq!(eval("new Set(Array.from({length: 1000}, Math.random)).size"), "1000");
}

#[test]
fn base64_functions_follow_the_web() {
    assert_eq!(eval("atob('aGk=') + atob('aGk') + atob(' a G k = ')"), "hihihi");
    assert_eq!(eval("btoa('hi\\xff')"), "aGn/");
    assert!(eval("atob('*')").starts_with("TypeError"));
    assert!(eval("btoa('家')").starts_with("TypeError"));
}

#[test]
fn text_goes_to_bytes_and_back() {
    assert_eq!(eval("new TextEncoder().encode('aé家').join()"), "97,195,169,229,174,182");
    assert_eq!(eval("new TextDecoder().decode(new TextEncoder().encode('aé家🦀'))"), "aé家🦀");
    assert_eq!(
        eval("JSON.stringify(new TextEncoder().encodeInto('a家', new Uint8Array(3)))"),
        r#"{"read":1,"written":1}"#
    );
    assert_eq!(eval("new TextDecoder().decode(new Uint8Array([97, 255]))"), "a\u{fffd}");
    assert!(eval("new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([255]))").starts_with("TypeError"));
    assert!(eval("new TextDecoder('latin1')").starts_with("RangeError"));
    let flags = "[new TextDecoder().fatal, new TextDecoder('utf8', {ignoreBOM: true}).ignoreBOM, new TextDecoder().encoding].join()";
    assert_eq!(eval(flags), "false,true,utf-8");
}

#[test]
fn texts_are_repeated_and_padded_as_the_language_says() {
    for (expression, expected) in [
        ("'ab'.repeat(3)", "ababab"),
        ("'ab'.repeat(0) + 'x'.repeat(1.9) + ''.repeat(1e9)", "x"),
        ("'x'.repeat(100000).length", "100000"),
        ("'€'.repeat(3)", "€€€"),
        ("'abc'.repeat(1000) === new Array(1001).join('abc')", "true"),
        ("'5'.padStart(3, '0') + 'x'.padEnd(4) + '|'", "005x   |"),
        ("'x'.padStart(6, 'abc') + 'x'.padEnd(3, '€') + 'xyz'.padStart(2, 'a')", "abcabxx€€xyz"),
        ("'€'.padEnd(5, 'ab') + 'x'.padStart(9, '')", "€ababx"),
        ("'x'.padStart(70000, 'ab').length + 'x'.repeat.length + 'x'.padEnd.name", "70001padEnd"),
    ] {
        assert_eq!(eval(expression), expected, "{expression}");
    }
    for wrong in ["'x'.repeat(-1)", "'x'.repeat(Infinity)", "'x'.repeat(1e10)", "'x'.padEnd(1e10)"] {
        assert!(eval(wrong).starts_with("RangeError"), "{wrong}");
    }
    assert!(eval("String.prototype.repeat.call(null, 1)").starts_with("TypeError"));
}
