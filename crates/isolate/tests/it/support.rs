//! One tier per way of restoring, shared by all tests; compiled code is kept between runs of the tests.

use rimward_isolate::{
    Failure, Function, Invocation, Isolates, Limits, Options, PublishError, Restore, Run, Runtime, Source,
};
use rimward_types::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Ways of restoring that work here.
pub const WAYS: [Restore; 3] = [Restore::Auto, Restore::Read, Restore::Remap];

/// Options for tests: every restoration is compared with the snapshot.
pub fn options(restore: Restore) -> Options {
    Options { restore, verify: true, ..Options::new(code_cache()) }
}

/// Where compiled code is kept.
pub fn code_cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("isolate-code")
}

/// A tier that runs `guest` in place of ours.
pub fn hostile(restore: Restore) -> &'static Isolates {
    static TIERS: [OnceLock<Isolates>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
    let n = WAYS.iter().position(|way| *way == restore).unwrap();
    TIERS[n].get_or_init(|| {
        let guest = wat::parse_file(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/hostile.wat")).unwrap();
        Isolates::start_with(&options(restore), guest).unwrap()
    })
}

/// Publishes `code` with these limits.
pub fn publish_with(isolates: &Isolates, code: &str, limits: Limits) -> Result<Arc<Function>, PublishError> {
    isolates.publish(&Source { name: "test".into(), code: code.as_bytes(), runtime: Runtime::V2, limits, kv: None })
}

/// Publishes `code`. The time limit leaves room for a busy machine and for the comparison of memories.
pub fn publish(isolates: &Isolates, code: &str) -> Arc<Function> {
    publish_with(isolates, code, Limits { time: Duration::from_millis(20), ..Limits::default() }).unwrap()
}

/// Runs an event and copies the reply.
pub fn run(function: &Function, event: &[u8]) -> Run<Vec<u8>> {
    let invocation = Invocation { now: Timestamp::from_millis(1_700_000_000_123), seed: 42, count_fuel: false };
    function.run(event, invocation, <[u8]>::to_vec)
}

/// The failure of an event.
pub fn failure(function: &Function, event: &[u8]) -> Failure {
    run(function, event).result.unwrap_err()
}
