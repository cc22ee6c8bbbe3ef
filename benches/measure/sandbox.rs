//! What a call of an origin function costs: the typed Rust sample, its instance reused, and a fresh one for each call.

use rimward_benches::{Report, Samples};
use rimward_event::lambda::json::event_from_json;
use rimward_sandbox::{Options, Sandbox, Spec};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const CALLS: usize = 20_000;
const FRESH: usize = 1000;

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../edge-functions/origin/origin-select");
    let component = fs::read(folder.join("function.wasm")).expect("the sample is in the tree");
    let event = fs::read_to_string(folder.join("events/app-by-default.json")).expect("an event");
    let event = event_from_json(&event).expect("an event");
    let sandbox = Sandbox::start(Options {
        code_cache: Some(std::env::temp_dir().join("rimward-bench-code")),
        ..Options::default()
    })
    .expect("the tier");
    let mut report = Report::new("sandbox");
    for (name, fresh, calls) in [("typed-rust/reused", false, CALLS), ("typed-rust/fresh", true, FRESH)] {
        let spec = Spec { fresh, ..Spec::new("origin-select", component.clone()) };
        let began = Instant::now();
        let function = sandbox.publish(spec).await.expect("the sample can be published");
        if !fresh {
            report.number("typed-rust/publish-ms", began.elapsed().as_secs_f64() * 1000.0);
        }
        let mut times = Samples::default();
        for n in 0..calls + calls / 10 {
            let start = Instant::now();
            let call = function.invoke(&event.as_event()).await;
            let took = start.elapsed().as_nanos() as f64 / 1000.0;
            assert!(call.result.is_ok(), "{:?}", call.result);
            if n >= calls / 10 {
                times.push(took);
            }
        }
        report.times(name, &times);
    }
    report.finish()
}
