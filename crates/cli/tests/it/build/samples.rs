//! The functions of `edge-functions/origin`, where they have been built (`rimward build DIR --install`; `.ci/run` does it).

use super::{here, ran};
use crate::support::{Folder, rimward};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

fn sample(name: &str) -> PathBuf {
    here("../../edge-functions/origin").join(name).join("function.wasm")
}

/// Whether a component is there; it must be where tools are required.
fn is_built(name: &str) -> bool {
    let built = sample(name).exists();
    assert!(built || std::env::var_os("RIMWARD_REQUIRE_TOOLS").is_none(), "{name} was to be built before");
    if !built {
        eprintln!("skipped: rimward build edge-functions/origin/{name} --install");
    }
    built
}

/// Answers one request after the other with `body`, and counts nothing: it ends with the test's process.
fn server(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// Runs an event through a sample that has a variable and a grant for `address`.
fn invoke_with(name: &str, variable: &str, url: &str, address: &str, event: &Value) -> Value {
    let config = format!(
        "[origins.app]\nurl = \"builtin:demo\"\n[functions.sample]\ncomponent = {:?}\nenvironment = {{ {variable} = {url:?} }}\n\
         network = [{address:?}]\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n",
        sample(name)
    );
    let folder = Folder::new().with("rimward.toml", config).with("event.json", event.to_string());
    folder.run(&["invoke", "--function", "sample", "--event", "event.json", "--json"]).json()
}

#[test]
fn every_sample_does_what_its_events_expect() {
    let mut command = rimward();
    let result = ran(command.args(["test", "--json"]).arg(here("../../edge-functions/origin"))).expect(0).json();
    let functions = result["functions"].as_array().unwrap();
    for name in ["error-page", "content-negotiation", "redirect-table", "form-guard"] {
        let function = functions.iter().find(|function| function["name"] == name).unwrap();
        assert!(!is_built(name) || function["state"] != "skipped", "{function}");
    }
    assert_eq!(result["failed"], json!(0), "{result}");
    assert!(result["passed"].as_u64().unwrap() > 0, "{result}");
}

#[test]
fn a_javascript_handler_fetches_with_https_request() {
    if !is_built("error-page") {
        return;
    }
    let address = server("<nav>the fragment</nav>\n");
    let event = super::origin_response("error-page", "404", &[("content-type", "text/plain")]);
    let url = format!("http://{address}/fragment");
    let ran = invoke_with("error-page", "FRAGMENT_URL", &url, &address, &event);
    let body = ran["output"]["response"]["body"].as_str().unwrap_or_else(|| panic!("{ran}"));
    assert!(body.contains("<nav>the fragment</nav>") && body.contains("Status 404"), "{ran}");
    // Without the grant the page comes, without the fragment.
    let ran = invoke_with("error-page", "FRAGMENT_URL", &url, "other.example:80", &event);
    let body = ran["output"]["response"]["body"].as_str().unwrap_or_else(|| panic!("{ran}"));
    assert!(!body.contains("fragment") && ran["logs"].to_string().contains("no fragment"), "{ran}");
}

#[test]
fn a_python_handler_fetches_with_urllib_and_keeps_the_answer_in_tmp() {
    if !is_built("redirect-table") {
        return;
    }
    let address = server("{\"/fetched\": \"/target\"}");
    let event = super::viewer_request("redirect-table", "/fetched", "", &[]);
    let url = format!("http://{address}/table.json");
    let ran = invoke_with("redirect-table", "TABLE_URL", &url, &address, &event);
    assert_eq!(ran["output"]["response"]["headers"]["location"][0]["value"], "/target", "{ran}");
    assert!(ran["logs"].to_string().contains("table of 23 bytes"), "{ran}");
    // Where it is not granted, the table of the folder counts.
    let event = super::viewer_request("redirect-table", "/about-us", "", &[]);
    let ran = invoke_with("redirect-table", "TABLE_URL", &url, "other.example:80", &event);
    assert_eq!(ran["output"]["response"]["headers"]["location"][0]["value"], "/about/", "{ran}");
}
