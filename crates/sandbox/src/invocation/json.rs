//! A call's log in the vendor's JSON format (`lambda-at-edge.md` section 11.3): each line an object.

use rimward_event::lambda::log_text;
use rimward_types::Timestamp;
use serde_json::{Map, Value, json};

use super::{Init, Invocation, error_parts, ms};
use crate::failure::Failure;
use crate::logging::{self, Level};

/// `platform.start`, the function's lines, the failure if there is one, `platform.runtimeDone`, `platform.report`.
/// Lines of the platform below `system` are left out.
pub(super) fn lines<T>(call: &Invocation<T>, system: Level) -> Vec<String> {
    let took = u64::try_from(call.cost.duration.as_millis()).unwrap_or(u64::MAX);
    let start = Timestamp::from_millis(call.at.as_millis().saturating_sub(took));
    let status = status(call);
    let (good, bad) = if status == "success" { (Level::Debug, Level::Info) } else { (Level::Warn, Level::Warn) };
    let platform = |level: Level, kind: &str, at: Timestamp, record: Map<String, Value>| {
        (level >= system).then(|| logging::platform(kind, at, record))
    };
    let mut lines = Vec::with_capacity(call.logs.len() + 5);
    if let Some(record) = call.init.and_then(init) {
        lines.extend(platform(Level::Warn, "initReport", start, record));
    }
    let record = members(json!({ "requestId": call.id, "version": *call.version }));
    lines.extend(platform(Level::Info, "start", start, record));
    lines.extend(call.logs.iter().cloned());
    if let Err(failure) = &call.result {
        lines.push(failure_line(call, failure));
    }
    let metrics = json!({ "durationMs": hundredths(ms(call.cost.duration)) });
    let record = members(json!({ "requestId": call.id, "status": status, "metrics": metrics }));
    lines.extend(platform(good, "runtimeDone", call.at, record));
    lines.extend(platform(bad, "report", call.at, report(call, status)));
    lines
}

/// The vendor's word for how it went. A result that broke a rule is no failure of the runtime.
fn status<T>(call: &Invocation<T>) -> &'static str {
    match &call.result {
        Ok(_) | Err(Failure::Invalid(_)) => "success",
        Err(Failure::Error(_)) => "failure",
        Err(Failure::Timeout(_)) => "timeout",
        Err(_) => "error",
    }
}

fn init(init: Init) -> Option<Map<String, Value>> {
    let (time, status, kind) = match init {
        Init::Done(_) => return None,
        Init::Failed(time, kind) => (time, "error", Some(kind)),
        Init::Redone(time) => (time, "timeout", None),
    };
    let mut record = members(json!({
        "initializationType": "on-demand",
        "phase": "init",
        "status": status,
        "metrics": { "durationMs": hundredths(ms(time)) },
    }));
    record.extend(kind.map(|kind| ("errorType".to_owned(), kind.into())));
    Some(record)
}

fn failure_line<T>(call: &Invocation<T>, failure: &Failure) -> String {
    let line = |message: &str, error| logging::failure(call.at, &call.id, message, error);
    match failure {
        Failure::Timeout(limit) => line(&format!("Task timed out after {:.2} seconds", limit.as_secs_f64()), None),
        Failure::Error(text) => {
            let (kind, message) = error_parts(text);
            line("Invoke Error", Some((kind, message, text)))
        }
        Failure::Invalid(invalid) => line(&format!("Validation error: {}", log_text(invalid)), None),
        Failure::Memory(_) => line(&format!("Runtime exited with error: {failure}"), None),
        _ => line(&failure.to_string(), None),
    }
}

fn report<T>(call: &Invocation<T>, status: &str) -> Map<String, Value> {
    let mut metrics = json!({
        "durationMs": hundredths(ms(call.cost.duration)),
        "billedDurationMs": u64::try_from(call.cost.billed().as_millis()).unwrap_or(u64::MAX),
        "memorySizeMB": call.memory_limit.as_u64() >> 20,
        "maxMemoryUsedMB": call.cost.memory.div_ceil(1 << 20),
    });
    if let Some(init) = call.cost.init {
        metrics["initDurationMs"] = hundredths(ms(init)).into();
    }
    let mut record = members(json!({ "requestId": call.id, "status": status, "metrics": metrics }));
    let kind = call.result.as_ref().err().and_then(Failure::error_type);
    record.extend(kind.map(|kind| ("errorType".to_owned(), kind.into())));
    record
}

/// To two decimal places, as the text has it.
fn hundredths(ms: f64) -> f64 {
    (ms * 100.0).round() / 100.0
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
