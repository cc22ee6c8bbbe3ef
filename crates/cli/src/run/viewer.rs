//! Viewer functions.

use super::{Failed, Ran};
use rimward_config::{HeaderRules, ViewerFunction};
use rimward_event::headers::Tier;
use rimward_event::viewer::json::{self, OwnedEvent};
use rimward_event::{FailureCategory, Invalid, Strictness};
use rimward_isolate::{Cost, Function, Invocation, Run};
use rimward_types::{Clock, SystemClock};
use rimward_wire::reply::Reply;
use serde_json::Value;

/// Runs of one event; the quickest counts. The first one finds cold caches, and fresh state makes them all alike.
const RUNS: usize = 3;

/// Reads an event.
///
/// # Errors
/// A text that says what is wrong.
pub fn event(text: &str) -> Result<OwnedEvent, String> {
    json::event_from_json(text).map_err(|error| {
        let other = serde_json::from_str::<Value>(text).is_ok_and(|event| event.get("Records").is_some());
        let note = "; this is a Lambda@Edge event, and the function is a viewer function";
        format!("{error}{}", if other { note } else { "" })
    })
}

/// Which rules a result has to keep: all that the node keeps, or with `as_vendor` those that the vendor's test operation
/// looks at, which are not the header restrictions (`cloudfront-functions.md` section 16).
pub fn strictness(settings: &ViewerFunction, as_vendor: bool) -> Strictness {
    match settings.header_rules {
        HeaderRules::Strict if !as_vendor => Strictness::Strict,
        _ => Strictness::Test,
    }
}

/// The vendor's sentence for code that does not compile (`cloudfront-functions.md` section 16).
pub fn uncompiled(message: &str) -> String {
    format!("{} {message}", FailureCategory::FunctionExecution.sentence())
}

/// Runs an event. `seed` is what the function's randomness starts from.
pub fn run(function: &Function, event: &OwnedEvent, seed: u64, strictness: Strictness) -> Ran<Cost> {
    let invocation = Invocation { now: SystemClock.now(), seed, server: None, count_fuel: false };
    let mut best = run_once(function, event, invocation, strictness);
    for _ in 1..RUNS {
        let next = run_once(function, event, invocation, strictness);
        if next.cost.time < best.cost.time {
            best = next;
        }
    }
    best
}

/// Runs an event and counts its work: fuel, and the pages that it writes.
pub fn measure(function: &Function, event: &OwnedEvent, seed: u64) -> Cost {
    let invocation = Invocation { now: SystemClock.now(), seed, server: None, count_fuel: true };
    run_once(function, event, invocation, Strictness::Strict).cost
}

fn run_once(function: &Function, event: &OwnedEvent, invocation: Invocation, strictness: Strictness) -> Ran<Cost> {
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    let Run { result, logs, cost } = function.run(&bytes, invocation, |reply| decode(event, reply, strictness));
    let output = result.unwrap_or_else(|wall| {
        let category = FailureCategory::FunctionExecution;
        let sentence = format!("{} {wall}", category.sentence());
        Err(Failed { category, reason: wall.to_string(), sentence, place: None })
    });
    Ran { output, logs, cost }
}

fn decode(event: &OwnedEvent, reply: &[u8], strictness: Strictness) -> Result<Value, Failed> {
    let reply = Reply::read(reply).map_err(|malformed| {
        let category = FailureCategory::FunctionExecution;
        Failed { category, reason: malformed.to_string(), sentence: category.sentence().to_owned(), place: None }
    })?;
    let outcome = event.decode(&reply, strictness).map_err(|invalid| Failed {
        category: invalid.category(Tier::Viewer),
        reason: invalid.to_string(),
        sentence: invalid.test_message(),
        place: place(&invalid),
    })?;
    Ok(json::outcome_to_json(&outcome))
}

fn place(invalid: &Invalid) -> Option<(u32, u32)> {
    match invalid {
        Invalid::Threw { line, column, .. } if *line > 0 => Some((*line, *column)),
        _ => None,
    }
}
