//! Functions that try to break out, by family (`cloudfront-functions.md` sections 6, 7 and 10.4).
//!
//! Each is stopped by the right wall, many times in a row on one thread. Between its runs a well-behaved function of another slot and one
//! in its own slot look around: they must give the right answer and find nothing that it left behind. The memory is compared with the
//! snapshot after every run.

mod depth;
mod language;
mod memory;
mod output;
mod pollution;
mod secrets;
mod strings;
mod waiting;

use crate::support::{answer, code_cache, ours, publish_with};
use rimward_isolate::{Failure, Function, Isolates, Limits, Options, Restore};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Runs of each function in the usual tests, where each restoration is compared with the snapshot.
const REPEATS: usize = 20;
/// Runs of each function in the long tests, where it is not; `HOSTILE_RUNS` says otherwise.
const MANY: usize = 1000;
/// Where ten runs take longer than this, the wall is far away, and a twentieth of the runs must do.
const FAR: Duration = Duration::from_millis(500);
/// Of so many runs one may end after twice its limit: the machine may take the processor away from the thread that keeps time.
const PUNCTUAL: usize = 1000;

/// The time limit where time is the wall.
const TIME: Duration = Duration::from_millis(1);
/// The time limit where it is not; a busy machine must not turn one wall into another.
const LONG: Duration = Duration::from_secs(5);
const MEMORY: usize = 2 << 20;

/// What looks around. It tells what is not as it was when the function was published.
const WITNESS: &str = r#"
var visits = 0;
function witness(event) {
  var found = [];
  var is = function (what, yes) { if (!yes) { found.push(what); } };
  visits += 1;
  is('visits', visits === 1);
  for (var a in {}) { found.push('Object.prototype.' + a); }
  for (var b in []) { found.push('Array.prototype.' + b); }
  for (var c in 'x') { if (c !== '0') { found.push('String.prototype.' + c); } }
  Object.keys(globalThis).forEach(function (name) {
    is('global ' + name, /^(visits|witness|attack|handler)$/.test(name));
  });
  is('JSON', JSON.stringify(JSON.parse('{"a":[1,"x",null]}')) === '{"a":[1,"x",null]}');
  is('sort', [3, 1, 2].sort().join() === '1,2,3');
  is('regular expressions', 'a-b-c'.replace(/-(\w)/g, function (all, letter) { return letter.toUpperCase(); }) === 'aBC');
  is('Math', Math.max(1, 3, 2) === 3 && Math.imul(3, 5) === 15);
  is('iterators', Array.from(new Set([1, 2, 2])).join() === '1,2' && [...'ab'].length === 2);
  is('Buffer', Buffer.from('aGk=', 'base64').toString() === 'hi');
  is('crypto', require('crypto').createHash('md5').update('').digest('hex') === 'd41d8cd98f00b204e9800998ecf8427e');
  is('clock', Date.now() === 1700000000123);
  is('functions', typeof Object.freeze === 'function' && !Object.isFrozen(Object.prototype));
  is('event', Object.keys(event.request.headers).join() === 'host,accept' && event.request.headers.host.value === 'www.example.com');
  return found.length > 0 ? { statusCode: 500, statusDescription: found.join() } : event.request;
}
"#;

/// What must stop a function.
#[derive(Debug, Clone, Copy)]
enum Wall {
    /// The time limit, before twice of it.
    Time,
    /// The memory limit.
    Memory,
    /// Whichever of the two comes first on this machine: it leaves garbage, which is collected late.
    TimeOrMemory,
    /// Calls nested too deeply: an exception of the engine, or the end of the stack or of the memory.
    Depth,
    /// An exception; its text begins so.
    Throws(&'static str),
    /// A result of no valid shape; the text begins so.
    Invalid(&'static str),
    /// The size of replies.
    Reply,
    /// None: it is harmless, and this is the answer, in words (`support::answer`).
    Answers(&'static str),
}

/// A function that tries something.
#[derive(Clone, Copy)]
struct Hostile {
    name: &'static str,
    wall: Wall,
    /// Body of `function attack(event)`.
    body: &'static str,
}

const fn hostile(name: &'static str, wall: Wall, body: &'static str) -> Hostile {
    Hostile { name, wall, body }
}

/// All of them.
fn all() -> impl Iterator<Item = &'static Hostile> {
    let families: [&[Hostile]; 9] = [
        strings::ALL,
        language::ALL,
        waiting::ALL,
        memory::ALL,
        depth::ALL,
        output::FLOODS,
        output::ALL,
        pollution::ALL,
        secrets::ALL,
    ];
    families.into_iter().flatten()
}

impl Hostile {
    fn publish(&self, isolates: &Isolates) -> Arc<Function> {
        let kind = if self.body.contains("await ") { "async " } else { "" };
        let code = format!(
            "{WITNESS}{kind}function attack(event) {{ {} }}\n\
             function handler(event) {{ return event.request.uri === '/witness' ? witness(event) : attack(event); }}",
            self.body
        );
        let time = self.limit().unwrap_or(LONG);
        publish_with(isolates, &code, Limits { time, memory: MEMORY, ..Limits::default() })
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Runs it so many times, with neighbours in between.
    fn meets_its_wall(&self, isolates: &Isolates, times: usize) -> Met {
        let function = self.publish(isolates);
        let neighbour = witness(isolates);
        let mut met = Met::default();
        for _ in 0..times {
            let (said, time) = timed_answer(&function, "/attack");
            assert!(self.is_stopped_right(&said), "{} ({:?}): {said:?}", self.name, self.wall);
            met.attacks.push(time);
            let begun = Instant::now();
            assert_unharmed(neighbour, self.name);
            met.neighbours.push(begun.elapsed());
            assert_unharmed(&function, self.name);
        }
        met.attacks.sort_unstable();
        met.neighbours.sort_unstable();
        met
    }

    /// The time limit, where it is the wall, or may be.
    fn limit(&self) -> Option<Duration> {
        matches!(self.wall, Wall::Time | Wall::TimeOrMemory).then_some(TIME)
    }

    fn is_stopped_right(&self, said: &Result<String, Failure>) -> bool {
        match (self.wall, said) {
            (Wall::Time | Wall::TimeOrMemory, Err(Failure::Time { limit })) => *limit == TIME,
            (Wall::Memory | Wall::TimeOrMemory | Wall::Depth, Err(Failure::Memory { limit })) => *limit == MEMORY,
            (Wall::Depth, Err(Failure::Stack)) => true,
            (Wall::Depth, Ok(words)) => ["RangeError", "InternalError", "SyntaxError", "EnginePanic"]
                .iter()
                .any(|kind| begins(words, "Execution", kind)),
            (Wall::Throws(text), Ok(words)) => begins(words, "Execution", text),
            (Wall::Invalid(text), Ok(words)) => begins(words, "Validation", text),
            (Wall::Reply, Err(Failure::Reply { .. })) => true,
            (Wall::Answers(expected), Ok(words)) => words == expected,
            _ => false,
        }
    }
}

/// How the runs of one function went; sorted.
#[derive(Default)]
struct Met {
    /// Time of each run, by the tier's own account.
    attacks: Vec<Duration>,
    /// What the next request on the thread took, from outside.
    neighbours: Vec<Duration>,
}

impl Met {
    /// Runs that took longer than twice their limit.
    fn late(&self, limit: Option<Duration>) -> usize {
        limit.map_or(0, |limit| self.attacks.iter().filter(|time| **time >= 2 * limit).count())
    }
}

/// p50, p99 and the most of sorted times, in µs.
fn summary(sorted: &[Duration]) -> String {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1000.0;
    format!("{:>7.0} {:>7.0} {:>8.0}", at(0.5), at(0.99), at(1.0))
}

fn begins(words: &str, category: &str, text: &str) -> bool {
    words.strip_prefix(category).is_some_and(|rest| rest.trim_start().starts_with(text))
}

/// The answer, and the time that the run took by the tier's own account: processor time, near the limit.
fn timed_answer(function: &Function, uri: &str) -> (Result<String, Failure>, Duration) {
    let run = crate::support::run_for(function, uri);
    (run.result, run.cost.time)
}

/// The next request, on a busy machine that may have stolen the first ones' time.
fn assert_unharmed(function: &Function, after: &str) {
    let right = (0..200).any(|_| match answer(function, "/witness") {
        Ok(words) => {
            assert_eq!(words, "uri /witness", "after {after}");
            true
        }
        Err(Failure::Time { .. }) => false,
        Err(failure) => panic!("after {after}: {failure}"),
    });
    assert!(right, "after {after}");
}

/// A function of another slot that does nothing but look around.
fn witness(isolates: &Isolates) -> &'static Function {
    static COMPARED: OnceLock<Arc<Function>> = OnceLock::new();
    static FAST: OnceLock<Arc<Function>> = OnceLock::new();
    let place = if std::ptr::eq(isolates, ours(Restore::Auto)) { &COMPARED } else { &FAST };
    place.get_or_init(|| {
        let code = format!("{WITNESS}var handler = witness;");
        publish_with(isolates, &code, Limits { time: LONG, ..Limits::default() }).unwrap()
    })
}

/// Lets each of a family meet its wall.
fn try_out(family: &[Hostile]) {
    let isolates = ours(Restore::Auto);
    let said = family.iter().map(|hostile| (hostile, timed_answer(&hostile.publish(isolates), "/attack").0));
    let wrong: Vec<_> = said.filter(|(hostile, said)| !hostile.is_stopped_right(said)).collect();
    let wrong: Vec<_> = wrong.iter().map(|(hostile, said)| (hostile.name, hostile.wall, said)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for hostile in family {
        let least = hostile.meets_its_wall(isolates, REPEATS).attacks[0];
        // The best of some: other work of this machine may delay the thread that keeps time.
        match hostile.wall {
            Wall::Time => assert!((TIME..2 * TIME).contains(&least), "{}: {least:?}", hostile.name),
            Wall::TimeOrMemory => assert!(least < 2 * TIME, "{}: {least:?}", hostile.name),
            _ => {}
        }
    }
}

#[test]
fn there_are_many_of_them_and_each_has_a_name_of_its_own() {
    let mut names: Vec<_> = all().map(|hostile| hostile.name).collect();
    assert!(names.len() >= 40, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().count());
}

#[test]
fn the_witness_sees_what_is_left_behind() {
    let marks = [
        "Object.prototype.mark = 1",
        "globalThis.mark = 1",
        "JSON.parse = null",
        "Array.prototype.sort = function () { return this; }",
        "Date.now = function () { return 1; }",
        "visits = 1",
        "String.prototype.replace = function () { return ''; }",
        "Object.freeze(Object.prototype)",
        "delete event.request.headers.host",
    ];
    for mark in marks {
        let code = format!("{WITNESS}function handler(event) {{ {mark}; return witness(event); }}");
        let limits = Limits { time: LONG, ..Limits::default() };
        let function = publish_with(ours(Restore::Auto), &code, limits).unwrap();
        let said = answer(&function, "/witness").unwrap();
        assert_ne!(said, "uri /witness", "{mark}");
    }
}

/// Lets each of a family meet its wall many times in a row, and tells how that went: `docs/performance.md` says how it is called. Without
/// the comparison of memories a restoration costs what it costs in a node, so that the times are those of a node too.
fn many_times(family: &str, all: &[Hostile]) {
    static TIER: OnceLock<Isolates> = OnceLock::new();
    let isolates =
        TIER.get_or_init(|| Isolates::start(&Options { verify: false, ..Options::new(code_cache()) }).unwrap());
    let runs = std::env::var("HOSTILE_RUNS").map_or(MANY, |runs| runs.parse().unwrap());
    let harmless =
        hostile("none", Wall::Answers("uri /attack"), "return event.request;").meets_its_wall(isolates, runs);
    println!("{family}, µs: p50, p99, most        | attack                  | next request");
    println!("  {:<50} {} {}", "none", summary(&harmless.attacks), summary(&harmless.neighbours));
    let (mut total, mut late) = (0, 0);
    for hostile in all {
        let begun = Instant::now();
        hostile.meets_its_wall(isolates, 10);
        let runs = if begun.elapsed() > FAR { runs.div_ceil(20) } else { runs };
        let met = hostile.meets_its_wall(isolates, runs);
        let after = met.late(hostile.limit());
        println!(
            "  {:<50} {} {} {runs} runs, {after} late",
            hostile.name,
            summary(&met.attacks),
            summary(&met.neighbours)
        );
        if hostile.limit().is_some() {
            total += runs;
            late += after;
        }
    }
    println!("  {} functions; of {total} runs against the clock {late} ended after twice their limit", all.len());
    assert!(late <= total.div_ceil(PUNCTUAL), "{family}: {late} of {total}");
}
