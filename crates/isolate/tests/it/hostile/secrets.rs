//! Attempts to see another request, the host, or time going by (`cloudfront-functions.md` section 10.4).

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile(
        "buffers that nobody cleared",
        Wall::Answers("status 200 0"),
        "var sum = 0; for (var i = 0; i < 20; i++) { var b = new Uint8Array(Buffer.alloc(20000).buffer); for (var j = 0; j < b.length; j += 64) { sum += b[j]; } } return { statusCode: 200, statusDescription: String(sum) };",
    ),
    hostile(
        "typed arrays after garbage",
        Wall::Answers("status 200 0"),
        "for (var i = 0; i < 50; i++) { 'secret'.repeat(500); } var sum = 0; new Uint8Array(100000).forEach(function (n) { sum += n; }); return { statusCode: 200, statusDescription: String(sum) };",
    ),
    hostile(
        "what other requests left in globals",
        Wall::Answers("status 200 "),
        "var mine = globalThis.__mine || ''; globalThis.__mine = 'left behind'; return { statusCode: 200, statusDescription: mine };",
    ),
    hostile(
        "what other requests left in modules",
        Wall::Answers("status 200 "),
        "var q = require('querystring'); var mine = q.mine || ''; q.mine = 'left behind'; return { statusCode: 200, statusDescription: mine };",
    ),
    hostile(
        "what other requests left in symbols",
        Wall::Answers("status 200 undefined"),
        "var s = Symbol.for('mine'); var mine = String(Object.prototype[s]); Object.prototype[s] = 'left behind'; return { statusCode: 200, statusDescription: mine };",
    ),
    hostile(
        "the clock while time goes by",
        Wall::Answers("status 200 0"),
        "var a = Date.now(); for (var i = 0; i < 20000; i++) {} return { statusCode: 200, statusDescription: String(Date.now() - a + (new Date() - a)) };",
    ),
    hostile(
        "other clocks",
        Wall::Answers("status 200 undefined,undefined,undefined,undefined,undefined"),
        "return { statusCode: 200, statusDescription: [typeof performance, typeof setTimeout, typeof setInterval, typeof queueMicrotask, typeof SharedArrayBuffer].join() };",
    ),
    hostile(
        "garbage as a clock",
        Wall::Answers("status 200 undefined,undefined,undefined"),
        "return { statusCode: 200, statusDescription: [typeof WeakRef, typeof FinalizationRegistry, typeof Atomics].join() };",
    ),
    hostile(
        "randomness of another",
        Wall::Answers("status 200 1"),
        "var a = []; for (var i = 0; i < 3; i++) { a.push(Math.random()); } return { statusCode: 200, statusDescription: String(new Set(a).size === 3 ? 1 : 0) };",
    ),
    hostile(
        "the host",
        Wall::Answers("status 200 undefined,undefined,undefined,undefined,undefined"),
        "return { statusCode: 200, statusDescription: [typeof process, typeof fetch, typeof WebAssembly, typeof Deno, typeof global].join() };",
    ),
    hostile("files", Wall::Throws("Error"), "return require('fs').readFileSync('/etc/passwd');"),
    hostile("files by a path", Wall::Throws("Error"), "return require('../../../etc/passwd');"),
    hostile(
        "modules by import",
        Wall::Throws(""),
        "var m = await import('fs'); return { statusCode: 200, statusDescription: typeof m };",
    ),
    hostile("code from text", Wall::Throws("InternalError"), "return eval('1');"),
    hostile(
        "code from text by the constructor",
        Wall::Throws("TypeError"),
        "return (function () {}).constructor('return 1')();",
    ),
    hostile(
        "code from text by other constructors",
        Wall::Throws("TypeError"),
        "return Object.getPrototypeOf(function* () {}).constructor('yield 1')();",
    ),
    hostile(
        "code from text by async constructors",
        Wall::Throws("TypeError"),
        "return Object.getPrototypeOf(async function () {}).constructor('return 1')();",
    ),
    hostile("the caller", Wall::Throws("TypeError"), "return (function f() { return f.caller; })();"),
    hostile(
        "the source of the host",
        Wall::Answers("status 200 true"),
        "return { statusCode: 200, statusDescription: String(/native code/.test(String(Math.max)) && !/\\/(home|root|work|usr)\\//.test(String(new Error('x').stack))) };",
    ),
    hostile(
        "secrets of the node",
        Wall::Throws(""),
        "return { statusCode: 200, statusDescription: String(require('rimward').secret('key')) };",
    ),
    hostile(
        "the environment of the node",
        Wall::Answers("status 200 false"),
        "var r; try { r = JSON.stringify(require('rimward').environment); } catch (e) { r = ''; } return { statusCode: 200, statusDescription: String(/PATH|HOME/.test(r)) };",
    ),
];

#[test]
fn nothing_of_another_request_or_of_the_host_is_seen() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn secrets_many_times() {
    many_times("secrets", ALL);
}
