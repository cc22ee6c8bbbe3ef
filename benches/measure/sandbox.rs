//! What origin functions cost: calls in an instance that is used again and in a fresh one, with two threads, memory,
//! publishing, and the first request after it.
//!
//! JavaScript and Python are measured where their samples have been built (`rimward build edge-functions/origin/NAME`): their
//! components are 12 MB and more, and so are not in the tree.

use rimward_benches::{Report, Samples, machine};
use rimward_event::lambda::json::{OwnedEvent, event_from_json};
use rimward_sandbox::{Function, Options, Sandbox, Spec};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CALLS: usize = 20_000;
const FRESH: usize = 1000;
/// Turns of one thread and of two; the best of each counts.
const ROUNDS: usize = 12;
/// Instances of which the memory is measured.
const INSTANCES: usize = 100;
/// Functions whose first request is measured; fewer in languages whose components are large.
const RELEASES: usize = 50;
const LARGE_RELEASES: usize = 10;

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = repository.join("edge-functions/origin/origin-select");
    let typed = fs::read(folder.join("function.wasm")).expect("the sample is in the tree");
    let event = read_event(&folder.join("events/app-by-default.json"));
    let sandbox = start(&std::env::temp_dir().join("rimward-bench-code"));
    let mut report = Report::new("sandbox");

    let function = publish(&sandbox, Spec::new("origin-select", typed.clone())).await;
    report.times("typed-rust/reused", &calls(&function, &event, CALLS).await);
    let other = start(&std::env::temp_dir().join("rimward-bench-code"));
    let apart = publish(&other, Spec::new("origin-select", typed.clone())).await;
    two_threads(&mut report, &function, &apart, &event).await;
    drop((apart, other));
    let fresh = publish(&sandbox, Spec { fresh: true, ..Spec::new("origin-select", typed.clone()) }).await;
    report.times("typed-rust/fresh", &calls(&fresh, &event, FRESH).await);

    let probe = fs::read(repository.join("crates/sandbox/tests/guests/probe/function.wasm"));
    let probe = probe.expect("the tests' function is in the tree");
    let mut echo = read_event(&folder.join("events/app-by-default.json"));
    echo.request.path = "/echo".to_owned();
    let function = publish(&sandbox, Spec::new("probe", probe.clone())).await;
    report.times("json-rust/reused", &calls(&function, &echo, CALLS).await);
    report.number("json-rust/warm-instance-kb", warm_instance_kb(&sandbox, probe).await);

    publishing(&mut report, "typed-rust", &typed, &event, RELEASES).await;
    for (name, sample, releases) in [
        ("json-c", "maintenance", RELEASES),
        ("javascript", "content-negotiation", LARGE_RELEASES),
        ("python", "form-guard", LARGE_RELEASES),
    ] {
        language(&mut report, name, &repository.join("edge-functions/origin").join(sample), releases).await;
    }
    report.finish()
}

fn start(code: &Path) -> Sandbox {
    Sandbox::start(Options { code_cache: Some(code.to_owned()), ..Options::default() }).expect("the tier")
}

async fn publish(sandbox: &Sandbox, spec: Spec) -> Arc<Function> {
    sandbox.publish(spec).await.expect("it can be published")
}

fn read_event(path: &Path) -> OwnedEvent {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    event_from_json(&text).expect("an event")
}

async fn calls(function: &Function, event: &OwnedEvent, count: usize) -> Samples {
    let mut times = Samples::default();
    for n in 0..count + count / 10 {
        let start = Instant::now();
        let call = function.invoke(&event.as_event()).await;
        let took = start.elapsed().as_nanos() as f64 / 1000.0;
        assert!(call.result.is_ok(), "{:?}", call.result);
        if n >= count / 10 {
            times.push(took);
        }
    }
    times
}

/// How much of the time of one thread two threads take for the same calls: 50 is twice the throughput. How near to that a machine
/// comes is its own affair, and is seen from two threads that share nothing: one calls the same function of another sandbox.
async fn two_threads(report: &mut Report, function: &Arc<Function>, apart: &Arc<Function>, event: &OwnedEvent) {
    let took = async |functions: &[&Arc<Function>]| {
        let count = CALLS / functions.len();
        let start = Instant::now();
        let task = |function: &Arc<Function>| {
            let (function, event) = (function.clone(), event.clone());
            tokio::spawn(async move { calls(&function, &event, count).await.len() })
        };
        for task in functions.iter().map(|function| task(function)).collect::<Vec<_>>() {
            assert!(task.await.expect("it runs") > 0);
        }
        start.elapsed().as_secs_f64()
    };
    // The first round warms both threads up. Many, for whoever else is on the machine takes a processor away only at times.
    let (mut one, mut two, mut none_shared) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        one = one.min(took(&[function]).await);
        two = two.min(took(&[function, function]).await);
        none_shared = none_shared.min(took(&[function, apart]).await);
    }
    report.number("typed-rust/two-threads/percent-of-one", two / one * 100.0);
    report.number("typed-rust/two-threads/percent-of-apart", two / none_shared * 100.0);
    report.number("typed-rust/two-threads/calls-per-second", CALLS as f64 * 1.1 / two);
}

/// Resident memory of an instance that has handled an event and waits for the next.
async fn warm_instance_kb(sandbox: &Sandbox, component: Vec<u8>) -> f64 {
    let function = publish(sandbox, Spec { concurrency: INSTANCES, ..Spec::new("many", component) }).await;
    let mut event = read_event(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../edge-functions/origin/origin-select/events/app-by-default.json"),
    );
    // All of them are at it at the same time, and so each has an instance of its own.
    event.request.path = "/sleep~500".to_owned();
    let before = machine::resident();
    let tasks: Vec<_> = (0..INSTANCES)
        .map(|_| {
            let (function, event) = (function.clone(), event.clone());
            tokio::spawn(async move { function.invoke(&event.as_event()).await.result.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("it runs"));
    }
    let made = function.idle();
    machine::resident().saturating_sub(before) as f64 / 1024.0 / made as f64
}

/// The sample in another language in `folder`, where it has been built.
async fn language(report: &mut Report, name: &str, folder: &Path, releases: usize) {
    let Ok(component) = fs::read(folder.join("function.wasm")) else {
        println!("{name} is not measured: {} has not been built", folder.display());
        return;
    };
    let is_event =
        |path: &PathBuf| path.to_string_lossy().ends_with(".json") && !path.to_string_lossy().ends_with(".expect.json");
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("events"))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(is_event)
        .collect();
    files.sort();
    let event = read_event(files.first().expect("an event beside the component"));
    let function = publishing(report, name, &component, &event, releases).await;
    report.times(&format!("{name}/reused"), &calls(&function, &event, CALLS / 10).await);
    let memory = function.invoke(&event.as_event()).await.cost.memory;
    report.number(&format!("{name}/instance-memory-mb"), memory as f64 / f64::from(1 << 20));
}

/// Publishing with nothing compiled before and with the code at hand; and the first request after each.
/// Gives the last function that it published.
async fn publishing(
    report: &mut Report,
    name: &str,
    component: &[u8],
    event: &OwnedEvent,
    releases: usize,
) -> Arc<Function> {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = start(folder.path());
    let began = Instant::now();
    let mut last = publish(&sandbox, Spec::new(name, component.to_vec())).await;
    report.number(&format!("{name}/publish-ms"), began.elapsed().as_secs_f64() * 1000.0);
    let (mut known, mut first) = (Samples::default(), Samples::default());
    for _ in 0..releases {
        let began = Instant::now();
        let function = publish(&sandbox, Spec::new(name, component.to_vec())).await;
        known.push(began.elapsed().as_nanos() as f64 / 1000.0);
        // A release is published, and some time later requests come.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let began = Instant::now();
        assert!(function.invoke(&event.as_event()).await.result.is_ok());
        first.push(began.elapsed().as_nanos() as f64 / 1000.0);
        last = function;
    }
    report.times(&format!("{name}/publish-known"), &known);
    report.times(&format!("{name}/first-request"), &first);
    last
}
