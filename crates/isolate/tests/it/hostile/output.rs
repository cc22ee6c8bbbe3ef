//! Floods: log lines, headers, bodies, replies.

use super::{Hostile, Wall, hostile, many_times, try_out};
use crate::support::{ours, run_for};
use rimward_isolate::Restore;

/// Floods of log lines.
pub(super) const FLOODS: &[Hostile] = &[
    hostile(
        "log flood",
        Wall::Answers("uri /attack"),
        "for (var i = 0; i < 20000; i++) { console.log('line ' + i); } return event.request;",
    ),
    hostile("one long line", Wall::Answers("uri /attack"), "console.log('x'.repeat(300000)); return event.request;"),
    hostile(
        "log of everything",
        Wall::Answers("uri /attack"),
        "var all = []; for (var i = 0; i < 500; i++) { all.push(globalThis); } console.log(all, event); return event.request;",
    ),
    hostile(
        "log of half characters",
        Wall::Answers("uri /attack"),
        "for (var i = 0; i < 3000; i++) { console.log('\\ud83d', '\\udd25\\ud83d'); } return event.request;",
    ),
];

/// All others.
pub(super) const ALL: &[Hostile] = &[
    hostile("log without end", Wall::Time, "for (;;) { console.log('x'); }"),
    hostile("body of much", Wall::Reply, "return { statusCode: 200, body: 'x'.repeat(300000) };"),
    hostile("body that is no text", Wall::Invalid("response.body"), "return { statusCode: 200, body: 7 };"),
    hostile(
        "header of much",
        Wall::Reply,
        "event.request.headers.x = { value: 'x'.repeat(300000) }; return event.request;",
    ),
    hostile(
        "headers without number",
        Wall::Reply,
        "var v = 'v'.repeat(150); for (var i = 0; i < 2000; i++) { event.request.headers['x-' + i] = { value: v }; } return event.request;",
    ),
    hostile(
        "values without number",
        Wall::Invalid("request.headers"),
        "event.request.headers.x = { value: 'x', multiValue: new Array(70000) }; return event.request;",
    ),
    hostile("path of much", Wall::Reply, "event.request.uri = '/' + 'x'.repeat(300000); return event.request;"),
    hostile(
        "query string of much",
        Wall::Reply,
        "event.request.querystring = 'x'.repeat(300000); return event.request;",
    ),
    hostile("status that is no number", Wall::Invalid("response.statusCode"), "return { statusCode: 'abc' };"),
    hostile("status beyond all numbers", Wall::Invalid("response.statusCode"), "return { statusCode: 1e300 };"),
    hostile("nothing", Wall::Invalid("the function must return"), "return undefined;"),
    hostile("the whole event", Wall::Invalid("the function must return event.request"), "return event;"),
    hostile("a function", Wall::Invalid("the function must return"), "return function () {};"),
    hostile("headers that are a list", Wall::Invalid("response.headers"), "return { statusCode: 200, headers: [] };"),
    hostile(
        "result that changes while it is read",
        Wall::Invalid("response.headers"),
        "var r = { statusCode: 200, headers: {} }; Object.defineProperty(r.headers, 'a', { enumerable: true, configurable: true, get: function () { delete r.headers.b; r.headers.c = { value: 'late' }; return { value: 'x' }; } }); r.headers.b = { get value() { r.headers = null; return 'y'; } }; return r;",
    ),
    hostile(
        "thrown object that throws",
        Wall::Throws(""),
        "throw { get name() { throw new Error('name'); }, get message() { throw new Error('message'); }, toString: function () { throw new Error('text'); } };",
    ),
    hostile("thrown text of much", Wall::Memory, "throw 'x'.repeat(300000);"),
];

#[test]
fn floods_end_at_their_limits() {
    try_out(FLOODS);
    try_out(ALL);
}

/// `cloudfront-functions.md` section 7: 10 KB of log.
#[test]
fn a_log_flood_leaves_10_kb() {
    for flood in FLOODS {
        let function = flood.publish(ours(Restore::Auto));
        for _ in 0..3 {
            let logs = run_for(&function, "/attack").logs;
            let bytes: usize = logs.iter().map(String::len).sum();
            assert!(bytes <= 10 << 10 && !logs.is_empty(), "{}: {bytes}", flood.name);
            assert!(run_for(&function, "/witness").logs.is_empty(), "{}", flood.name);
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn output_many_times() {
    many_times("output", FLOODS);
    many_times("output", ALL);
}
