//! Time spent inside of built-ins that work on text and numbers.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile("regular expression that backtracks", Wall::Time, "return /^(a+)+$/.test('a'.repeat(40) + 'b');"),
    hostile("regular expression with a back reference", Wall::Time, r"return /^(a*)*\1b$/.test('a'.repeat(30));"),
    hostile("regular expression over and over", Wall::TimeOrMemory, "for (;;) { 'abcabcabc'.match(/(?:a|b|c)+?c/g); }"),
    hostile("lookbehind", Wall::Time, "for (;;) { /(?<=(a+)+)b/.test('a'.repeat(200)); }"),
    hostile("repeat", Wall::Time, "for (;;) { 'ab'.repeat(10000); }"),
    hostile("padStart", Wall::Time, "for (;;) { 'x'.padStart(20000, 'ab'); }"),
    hostile("split and join", Wall::TimeOrMemory, "var t = 'a,'.repeat(500); for (;;) { t = t.split(',').join(','); }"),
    hostile(
        "replace with a callback",
        Wall::TimeOrMemory,
        "var t = 'a'.repeat(1000); for (;;) { t.replace(/a/g, function (a) { return a; }); }",
    ),
    hostile("replaceAll", Wall::TimeOrMemory, "var t = 'ab'.repeat(2000); for (;;) { t.replaceAll('a', 'c'); }"),
    hostile(
        "concatenation tree",
        Wall::TimeOrMemory,
        "for (;;) { var t = 'x'; for (var i = 0; i < 12; i++) { t = t + t + i; } t.charCodeAt(5); }",
    ),
    hostile("indexOf", Wall::Time, "var t = 'a'.repeat(20000); for (;;) { t.indexOf('a'.repeat(500) + 'b'); }"),
    hostile("lastIndexOf", Wall::Time, "var t = 'a'.repeat(20000); for (;;) { t.lastIndexOf('b'); }"),
    hostile(
        "localeCompare",
        Wall::TimeOrMemory,
        "var t = 'a'.repeat(20000); for (;;) { (t + 'b').localeCompare(t + 'c'); }",
    ),
    hostile("normalize", Wall::TimeOrMemory, "var t = '\\u00e9'.repeat(5000); for (;;) { t.normalize('NFKD'); }"),
    hostile(
        "upper and lower case",
        Wall::TimeOrMemory,
        "var t = 'a\\u00df'.repeat(3000); for (;;) { t.toUpperCase().toLowerCase(); }",
    ),
    hostile(
        "encodeURIComponent",
        Wall::TimeOrMemory,
        "var t = '\\u20ac'.repeat(3000); for (;;) { encodeURIComponent(t); }",
    ),
    hostile(
        "decodeURIComponent",
        Wall::TimeOrMemory,
        "var t = '%e2%82%ac'.repeat(2000); for (;;) { decodeURIComponent(t); }",
    ),
    hostile(
        "escape and unescape",
        Wall::TimeOrMemory,
        "var t = '\\u20ac'.repeat(2000); for (;;) { unescape(escape(t)); }",
    ),
    hostile(
        "parseFloat of long text",
        Wall::Time,
        "var t = '1' + '0'.repeat(20000) + '.5e-20000'; for (;;) { parseFloat(t); }",
    ),
    hostile("parseInt of long text", Wall::Time, "var t = '9'.repeat(20000); for (;;) { parseInt(t, 36); Number(t); }"),
    hostile(
        "numbers to text",
        Wall::TimeOrMemory,
        "for (;;) { (1.1e-300).toString(2); (0.1).toFixed(100); (1e21).toPrecision(90); }",
    ),
    hostile(
        "JSON.parse of much",
        Wall::TimeOrMemory,
        "var t = '[' + '{\"a\":[1,2,3]},'.repeat(500) + '1]'; for (;;) { JSON.parse(t); }",
    ),
    hostile(
        "JSON.parse with a reviver",
        Wall::TimeOrMemory,
        "for (;;) { JSON.parse('[1,[2,[3]]]', function (key, value) { return value; }); }",
    ),
    hostile(
        "JSON.stringify of what grows",
        Wall::TimeOrMemory,
        "var o = {}; for (var i = 0; i < 500; i++) { o['k' + i] = { a: i }; } for (;;) { JSON.stringify(o); }",
    ),
    hostile(
        "JSON.stringify of an array without elements",
        Wall::TimeOrMemory,
        "return JSON.stringify(new Array(1e7)).length;",
    ),
    hostile(
        "querystring",
        Wall::TimeOrMemory,
        "var qs = require('querystring'); var t = 'a=%41&b='.repeat(500); for (;;) { qs.stringify(qs.parse(t)); }",
    ),
    hostile("Buffer", Wall::TimeOrMemory, "for (;;) { Buffer.from('ab'.repeat(2000)).toString('hex'); }"),
    hostile(
        "Buffer.concat",
        Wall::TimeOrMemory,
        "var b = Buffer.alloc(1000); for (;;) { Buffer.concat([b, b, b, b]); }",
    ),
    hostile("base64", Wall::TimeOrMemory, "var t = 'a'.repeat(3000); for (;;) { atob(btoa(t)); }"),
    hostile(
        "digest after digest",
        Wall::TimeOrMemory,
        "var c = require('crypto'); var d = ''; for (;;) { d = c.createHash('sha256').update(d).digest('hex'); }",
    ),
    hostile(
        "digest of much",
        Wall::TimeOrMemory,
        "var c = require('crypto'); var b = 'x'.repeat(200000); for (;;) { c.createHash('sha1').update(b).digest(); }",
    ),
    hostile(
        "keyed digests",
        Wall::TimeOrMemory,
        "var c = require('crypto'); for (;;) { c.createHmac('md5', 'k'.repeat(500)).update('x'.repeat(500)).digest('base64'); }",
    ),
    hostile(
        "TextEncoder",
        Wall::TimeOrMemory,
        "var t = '\\u20ac'.repeat(3000); for (;;) { new TextDecoder().decode(new TextEncoder().encode(t)); }",
    ),
    hostile("String.raw and templates", Wall::TimeOrMemory, "for (;;) { String.raw`a${1}b${2}c${'x'.repeat(1000)}`; }"),
    hostile("power of large integers", Wall::TimeOrMemory, "var n = 3n; return String(n ** 1000000n).length;"),
    hostile("large integers to text", Wall::TimeOrMemory, "var n = 1n; return (n << 200000n).toString(10).length;"),
    hostile("dates", Wall::TimeOrMemory, "for (;;) { new Date(Date.parse('2024-02-29T12:00:00Z')).toISOString(); }"),
];

#[test]
fn built_ins_that_work_on_text_end_at_the_time_limit() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn strings_many_times() {
    many_times("strings", ALL);
}
