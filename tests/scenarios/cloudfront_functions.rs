//! `cloudfront-functions.md`, rule by rule, through the whole node with a real isolate. Each test names its section.
//!
//! What has a file of its own: section 2 (`when_functions_run`), 6 (`viewer_walls`, `publish`), 11.2 to 11.5
//! (`origin_helpers`), 12 (`key_value_stores`), 14 (`viewer_headers`).

mod built_ins;
mod event;
mod language;
mod limits;
mod modules;
mod requests;
mod responses;
mod restricted;

use rimward_testkit::{Answer, Origin};
use rimward_tests::{DEMO, TestNode};

/// A node whose function at viewer-request, of either runtime, is `code`.
async fn of_runtime(runtime: &str, code: &str) -> TestNode {
    let config = format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\nruntime = \"{runtime}\"\n");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

/// A node that answers every request with the JSON of `expression`, in which `event` is the event.
async fn showing(expression: &str) -> TestNode {
    let code =
        format!("function handler(event) {{ return {{ statusCode: 200, body: JSON.stringify({expression}) }}; }}");
    TestNode::with_function(&code).await
}

/// A node before an origin that remembers what it got. `body` is the handler's, before `return event.request`.
async fn before(body: &str) -> (TestNode, Origin) {
    let origin = Origin::new(|_| Answer::ok("there")).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nviewer-request = \"f\"\nmethods = \"all\"\n",
        origin.url()
    );
    let code = format!("function handler(event) {{ var r = event.request; {body}; return r; }}");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    (node, origin)
}

/// A node before an origin that gives `answer`. `body` is the handler's at viewer-response, before `return r`.
async fn behind(answer: impl Fn() -> Answer + Send + Sync + 'static, body: &str) -> (TestNode, Origin) {
    let origin = Origin::new(move |_| answer()).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[functions.f]\ncode = \"f.js\"\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\nviewer-response = \"f\"\n",
        origin.url()
    );
    let code = format!("function handler(event) {{ var r = event.response; {body}; return r; }}");
    let node = TestNode::start(&config, &[("f.js", code.as_bytes())]).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    (node, origin)
}
