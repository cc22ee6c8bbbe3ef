//! Configuration is checked, then swapped.

use rimward_tests::{DEMO, TestNode};

fn answering(text: &str) -> String {
    format!("function handler(e) {{ return {{ statusCode: 200, body: '{text}' }}; }}")
}

#[tokio::test]
async fn a_new_version_of_a_function_answers_the_next_request() {
    let config = format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n");
    let node = TestNode::start(&config, &[("f.js", answering("one").as_bytes())]).await;
    assert_eq!(node.get("/").await.body, "one");
    let problems = node.reload(&config, &[("f.js", answering("two").as_bytes())]).await;
    assert_eq!((problems.len(), node.get("/").await.body.as_str()), (0, "two"));
}

#[tokio::test]
async fn a_function_that_no_longer_compiles_leaves_the_old_one_serving() {
    let config = format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\n");
    let node = TestNode::start(&config, &[("f.js", answering("one").as_bytes())]).await;
    let problems = node.reload(&config, &[("f.js", b"function handler( {")]).await;
    assert!(problems.iter().any(|p| p.regression), "{problems:?}");
    assert_eq!(node.get("/").await.body, "one");
}
