//! Stages, versions and throttling of viewer functions (`cloudfront-functions.md` sections 6 and 15).

use rimward_tests::{DEMO, TestNode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn config() -> String {
    // Ten runs that are ended after so long are more than a function may waste.
    format!("{DEMO}viewer-request = \"f\"\n[functions.f]\ncode = \"f.js\"\ntimeout = \"60 ms\"\n")
}

fn answering(text: &str) -> Vec<u8> {
    format!("function handler(e) {{ return {{ statusCode: 200, body: '{text}' }}; }}").into_bytes()
}

async fn node(code: &[u8]) -> TestNode {
    TestNode::start(&config(), &[("f.js", code)]).await
}

#[tokio::test]
async fn a_published_version_answers_until_it_is_rolled_back_to_the_file() {
    let node = node(&answering("file")).await;
    node.publish("f", &answering("one")).await;
    assert_eq!(node.get("/").await.body, "one");
    node.publish("f", &answering("two")).await;
    assert_eq!(node.get("/").await.body, "two");
    node.roll_back("f").await;
    assert_eq!(node.get("/").await.body, "one");
    node.roll_back("f").await;
    assert_eq!(node.get("/").await.body, "file");
}

#[tokio::test]
async fn a_published_version_stays_over_a_reload() {
    let node = node(&answering("file")).await;
    node.publish("f", &answering("one")).await;
    assert_eq!(node.reload(&config(), &[("f.js", &answering("changed"))]).await, []);
    assert_eq!(node.get("/").await.body, "one");
    node.roll_back("f").await;
    assert_eq!(node.get("/").await.body, "changed");
}

#[tokio::test]
async fn publishing_drops_and_mixes_no_request() {
    let node = Arc::new(node(&answering("v0")).await);
    let done = Arc::new(AtomicBool::new(false));
    let asking = {
        let (node, done) = (node.clone(), done.clone());
        tokio::spawn(async move {
            let mut asked = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = node.get("/").await;
                assert_eq!(answer.status(), 200, "{}", answer.body);
                assert!(answer.body.starts_with('v'), "{}", answer.body);
                asked += 1;
                tokio::task::yield_now().await;
            }
            asked
        })
    };
    for n in 1..20 {
        node.publish("f", &answering(&format!("v{n}"))).await;
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::Relaxed);
    assert!(asking.await.unwrap() > 0);
    assert_eq!(node.get("/").await.body, "v19");
}

const ENDLESS: &[u8] = b"function handler() { for (;;) {} }";

#[tokio::test]
async fn section_6_a_version_that_keeps_running_over_is_throttled_and_a_publish_ends_that() {
    let node = node(ENDLESS).await;
    for _ in 0..10 {
        let answer = node.get("/").await;
        assert_eq!((answer.status(), answer.header("x-cache")), (503, "FunctionExecutionError from cloudfront"));
    }
    let answer = node.get("/").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (503, "FunctionThrottledError from cloudfront"));
    node.publish("f", &answering("mended")).await;
    assert_eq!(node.get("/").await.body, "mended", "at once");
}

#[tokio::test]
async fn section_6_a_throttled_version_gets_another_chance_after_a_while() {
    let node = node(ENDLESS).await;
    for _ in 0..11 {
        node.get("/").await;
    }
    node.advance(31);
    assert_eq!(node.get("/").await.header("x-cache"), "FunctionExecutionError from cloudfront");
}

#[tokio::test]
async fn publishing_the_same_text_again_ends_throttling_too() {
    let node = node(b"function handler(e) { if (e.request.uri === '/bad') for (;;) {} return e.request; }").await;
    for _ in 0..10 {
        node.get("/bad").await;
    }
    assert_eq!(node.get("/").await.header("x-cache"), "FunctionThrottledError from cloudfront");
    node.publish("f", b"function handler(e) { if (e.request.uri === '/bad') for (;;) {} return e.request; }").await;
    assert_eq!(node.get("/").await.status(), 200);
}
