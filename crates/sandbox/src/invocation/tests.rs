#![allow(clippy::unwrap_used)]

use super::*;
use crate::logging::Level;
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
        logging: Logging::Text,
    }
}

fn lines(failure: Failure) -> Vec<String> {
    invocation(Err(failure)).log_lines()
}

/// lambda-at-edge.md 11.3 and 11.4: billed by the millisecond.
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

/// lambda-at-edge.md 11.3.
#[test]
fn a_timeout_is_logged_as_the_vendor_does() {
    let lines = lines(Failure::Timeout(Duration::from_secs(3)));
    assert_eq!(lines[2], "2026-01-16T01:02:03.456Z 0d3b Task timed out after 3.00 seconds");
    assert!(lines[4].ends_with("Status: timeout"), "{}", lines[4]);
}

/// lambda-at-edge.md 11.3.
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

/// lambda-at-edge.md 11.3.
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

/// lambda-at-edge.md 11.1 and 11.3.
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

/// lambda-at-edge.md 14.
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

fn objects(result: Result<Outcome, Failure>, system: Level) -> Vec<Value> {
    let logging = Logging::Json { application: Level::Info, system };
    let call = Invocation { logging, logs: vec![r#"{"level":"INFO"}"#.to_owned()], ..invocation(result) };
    call.log_lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn answered() -> Result<Outcome, Failure> {
    Ok(Outcome::Response(ResponseHead::new(http::StatusCode::OK), BodyChange::Keep))
}

/// lambda-at-edge.md 11.3.
#[test]
fn the_json_log_has_the_platforms_objects_around_the_functions() {
    assert_eq!(
        objects(answered(), Level::Debug),
        [
            json!({
                "time": "2026-01-16T01:02:03.328Z",
                "type": "platform.start",
                "record": { "requestId": "0d3b", "version": "2" },
            }),
            json!({ "level": "INFO" }),
            json!({
                "time": "2026-01-16T01:02:03.456Z",
                "type": "platform.runtimeDone",
                "record": { "requestId": "0d3b", "status": "success", "metrics": { "durationMs": 128.83 } },
            }),
            json!({
                "time": "2026-01-16T01:02:03.456Z",
                "type": "platform.report",
                "record": {
                    "requestId": "0d3b",
                    "status": "success",
                    "metrics": {
                        "durationMs": 128.83, "billedDurationMs": 129, "memorySizeMB": 128, "maxMemoryUsedMB": 74,
                        "initDurationMs": 166.62,
                    },
                },
            }),
        ]
    );
}

/// lambda-at-edge.md 11.3: what is good is INFO or DEBUG, what is not is WARN.
#[test]
fn the_system_level_leaves_out_what_went_well() {
    let kinds = |result, system| -> Vec<String> {
        let kind = |line: &Value| line["type"].as_str().map(str::to_owned);
        objects(result, system).iter().filter_map(kind).collect()
    };
    let failed = || Err(Failure::Timeout(Duration::from_secs(3)));
    assert_eq!(kinds(answered(), Level::Info), ["platform.start", "platform.report"]);
    assert!(kinds(answered(), Level::Warn).is_empty());
    assert_eq!(kinds(failed(), Level::Warn), ["platform.runtimeDone", "platform.report"]);
}

/// lambda-at-edge.md 11.3.
#[test]
fn a_failure_is_an_object_with_its_type_and_stack() {
    let line = |failure| objects(Err(failure), Level::Warn).into_iter().nth(1).unwrap();
    assert_eq!(
        line(Failure::Error("TypeError: x is not a function\n    at index.js:3".to_owned())),
        json!({
            "timestamp": "2026-01-16T01:02:03.456Z",
            "level": "ERROR",
            "message": "Invoke Error",
            "requestId": "0d3b",
            "errorType": "TypeError",
            "errorMessage": "x is not a function",
            "stackTrace": ["TypeError: x is not a function", "    at index.js:3"],
        })
    );
    assert_eq!(line(Failure::Timeout(Duration::from_secs(3)))["message"], "Task timed out after 3.00 seconds");
    let invalid = line(Failure::Invalid(rimward_event::Invalid::StatusChanged));
    assert!(invalid["message"].as_str().unwrap().starts_with("Validation error: Lambda function result failed"));
    let report = objects(Err(Failure::Memory(ByteSize::mb(128))), Level::Warn).pop().unwrap();
    assert_eq!(
        (&report["record"]["status"], &report["record"]["errorType"]),
        (&json!("error"), &json!("Runtime.OutOfMemory"))
    );
}

/// lambda-at-edge.md 11.3.
#[test]
fn an_init_that_failed_is_an_object_of_its_own() {
    let logging = Logging::Json { application: Level::Info, system: Level::Warn };
    let init = Some(Init::Failed(Duration::from_micros(1_236_040), "Runtime.ExitError"));
    let call = Invocation { logging, init, ..invocation(Err(Failure::Trap("x".to_owned()))) };
    let line: Value = serde_json::from_str(&call.log_lines()[0]).unwrap();
    assert_eq!(line["type"], "platform.initReport");
    assert_eq!(
        line["record"],
        json!({
            "initializationType": "on-demand", "phase": "init", "status": "error",
            "metrics": { "durationMs": 1236.04 }, "errorType": "Runtime.ExitError",
        })
    );
}
