//! Several functions on one viewer event: each gets what the one before it made, and each has its own report.

use rimward_tests::{DEMO, TestNode};
use serde_json::Value;

const A: &str = "function handler(event) {
  var r = event.request;
  if (r.uri === '/stop') { return { statusCode: 418, headers: { 'x-by': { value: 'a' } } }; }
  if (r.uri === '/throw') { throw new Error('a fails'); }
  r.uri = '/echo';
  r.querystring = { from: { value: 'a' } };
  r.headers['x-chain'] = { value: 'a' };
  return r;
}";
const B: &str = "function handler(event) {
  var r = event.request;
  r.headers['x-chain'] = { value: r.headers['x-chain'].value + ' then b at ' + r.uri + ' from ' + r.querystring.from.value };
  return r;
}";
const MARK: &str = "function handler(event) {
  var r = event.response;
  r.headers['x-mark'] = { value: (r.headers['x-mark'] ? r.headers['x-mark'].value : '') + 'm' };
  return r;
}";

async fn node() -> TestNode {
    let config = format!(
        "{DEMO}viewer-request = [\"a\", \"b\"]\nviewer-response = [\"mark\", \"mark\", \"mark\"]\n\
         [functions.a]\ncode = \"a.js\"\n[functions.b]\ncode = \"b.js\"\n[functions.mark]\ncode = \"mark.js\"\n"
    );
    let files: [(&str, &[u8]); 3] = [("a.js", A.as_bytes()), ("b.js", B.as_bytes()), ("mark.js", MARK.as_bytes())];
    let node = TestNode::start(&config, &files).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// `function verdict` of each hook in the record.
fn reports(record: &Value) -> Vec<String> {
    let text = |hook: &Value, key: &str| hook[key].as_str().unwrap_or_default().to_owned();
    let hooks = record["hooks"].as_array().expect("hooks");
    hooks.iter().map(|hook| format!("{} {}", text(hook, "function"), text(hook, "verdict"))).collect()
}

#[tokio::test]
async fn each_function_gets_what_the_one_before_it_made_and_has_its_report() {
    let node = node().await;
    let answer = node.get("/start").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.body.contains("a then b at /echo from a"), "{}", answer.body);
    assert_eq!(answer.header("x-mark"), "mmm");
    let reports = reports(&node.record());
    assert_eq!(reports, ["a continued", "b continued", "mark continued", "mark continued", "mark continued"]);
}

#[tokio::test]
async fn an_answer_ends_the_chain() {
    let node = node().await;
    let answer = node.get("/stop").await;
    assert_eq!((answer.status(), answer.header("x-by"), answer.header("x-mark")), (418, "a", ""));
    assert_eq!(reports(&node.record()), ["a answered"]);
}

#[tokio::test]
async fn a_failure_ends_the_chain() {
    let node = node().await;
    let answer = node.get("/throw").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (503, "FunctionExecutionError from cloudfront"));
    let record = node.record();
    assert_eq!(reports(&record), ["a FunctionExecutionError"]);
    assert_eq!(record["hooks"][0]["reason"].as_str().unwrap_or_default().split(" (").next(), Some("Error: a fails"));
}
