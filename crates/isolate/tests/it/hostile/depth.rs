//! Deep recursion by every route.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile("recursion", Wall::Depth, "function deep(n) { return n + deep(n + 1); } return deep(0);"),
    hostile(
        "mutual recursion",
        Wall::Depth,
        "var a = function () { return b(); }, b = function () { return a(); }; return a();",
    ),
    hostile("recursion of arrow functions", Wall::Depth, "var f = (n) => f(n + 1) + 1; return f(0);"),
    hostile("recursion of a constructor", Wall::Depth, "function A() { this.a = new A(); } return new A();"),
    hostile(
        "recursion of a class",
        Wall::Depth,
        "class A { constructor() { this.a = new this.constructor(); } } return new A();",
    ),
    hostile(
        "toString",
        Wall::Depth,
        "var o = { toString: function () { return '' + o; } }; return { statusCode: 200, statusDescription: '' + o };",
    ),
    hostile(
        "valueOf",
        Wall::Depth,
        "var o = { valueOf: function () { return o * 2; } }; return { statusCode: 200, statusDescription: String(o * 2) };",
    ),
    hostile("getter of itself", Wall::Depth, "var o = { get a() { return o.a; } }; return o.a;"),
    hostile("setter of itself", Wall::Depth, "var o = { set a(v) { o.a = v; } }; o.a = 1;"),
    hostile(
        "Proxy of itself",
        Wall::Depth,
        "var p = new Proxy({}, { get: function (t, k) { return p[k]; } }); return p.a;",
    ),
    hostile(
        "Proxy over Proxy",
        Wall::Depth,
        "var p = {}; for (var i = 0; i < 20000; i++) { p = new Proxy(p, {}); } return p.a;",
    ),
    hostile(
        "Proxy as its own prototype's prototype",
        Wall::Depth,
        "var p = new Proxy({}, {}); Object.setPrototypeOf(p, Object.create(p)); return p.a;",
    ),
    hostile("JSON.parse of much nesting", Wall::Depth, "return JSON.parse('['.repeat(50000) + ']'.repeat(50000));"),
    hostile(
        "JSON.stringify of much nesting",
        Wall::Depth,
        "var s = []; for (var i = 0; i < 10000; i++) { s = [s]; } return JSON.stringify(s);",
    ),
    hostile("JSON.stringify of a circle", Wall::Throws("TypeError"), "var o = {}; o.o = o; return JSON.stringify(o);"),
    hostile(
        "toJSON",
        Wall::Depth,
        "var o = { toJSON: function () { return JSON.stringify(o); } }; return JSON.stringify(o);",
    ),
    hostile(
        "text of much nesting",
        Wall::Depth,
        "var s = []; for (var i = 0; i < 10000; i++) { s = [s]; } return String(s);",
    ),
    hostile(
        "console.log of much nesting",
        Wall::Answers("uri /attack"),
        "var s = []; for (var i = 0; i < 5000; i++) { s = { s: s }; } console.log(s); return event.request;",
    ),
    hostile(
        "regular expression of much nesting",
        Wall::Depth,
        "return new RegExp('('.repeat(20000) + ')'.repeat(20000));",
    ),
    hostile(
        "regular expression of long alternatives",
        Wall::Depth,
        "return new RegExp('(?:a|'.repeat(20000) + 'b' + ')'.repeat(20000));",
    ),
    hostile(
        "comparator that sorts",
        Wall::Depth,
        "var c = function () { return [2, 1].sort(c) && 1; }; return [2, 1].sort(c);",
    ),
    hostile("replace in replace", Wall::Depth, "var f = function () { return 'a'.replace(/a/, f); }; return f();"),
    hostile("forEach in forEach", Wall::Depth, "var f = function () { [1].forEach(f); }; f();"),
    hostile(
        "iterators in iterators",
        Wall::Depth,
        "var o = { [Symbol.iterator]: function () { return [...o][0]; } }; return [...o];",
    ),
    hostile("apply and call", Wall::Depth, "function f() { return f.call.call(f); } return f();"),
    hostile(
        "bound of bound, called",
        Wall::Depth,
        "var f = function () {}; for (var i = 0; i < 8000; i++) { f = f.bind(null); } return f();",
    ),
    hostile("Reflect.apply", Wall::Depth, "function f() { return Reflect.apply(f, null, []); } return f();"),
    hostile("tagged templates", Wall::Depth, "function t() { return t`x`; } return t``;"),
    hostile("default parameters", Wall::Depth, "function f(a = f()) { return a; } return f();"),
    hostile(
        "thenables in a job",
        Wall::Depth,
        "var deep = function () { return { get then() { return deep().then; } }; }; await deep();",
    ),
    hostile(
        "catch and go deeper",
        Wall::Time,
        "function f() { try { return f(); } catch (e) { return f(); } finally { throw new RangeError('again'); } } return f();",
    ),
    hostile(
        "getters of a long chain",
        Wall::Depth,
        "var o = {}; for (var i = 0; i < 3000; i++) { o = Object.create(o); } return { statusCode: 200, statusDescription: String(o.missing) };",
    ),
];

#[test]
fn recursion_by_every_route_ends() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn depth_many_times() {
    many_times("depth", ALL);
}
