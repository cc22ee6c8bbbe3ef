//! What the short ways of the interpreter must not change: values that look plain and are not, and caches that outlive their truth.
//! Each loop runs its body often enough that caches are filled and used.

use super::harness::{Function, eval, eval_with};
use rimward_wire::event::Event;

/// Evaluates each expression and compares it, as text, with what the language says.
fn all(expected: &[(&str, &str)]) {
    for (expression, value) in expected {
        assert_eq!(eval(expression), *value, "{expression}");
    }
}

/// Runs a body as a function that returns a value.
fn run(body: &str) -> String {
    eval_with(&format!("function run() {{ {body} }}"), "run()")
}

#[test]
fn integers_leave_their_range_as_numbers_do() {
    all(&[
        ("((a, b) => a + b)(2147483647, 1)", "2147483648"),
        ("((a, b) => a - b)(-2147483648, 1)", "-2147483649"),
        ("((a, b) => a * b)(65536, 65536)", "4294967296"),
        ("((a, b) => Object.is(a * b, -0))(0, -1)", "true"),
        ("((a, b) => Object.is(a * b, 0))(0, 1)", "true"),
        ("((a, b) => Object.is(a % b, -0))(-4, 2)", "true"),
        ("((a, b) => a % b)(-5, 3)", "-2"),
        ("((a, b) => a % b)(5, -3)", "2"),
        ("((a, b) => a % b)(5, 0)", "NaN"),
        ("((a, b) => a >>> b)(-1, 0)", "4294967295"),
        ("((a, b) => a >>> b)(-1, 33)", "2147483647"),
        ("((a, b) => a << b)(1, 31)", "-2147483648"),
        ("((a, b) => a << b)(1, 33)", "2"),
        ("((a, b) => a >> b)(-8, 1)", "-4"),
        ("((a, b) => [a & b, a | b, a ^ b].join())(12, 10)", "8,14,6"),
        ("(a => [a++, a].join())(2147483647)", "2147483647,2147483648"),
        ("(a => [a--, a].join())(-2147483648)", "-2147483648,-2147483649"),
        ("(a => [a++, a].join())('7')", "7,8"),
        ("(a => [typeof a++, typeof a].join())(7n)", "bigint,bigint"),
        ("((a, b) => a + b)(1, '2')", "12"),
        ("((a, b) => a + b)(0.1, 0.2)", "0.30000000000000004"),
        ("((a, b) => a + b)(1, 2n)", "TypeError: cannot mix BigInt and other types, use explicit conversions"),
        ("((a, b) => a - b)({ valueOf() { return 5; } }, 2)", "3"),
        ("((a, b) => a * b)({ [Symbol.toPrimitive](hint) { return hint === 'number' ? 6 : 0; } }, 7)", "42"),
        ("((a, b) => a & b)(true, 3)", "1"),
    ]);
}

#[test]
fn comparisons_know_every_kind_of_value() {
    let values = "[0, -0, 1, 0.5 + 0.5, NaN, '', 'a', 'a€'.substring(0, 1), null, undefined, true, false, 1n, Symbol.iterator, run, {}]";
    let same = eval_with(
        "function run() {}",
        &format!("{values}.map((a, i, all) => all.map(b => a === b ? 1 : 0).join('')).join()"),
    );
    let expected = [
        "1100000000000000",
        "1100000000000000",
        "0011000000000000",
        "0011000000000000",
        "0000000000000000",
        "0000010000000000",
        "0000001100000000",
        "0000001100000000",
        "0000000010000000",
        "0000000001000000",
        "0000000000100000",
        "0000000000010000",
        "0000000000001000",
        "0000000000000100",
        "0000000000000010",
        "0000000000000001",
    ];
    assert_eq!(same, expected.join(","));
    all(&[
        ("((a, b) => [a < b, a <= b, a > b, a >= b].join())(1, NaN)", "false,false,false,false"),
        ("((a, b) => [a < b, a <= b, a > b, a >= b].join())('10', '9')", "true,true,false,false"),
        ("((a, b) => [a < b, a <= b, a > b, a >= b].join())('10', 9)", "false,false,true,true"),
        ("((a, b) => [a < b, a <= b, a > b, a >= b].join())(-1, 1)", "true,true,false,false"),
        ("((a, b) => [a !== b, a === b].join())('é', 'é€'.substring(0, 1))", "false,true"),
        ("((a, b) => { var n = 0; for (; a < b; a++) { n++; } return n; })(-2.5, 2)", "5"),
        ("((a, b) => { var n = 0; for (; a > b; a--) { n++; } return n; })('3', 0)", "3"),
        ("[0, -0, NaN, '', 0n, null, undefined, false].filter(v => v ? true : false).length", "0"),
        ("[1, -1, 0.5, '0', ' ', 1n, Symbol.iterator, true, [], {}, () => 0].filter(v => !v).length", "0"),
        ("[0, '', null].map(v => v || 'other').join()", "other,other,other"),
        ("[1, 'a', true].map(v => v && 'other').join()", "other,other,other"),
        ("[0, null, undefined, ''].map(v => v ?? 'other').join()", "0,other,other,"),
        ("[null, undefined, { a: 1 }].map(v => v?.a).join()", ",,1"),
    ]);
}

#[test]
fn lengths_are_those_of_the_value() {
    all(&[
        ("['', 'abc', 'a€'].map(s => s.length).join()", "0,3,2"),
        ("[[], [1, 2], [1, , 3], new Array(7)].map(a => a.length).join()", "0,2,3,7"),
        ("(function () { return arguments.length; })(1, 2, 3)", "3"),
        (
            "[new Uint8Array(4), { length: 'own' }, { get length() { return 'got'; } }, new String('four')].map(v => v.length).join()",
            "4,own,got,4",
        ),
        ("new Proxy([1, 2], { get: (target, name) => name }).length", "length"),
        ("(class extends Array {}).from([1, 2, 3]).length", "3"),
        (
            "[5, true, undefined].map(v => { try { return v.length; } catch (e) { return e.name; } }).join()",
            ",,TypeError",
        ),
    ]);
    assert_eq!(
        run("Object.defineProperty(Number.prototype, 'length', { get() { return this + 1; }, configurable: true }); \
                    try { return [5, 6].map(n => n.length).join(); } finally { delete Number.prototype.length; }"),
        "6,7"
    );
}

#[test]
fn characters_are_read_from_every_kind_of_text() {
    let codes = "function codes(s) { var all = []; for (var i = -1; i <= s.length; i++) { all.push(s.charCodeAt(i)); } return all.join(); }";
    for (text, expected) in [
        ("''", "NaN,NaN"),
        ("'aé'", "NaN,97,233,NaN"),
        ("'a€'", "NaN,97,8364,NaN"),
        ("'xa€y'.substring(1, 3)", "NaN,97,8364,NaN"),
        ("'xaéy'.substring(1, 3)", "NaN,97,233,NaN"),
        ("'\\ud83d\\ude00'", "NaN,55357,56832,NaN"),
        ("new String('ab')", "NaN,97,98,NaN"),
        ("String(10)", "NaN,49,48,NaN"),
    ] {
        assert_eq!(eval_with(codes, &format!("codes({text})")), expected, "{text}");
    }
    all(&[
        ("'abc'.charCodeAt()", "97"),
        (
            "[undefined, '1', 1.9, -0.5, NaN, null, true, [2], { valueOf() { return 1; } }].map(i => 'abc'.charCodeAt(i)).join()",
            "97,98,98,97,97,97,98,99,98",
        ),
        (
            "['abc'.charCodeAt(Infinity), 'abc'.charCodeAt(4294967296), 'abc'.charCodeAt(-4294967295)].join()",
            "NaN,NaN,NaN",
        ),
        ("''.charCodeAt.call(123, 1)", "50"),
        ("''.charCodeAt.call({ toString() { return 'z'; } }, 0)", "122"),
        ("''.charCodeAt.call(null, 0)", "TypeError: cannot convert null or undefined to Object"),
        ("'abc'.charCodeAt(1n)", "TypeError: argument must not be a bigint"),
        (
            "[Math.imul(3, 4), Math.imul(0xffffffff, 5), Math.imul(1.9, 2), Math.imul('3', 4), Math.imul(3), Math.imul()].join()",
            "12,-5,2,12,0,0",
        ),
        ("Math.imul({ valueOf() { throw new Error('asked'); } }, 1)", "Error: asked"),
        ("Math.imul.call(null, 65537, 65537)", "131073"),
    ]);
}

#[test]
fn built_ins_that_were_replaced_are_called() {
    assert_eq!(
        run("var own = String.prototype.charCodeAt, seen = []; for (var i = 0; i < 6; i++) { \
                        if (i === 3) { String.prototype.charCodeAt = function (n) { return this + ':' + n; }; } \
                        seen.push('abcdef'.charCodeAt(i)); } \
                    String.prototype.charCodeAt = own; return seen.join();"),
        "97,98,99,abcdef:3,abcdef:4,abcdef:5"
    );
    assert_eq!(
        run("var own = Math.imul, seen = []; for (var i = 0; i < 6; i++) { \
                        if (i === 3) { Math.imul = (a, b) => a + '*' + b; } seen.push(Math.imul(i, 2)); } \
                    Math.imul = own; return seen.join();"),
        "0,2,4,3*2,4*2,5*2"
    );
    assert_eq!(
        run("var seen = []; for (var i = 0; i < 6; i++) { \
                        if (i === 3) { globalThis.Math = { imul: () => 'mine' }; } seen.push(Math.imul(i, 2)); } return seen.join();"),
        "0,2,4,mine,mine,mine"
    );
    assert_eq!(
        run("var seen = []; for (var i = 0; i < 6; i++) { \
                        if (i === 3) { delete String.prototype.charCodeAt; } \
                        try { seen.push('abcdef'.charCodeAt(i)); } catch (e) { seen.push(e.name); } } return seen.join();"),
        "97,98,99,TypeError,TypeError,TypeError"
    );
    assert_eq!(
        run("var seen = []; for (var i = 0; i < 6; i++) { \
                        if (i === 3) { Object.defineProperty(String.prototype, 'trim', { get() { return () => typeof this; } }); } \
                        seen.push(' a '.trim()); } return seen.join();"),
        "a,a,a,string,string,string"
    );
}

/// The seven instructions of `text.charCodeAt(index)` are one where the text is a variable, the index an integer and the method the engine's.
#[test]
fn character_codes_in_one_step_are_those_of_the_call() {
    for (body, expected) in [
        ("var s = 'aé'; for (var i = -1; i < 3; i++) { seen.push(s.charCodeAt(i)); }", "NaN,97,233,NaN"),
        (
            "var s = 'a€'; for (var i of [0, 1.5, '1', true, undefined, null, 0n]) { try { seen.push(s.charCodeAt(i)); } catch (e) { seen.push(e.name); } }",
            "97,8364,8364,8364,97,97,TypeError",
        ),
        (
            "for (var s of ['a', new String('b'), ['c'], 5, { charCodeAt: i => 'own' + i }]) { try { seen.push(s.charCodeAt(0)); } catch (e) { seen.push(e.name); } }",
            "97,98,TypeError,TypeError,own0",
        ),
        (
            "var s = 'abcd', own = String.prototype.charCodeAt; for (var i = 0; i < 4; i++) { if (i === 2) { String.prototype.charCodeAt = function (n) { return typeof this + n; }; } seen.push(s.charCodeAt(i)); } String.prototype.charCodeAt = own;",
            "97,98,string2,string3",
        ),
        (
            "var s = 'abcd', own = String.prototype.charCodeAt; for (var i = 0; i < 4; i++) { if (i === 2) { String.prototype.charCodeAt = String.prototype.charAt; } seen.push(s.charCodeAt(i)); } String.prototype.charCodeAt = own;",
            "97,98,c,d",
        ),
        (
            "var s = 'abcd'; for (var i = 0; i < 4; i++) { if (i === 2) { Object.defineProperty(String.prototype, 'charCodeAt', { get() { return n => 'got' + n; } }); } seen.push(s.charCodeAt(i)); }",
            "97,98,got2,got3",
        ),
        ("var s = 'ab', i = 0; seen.push(s.charCodeAt(i++), s.charCodeAt(i++), s.charCodeAt(i), i);", "97,98,NaN,2"),
        ("var s = 'ab'; s = s.charCodeAt(1); seen.push(s);", "98"),
        ("var s = 'ab', i = 1; i = s.charCodeAt(i); seen.push(i, s.charCodeAt(i - 98));", "98,97"),
        ("var s = 'ab'; seen.push(s.charCodeAt(0) + s.charCodeAt(1), [s.charCodeAt(0), s].join(''));", "195,97ab"),
    ] {
        assert_eq!(run(&format!("var seen = []; {body} return seen.join();")), expected, "{body}");
    }
}

#[test]
fn cached_properties_follow_the_object() {
    for (body, expected) in [
        // Another value, another shape, a shadow, a deletion, a getter, another prototype.
        ("var o = { a: 0 }; for (var i = 0; i < 6; i++) { o.a = i * 2; seen.push(o.a); }", "0,2,4,6,8,10"),
        (
            "var o = { a: 1 }; for (var i = 0; i < 6; i++) { if (i === 3) { o = { b: 0, a: 2 }; } seen.push(o.a); }",
            "1,1,1,2,2,2",
        ),
        (
            "var p = { a: 1 }, o = Object.create(p); for (var i = 0; i < 6; i++) { if (i === 3) { o.a = 2; } seen.push(o.a); }",
            "1,1,1,2,2,2",
        ),
        (
            "var p = { a: 1 }, o = Object.create(p); for (var i = 0; i < 6; i++) { if (i === 3) { p.a = 2; } seen.push(o.a); }",
            "1,1,1,2,2,2",
        ),
        (
            "var p = { a: 1 }, o = Object.create(p); for (var i = 0; i < 6; i++) { if (i === 3) { delete p.a; } seen.push(o.a); }",
            "1,1,1,,,",
        ),
        ("var o = { a: 1 }; for (var i = 0; i < 6; i++) { if (i === 3) { delete o.a; } seen.push(o.a); }", "1,1,1,,,"),
        (
            "var o = { a: 1 }; for (var i = 0; i < 6; i++) { if (i === 3) { Object.defineProperty(o, 'a', { get: () => 'got' }); } seen.push(o.a); }",
            "1,1,1,got,got,got",
        ),
        (
            "var o = {}; for (var i = 0; i < 6; i++) { if (i === 3) { Object.setPrototypeOf(o, { a: 1 }); } seen.push(o.a); }",
            ",,,1,1,1",
        ),
        (
            "var q = { a: 1 }, p = Object.create(q), o = Object.create(p); for (var i = 0; i < 6; i++) { if (i === 3) { p.a = 2; } seen.push(o.a); }",
            "1,1,1,2,2,2",
        ),
        (
            "class A { get a() { return this.n; } } for (var i = 0; i < 4; i++) { var o = new A(); o.n = i; seen.push(o.a); }",
            "0,1,2,3",
        ),
        (
            "var all = [{ a: 1 }, { b: 1, a: 2 }, { c: 1, a: 3 }, { d: 1, a: 4 }, { e: 1, a: 5 }, 'text', 7]; for (var i = 0; i < 14; i++) { seen.push(all[i % 7].a); }",
            "1,2,3,4,5,,,1,2,3,4,5,,",
        ),
        (
            "var o = new Proxy({}, { get: (t, n) => n + seen.length }); for (var i = 0; i < 4; i++) { seen.push(o.a); }",
            "a0,a1,a2,a3",
        ),
        (
            "for (var i = 0; i < 4; i++) { try { seen.push((i < 2 ? { a: 1 } : null).a); } catch (e) { seen.push(e.message); } }",
            "1,1,cannot get property \"a\" of null,cannot get property \"a\" of null",
        ),
        // The same with writing.
        (
            "var o = { a: 0 }; for (var i = 0; i < 6; i++) { if (i === 3) { Object.freeze(o); } try { o.a = i; } catch (e) { seen.push(e.name); } } seen.push(o.a);",
            "TypeError,TypeError,TypeError,2",
        ),
        (
            "var o = { a: 0 }; for (var i = 0; i < 6; i++) { if (i === 3) { Object.defineProperty(o, 'a', { writable: false }); } try { o.a = i; } catch (e) { seen.push(e.name); } } seen.push(o.a);",
            "TypeError,TypeError,TypeError,2",
        ),
        (
            "var o = { a: 0 }; for (var i = 0; i < 6; i++) { if (i === 3) { Object.defineProperty(o, 'a', { set(v) { seen.push('set ' + v); } }); } o.a = i; }",
            "set 3,set 4,set 5",
        ),
        (
            "var p = { set a(v) { seen.push('p ' + v); } }; for (var i = 0; i < 3; i++) { var o = Object.create(p); o.a = i; seen.push(Object.keys(o).length); }",
            "p 0,0,p 1,0,p 2,0",
        ),
        (
            "var p = { a: 1 }; for (var i = 0; i < 4; i++) { var o = Object.create(p); o.a = i; seen.push(o.a + p.a); }",
            "1,2,3,4",
        ),
        (
            "var o = new Proxy({}, { set(t, n, v) { seen.push(n + v); return true; } }); for (var i = 0; i < 3; i++) { o.a = i; }",
            "a0,a1,a2",
        ),
        (
            "for (var i = 0; i < 3; i++) { try { 'text'.a = i; } catch (e) { seen.push(e.name); } }",
            "TypeError,TypeError,TypeError",
        ),
        (
            "for (var i = 0; i < 3; i++) { try { null.a = i; } catch (e) { seen.push(e.message); } }",
            "property set on primitive null type,property set on primitive null type,property set on primitive null type",
        ),
        ("var a = [1, 2, 3]; for (var i = 3; i > 0; i--) { a.length = i - 1; seen.push(a.join('+')); }", "1+2,1,"),
    ] {
        assert_eq!(run(&format!("var seen = []; {body} return seen.join();")), expected, "{body}");
    }
}

#[test]
fn elements_come_from_where_the_language_looks() {
    for (body, expected) in [
        ("var a = [1, 'b', 2.5]; for (var i = -1; i < 4; i++) { seen.push(a[i]); }", ",1,b,2.5,"),
        ("var a = [1.5, 2.5]; for (var i = 0; i < 3; i++) { seen.push(a[i]); }", "1.5,2.5,"),
        ("var a = [1, , 3]; for (var i = 0; i < 3; i++) { seen.push(a[i]); }", "1,,3"),
        (
            "Array.prototype[1] = 'p'; var a = [1, , 3]; for (var i = 0; i < 4; i++) { seen.push(a[i]); } delete Array.prototype[1];",
            "1,p,3,",
        ),
        (
            "var a = [1, 2]; Object.defineProperty(a, 1, { get: () => 'got' }); for (var i = 0; i < 2; i++) { seen.push(a[i]); }",
            "1,got",
        ),
        ("var s = 'aé€'; for (var i = -1; i < 4; i++) { seen.push(s[i]); }", ",a,é,€,"),
        (
            "var a = [1, 2]; for (var i of ['0', 1, 1.0, '01', 'length', 0.5, -0, 4294967295]) { seen.push(a[i]); }",
            "1,2,2,,2,,1,",
        ),
        ("var a = new Uint8Array([7, 8]); for (var i = -1; i < 3; i++) { seen.push(a[i]); }", ",7,8,"),
        ("var o = { 1: 'one', '-1': 'minus' }; for (var i = -1; i < 2; i++) { seen.push(o[i]); }", "minus,,one"),
        (
            "var o = new Proxy([], { get: (t, n) => typeof n + n }); for (var i = 0; i < 2; i++) { seen.push(o[i]); }",
            "string0,string1",
        ),
        ("var o = { toString() { return '1'; } }; seen.push(['a', 'b'][o]);", "b"),
        (
            "for (var v of [undefined, null]) { try { v[0]; } catch (e) { seen.push(e.message); } }",
            "cannot get property \"0\" of undefined,cannot get property \"0\" of null",
        ),
    ] {
        assert_eq!(run(&format!("var seen = []; {body} return seen.join();")), expected, "{body}");
    }
}

#[test]
fn globals_are_looked_up_where_they_are() {
    for (top, body, expected) in [
        ("var g = 1;", "for (var i = 0; i < 6; i++) { if (i === 3) { g = 2; } seen.push(g); }", "1,1,1,2,2,2"),
        (
            "var g = 1;",
            "for (var i = 0; i < 6; i++) { if (i === 3) { globalThis.g = 2; } seen.push(g); }",
            "1,1,1,2,2,2",
        ),
        (
            "globalThis.g = 1;",
            "for (var i = 0; i < 6; i++) { if (i === 3) { delete globalThis.g; } try { seen.push(g); } catch (e) { seen.push(e.name); } }",
            "1,1,1,ReferenceError,ReferenceError,ReferenceError",
        ),
        (
            "globalThis.g = 1;",
            "for (var i = 0; i < 6; i++) { if (i === 3) { Object.defineProperty(globalThis, 'g', { get: () => 'got' }); } seen.push(g); }",
            "1,1,1,got,got,got",
        ),
        (
            "let g = 1;",
            "for (var i = 0; i < 6; i++) { if (i === 3) { globalThis.g = 2; } seen.push(g); }",
            "1,1,1,1,1,1",
        ),
        (
            "",
            "for (var i = 0; i < 3; i++) { try { seen.push(later); } catch (e) { seen.push(e.name); } } let later = 1;",
            "ReferenceError,ReferenceError,ReferenceError",
        ),
        (
            "",
            "Object.setPrototypeOf(globalThis, { inherited: 'yes', __proto__: Object.getPrototypeOf(globalThis) }); for (var i = 0; i < 3; i++) { seen.push(inherited); }",
            "yes,yes,yes",
        ),
        ("", "for (var i = 0; i < 3; i++) { seen.push(typeof missing); }", "undefined,undefined,undefined"),
    ] {
        let top = format!("{top} function run() {{ var seen = []; {body} return seen.join(); }}");
        assert_eq!(eval_with(&top, "run()"), expected, "{body}");
    }
}

#[test]
fn a_call_stack_that_is_too_deep_can_be_caught() {
    let deep = "var depth = 0; function deep() { depth++; return deep() + 1; }";
    assert_eq!(
        eval_with(
            deep,
            "(() => { try { deep(); } catch (e) { return [e instanceof RangeError, e.message, depth > 100].join(); } })()"
        ),
        "true,Maximum call stack size exceeded,true"
    );
    assert_eq!(
        eval_with(
            deep,
            "(() => { try { [1].forEach(function f() { [1].forEach(f); }); } catch (e) { return String(e); } })()"
        ),
        "RangeError: Maximum call stack size exceeded"
    );
    let mut function = Function::new(&format!("{deep} function handler() {{ return deep(); }}"));
    assert_eq!(function.failure(&Event::default()).message, "RangeError: Maximum call stack size exceeded");
}

#[test]
fn caught_exceptions_leave_nothing_behind() {
    let body = "var caught = 0; for (var i = 0; i < 20000; i++) { try { run(1, 2, 3, null.x); } catch (e) { caught++; } } return caught;";
    assert_eq!(run(body), "20000");
    let body = "var sum = 0, one = x => x; for (var i = 0; i < 100; i++) { sum += one(i, (() => { try { null.x; } catch (e) { return 1; } })()); } return sum;";
    assert_eq!(run(body), "4950");
    let body = "function* g() { try { one(1, yield 1, null.x); } catch (e) { yield 2; } finally { yield 3; } } var one = x => x, all = []; \
                for (var v of g()) { all.push(v); } return all.join();";
    assert_eq!(run(body), "1,2,3");
    let body = "var seen = [], one = (...all) => all.join('+'); var it = { [Symbol.iterator]() { return { next() { return { value: 7 }; }, return() { seen.push('closed'); return {}; } }; } }; \
                for (var i = 0; i < 3; i++) { try { var a; seen.push(one(1, [a] = it)); one(2, [a.b.c] = it); } catch (e) { seen.push(e.name); } } return seen.join();";
    let each = "closed,1+[object Object],closed,TypeError";
    assert_eq!(run(body), [each; 3].join(","));
}

#[test]
fn exceptions_that_a_built_in_swallows_leave_nothing_behind() {
    let top = "function inner() { throw 1; } class A {} function all(...values) { return values.map(v => typeof v).join('+'); }";
    for (body, expected) in [
        ("return all(1, new Promise(() => { inner(); }).catch(() => 0), 3);", "number+object+number"),
        ("return all(1, new Promise(() => { all(1, 2, inner()); }).catch(() => 0), 3);", "number+object+number"),
        ("return all(1, new Promise(() => { [1].map(inner); }).catch(() => 0), 3);", "number+object+number"),
        ("return all(1, new Promise(A).catch(() => 0), 3);", "number+object+number"),
        (
            "return all(1, new Promise(() => { new (class { constructor() { inner(); } })(); }).catch(() => 0), 3);",
            "number+object+number",
        ),
        (
            "return all(1, new Promise(() => { new (class { a = inner(); })(); }).catch(() => 0), 3);",
            "number+object+number",
        ),
        (
            "return all(1, new Promise(() => Reflect.construct(A, [], new Proxy(function () {}, { get() { inner(); } }))).catch(() => 0), 3);",
            "number+object+number",
        ),
        ("return all(1, Promise.resolve({ get then() { inner(); } }).catch(() => 0), 3);", "number+object+number"),
        ("return [1, 2].concat([new Promise(() => { inner(); }).catch(() => 0)]).length;", "3"),
        (
            "function* g() { inner(); } return all(1, new Promise(() => { g().next(); }).catch(() => 0), 3);",
            "number+object+number",
        ),
        ("for (var i = 0; i < 20000; i++) { new Promise(() => { inner(); }).catch(() => 0); } return i;", "20000"),
        ("for (var i = 0; i < 20000; i++) { new Promise(A).catch(() => 0); } return i;", "20000"),
    ] {
        let top = format!("{top} function run() {{ {body} }}");
        assert_eq!(eval_with(&top, "run()"), expected, "{body}");
    }
}

/// ECMAScript 10.5.8 and 10.5.9: what a proxy answers, its handler or its target decides.
#[test]
fn a_proxy_is_not_taken_for_the_object_that_a_cache_knows() {
    for (body, expected) in [
        (
            "var get = o => o.toString; for (var i = 0; i < 4; i++) { get({}); } return typeof get(new Proxy({}, { get() { return 1; } }));",
            "number",
        ),
        (
            "Object.prototype.flag = 0; var get = o => o.flag; for (var i = 0; i < 4; i++) { get({}); } \
             var found = get(new Proxy({ flag: 1 }, {})); delete Object.prototype.flag; return found;",
            "1",
        ),
        (
            "Object.defineProperty(Object.prototype, 'flag', { set(v) {}, configurable: true }); var seen = [], set = o => { o.flag = 2; }; \
             for (var i = 0; i < 4; i++) { set({}); } set(new Proxy({}, { set(t, n, v) { seen.push(n, v); return true; } })); \
             delete Object.prototype.flag; return seen.join();",
            "flag,2",
        ),
        (
            "var get = o => o.a; for (var i = 0; i < 4; i++) { get(Object.create(null)); } return get(new Proxy({ a: 1 }, {}));",
            "1",
        ),
        (
            "var get = o => o.a; var seen = []; for (var i = 0; i < 4; i++) { seen.push(get(new Proxy({ a: i }, {}))); } \
             seen.push(get(new Proxy({ b: 9 }, {}))); return seen.join();",
            "0,1,2,3,",
        ),
        (
            "var get = o => o.a; var seen = []; for (var i = 0; i < 4; i++) { seen.push(get(Object.create(new Proxy({ a: i }, {})))); } return seen.join();",
            "0,1,2,3",
        ),
        ("return Object.getPrototypeOf(new Proxy([], {})) === Array.prototype;", "true"),
        ("return new Proxy({}, {}) instanceof Object && new Proxy([], {}) instanceof Array;", "true"),
        ("return Object.prototype.isPrototypeOf(new Proxy({}, {}));", "true"),
        (
            "return String(new Proxy({}, {})) + JSON.stringify(new Proxy({ a: [new Proxy([1], {})] }, {}));",
            "[object Object]{\"a\":[[1]]}",
        ),
        ("var p = new Proxy({}, {}); p.a = 1; return Object.keys(p).join() + p.a + ('a' in p);", "a1true"),
        ("class B extends new Proxy(class { a = 1; }, {}) {} return new B().a;", "1"),
    ] {
        assert_eq!(run(body), expected, "{body}");
    }
}
