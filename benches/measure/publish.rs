//! What it costs to publish and to keep many functions.

use rimward_benches::{Report, Samples, machine};
use rimward_isolate::{Isolates, Limits, Options, Runtime, Source};
use std::process::ExitCode;
use std::time::Instant;

const FUNCTIONS: usize = 1000;

fn main() -> ExitCode {
    let isolates = Isolates::start(&Options::new(std::env::temp_dir().join("rimward-bench-code"))).expect("the tier");
    let code = include_str!("../functions/header-and-rewrite.js");
    let publish = |n: usize| {
        let code = format!("var table{n} = {{ number: {n}, name: 'function {n}' }};\n{code}");
        let source = Source {
            name: format!("f{n}").into(),
            code: code.as_bytes(),
            runtime: Runtime::V2,
            limits: Limits::default(),
            kv: None,
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
    report.finish()
}
