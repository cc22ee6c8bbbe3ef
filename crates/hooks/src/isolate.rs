//! Viewer-tier functions at their hooks.

use crate::function::{Call, ConnectionCall};
use crate::verdict::{Cost, Failure, RequestVerdict, ResponseVerdict, Verdict};
use rimward_event::connection::{self, Decided};
use rimward_event::viewer::{self, BodyChange, Outcome, ViewerContext};
use rimward_event::{FailureCategory, Invalid, Strictness};
use rimward_isolate::{Function, Invocation};
use rimward_types::{Body, Hook, RequestHead, ResponseHead};
use rimward_wire::reply::Reply;
use std::cell::RefCell;

thread_local! {
    /// The event of the run on this thread; runs do not nest.
    static EVENT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs `function` on this thread. `encode` writes the event, `decode` makes the outcome of the reply.
fn run(
    function: &Function,
    call: &Call<'_>,
    encode: impl FnOnce(&ViewerContext<'_>, &mut Vec<u8>),
    decode: impl FnOnce(&Reply<'_>) -> Result<Outcome, Invalid>,
) -> (Result<Outcome, Failure>, Cost) {
    let invocation = Invocation { now: call.now, seed: call.seed, server: Some(call.server), count_fuel: false };
    let encode = |event: &mut Vec<u8>| {
        let viewer_ip = call.viewer.to_string();
        encode(&call.context(&viewer_ip), event);
    };
    measured(function, invocation, encode, decode)
}

/// Runs `function` with the event that `encode` writes.
fn measured<T>(
    function: &Function,
    invocation: Invocation,
    encode: impl FnOnce(&mut Vec<u8>),
    decode: impl FnOnce(&Reply<'_>) -> Result<T, Invalid>,
) -> (Result<T, Failure>, Cost) {
    EVENT.with_borrow_mut(|event| {
        event.clear();
        encode(event);
        let ran = function.run(event, invocation, |reply| match Reply::read(reply) {
            Ok(reply) => decode(&reply).map_err(|invalid| Failure::invalid(&invalid)),
            Err(malformed) => Err(Failure::new(FailureCategory::FunctionExecution, malformed.to_string())),
        });
        let over_time = matches!(ran.result, Err(rimward_isolate::Failure::Time { .. }));
        let rimward_isolate::Cost { time, utilization, kv, .. } = ran.cost;
        let cost = Cost { time, utilization, over_time, kv, logs: ran.logs, calls: Vec::new() };
        let outcome = ran.result.unwrap_or_else(|failure| Err(stopped(&failure)));
        (outcome, cost)
    })
}

fn stopped(failure: &rimward_isolate::Failure) -> Failure {
    let category = match failure {
        // The function ended; what it gave is too much.
        rimward_isolate::Failure::Reply { .. } => FailureCategory::FunctionValidation,
        _ => FailureCategory::FunctionExecution,
    };
    Failure::new(category, failure.to_string())
}

pub(crate) fn on_request(
    function: &Function,
    strictness: Strictness,
    call: &Call<'_>,
    head: RequestHead,
    body: Body,
) -> (RequestVerdict, Cost) {
    let (outcome, cost) = run(
        function,
        call,
        |context, event| viewer::encode_request(context, &head, event),
        |reply| viewer::decode(Hook::ViewerRequest, reply, &head, None, strictness),
    );
    let verdict = match outcome {
        Ok(Outcome::Request(head, rewrite)) => RequestVerdict::Continue { head, body, origin: None, rewrite },
        Ok(Outcome::Response(head, change)) => RequestVerdict::Answer { head, body: changed(Body::Empty, change) },
        Err(failure) => RequestVerdict::failed(failure),
    };
    (verdict, cost)
}

pub(crate) fn on_response(
    function: &Function,
    strictness: Strictness,
    call: &Call<'_>,
    request: &RequestHead,
    head: ResponseHead,
    body: Body,
) -> (ResponseVerdict, Cost) {
    let (outcome, cost) = run(
        function,
        call,
        |context, event| viewer::encode_response(context, request, &head, event),
        |reply| viewer::decode(Hook::ViewerResponse, reply, request, Some(&head), strictness),
    );
    let verdict = match outcome {
        Ok(Outcome::Response(head, change)) => ResponseVerdict::Continue { head, body: changed(body, change) },
        Ok(Outcome::Request(..)) => ResponseVerdict::failed(Failure::invalid(&Invalid::Shape("a request".to_owned()))),
        Err(failure) => ResponseVerdict::failed(failure),
    };
    (verdict, cost)
}

pub(crate) fn changed(body: Body, change: BodyChange) -> Body {
    match change {
        BodyChange::Keep => body,
        BodyChange::Replace(bytes) => bytes.into(),
    }
}

/// Asks `function` about a connection, on this thread.
pub(crate) fn on_connection(function: &Function, call: &ConnectionCall<'_>) -> (Result<Decided, Failure>, Cost) {
    measured(
        function,
        Invocation { now: call.now, seed: call.seed, server: Some(call.server), count_fuel: false },
        |event| call.connected.encode(event),
        connection::decode,
    )
}
