#![allow(clippy::unwrap_used)]

use super::*;
use rimward_event::BodyChange;
use rimward_types::ResponseHead;

fn invocation(result: Result<Outcome, Failure>) -> Invocation {
    Invocation {
        id: "0d3b".to_owned(),
        result,
        logs: vec!["hello".to_owned()],
        calls: Vec::new(),
        init: None,
        cost: Cost {
            duration: Duration::from_micros(128_834),
            init: Some(Duration::from_micros(166_620)),
            memory: 74 << 20,
        },
        at: Timestamp::from_millis(1_768_525_323_456),
        version: "2".into(),
        memory_limit: ByteSize::mb(128),
    }
}

fn lines(failure: Failure) -> Vec<String> {
    invocation(Err(failure)).log_lines()
}

#[test]
fn the_log_has_the_vendors_lines() {
    let outcome = Outcome::Response(ResponseHead::new(http::StatusCode::OK), BodyChange::Keep);
    assert_eq!(
        invocation(Ok(outcome)).log_lines(),
        [
            "START RequestId: 0d3b Version: 2",
            "hello",
            "END RequestId: 0d3b",
            "REPORT RequestId: 0d3b\tDuration: 128.83 ms\tBilled Duration: 129 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 74 MB\tInit Duration: 166.62 ms",
        ]
    );
}

#[test]
fn a_timeout_is_logged_as_the_vendor_does() {
    let lines = lines(Failure::Timeout(Duration::from_secs(3)));
    assert_eq!(lines[2], "2026-01-16T01:02:03.456Z 0d3b Task timed out after 3.00 seconds");
    assert!(lines[4].ends_with("Status: timeout"), "{}", lines[4]);
}

#[test]
fn an_uncaught_error_is_logged_with_its_type_and_stack() {
    let lines = lines(Failure::Error("TypeError: x is not a function\n    at index.js:3".to_owned()));
    assert_eq!(
        lines[2],
        "2026-01-16T01:02:03.456Z\t0d3b\tERROR\tInvoke Error\t{\"errorType\":\"TypeError\",\
         \"errorMessage\":\"x is not a function\",\"stack\":[\"TypeError: x is not a function\",\"    at index.js:3\"]}"
    );
    assert!(lines[4].ends_with("Status: error\tError Type: Runtime.HandlerError"), "{}", lines[4]);
}

#[test]
fn an_invalid_result_is_logged_with_the_rule() {
    let lines = lines(Failure::Invalid(rimward_event::Invalid::StatusChanged));
    assert_eq!(
        lines[2],
        "(0d3b) ERROR Validation error: Lambda function result failed validation, \
         response.status is read-only in viewer-response."
    );
    assert!(!lines[4].contains("Status:"), "{}", lines[4]);
}

#[test]
fn any_text_splits_into_type_and_message() {
    for (text, parts) in [
        ("", ("Error", "")),
        ("plain", ("Error", "plain")),
        (": x", ("Error", ": x")),
        ("not a type: x", ("Error", "not a type: x")),
        ("Runtime.ImportModuleError: x", ("Runtime.ImportModuleError", "x")),
    ] {
        assert_eq!(error_parts(text), parts);
    }
}

#[test]
fn an_init_that_failed_has_a_line_of_its_own() {
    let time = Duration::from_micros(1_236_040);
    let with = |init| Invocation { init: Some(init), ..invocation(Err(Failure::Timeout(Duration::from_secs(3)))) };
    assert_eq!(
        with(Init::Redone(time)).log_lines()[0],
        "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout"
    );
    assert_eq!(
        with(Init::Failed(time, "Runtime.ExitError")).log_lines()[0],
        "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"
    );
    assert!(with(Init::Done(time)).log_lines()[0].starts_with("START "));
}

#[test]
fn a_direct_caller_gets_a_failure_in_the_vendors_shape() {
    let error = |failure| invocation(Err(failure)).error_json().unwrap();
    assert_eq!(
        error(Failure::Error("TypeError: x is not a function\n    at index.js:3".to_owned())),
        json!({
            "errorType": "TypeError",
            "errorMessage": "x is not a function",
            "trace": ["TypeError: x is not a function", "    at index.js:3"],
        })
    );
    assert_eq!(
        error(Failure::Timeout(Duration::from_secs(3))),
        json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: 0d3b Error: Task timed out after 3.00 seconds",
        })
    );
    assert_eq!(error(Failure::Trap("exited with status 1".to_owned()))["errorType"], "Runtime.ExitError");
    assert_eq!(error(Failure::Memory(ByteSize::mb(128)))["errorType"], "Runtime.OutOfMemory");
}
