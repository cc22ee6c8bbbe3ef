//! Lambda's invoke API on the admin port (`lambda-at-edge.md` section 14): by hand, over kills, and by the vendor's own
//! command line.

use crate::node::{Node, send};
use crate::support::Folder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// A component of the JSON flavour. `invoke` is core code; `{ok}` and `{err}` return what stands at 16 and at 64.
pub(crate) fn component(invoke: &str) -> Vec<u8> {
    let give = |tag: u32, at: u32, length: u32| {
        format!(
            "(i32.store8 (i32.const 0) (i32.const {tag})) (i32.store (i32.const 4) (i32.const {at}))
             (i32.store (i32.const 8) (i32.const {length})) (i32.const 0)"
        )
    };
    let invoke = invoke.replace("{ok}", &give(0, 16, 16)).replace("{err}", &give(1, 64, 12));
    let text = format!(
        r#"(component
            (core module $m
                (memory (export "memory") 4)
                (data (i32.const 16) "{{\"status\":\"204\"}}")
                (data (i32.const 64) "TypeError: x")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 65536)
                (func (export "invoke") (param i32 i32 i32 i32) (result i32) {invoke}))
            (core instance $i (instantiate $m))
            (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
            (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc"))))
            (instance $lambda (export "invoke" (func $invoke)))
            (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#
    );
    wat::parse_str(text).unwrap()
}

const FUNCTIONS: &str = "[functions.good]\ncomponent = \"good.wasm\"\n\
    [functions.good.async]\non-success = { folder = \"successes\" }\n\
    [functions.throws]\ncomponent = \"throws.wasm\"\n\
    [functions.throws.async]\nretries = 0\non-failure = { folder = \"failures\" }\n\
    [functions.chain]\ncomponent = \"good.wasm\"\n\
    [functions.chain.async]\non-success = { function = \"good\" }\n\
    [origins.demo]\nurl = \"builtin:demo\"\n\
    [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"demo\"\n";

fn folder() -> Folder {
    let folder = Folder::new().with("good.wasm", component("{ok}")).with("throws.wasm", component("{err}"));
    let state = folder.path("state").display().to_string();
    folder.write("rimward.toml", format!("[node]\nstate = {state:?}\n{FUNCTIONS}"));
    folder
}

fn invoke(node: &Node, function: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    send(
        node.admin,
        &format!(
            "POST /2015-03-31/functions/{function}/invocations HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

/// The records in a folder, once there are so many.
fn records(folder: &Path, count: usize) -> Vec<Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        let files: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        if files.len() >= count {
            return files.iter().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()).collect();
        }
        assert!(Instant::now() < end, "{} of {count} records in {}", files.len(), folder.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_function_is_invoked_and_its_failure_is_a_result() {
    let folder = folder();
    let node = Node::start(&folder);
    let got = invoke(&node, "good", "x-amz-log-type: Tail\r\n", "{}");
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("{\"status\":\"204\"}"), "{got}");
    assert!(got.contains("X-Amz-Executed-Version: $LATEST") && got.contains("X-Amz-Log-Result: "), "{got}");
    let got = invoke(&node, "throws", "", "{}");
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("X-Amz-Function-Error: Unhandled"), "{got}");
    assert!(got.contains("\"errorType\":\"TypeError\""), "{got}");
    assert!(invoke(&node, "nobody", "", "{}").starts_with("HTTP/1.1 404 "));
    // A page of another site cannot use it, and neither can a name that was made to lead here.
    let foreign = invoke(&node, "good", "origin: https://evil.example\r\n", "{}");
    assert!(foreign.starts_with("HTTP/1.1 403 ") && foreign.contains("AccessDeniedException"), "{foreign}");
    // The admin API is where it was.
    assert!(send(node.admin, "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").contains("ok"));
}

#[test]
fn events_go_to_their_destinations() {
    let folder = folder();
    let node = Node::start(&folder);
    let event = "x-amz-invocation-type: Event\r\n";
    assert!(invoke(&node, "good", event, "{\"n\":1}").starts_with("HTTP/1.1 202 "));
    assert!(invoke(&node, "throws", event, "{\"n\":2}").starts_with("HTTP/1.1 202 "));
    let success = &records(&folder.path("successes"), 1)[0];
    assert_eq!(success["requestPayload"], json!({ "n": 1 }));
    assert_eq!(success["responsePayload"], json!({ "status": "204" }));
    let failure = &records(&folder.path("failures"), 1)[0];
    assert_eq!(failure["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(failure["responsePayload"]["errorType"], "TypeError");
    let metrics = send(node.admin, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(metrics.contains("\nrimward_events_received_total 2\n"), "{metrics}");
    assert!(metrics.contains("\nrimward_events_dropped_total 1\n"), "{metrics}");
    // A function's record is the next function's event.
    assert!(invoke(&node, "chain", event, "{\"n\":3}").starts_with("HTTP/1.1 202 "));
    let all = records(&folder.path("successes"), 2);
    assert!(all.iter().any(|record| record["requestPayload"]["requestPayload"] == json!({ "n": 3 })), "{all:?}");
}

#[test]
fn nothing_that_was_accepted_is_lost_when_the_node_is_killed() {
    // The function is at its events when the node is killed, and would be for ever.
    let folder = folder().with("good.wasm", component("(loop $l (br $l)) unreachable"));
    let node = Node::start(&folder);
    for n in 0..20 {
        let got = invoke(&node, "good", "x-amz-invocation-type: Event\r\n", &format!("{{\"n\":{n}}}"));
        assert!(got.starts_with("HTTP/1.1 202 "), "{got}");
    }
    node.signal("KILL");
    drop(node);
    folder.write("good.wasm", component("{ok}"));
    let _node = Node::start(&folder);
    let records = records(&folder.path("successes"), 20);
    for n in 0..20 {
        assert!(records.iter().any(|record| record["requestPayload"]["n"] == n), "{n} was lost");
    }
}

/// lambda-at-edge.md 13 and 14: published in one command, called by number, name and stage, and over a restart.
#[test]
fn versions_of_a_component_are_published_called_and_rolled_back() {
    let folder = folder().with("two.wasm", component("{err}"));
    let file = std::fs::read_to_string(folder.path("rimward.toml")).unwrap();
    folder.write(
        "rimward.toml",
        file.replace("[functions.throws]", "[functions.good.aliases]\nfirst = 1\n[functions.throws]"),
    );
    let mut node = Node::start(&folder);
    let run = |node: &Node, arguments: &[&str]| {
        let admin = node.admin.to_string();
        folder.run(&[&["functions"], arguments, &["--admin", &admin]].concat())
    };
    let version = |node: &Node, name: &str| {
        let got = invoke(node, name, "", "{}");
        let line = got.lines().find_map(|line| line.strip_prefix("X-Amz-Executed-Version: ")).map(str::to_owned);
        (line.unwrap_or_default(), got.contains("X-Amz-Function-Error"))
    };
    assert!(invoke(&node, "good:1", "", "{}").starts_with("HTTP/1.1 404 "));
    run(&node, &["publish", "good"]).expect(0).says("as 1");
    run(&node, &["publish", "good", "two.wasm"]).expect(0).says("as 2");
    run(&node, &["describe", "good"]).expect(0).prints("version 2: ").prints("version 1: ");
    run(&node, &["list"]).expect(0).prints("good  origin, 0 places, published");
    assert_eq!(version(&node, "good:1"), ("1".to_owned(), false));
    assert_eq!(version(&node, "good:first"), ("1".to_owned(), false));
    assert_eq!(version(&node, "good:2"), ("2".to_owned(), true));
    assert_eq!(version(&node, "good:LIVE"), ("2".to_owned(), true));
    assert_eq!(version(&node, "good"), ("$LATEST".to_owned(), true));
    node.kill();

    let node = Node::start(&folder);
    assert_eq!(version(&node, "good:LIVE"), ("2".to_owned(), true), "after a restart");
    run(&node, &["rollback", "good", "--to", "1"]).expect(0);
    assert_eq!(version(&node, "good:LIVE"), ("1".to_owned(), false));
    assert_eq!(version(&node, "good:2"), ("2".to_owned(), true));
    run(&node, &["publish", "good", "rimward.toml"]).expect(2).says("no WebAssembly component");
    assert_eq!(version(&node, "good:LIVE"), ("1".to_owned(), false));
    run(&node, &["test", "good", "--event", "rimward.toml"]).expect(2);
    assert_eq!(node.stop(), 0);
}

/// The vendor's command line: `RIMWARD_AWS`, or what is in the path. It must be there where `CI` is set.
fn aws() -> Option<PathBuf> {
    let named = std::env::var_os("RIMWARD_AWS").map(PathBuf::from);
    let found = named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("aws")).find(|file| file.is_file())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "the aws command line is required here: pip install awscli");
        eprintln!("skipped: no aws command line; install awscli, or name it in RIMWARD_AWS");
    }
    found
}

#[test]
fn the_vendors_command_line_invokes_functions() {
    let Some(aws) = aws() else { return };
    let folder = folder();
    let node = Node::start(&folder);
    let run = |arguments: &[&str]| -> Output {
        let endpoint = format!("http://{}", node.admin);
        let mut command = Command::new(&aws);
        command.args(["lambda", "invoke", "--endpoint-url", &endpoint, "--region", "us-east-1"]);
        command.args(["--cli-binary-format", "raw-in-base64-out"].iter().filter(|_| is_second(&aws)));
        command.args(arguments).arg(folder.path("out.json"));
        command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any").env("AWS_MAX_ATTEMPTS", "1");
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("AWS_PROFILE")
            .output()
            .unwrap()
    };
    let told = |output: &Output| -> Value {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let written = || std::fs::read_to_string(folder.path("out.json")).unwrap();

    let result = told(&run(&["--function-name", "good", "--payload", "{\"a\":1}", "--log-type", "Tail"]));
    assert_eq!((&result["StatusCode"], &result["ExecutedVersion"]), (&json!(200), &json!("$LATEST")));
    assert!(result["LogResult"].is_string() && result.get("FunctionError").is_none(), "{result}");
    assert_eq!(written(), "{\"status\":\"204\"}");

    let result = told(&run(&["--function-name", "throws"]));
    assert_eq!(result["FunctionError"], "Unhandled");
    assert!(written().contains("TypeError"));

    let arn = "arn:aws:lambda:us-east-1:000000000000:function:good";
    let admin = node.admin.to_string();
    folder.run(&["functions", "publish", "good", "--admin", &admin]).expect(0);
    assert_eq!(told(&run(&["--function-name", arn, "--qualifier", "1"]))["ExecutedVersion"], "1");
    assert_eq!(told(&run(&["--function-name", "good", "--invocation-type", "DryRun"]))["StatusCode"], 204);
    assert_eq!(told(&run(&["--function-name", "good", "--invocation-type", "Event"]))["StatusCode"], 202);
    records(&folder.path("successes"), 1);

    let refused = run(&["--function-name", "nobody"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("ResourceNotFoundException"), "{said}");
    assert!(said.contains("Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"), "{said}");
}

/// Version 2 takes payloads as base64 unless it is told otherwise; version 1 does not know the option.
fn is_second(aws: &Path) -> bool {
    let version = Command::new(aws).arg("--version").output().unwrap();
    [version.stdout, version.stderr].concat().starts_with(b"aws-cli/2")
}
