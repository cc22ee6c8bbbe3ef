//! Handlers in the style of the vendor's documentation, in JavaScript and Python, give the documented results. The files lie in
//! `tests/examples`; sections are those of `lambda-at-edge.md`.

use super::{build, here, invoke, origin_request, origin_response, tools, viewer_request};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The component of all examples in a language, built once.
fn component(language: &str) -> Option<PathBuf> {
    static JAVASCRIPT: OnceLock<PathBuf> = OnceLock::new();
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    tools()?;
    let once = if language == "python" { &PYTHON } else { &JAVASCRIPT };
    let built = once.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("examples-{language}.wasm"));
        let result = build(&here(&format!("tests/examples/{language}")), &out).expect(0).json();
        assert_eq!(result["language"], language);
        out
    });
    Some(built.clone())
}

/// The result of an event, which must be one.
fn output(component: &Path, event: &Value) -> Value {
    let ran = invoke(component, event);
    assert!(ran["error"].is_null(), "{ran}");
    ran["output"].clone()
}

fn request(component: &Path, event: &Value) -> Value {
    output(component, event)["request"].clone()
}

fn response(component: &Path, event: &Value) -> Value {
    output(component, event)["response"].clone()
}

/// What a module of the runtime said (`response.body`, in JSON).
fn said(component: &Path, id: &str, uri: &str) -> Value {
    let response = response(component, &viewer_request(id, uri, "", &[]));
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

fn header<'a>(message: &'a Value, name: &str) -> &'a str {
    message["headers"][name][0]["value"].as_str().unwrap_or_else(|| panic!("no {name}: {message}"))
}

fn give_the_documented_results(language: &str) {
    let Some(wasm) = component(language) else { return };
    let wasm = wasm.as_path();
    // A/B testing: by cookie, else by chance (5.3).
    let pixel = "/experiment-pixel.jpg";
    let sticky = viewer_request("ab-testing", pixel, "", &[("cookie", "x=1"), ("cookie", "X-Experiment-Name=B")]);
    assert_eq!(request(wasm, &sticky)["uri"], "/experiment-group/treatment-pixel.jpg");
    let drawn = request(wasm, &viewer_request("ab-testing", pixel, "", &[]));
    assert!(drawn["uri"].as_str().unwrap().starts_with("/experiment-group/"), "{drawn}");
    // Overriding a response header (5.4).
    let event =
        origin_response("override-header", "200", &[("x-amz-meta-last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")]);
    assert_eq!(header(&response(wasm, &event), "last-modified"), "Mon, 01 Jan 2024 00:00:00 GMT");
    // Redirecting by country (5.2).
    let event = origin_request("country-redirect", "/shop", "", &[("cloudfront-viewer-country", "TW")]);
    let redirect = response(wasm, &event);
    assert_eq!(
        (redirect["status"].as_str(), header(&redirect, "location")),
        (Some("302"), "https://tw.example.com/shop")
    );
    assert_eq!(request(wasm, &origin_request("country-redirect", "/shop", "", &[]))["uri"], "/shop");
    // A generated page; its status is a number (5.2).
    let page = response(wasm, &viewer_request("generated-response", "/", "", &[]));
    assert_eq!((page["status"].as_str(), header(&page, "content-type")), (Some("200"), "text/html"));
    assert!(page["body"].as_str().unwrap().contains("Hello from the edge!"));
    // Normalising the query (5.3, 7).
    let event = viewer_request("normalize-query", "/", "Size=L&color=Red", &[]);
    assert_eq!(request(wasm, &event)["querystring"], "color=red&size=l");
    // Signing in (5.2).
    let event = viewer_request("login-redirect", "/account", "a=b", &[]);
    let to = "https://www.example.com/signin?redirect_url=https%3A%2F%2Fwww.example.com%2Faccount%3Fa%3Db";
    assert_eq!(header(&response(wasm, &event), "location"), to);
    let event = viewer_request("login-redirect", "/account", "", &[("cookie", "a=b; session-id=1")]);
    assert_eq!(request(wasm, &event)["uri"], "/account");
    // Another origin by content (3.6, 10).
    let event = origin_request("content-based-origin", "/", "useCustomOrigin=true", &[]);
    let chosen = request(wasm, &event);
    assert_eq!(chosen["origin"]["custom"]["domainName"], "www.example.com");
    assert_eq!(header(&chosen, "host"), "www.example.com");
    let kept = request(wasm, &origin_request("content-based-origin", "/", "", &[]));
    assert_eq!(kept["origin"]["custom"]["domainName"], "origin.example.com");
    // Changing an error's status (5.4).
    let redirect = response(wasm, &origin_response("update-error-status", "404", &[]));
    assert_eq!((redirect["status"].as_str(), header(&redirect, "location")), (Some("302"), "/"));
    assert_eq!(response(wasm, &origin_response("update-error-status", "200", &[]))["status"], "200");
    // Reading and replacing the body (3.5).
    let mut event = origin_request("access-body", "/form", "", &[]);
    let posted = &mut event["Records"][0]["cf"]["request"];
    posted["method"] = json!("POST");
    posted["body"] =
        json!({ "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": "bmFtZT14" });
    // `name=x&hadFields=1`, in base64.
    let body = request(wasm, &event)["body"].clone();
    assert_eq!(
        (body["action"].as_str(), body["data"].as_str()),
        (Some("replace"), Some("bmFtZT14JmhhZEZpZWxkcz0x")),
        "{body}"
    );
}

#[test]
fn documented_examples_in_javascript() {
    give_the_documented_results("javascript");
}

#[test]
fn documented_examples_in_python() {
    give_the_documented_results("python");
}

/// Section 4: names and types as in Node.js (`camel`) or in Python.
fn tells_the_context(language: &str, name: fn(&'static str) -> String) {
    let Some(wasm) = component(language) else { return };
    let context = said(&wasm, "failing", "/context");
    let text = |key| context[name(key)].as_str().unwrap_or_else(|| panic!("no {key}: {context}")).to_owned();
    assert!(text("function name").starts_with("us-east-1."));
    assert!(text("invoked function arn").contains(":function:"));
    assert_eq!(text("memory limit in mb"), "128");
    assert_eq!(text("aws request id").len(), 36);
    assert!(text("log group name").starts_with("/aws/lambda/"));
    assert!(text("log stream name").contains('['));
    assert!(!text("function version").is_empty());
    let remaining = context["remaining"].as_f64().unwrap();
    assert!(remaining > 0.0 && remaining <= 5000.0, "{remaining}");
}

#[test]
fn context_has_all_fields_in_javascript() {
    tells_the_context("javascript", |words| {
        if words == "memory limit in mb" {
            return "memoryLimitInMB".to_owned();
        }
        let mut parts = words.split(' ');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |name, part| name + &part[..1].to_uppercase() + &part[1..])
    });
}

#[test]
fn context_has_all_fields_in_python() {
    tells_the_context("python", |words| words.replace(' ', "_"));
}

/// The error of a path of the example that fails.
fn error(component: &Path, uri: &str) -> String {
    let ran = invoke(component, &viewer_request("failing", uri, "", &[]));
    ran["error"]["message"].as_str().unwrap_or_else(|| panic!("{uri}: no error: {ran}")).to_owned()
}

#[test]
fn failures_of_a_javascript_handler_keep_type_and_message() {
    // Section 4: callback rules; section 9.
    let Some(wasm) = component("javascript") else { return };
    for (uri, text) in [
        ("/throws", "TypeError: thrown on purpose"),
        ("/calls-back", "Error: called back on purpose"),
        ("/rejects", "RangeError: rejected on purpose"),
        ("/fails", "Error: failed on purpose"),
        ("/exits", "Runtime.ExitError: the function called process.exit(1)"),
    ] {
        let said = error(&wasm, uri);
        assert!(said.contains(text), "{uri}: {said}");
    }
    // Section 5.1: no result is an invalid one.
    let ran = invoke(&wasm, &viewer_request("failing", "/nothing", "", &[]));
    assert_eq!(ran["error"]["category"], "LambdaValidationError", "{ran}");
}

#[test]
fn every_way_to_answer_in_javascript() {
    // Section 4: the first callback wins, a promise goes before it, and the event loop is waited for unless it is said not to.
    let Some(wasm) = component("javascript") else { return };
    for uri in ["/twice", "/promise-decides", "/succeeds", "/done", "/plain-return"] {
        assert_eq!(request(&wasm, &viewer_request("failing", uri, "", &[]))["uri"], uri);
    }
    assert_eq!(response(&wasm, &viewer_request("failing", "/waits", "", &[]))["body"], "after");
    assert_eq!(response(&wasm, &viewer_request("failing", "/does-not-wait", "", &[]))["body"], "before");
}

#[test]
fn failures_of_a_python_handler_keep_type_and_message() {
    let Some(wasm) = component("python") else { return };
    let raised = error(&wasm, "/throws");
    assert!(
        raised.contains("TypeError: raised on purpose") && raised.contains("/var/task/examples/failing.py"),
        "{raised}"
    );
    assert!(error(&wasm, "/exits").contains("Runtime.ExitError: the function called sys.exit(1)"));
    assert!(error(&wasm, "/not-json").contains("Runtime.MarshalError: Unable to marshal response"));
    let ran = invoke(&wasm, &viewer_request("failing", "/nothing", "", &[]));
    assert_eq!(ran["error"]["category"], "LambdaValidationError", "{ran}");
}

#[test]
fn modules_of_node_are_there() {
    // Section 11.2, as far as the sandbox has it.
    let Some(wasm) = component("javascript") else { return };
    let pbkdf2 = "0c60c80f961f0e71f3a9b524af6012062fe037a6";
    for (module, expected) in [
        (
            "/crypto",
            json!([
                "ba7816bf8f01cfea",
                "kAFQmDzST7DWlj99KOF/cg==",
                "4fd0b215276ef12f2b3e4c8ecac2811498b656fc",
                true,
                true,
                16,
                pbkdf2
            ]),
        ),
        ("/signature", json!(true)),
        ("/buffer", json!(["hi", "aGkgdGhlcmU_Pz4", "hello", "ab", 2])),
        ("/zlib", json!(["squeezed", "deflated"])),
        ("/url", json!(["a.example", "8443", "e", "https://b.example/x", "/a/c"])),
        ("/util", json!(["a 1 {\"b\":2}", "{ a: [ 1 ] }", true])),
        ("/path", json!(["/b", ".gz", "b"])),
        ("/files", json!(["kept and more", 13, false, "ENOENT", "<p>from the function's folder</p>"])),
        ("/streams", json!(["LOUD", "heard"])),
        ("/start", json!(["en_US.UTF-8", true, true])),
        ("/denied", json!("ECONNREFUSED")),
    ] {
        assert_eq!(said(&wasm, "node-modules", module), expected, "{module}");
    }
}

#[test]
fn the_library_of_python_is_there() {
    let Some(wasm) = component("python") else { return };
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    for (part, expected) in [
        ("/digests", json!(["ba7816bf8f01cfea", md5, "4fd0b215276ef12f2b3e4c8ecac2811498b656fc", "aGkgdGhlcmU_Pz4="])),
        ("/files", json!(["kept and more", false, "<p>from the function's folder</p>"])),
        ("/start", json!(["en_US.UTF-8", true, true])),
        ("/late", json!(["0.3", 36])),
        ("/zipped", json!([true, true, "deflated", 891_568_578])),
        ("/denied", json!(["PermissionError", "PermissionError"])),
    ] {
        assert_eq!(said(&wasm, "python-library", part), expected, "{part}");
    }
}

#[test]
fn log_lines_have_the_vendors_form() {
    // Section 11.3.
    let pixel = viewer_request("ab-testing", "/experiment-pixel.jpg", "", &[]);
    if let Some(wasm) = component("javascript") {
        let logs = invoke(&wasm, &pixel)["logs"].to_string();
        assert!(logs.contains("\\tINFO\\tRequest uri set to"), "{logs}");
    }
    if let Some(wasm) = component("python") {
        let logs = invoke(&wasm, &viewer_request("python-library", "/logs", "", &[]))["logs"].clone();
        let lines: Vec<&str> = logs.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(lines.iter().any(|line| line.starts_with("[INFO]\t20") && line.ends_with("\tlogged so")), "{lines:?}");
        assert!(lines.contains(&"printed"), "{lines:?}");
    }
}
