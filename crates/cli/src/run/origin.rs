//! Origin functions.

use super::{Failed, Ran};
use rimward_event::lambda::json::{self, OwnedEvent};
use rimward_sandbox::{Cost, Failure, Function};
use serde_json::Value;

/// Reads an event.
///
/// # Errors
/// A text that says what is wrong.
pub fn event(text: &str) -> Result<OwnedEvent, String> {
    json::event_from_json(text).map_err(|error| {
        let other = serde_json::from_str::<Value>(text).is_ok_and(|event| event.get("Records").is_none());
        let note = "; an origin function takes Lambda@Edge events, {\"Records\": [{\"cf\": ...}]}";
        format!("{error}{}", if other { note } else { "" })
    })
}

/// Runs an event. The logs have START, END and REPORT around the function's lines.
pub async fn run(function: &Function, event: &OwnedEvent) -> Ran<Cost> {
    let event = event.as_event();
    let invocation = function.invoke(&event).await;
    let logs = invocation.log_lines();
    let output = match &invocation.result {
        Ok(outcome) => Ok(json::outcome_to_json(&event, outcome)),
        Err(failure) => Err(failed(failure)),
    };
    Ran { output, logs, cost: invocation.cost }
}

fn failed(failure: &Failure) -> Failed {
    let category = failure.category();
    Failed { category, reason: failure.to_string(), sentence: category.sentence().to_owned(), place: None }
}
