//! Promises and `async`: nothing waits, so chains of jobs are just another loop.

use super::{Hostile, Wall, hostile, many_times, try_out};

pub(super) const ALL: &[Hostile] = &[
    hostile(
        "chain of jobs",
        Wall::TimeOrMemory,
        "var again = function () { return Promise.resolve().then(again); }; await again();",
    ),
    hostile("await in a loop", Wall::TimeOrMemory, "for (;;) { await null; }"),
    hostile(
        "thenable that resolves with itself again",
        Wall::TimeOrMemory,
        "var t = { then: function (done) { done(t); } }; await t;",
    ),
    hostile(
        "promise that waits for itself",
        Wall::Throws("TypeError"),
        "var q; q = Promise.resolve().then(function () { return q; }); await q;",
    ),
    hostile(
        "promise that never settles",
        Wall::Throws("the promise of the handler never settles"),
        "await new Promise(function () {});",
    ),
    hostile("rejection", Wall::Throws("Error: on purpose"), "await Promise.reject(new Error('on purpose'));"),
    hostile("rejection with nothing", Wall::Throws("undefined"), "await Promise.reject();"),
    hostile("Promise.all of much", Wall::TimeOrMemory, "for (;;) { await Promise.all(new Array(1000).fill(1)); }"),
    hostile(
        "Promise.race of an endless iterator",
        Wall::TimeOrMemory,
        "await Promise.race({ *[Symbol.iterator]() { for (;;) { yield 1; } } });",
    ),
    hostile(
        "async generator",
        Wall::TimeOrMemory,
        "async function* endless() { for (;;) { yield 1; } } for await (var x of endless()) { x; }",
    ),
    hostile("loop in a job", Wall::Time, "await null; for (;;) {}"),
    hostile(
        "loop in a thenable that is returned",
        Wall::Time,
        "await null; return { then: function () { for (;;) {} } };",
    ),
    hostile(
        "job that is left behind",
        Wall::Answers("uri /attack"),
        "Promise.resolve().then(function () { Object.prototype.late = 1; }); await null; return event.request;",
    ),
    hostile("async recursion", Wall::Depth, "async function again() { return await again(); } await again();"),
];

#[test]
fn jobs_without_end_end_at_a_limit() {
    try_out(ALL);
}

#[test]
#[ignore = "takes minutes"]
fn waiting_many_times() {
    many_times("waiting", ALL);
}
