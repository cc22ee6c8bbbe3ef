//! `rimward invoke`.

use crate::support::{Folder, PREFIX, viewer_request};
use serde_json::{Value, json};

const INVOKE: [&str; 5] = ["invoke", "--code", "index.js", "--event", "event.json"];

fn folder(code: &str) -> Folder {
    Folder::new().with("index.js", code).with("event.json", viewer_request("/a"))
}

#[test]
fn the_result_is_data_and_log_and_cost_are_talk() {
    let ran = folder(PREFIX).run(&INVOKE).expect(0).says("at /a").says("cost: ");
    assert_eq!(ran.json()["request"]["uri"], "/x/a");
    assert!(!ran.stderr.contains('\x1b'), "colours are for terminals alone");
}

#[test]
fn json_has_the_shape_of_the_vendor_s_test_operation() {
    // cloudfront-functions.md section 16
    let result = folder(PREFIX).run(&[&INVOKE[..], &["--json"]].concat()).expect(0).json();
    let names: Vec<&String> = result.as_object().unwrap().keys().collect();
    assert_eq!(names, ["ComputeUtilization", "FunctionExecutionLogs", "FunctionErrorMessage", "FunctionOutput"]);
    let utilization: u8 = result["ComputeUtilization"].as_str().unwrap().parse().unwrap();
    assert!(utilization <= 100);
    assert_eq!(result["FunctionExecutionLogs"], json!(["at /a"]));
    assert_eq!(result["FunctionErrorMessage"], "");
    let output: Value = serde_json::from_str(result["FunctionOutput"].as_str().unwrap()).unwrap();
    assert_eq!(output["request"]["uri"], "/x/a");
    assert_eq!(output["request"]["cookies"], json!({}), "empty objects are there");
}

#[test]
fn log_lines_come_one_for_each_call_and_end_at_10_kb() {
    // cloudfront-functions.md sections 7, 8 and 16
    let folder = folder(
        "function handler(event) {\n  console.log('short'); console.log({ a: [1, 'x'] });\n  \
         for (var i = 0; i < 5; i++) { console.log('x'.repeat(3000)); }\n  return event.request;\n}\n",
    );
    let result = folder.run(&[&INVOKE[..], &["--json"]].concat()).expect(0).json();
    let lines: Vec<&str> =
        result["FunctionExecutionLogs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(lines[..2], ["short", "{a:[1,'x']}"]);
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    assert!((10_000..=10_241).contains(&bytes), "{bytes}");
}

#[test]
fn a_function_that_throws_ends_with_1_and_shows_its_line() {
    let folder = folder("function handler(event) {\n  return event.request.nothing.here;\n}\n");
    let ran = folder.run(&INVOKE).expect(1).says("FunctionExecutionError: TypeError").says("--> index.js:2:");
    assert_eq!(ran.stdout, "");
    let result = folder.run(&[&INVOKE[..], &["--json"]].concat()).expect(1).json();
    let message = result["FunctionErrorMessage"].as_str().unwrap();
    assert!(message.starts_with("The CloudFront function associated with"), "{message}");
    assert!(message.contains("TypeError"), "{message}");
    assert_eq!(result["FunctionOutput"], "");
}

#[test]
fn a_result_that_breaks_a_rule_is_a_validation_error() {
    let folder = folder("function handler(event) { event.request.method = 'POST'; return event.request; }");
    folder.run(&INVOKE).expect(1).says("FunctionValidationError").says("read-only");
}

#[test]
fn section_17_deleting_host_fails_as_in_production_and_not_as_vendor() {
    let folder = folder("function handler(event) { delete event.request.headers.host; return event.request; }");
    folder.run(&INVOKE).expect(1).says("FunctionValidationError").says("host");
    let ran = folder.run(&[&INVOKE[..], &["--as-vendor"]].concat()).expect(0);
    assert_eq!(ran.json()["request"]["headers"], json!({}));
    // Section 16: shapes are looked at all the same.
    folder.write(
        "index.js",
        "function handler(event) { event.request.headers['X-A'] = { value: '1' }; return event.request; }",
    );
    let result = folder.run(&[&INVOKE[..], &["--as-vendor", "--json"]].concat()).expect(1).json();
    let message = result["FunctionErrorMessage"].as_str().unwrap();
    assert!(message.starts_with("The CloudFront function returned an invalid value: "), "{message}");
    assert!(message.contains("lower case"), "{message}");
}

#[test]
fn section_16_test_events_may_leave_the_ids_out() {
    let event = r#"{"version":"1.0","context":{"eventType":"viewer-request"},"viewer":{"ip":"198.51.100.11"},
        "request":{"method":"GET","uri":"/a","headers":{"host":{"value":"example.org"}},"cookies":{},"querystring":{}}}"#;
    let ran = folder(PREFIX).with("event.json", event).run(&INVOKE).expect(0);
    assert_eq!(ran.json()["request"]["uri"], "/x/a");
}

#[test]
fn a_syntax_error_shows_file_line_column_and_a_caret() {
    let folder = folder("function handler(event) {\n  return event..request;\n}\n");
    let ran = folder
        .run(&INVOKE)
        .expect(1)
        .says("error: SyntaxError")
        .says("--> index.js:2:")
        .says("2 |   return event..request;");
    let caret = ran.stderr.lines().find(|line| line.trim_end().ends_with('^')).unwrap();
    assert!(caret.starts_with("  |"), "{caret}");
}

#[test]
fn code_over_10_kb_is_refused_with_its_size() {
    let code = format!("{PREFIX}{}", "//".repeat(5200));
    folder(&code).run(&INVOKE).expect(1).says("more than 10240").says("hint: comments count");
}

#[test]
fn code_without_a_handler_is_refused() {
    folder("var a = 1;").run(&INVOKE).expect(1).says("no function `handler`").says("hint: ");
}

#[test]
fn an_endless_loop_meets_its_wall() {
    folder("function handler() { for (;;) {} }").run(&INVOKE).expect(1).says("ran past its time limit of 1 ms");
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    let folder = folder(PREFIX);
    folder.run(&["invoke", "--code", "other.js", "--event", "event.json"]).expect(2).says("other.js");
    folder.run(&["invoke", "--code", "index.js", "--event", "other.json"]).expect(2).says("other.json: cannot be read");
    folder.write("event.json", "{");
    folder.run(&INVOKE).expect(2).says("event event.json: not JSON");
    folder.write("event.json", r#"{"Records":[{"cf":{"config":{"eventType":"viewer-request"},"request":{}}}]}"#);
    folder.run(&INVOKE).expect(2).says("this is a Lambda@Edge event");
}

#[test]
fn the_event_may_come_from_standard_input() {
    let args = ["invoke", "--code", "index.js", "--event", "-"];
    let ran = folder(PREFIX).run_with(&args, &viewer_request("/stdin")).expect(0);
    assert_eq!(ran.json()["request"]["uri"], "/x/stdin");
}

#[test]
fn a_key_value_store_is_read_from_a_file() {
    let code = "import cf from 'cloudfront';\nasync function handler(event) {\n  var r = event.request;\n  \
                r.uri = await cf.kvs().get('to');\n  return r;\n}\n";
    let folder = folder(code).with("keys.json", r#"{"data":[{"key":"to","value":"/kept"}]}"#);
    let ran = folder.run(&[&INVOKE[..], &["--kvs", "keys.json"]].concat()).expect(0);
    assert_eq!(ran.json()["request"]["uri"], "/kept");
    folder.run(&[&INVOKE[..], &["--kvs", "none.json"]].concat()).expect(2).says("none.json");
}

#[test]
fn a_function_of_a_configuration_runs_with_its_settings() {
    let folder = folder(PREFIX).with(
        "rimward.toml",
        "[functions.prefix]\ncode = \"index.js\"\n[origins.a]\nurl = \"builtin:demo\"\n[[distributions]]\n\
         domains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"a\"\nviewer-request = \"prefix\"\n",
    );
    let ran = folder.run(&["invoke", "--function", "prefix", "--event", "event.json"]).expect(0);
    assert_eq!(ran.json()["request"]["uri"], "/x/a");
    let ran = folder.run(&["invoke", "--function", "prefx", "--event", "event.json"]).expect(2);
    ran.says("has no function `prefx`").says("hint: it has prefix");
}

#[test]
fn something_that_is_no_component_is_refused() {
    let event = json!({ "Records": [{ "cf": {
        "config": { "eventType": "viewer-request" },
        "request": { "clientIp": "192.0.2.1", "method": "GET", "uri": "/", "querystring": "", "headers": {} },
    } }] });
    let folder = folder("").with("function.wasm", "no wasm").with("lambda.json", event.to_string());
    let ran = folder.run(&["invoke", "--component", "function.wasm", "--event", "lambda.json"]).expect(1);
    ran.says("no WebAssembly component").says("--> function.wasm");
    folder.run(&["invoke", "--component", "function.wasm", "--event", "event.json"]).expect(2).says("Records");
}
