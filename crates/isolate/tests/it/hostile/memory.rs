//! Memory by every route. The time limit is far away, so that memory is what ends.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile("objects in an array", Wall::Memory, "var all = []; for (;;) { all.push({ n: all.length }); }"),
    hostile("arrays in arrays", Wall::Memory, "var all = []; for (;;) { all = [all, new Array(100).fill(all)]; }"),
    hostile("text doubled", Wall::Memory, "var t = 'x'; for (;;) { t += t; }"),
    hostile("text kept", Wall::Memory, "var all = []; for (var i = 0; ; i++) { all.push('x'.repeat(1000) + i); }"),
    hostile("wide text", Wall::Memory, "var t = '\\u20ac'; for (;;) { t += t; }"),
    hostile("repeat of much", Wall::Memory, "return 'ab'.repeat(1 << 26);"),
    hostile("padEnd of much", Wall::Memory, "return 'x'.padEnd(1 << 27, 'y');"),
    hostile("split of much", Wall::Memory, "return 'x'.repeat(1000000).split('');"),
    hostile("join of much", Wall::Memory, "return new Array(1e7).join('xxxxxxxx');"),
    hostile("properties", Wall::Memory, "var o = {}; for (var i = 0; ; i++) { o['k' + i] = i; }"),
    hostile("indexes", Wall::Memory, "var o = {}; for (var i = 0; ; i += 7) { o[i] = i; }"),
    hostile("Map", Wall::Memory, "var m = new Map(); for (var i = 0; ; i++) { m.set(i, i); }"),
    hostile("Set", Wall::Memory, "var s = new Set(); for (var i = 0; ; i++) { s.add('v' + i); }"),
    hostile(
        "WeakMap",
        Wall::Memory,
        "var w = new WeakMap(); var keys = []; for (;;) { var k = {}; keys.push(k); w.set(k, keys); }",
    ),
    hostile("closures", Wall::Memory, "var all = []; for (let i = 0; ; i++) { all.push(function () { return i; }); }"),
    hostile("bound of bound", Wall::Memory, "var f = function () {}; for (;;) { f = f.bind(null, f); }"),
    hostile("array buffers", Wall::Memory, "var all = []; for (;;) { all.push(new ArrayBuffer(10000)); }"),
    hostile(
        "typed arrays kept",
        Wall::Memory,
        "var all = []; for (;;) { all.push(new Float64Array(1000).fill(1.5)); }",
    ),
    hostile("buffers", Wall::Memory, "var all = []; for (;;) { all.push(Buffer.alloc(5000, 'x')); }"),
    hostile("one buffer of much", Wall::Memory, "return Buffer.alloc(8 << 20);"),
    hostile("one buffer of more than there is", Wall::Throws("RangeError"), "return new ArrayBuffer(1e15);"),
    hostile("large integers", Wall::Memory, "var n = 3n; for (;;) { n *= n; }"),
    hostile("symbols", Wall::Memory, "var all = []; for (var i = 0; ; i++) { all.push(Symbol('s' + i)); }"),
    hostile("registered symbols", Wall::Memory, "for (var i = 0; ; i++) { Symbol.for('s'.repeat(100) + i); }"),
    hostile("matches", Wall::Memory, "return 'ab'.repeat(200000).match(/a(b)/g).length;"),
    hostile(
        "generators kept",
        Wall::Memory,
        "function* g() { yield 1; } var all = []; for (;;) { var one = g(); one.next(); all.push(one); }",
    ),
    hostile("promises kept", Wall::Memory, "var all = []; for (;;) { all.push(new Promise(function () {})); }"),
    hostile("jobs kept", Wall::Memory, "var p = Promise.resolve(); for (;;) { p.then(function () {}); }"),
    hostile("errors kept", Wall::Memory, "var all = []; for (;;) { all.push(new Error('x'.repeat(100))); }"),
    hostile(
        "JSON.stringify with much space",
        Wall::Memory,
        "var o = []; for (var i = 0; i < 200; i++) { o = [o, new Array(20).fill(1)]; } return JSON.stringify(o, null, 10).length;",
    ),
    hostile("JSON.parse of arrays", Wall::Memory, "return JSON.parse('[' + '[],'.repeat(100000) + '1]').length;"),
    hostile("arguments from a long list", Wall::Memory, "return Math.max.apply(null, new Array(1000000).fill(1));"),
    hostile("spread of a long list", Wall::Memory, "var s = new Array(50000).fill(1); for (;;) { s = [...s, ...s]; }"),
    hostile(
        "headers of the event",
        Wall::Memory,
        "for (var i = 0; ; i++) { event.request.headers['x-' + i] = { value: 'v' }; }",
    ),
    hostile(
        "classes kept",
        Wall::Memory,
        "var all = []; for (;;) { all.push(class { m() {} get g() { return 1; } }); }",
    ),
    hostile(
        "regular expressions kept",
        Wall::Memory,
        "var all = []; for (var i = 0; ; i++) { all.push(new RegExp('(a|b)*' + i)); }",
    ),
    hostile(
        "shapes",
        Wall::Memory,
        "var all = []; for (var i = 0; ; i++) { var o = {}; o['a' + i] = 1; o['b' + i] = 2; all.push(o); }",
    ),
    hostile("prototype chain", Wall::Memory, "var o = {}; for (;;) { o = Object.create(o); }"),
];

#[test]
fn memory_by_every_route_ends_at_its_limit() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn memory_many_times() {
    many_times("memory", ALL);
}
