//! What it costs to publish, to keep and to run many functions.

use rimward_benches::{Report, Samples, alternate, machine};
use rimward_isolate::{Function, Invocation, Isolates, Limits, Options, Runtime, Source};
use rimward_types::Timestamp;
use std::process::ExitCode;
use std::time::Instant;

const FUNCTIONS: usize = 1000;
/// Rounds of both, and runs in each: of one of them, and of all in turns.
const ROUNDS: usize = 10;
const RUNS: usize = 2 * FUNCTIONS;

fn main() -> ExitCode {
    let isolates = Isolates::start(&Options::new(std::env::temp_dir().join("rimward-bench-code"))).expect("the tier");
    let code = include_str!("../functions/header-and-rewrite.js");
    let publish = |n: usize| {
        let code = format!("var table{n} = {{ number: {n}, name: 'function {n}' }};\n{code}");
        let source = Source {
            name: format!("f{n}").into(),
            code: code.as_bytes(),
            runtime: Runtime::V2,
            entry: Default::default(),
            limits: Limits::default(),
            kv: None,
            bindings: std::sync::Arc::default(),
        };
        isolates.publish(&source).expect("a function")
    };
    let mut report = Report::new("publish");
    let mut each = Samples::default();
    let (resident, began) = (machine::resident(), Instant::now());
    let mut functions = Vec::with_capacity(FUNCTIONS);
    for n in 0..FUNCTIONS {
        let start = Instant::now();
        functions.push(publish(n));
        each.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    let total = began.elapsed();
    let grown = machine::resident().saturating_sub(resident);
    report.times("one", &each);
    report.number("thousand/seconds", total.as_secs_f64());
    report.number("thousand/resident-mb", grown as f64 / f64::from(1 << 20));
    report.number("one/snapshot-kb", functions[0].footprint().bytes as f64 / 1024.0);
    let mut event = Vec::new();
    rimward_wire::event::Event::default().write(&mut event);
    let invocation = Invocation { now: Timestamp::default(), seed: 1, count_fuel: false, server: None };
    let run = |function: &Function| {
        let _ = function.run(&event, invocation, <[u8]>::len);
    };
    let mut turns = functions.iter().cycle();
    let both = alternate(
        ROUNDS,
        RUNS,
        &mut [
            ("one/run", Box::new(|| run(&functions[0]))),
            ("thousand/run", Box::new(|| turns.next().into_iter().for_each(|function| run(function)))),
        ],
    );
    both.iter().for_each(|(name, times)| report.times(name, times));
    let [one, thousand] = [0, 1].map(|n| both[n].1.percentile(0.5));
    report.number("thousand/run/percent-of-one", 100.0 * thousand / one);
    report.finish()
}
