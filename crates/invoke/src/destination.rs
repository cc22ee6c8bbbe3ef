//! Where the outcome of an event goes that was handled later (`lambda-at-edge.md` section 14.1).

use crate::functions::Ran;
use rimward_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A place for records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// Another function, which gets the record as its event, later too.
    Function(String),
    /// A URL, to which the record is sent with POST.
    Http(String),
    /// A folder, in which each record is a file of its own, named by time and id, complete from the moment it appears.
    Folder(PathBuf),
}

/// Why there is a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The function handled the event.
    Success,
    /// It failed as often as it may be tried.
    RetriesExhausted,
    /// It became too old.
    EventAgeExceeded,
}

impl Condition {
    /// The vendor's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Success => "Success",
            Condition::RetriesExhausted => "RetriesExhausted",
            Condition::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

/// What a record tells.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// When it was decided.
    pub at: Timestamp,
    /// The invocation's id.
    pub id: &'a str,
    /// The function's name.
    pub function: &'a str,
    /// The version that was asked for.
    pub qualifier: &'a str,
    /// Why there is a record.
    pub condition: Condition,
    /// Attempts that were made.
    pub attempts: u32,
    /// The event.
    pub payload: &'a RawValue,
    /// The last attempt, where there was one.
    pub last: Option<&'a Ran>,
}

impl Outcome<'_> {
    /// The record as JSON text.
    pub fn record(&self) -> String {
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}:{}", self.function, self.qualifier);
        let mut record = json!({
            "version": "1.0",
            "timestamp": self.at.iso8601(),
            "requestContext": {
                "requestId": self.id,
                "functionArn": arn,
                "condition": self.condition.as_str(),
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": parsed(self.payload.get()),
        });
        if let Some(ran) = self.last {
            record["responseContext"] = json!({ "statusCode": 200, "executedVersion": self.qualifier });
            if ran.result.is_err() {
                record["responseContext"]["functionError"] = "Unhandled".into();
            }
            record["responsePayload"] = match &ran.result {
                Ok(text) => parsed(text),
                Err(error) => error.clone(),
            };
        }
        record.to_string()
    }
}

/// A function may return what is no JSON; then it stands there as a text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn outcome<'a>(payload: &'a RawValue, condition: Condition, last: Option<&'a Ran>) -> Value {
        let outcome = Outcome {
            at: Timestamp::from_millis(1_768_525_323_456),
            id: "0d3b",
            function: "resize",
            qualifier: "$LATEST",
            condition,
            attempts: 3,
            payload,
            last,
        };
        serde_json::from_str(&outcome.record()).unwrap()
    }

    #[test]
    fn a_record_has_the_shape_of_section_14_1() {
        let payload = RawValue::from_string(r#"{"a":1}"#.to_owned()).unwrap();
        let failed = json!({ "errorMessage": "no" });
        let ran = Ran { result: Err(failed.clone()), version: "1".into(), log: Vec::new() };
        assert_eq!(
            outcome(&payload, Condition::RetriesExhausted, Some(&ran)),
            json!({
                "version": "1.0",
                "timestamp": "2026-01-16T01:02:03.456Z",
                "requestContext": {
                    "requestId": "0d3b",
                    "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:resize:$LATEST",
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3,
                },
                "requestPayload": { "a": 1 },
                "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
                "responsePayload": failed,
            })
        );
    }

    #[test]
    fn a_success_has_no_error_and_an_event_that_never_ran_no_response() {
        let payload = RawValue::from_string("null".to_owned()).unwrap();
        let ran = Ran { result: Ok("\"done\"".to_owned()), version: "1".into(), log: Vec::new() };
        let record = outcome(&payload, Condition::Success, Some(&ran));
        assert_eq!(record["responsePayload"], "done");
        assert_eq!(record["responseContext"].get("functionError"), None);
        assert_eq!(record["requestContext"]["condition"], "Success");
        let record = outcome(&payload, Condition::EventAgeExceeded, None);
        assert_eq!((record.get("responseContext"), record.get("responsePayload")), (None, None));
    }

    #[test]
    fn what_is_no_json_is_told_as_a_text() {
        let payload = RawValue::from_string("1".to_owned()).unwrap();
        let ran = Ran { result: Ok("no JSON".to_owned()), version: "1".into(), log: Vec::new() };
        assert_eq!(outcome(&payload, Condition::Success, Some(&ran))["responsePayload"], "no JSON");
    }
}
