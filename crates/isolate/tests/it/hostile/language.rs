//! Time spent in the language itself, and in built-ins that walk through lists.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile("empty loop", Wall::Time, "for (;;) {}"),
    hostile("labels", Wall::Time, "a: for (;;) { for (;;) { continue a; } }"),
    hostile(
        "loop that catches and goes on",
        Wall::TimeOrMemory,
        "for (;;) { try { throw new Error('x'); } catch (e) {} finally { continue; } }",
    ),
    hostile("finally that never leaves", Wall::Time, "try { return 1; } finally { for (;;) {} }"),
    hostile(
        "calls",
        Wall::TimeOrMemory,
        "var f = function () {}; for (;;) { f(1, 2, 3); f.call(null); f.apply(null, [1]); }",
    ),
    hostile("bound functions", Wall::TimeOrMemory, "var f = function () {}; for (;;) { f.bind(null, 1)(); }"),
    hostile(
        "comparator without order",
        Wall::TimeOrMemory,
        "var s = []; for (var i = 0; i < 5000; i++) { s.push(i); } for (;;) { s.sort(function () { return 1; }); }",
    ),
    hostile(
        "sort of texts",
        Wall::TimeOrMemory,
        "var s = []; for (var i = 0; i < 1000; i++) { s.push('x'.repeat(50) + i); } for (;;) { s.sort().reverse(); }",
    ),
    hostile("Array.from without elements", Wall::TimeOrMemory, "return Array.from({ length: 1e9 }).length;"),
    hostile(
        "Array.from of an endless iterator",
        Wall::TimeOrMemory,
        "return Array.from({ [Symbol.iterator]: function () { return { next: function () { return { value: 1, done: false }; } }; } }).length;",
    ),
    hostile(
        "spread of an endless iterator",
        Wall::TimeOrMemory,
        "var endless = { *[Symbol.iterator]() { for (;;) { yield 1; } } }; return [...endless].length;",
    ),
    hostile(
        "fill of what is only long",
        Wall::TimeOrMemory,
        "return Array.prototype.fill.call({ length: 9007199254740991 }, 1);",
    ),
    hostile(
        "indexOf in what is only long",
        Wall::Time,
        "return Array.prototype.indexOf.call({ length: 9007199254740991 }, 1);",
    ),
    hostile("includes in holes", Wall::Time, "return new Array(4294967295).includes(1);"),
    hostile("every of holes", Wall::Time, "return new Array(4294967295).every(function () { return true; });"),
    hostile("reverse of holes", Wall::Time, "return new Array(4294967295).reverse();"),
    hostile("copyWithin", Wall::Time, "return Array.prototype.copyWithin.call({ length: 9007199254740991 }, 1, 0);"),
    hostile(
        "splice",
        Wall::TimeOrMemory,
        "var s = new Array(2000).fill(1); for (;;) { s.splice(0, 1, 2, 3); s.splice(5, 1); }",
    ),
    hostile(
        "flat",
        Wall::TimeOrMemory,
        "var s = [1]; for (var i = 0; i < 50; i++) { s = [s, 1]; } for (;;) { s.flat(Infinity); }",
    ),
    hostile("flat of what holds itself", Wall::Depth, "var s = []; s.push(s); return s.flat(Infinity);"),
    hostile(
        "reduce",
        Wall::TimeOrMemory,
        "var s = new Array(1000).fill(1); for (;;) { s.reduce(function (a, b) { return a + b; }); }",
    ),
    hostile(
        "map and filter",
        Wall::TimeOrMemory,
        "var s = new Array(1000).fill(1); for (;;) { s.map(String).filter(Boolean); }",
    ),
    hostile(
        "for of a generator",
        Wall::TimeOrMemory,
        "function* endless() { for (;;) { yield 1; } } for (var x of endless()) { x; }",
    ),
    hostile(
        "generator that delegates to itself",
        Wall::Depth,
        "function* again() { yield* again(); } return again().next();",
    ),
    hostile(
        "destructuring of an endless iterator",
        Wall::TimeOrMemory,
        "var endless = { *[Symbol.iterator]() { for (;;) { yield 1; } } }; var [a, ...rest] = endless; return rest;",
    ),
    hostile(
        "Proxy",
        Wall::TimeOrMemory,
        "var p = new Proxy({}, { get: function (t, k) { return k; }, has: function () { return true; } }); for (;;) { p.a; 'b' in p; }",
    ),
    hostile(
        "Proxy that lists its keys",
        Wall::TimeOrMemory,
        "var p = new Proxy({}, { ownKeys: function () { return ['a', 'b']; }, getOwnPropertyDescriptor: function () { return { value: 1, enumerable: true, configurable: true }; } }); for (;;) { Object.keys(p); for (var k in p) { k; } }",
    ),
    hostile("Proxy in the result", Wall::Time, "return new Proxy({}, { get: function () { for (;;) {} } });"),
    hostile("getter", Wall::Time, "var o = { get a() { for (;;) {} } }; return o.a;"),
    hostile("getter in the result", Wall::Time, "return { get statusCode() { for (;;) {} } };"),
    hostile(
        "getter of a header in the result",
        Wall::Time,
        "Object.defineProperty(event.request.headers, 'x', { enumerable: true, get: function () { for (;;) {} } }); return event.request;",
    ),
    hostile("conversion", Wall::Time, "return +{ valueOf: function () { for (;;) {} } };"),
    hostile(
        "conversion of the name of a property",
        Wall::Time,
        "return {}[{ toString: function () { for (;;) {} } }];",
    ),
    hostile("conversion in a comparison", Wall::TimeOrMemory, "for (;;) { [1, [2]] == '1,2'; ({}) < {}; }"),
    hostile("Symbol.toPrimitive", Wall::Time, "return `${{ [Symbol.toPrimitive]: function () { for (;;) {} } }}`;"),
    hostile(
        "Symbol.hasInstance",
        Wall::Time,
        "return {} instanceof { [Symbol.hasInstance]: function () { for (;;) {} } };",
    ),
    hostile(
        "instanceof up a long chain",
        Wall::TimeOrMemory,
        "var o = {}; for (var i = 0; i < 500; i++) { o = Object.create(o); } for (;;) { o instanceof Array; o.missing; }",
    ),
    hostile(
        "keys of much",
        Wall::TimeOrMemory,
        "var o = {}; for (var i = 0; i < 1000; i++) { o['k' + i] = i; } for (;;) { Object.entries(o); Object.assign({}, o); }",
    ),
    hostile(
        "Map and Set",
        Wall::TimeOrMemory,
        "var m = new Map(); for (var i = 0; ; i++) { m.set(i % 100, i); m.delete((i + 50) % 100); new Set([1, 2, 3]).has(i); }",
    ),
    hostile(
        "Map that grows while it is walked through",
        Wall::TimeOrMemory,
        "var m = new Map([[0, 0]]); m.forEach(function (v, k) { m.set(k + 1, v); }); return m;",
    ),
    hostile(
        "typed arrays",
        Wall::TimeOrMemory,
        "var t = new Uint8Array(50000); for (;;) { t.fill(7).sort().indexOf(9); t.slice(10).reverse(); }",
    ),
    hostile(
        "DataView",
        Wall::TimeOrMemory,
        "var d = new DataView(new ArrayBuffer(16)); for (;;) { d.setFloat64(0, 1.5); d.getUint32(4); }",
    ),
    hostile(
        "classes",
        Wall::TimeOrMemory,
        "for (;;) { class A { #x = 1; static s = 2; get x() { return this.#x; } } class B extends A {} new B().x; }",
    ),
    hostile(
        "closures and symbols",
        Wall::TimeOrMemory,
        "for (;;) { Symbol('x').toString(); (function () { return () => this; })()(); }",
    ),
    hostile(
        "arguments",
        Wall::TimeOrMemory,
        "function f() { return arguments.length; } for (;;) { f(...[1, 2, 3, 4, 5, 6, 7, 8]); }",
    ),
    hostile(
        "Reflect",
        Wall::TimeOrMemory,
        "for (;;) { Reflect.construct(Date, [0]); Reflect.ownKeys(Math); Reflect.apply(Math.max, null, [1, 2]); }",
    ),
    hostile(
        "properties of the global object",
        Wall::TimeOrMemory,
        "for (;;) { Object.getOwnPropertyNames(globalThis).forEach(function (n) { Object.getOwnPropertyDescriptor(globalThis, n); }); }",
    ),
    hostile(
        "the event over and over",
        Wall::TimeOrMemory,
        "for (;;) { JSON.stringify(event); Object.keys(event.request.headers); event.request.rawQueryString(); }",
    ),
    hostile("a store that is not there", Wall::Throws("Error"), "return require('cloudfront').kvs();"),
];

#[test]
fn what_never_ends_ends_at_the_time_limit() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn language_many_times() {
    many_times("language", ALL);
}
