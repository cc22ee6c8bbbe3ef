//! What viewer functions cost: time, fuel, pages; alone and on two busy threads.

use rimward_benches::{Report, Samples, alternate, time_each};
use rimward_event::connection::OwnedConnection;
use rimward_event::viewer::json;
use rimward_isolate::{Entry, Function, Invocation, Isolates, Limits, Options, Runtime, Source};
use rimward_kv::Store;
use rimward_kv::pairs::MAX_STORE;
use rimward_types::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 10;
const RUNS: usize = 2000;
/// Bytes that are touched between two runs with cold caches: more than the caches of one core hold.
const OTHER: usize = 2 << 20;

/// Name, source, event and, where it reads one, key value store; from the top of the tree.
const SAMPLES: [(&str, &str, &str, Option<&str>); 11] = [
    ("header-and-rewrite", "benches/functions/header-and-rewrite.js", "benches/functions/browser.json", None),
    ("ab-request", "benches/functions/ab-request.js", "benches/functions/browser.json", None),
    ("ab-response", "benches/functions/ab-response.js", "benches/functions/browser-response.json", None),
    ("jwt-hs256", "benches/functions/jwt-hs256.js", "benches/functions/browser-with-token.json", None),
    ("query", "benches/functions/query.js", "benches/functions/browser-from-campaign.json", None),
    ("ab-test", "edge-functions/viewer/ab-test/index.js", "benches/functions/browser.json", None),
    (
        "jwt-auth",
        "edge-functions/viewer/jwt-auth/index.js",
        "edge-functions/viewer/jwt-auth/events/valid-token.json",
        Some("edge-functions/viewer/jwt-auth/keys.json"),
    ),
    ("url-rewrite", "edge-functions/viewer/url-rewrite/index.js", "benches/functions/browser.json", None),
    (
        "security-headers",
        "edge-functions/viewer/security-headers/index.js",
        "edge-functions/viewer/security-headers/events/plain.json",
        None,
    ),
    (
        "cache-key-normalize",
        "edge-functions/viewer/cache-key-normalize/index.js",
        "benches/functions/browser.json",
        None,
    ),
    (
        "connection-revocation",
        "edge-functions/connection/revocation/index.js",
        "edge-functions/connection/revocation/events/revoked.json",
        Some("edge-functions/connection/revocation/revoked.json"),
    ),
];

/// How many of them, from the first, are the handlers of the comparison with other nodes.
const HANDLERS: usize = 5;

struct Sample {
    name: &'static str,
    function: Arc<Function>,
    event: Vec<u8>,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn publish(isolates: &Isolates) -> Vec<Sample> {
    let read = |path: &str| fs::read_to_string(top().join(path)).expect("a file of the tree");
    SAMPLES
        .iter()
        .map(|(name, code, event, store)| {
            let (code, event) = (read(code), read(event));
            let mut bytes = Vec::new();
            let entry = if event.contains("\"clientCertificate\"") {
                OwnedConnection::from_json(&event).expect("a connection").encode(&mut bytes);
                Entry::ConnectionHandler
            } else {
                json::event_from_json(&event).expect("an event").encode(&mut bytes);
                Entry::Handler
            };
            let source = Source {
                name: (*name).into(),
                code: code.as_bytes(),
                runtime: Runtime::V2,
                entry,
                // The wall is far away, so that a busy machine measures slow runs instead of failed ones.
                limits: Limits { time: Duration::from_millis(50), ..Limits::default() },
                kv: store.map(|path| Arc::new(Store::load(&top().join(path), MAX_STORE).expect("a store"))),
                bindings: Arc::default(),
            };
            let function = isolates.publish(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
            Sample { name, function, event: bytes }
        })
        .collect()
}

fn run(sample: &Sample, count_fuel: bool) -> rimward_isolate::Cost {
    let invocation = Invocation { now: Timestamp::from_secs(1_800_000_000), seed: 1, server: None, count_fuel };
    let run = sample.function.run(&sample.event, invocation, |reply| reply.first().copied());
    // 2 begins a failure (`rimward_wire::reply`).
    assert!(matches!(run.result, Ok(Some(0 | 1 | 3))), "{}: {:?}", sample.name, run.result);
    run.cost
}

fn main() -> ExitCode {
    let isolates = Isolates::start(&Options::new(std::env::temp_dir().join("rimward-bench-code"))).expect("the tier");
    let samples = publish(&isolates);
    let mut report = Report::new("hook");
    // Fuel and pages, which are the same in every build: `cargo build -p rimward-benches --bench hook`, and run what it makes.
    let costs_alone = std::env::args().any(|argument| argument == "--costs");
    for sample in &samples {
        let cost = run(sample, true);
        if costs_alone {
            println!("{} {} {}", sample.name, cost.fuel.unwrap_or_default(), cost.dirty_pages);
            continue;
        }
        report.number(&format!("{}/fuel", sample.name), cost.fuel.unwrap_or_default() as f64);
        report.number(&format!("{}/pages", sample.name), f64::from(cost.dirty_pages));
    }
    if costs_alone {
        return ExitCode::SUCCESS;
    }
    let mut subjects: Vec<_> = samples
        .iter()
        .map(|s| {
            let f: Box<dyn FnMut()> = Box::new(|| {
                run(s, false);
            });
            (s.name, f)
        })
        .collect();
    for (name, times) in alternate(ROUNDS, RUNS, &mut subjects) {
        report.times(name, &times);
    }
    drop(subjects);
    for sample in &samples[..HANDLERS] {
        report.times(&format!("{}/cold", sample.name), &cold(sample));
    }
    report.times("header-and-rewrite/two-threads", &two_threads(&samples[0]));
    report.finish()
}

/// The hook as a node meets it: what else is done between two requests has taken its place in the processor's caches.
fn cold(sample: &Sample) -> Samples {
    let mut other = vec![1u8; OTHER];
    let mut samples = Samples::default();
    for _ in 0..RUNS {
        other.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
        std::hint::black_box(&other);
        let start = Instant::now();
        run(sample, false);
        samples.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    samples
}

/// The same hook on two threads at once: both cores are busy with it.
fn two_threads(sample: &Sample) -> Samples {
    let both: Vec<Samples> = std::thread::scope(|scope| {
        let measure = || {
            time_each(ROUNDS * RUNS, || {
                run(sample, false);
            })
        };
        let threads = [scope.spawn(measure), scope.spawn(measure)];
        threads.into_iter().map(|t| t.join().expect("no panic")).collect()
    });
    both.into_iter().reduce(Samples::and).unwrap_or_default()
}
