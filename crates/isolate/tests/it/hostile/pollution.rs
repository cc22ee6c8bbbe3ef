//! Prototypes and globals bent: within the run the function harms itself alone, and the next run sees nothing of it.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile(
        "members of all objects",
        Wall::Answers("uri /attack"),
        "Object.prototype.statusCode = 500; Object.prototype.method = 'X'; Object.prototype.value = 'x'; return event.request;",
    ),
    hostile(
        "setters on all objects",
        Wall::Answers("uri /attack"),
        "['statusCode', 'multiValue', 'x', 'value'].forEach(function (n) { Object.defineProperty(Object.prototype, n, { set: function () { throw new Error('set'); }, get: function () { throw new Error('get'); }, configurable: true }); }); return event.request;",
    ),
    hostile(
        "indexes on all arrays",
        Wall::Answers("uri /attack"),
        "Object.defineProperty(Array.prototype, '0', { set: function () { throw new Error('set'); }, get: function () { return 'stolen'; } }); return event.request;",
    ),
    hostile(
        "built-ins replaced",
        Wall::Answers("uri /attack"),
        "JSON.parse = JSON.stringify = null; Array.prototype.push = Array.prototype.join = String.prototype.replace = function () { return 'stolen'; }; Object.keys = function () { return ['stolen']; }; return event.request;",
    ),
    hostile(
        "iterators replaced",
        Wall::Answers("uri /attack"),
        "Array.prototype[Symbol.iterator] = function () { throw new Error('stolen'); }; return event.request;",
    ),
    hostile(
        "promises replaced",
        Wall::Answers("uri /attack"),
        "Promise.prototype.then = function () { throw new Error('stolen'); }; globalThis.Promise = null; return event.request;",
    ),
    hostile(
        "await with promises replaced",
        Wall::Answers("uri /attack"),
        "Promise.prototype.then = function (done) { Object.prototype.seen = 1; return this; }; await null; return event.request;",
    ),
    hostile(
        "modules bent",
        Wall::Answers("uri /attack"),
        "var c = require('crypto'); c.createHash = null; require('querystring').parse = function () { return 'stolen'; }; Buffer.from = null; return event.request;",
    ),
    hostile(
        "globals deleted",
        Wall::Answers("uri /attack"),
        "Object.getOwnPropertyNames(globalThis).forEach(function (n) { try { delete globalThis[n]; } catch (e) {} }); return event.request;",
    ),
    hostile(
        "globals overwritten",
        Wall::Answers("uri /attack"),
        "Object.getOwnPropertyNames(globalThis).forEach(function (n) { try { globalThis[n] = 7; } catch (e) {} }); return event.request;",
    ),
    hostile(
        "everything frozen",
        Wall::Answers("uri /attack"),
        "Object.getOwnPropertyNames(globalThis).forEach(function (n) { try { Object.freeze(globalThis[n]); Object.freeze(globalThis[n].prototype); } catch (e) {} }); Object.freeze(globalThis); return event.request;",
    ),
    hostile(
        "prototypes cut",
        Wall::Answers("uri /attack"),
        "Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(Function.prototype, null); Object.setPrototypeOf(event.request, null); return event.request;",
    ),
    hostile(
        "handler and witness replaced",
        Wall::Answers("uri /attack"),
        "handler = witness = function () { return { statusCode: 500 }; }; visits = 99; return event.request;",
    ),
    hostile(
        "event frozen",
        Wall::Answers("uri /attack"),
        "Object.freeze(event); Object.freeze(event.request); Object.freeze(event.request.headers); return event.request;",
    ),
    hostile(
        "maps of the event swapped",
        Wall::Answers("uri /attack"),
        "var h = event.request.headers; event.request.headers = event.request.cookies; event.request.cookies = h; event.request.querystring = {}; return event.request;",
    ),
    hostile(
        "Date and Math replaced",
        Wall::Answers("uri /attack"),
        "Date.now = function () { return 1; }; Date = null; Math.random = function () { return 0.5; }; return event.request;",
    ),
    hostile(
        "species and constructors",
        Wall::Answers("uri /attack"),
        "Array.prototype.constructor = { get [Symbol.species]() { throw new Error('species'); } }; RegExp.prototype.exec = function () { return null; }; return event.request;",
    ),
    hostile(
        "Symbol.unscopables and toStringTag",
        Wall::Answers("uri /attack"),
        "Object.prototype[Symbol.toStringTag] = 'stolen'; Object.prototype[Symbol.toPrimitive] = function () { return 'x'; }; return event.request;",
    ),
    hostile("errors replaced", Wall::Throws("stolen: x"), "Error.prototype.name = 'stolen'; throw new Error('x');"),
    hostile("strict mode left", Wall::Throws("ReferenceError"), "undeclared = 1; return event.request;"),
];

#[test]
fn what_a_function_bends_is_straight_in_the_next_run() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn pollution_many_times() {
    many_times("pollution", ALL);
}
