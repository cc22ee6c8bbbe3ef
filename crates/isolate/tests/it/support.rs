//! One tier per way of restoring, shared by all tests; compiled code is kept between runs of the tests.

use rimward_isolate::{
    Failure, Function, Invocation, Isolates, Limits, Options, PublishError, Restore, Run, Runtime, Source, StartError,
};
use rimward_types::Timestamp;
use rimward_wire::event::{Event, Pair, Request};
use rimward_wire::reply::Reply;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Ways of restoring that work here.
pub(crate) const WAYS: [Restore; 4] = [Restore::Auto, Restore::Scan, Restore::Read, Restore::Remap];

/// Options for tests: every restoration is compared with the snapshot.
pub(crate) fn options(restore: Restore) -> Options {
    Options { restore, verify: true, ..Options::new(code_cache()) }
}

/// Starts with `restore`, or with what this kernel has instead.
fn start(restore: Restore, start: impl Fn(&Options) -> Result<Isolates, StartError>) -> Isolates {
    match start(&options(restore)) {
        Err(StartError::Restore(_)) => start(&options(Restore::Auto)).unwrap(),
        started => started.unwrap(),
    }
}

/// Where compiled code is kept.
pub(crate) fn code_cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("isolate-code")
}

/// A tier that runs `guest` in place of ours.
pub(crate) fn lying(restore: Restore) -> &'static Isolates {
    static TIERS: [OnceLock<Isolates>; 4] = [const { OnceLock::new() }; 4];
    let n = WAYS.iter().position(|way| *way == restore).unwrap();
    TIERS[n].get_or_init(|| {
        let guest = wat::parse_file(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/lying_guest.wat")).unwrap();
        start(restore, |options| Isolates::start_with(options, guest.clone()))
    })
}

/// Publishes `code` with these limits.
pub(crate) fn publish_with(isolates: &Isolates, code: &str, limits: Limits) -> Result<Arc<Function>, PublishError> {
    isolates.publish(&Source {
        name: "test".into(),
        code: code.as_bytes(),
        runtime: Runtime::V2,
        entry: Default::default(),
        limits,
        kv: None,
        bindings: Arc::default(),
    })
}

/// Publishes `code`. The time limit leaves room for a busy machine and for the comparison of memories.
pub(crate) fn publish(isolates: &Isolates, code: &str) -> Arc<Function> {
    publish_with(isolates, code, Limits { time: Duration::from_millis(20), ..Limits::default() }).unwrap()
}

/// Runs an event and copies the reply.
pub(crate) fn run(function: &Function, event: &[u8]) -> Run<Vec<u8>> {
    let invocation =
        Invocation { now: Timestamp::from_millis(1_700_000_000_123), seed: 42, server: None, count_fuel: false };
    function.run(event, invocation, <[u8]>::to_vec)
}

/// The failure of an event.
pub(crate) fn failure(function: &Function, event: &[u8]) -> Failure {
    run(function, event).result.unwrap_err()
}

/// A tier with our own guest.
pub(crate) fn ours(restore: Restore) -> &'static Isolates {
    static TIERS: [OnceLock<Isolates>; 4] = [const { OnceLock::new() }; 4];
    let n = WAYS.iter().position(|way| *way == restore).unwrap();
    TIERS[n].get_or_init(|| start(restore, Isolates::start))
}

/// A viewer request for `uri`.
pub(crate) fn request(uri: &str) -> Vec<u8> {
    let headers = vec![Pair { name: "host", value: "www.example.com" }, Pair { name: "accept", value: "*/*" }];
    let cookies = vec![Pair { name: "sid", value: "8f3b0c9d" }];
    let request = Request { method: "GET", uri, query: Some("a=1&b=2"), headers, cookies };
    let event = Event {
        distribution_domain_name: "d111111abcdef8.cloudfront.net",
        distribution_id: "EDFDVBD6EXAMPLE",
        request_id: "EXAMPLEntjQpEXAMPLE==",
        viewer_ip: "198.51.100.11",
        request,
        response: None,
    };
    let mut bytes = Vec::new();
    event.write(&mut bytes);
    bytes
}

/// What the handler made of a request for `uri`, in words: `uri /a`, `status 404 text`, `failed TypeError: ...`.
pub(crate) fn answer(function: &Function, uri: &str) -> Result<String, Failure> {
    run_for(function, uri).result
}

/// Runs a request for `uri`; the result is in words, as [`answer`] has them.
pub(crate) fn run_for(function: &Function, uri: &str) -> Run<String> {
    let invocation =
        Invocation { now: Timestamp::from_millis(1_700_000_000_123), seed: 42, server: None, count_fuel: false };
    function.run(&request(uri), invocation, |reply| in_words(&Reply::read(reply).unwrap(), uri))
}

fn in_words(reply: &Reply<'_>, asked: &str) -> String {
    match reply {
        Reply::Request { uri, .. } => format!("uri {}", uri.unwrap_or(asked)),
        Reply::Response { status, description, .. } => format!("status {status} {}", description.unwrap_or_default()),
        Reply::Connection { decision, custom_data } => format!("{decision:?} {custom_data:?}"),
        Reply::Failed { failure, message, .. } => format!("{failure:?} {message}"),
    }
}
