//! Which objects the memory tier should keep: what others do, in the least code, and the node's own store, on the same
//! traces. The traces are the same in every run, and so are all shares of misses; only the times are of the machine.

mod policies;
mod traces;

use http::{HeaderValue, StatusCode};
use policies::{Lru, Node, Policy, S3Fifo, TinyLfu};
use rimward_benches::Report;
use rimward_cache::{Begin, Cache, Completed, Key, Options, Rules, Times};
use rimward_types::{ByteSize, RequestHead, ResponseHead, TestClock, Timestamp};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use traces::Asked;

/// What a head takes in the node's store, about; the policies count it too.
const HEAD: usize = 770;
/// Of the bytes of all that is popular, this share fits.
const SHARE: usize = 20;

fn run(policy: &mut dyn Policy, trace: &[Asked]) -> (f64, f64) {
    let start = Instant::now();
    let misses = trace.iter().filter(|asked| !policy.ask(asked.key, asked.size)).count();
    let nanoseconds = start.elapsed().as_nanos() as f64 / trace.len() as f64;
    (100.0 * misses as f64 / trace.len() as f64, nanoseconds)
}

/// The node's store. Each request is the whole of what a request costs there, so its time is not comparable.
fn run_node(memory: usize, trace: &[Asked]) -> f64 {
    let clock = TestClock::at(Timestamp::from_secs(1_750_000_000));
    let options = Options { memory: ByteSize::bytes(memory as u64), ..Options::default() };
    let cache = Cache::new(options, Arc::new(clock));
    let rules = Arc::new(Rules::default());
    let now = Timestamp::from_secs(1_750_000_000);
    let mut misses = 0;
    for asked in trace {
        let request = RequestHead::get(&format!("/{}", asked.key));
        match cache.begin(&Key::new("E1", &request, &rules.key), &request, &rules) {
            Begin::Hit(_) => {}
            Begin::Lead(lead) => {
                misses += 1;
                let mut head = ResponseHead::new(StatusCode::OK);
                head.headers.insert("cache-control", HeaderValue::from_static("max-age=86400"));
                let body = "x".repeat(asked.size as usize - HEAD);
                let completed = lead.respond(head, body.into(), Times { requested: now, received: now });
                assert!(matches!(completed, Completed::Stored(_)), "{completed:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    let usage = cache.usage();
    assert!(usage.bytes <= memory as u64 && usage.evicted > 0);
    100.0 * misses as f64 / trace.len() as f64
}

fn main() -> ExitCode {
    let mut report = Report::new("memory-tier");
    let memory = traces::popular_bytes() / SHARE;
    for (name, trace) in traces::all() {
        let mut policies: [(&str, Box<dyn Policy>); 4] = [
            ("lru", Box::new(Lru::new(memory))),
            ("s3-fifo", Box::new(S3Fifo::new(memory))),
            ("tiny-lfu", Box::new(TinyLfu::new(memory))),
            ("node-rule", Box::new(Node::new(memory))),
        ];
        for (policy_name, policy) in &mut policies {
            let (misses, nanoseconds) = run(&mut **policy, &trace);
            assert!(policy.bytes() <= memory);
            report.number(&format!("{name}/{policy_name}/miss-percent"), misses);
            report.number(&format!("{name}/{policy_name}/ns"), nanoseconds);
        }
        report.number(&format!("{name}/node/miss-percent"), run_node(memory, &trace));
    }
    report.finish()
}
