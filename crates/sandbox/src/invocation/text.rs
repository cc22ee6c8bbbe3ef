//! A call's log in the vendor's text format (`lambda-at-edge.md` section 11.3).

use rimward_event::lambda::log_text;
use serde_json::json;

use super::{Init, Invocation, error_parts, ms};
use crate::failure::Failure;

/// `START`, the function's lines, the failure if there is one, `END`, `REPORT`.
pub(super) fn lines<T>(call: &Invocation<T>) -> Vec<String> {
    let id = &call.id;
    let mut lines = Vec::with_capacity(call.logs.len() + 5);
    lines.extend(call.init.and_then(init));
    lines.push(format!("START RequestId: {id} Version: {}", call.version));
    lines.extend(call.logs.iter().cloned());
    if let Err(failure) = &call.result {
        lines.push(failure_line(call, failure));
    }
    lines.push(format!("END RequestId: {id}"));
    lines.push(report(call));
    lines
}

/// The line of an init that failed.
fn init(init: Init) -> Option<String> {
    let (time, status) = match init {
        Init::Done(_) => return None,
        Init::Failed(time, kind) => (time, format!("error\tError Type: {kind}")),
        Init::Redone(time) => (time, "timeout".to_owned()),
    };
    Some(format!("INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}", ms(time)))
}

fn failure_line<T>(call: &Invocation<T>, failure: &Failure) -> String {
    let (at, id) = (call.at.iso8601(), &call.id);
    match failure {
        Failure::Timeout(limit) => format!("{at} {id} Task timed out after {:.2} seconds", limit.as_secs_f64()),
        Failure::Error(text) => {
            let (kind, message) = error_parts(text);
            let stack: Vec<&str> = text.lines().collect();
            let error = json!({ "errorType": kind, "errorMessage": message, "stack": stack });
            format!("{at}\t{id}\tERROR\tInvoke Error\t{error}")
        }
        Failure::Invalid(invalid) => {
            format!("({id}) ERROR Validation error: {}", log_text(invalid))
        }
        Failure::Memory(_) => format!("RequestId: {id} Error: Runtime exited with error: {failure}"),
        _ => format!("RequestId: {id} Error: {failure}"),
    }
}

fn report<T>(call: &Invocation<T>) -> String {
    let mut line = format!(
        "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
        call.id,
        ms(call.cost.duration),
        call.cost.billed().as_millis(),
        call.memory_limit.as_u64() >> 20,
        call.cost.memory.div_ceil(1 << 20),
    );
    if let Some(init) = call.cost.init {
        line.push_str(&format!("\tInit Duration: {:.2} ms", ms(init)));
    }
    match &call.result {
        Err(Failure::Timeout(_)) => line.push_str("\tStatus: timeout"),
        Err(failure) => {
            if let Some(kind) = failure.error_type() {
                line.push_str(&format!("\tStatus: error\tError Type: {kind}"));
            }
        }
        Ok(_) => {}
    }
    line
}
