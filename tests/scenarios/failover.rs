//! Origin groups (`cdn-behaviour.md` section 9): which answer of the primary sends a request to the secondary.

use rimward_testkit::{Answer, Origin};
use rimward_tests::{TestNode, request};
use rimward_types::Body;

async fn node_before(primary: &Origin, secondary: &Origin, failover: &str) -> TestNode {
    let config = format!(
        "[origins.first]\nurl = \"{}\"\nattempts = 1\nread-timeout = \"1 s\"\n[origins.second]\nurl = \"{}\"\n\
         [origin-groups.both]\nprimary = \"first\"\nsecondary = \"second\"\nfailover = [{failover}]\n\
         [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"both\"\nmethods = \"any\"\n",
        primary.url(),
        secondary.url()
    );
    TestNode::start(&config, &[]).await
}

/// What a viewer gets, and the origins of the record with their statuses.
async fn asked(node: &TestNode) -> (u16, String, Vec<(String, u64)>) {
    let answer = node.get("/").await;
    let record = node.record();
    let origins = record["origins"].as_array().cloned().unwrap_or_default();
    let told = |origin: &serde_json::Value| {
        (origin["origin"].as_str().unwrap_or_default().to_owned(), origin["status"].as_u64().unwrap_or_default())
    };
    (answer.status(), answer.body, origins.iter().map(told).collect())
}

fn pairs(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect()
}

#[tokio::test]
async fn the_primarys_own_status_sends_a_request_to_the_secondary_when_it_is_listed() {
    for status in [404, 500] {
        let primary = Origin::new(move |_| Answer::new(status, "primary")).await;
        let secondary = Origin::new(|_| Answer::cached(60, "secondary")).await;
        let node = node_before(&primary, &secondary, "404, 500").await;
        let (got, body, origins) = asked(&node).await;
        assert_eq!((got, body.as_str()), (200, "secondary"));
        assert_eq!(origins, pairs(&[("first", u64::from(status)), ("second", 200)]));
        assert_eq!(node.get("/").await.header("x-cache"), "Hit from cloudfront", "it is stored");
    }
}

#[tokio::test]
async fn a_status_that_is_not_listed_is_the_answer() {
    for status in [403, 502, 200] {
        let primary = Origin::new(move |_| Answer::new(status, "primary")).await;
        let secondary = Origin::must_not_be_called().await;
        let node = node_before(&primary, &secondary, "404, 500").await;
        let (got, body, origins) = asked(&node).await;
        assert_eq!((got, body.as_str()), (status, "primary"));
        assert_eq!(origins, pairs(&[("first", u64::from(status))]));
    }
}

#[tokio::test]
async fn no_answer_in_time_counts_as_504() {
    let primary = Origin::new(|_| Answer::never()).await;
    let secondary = Origin::new(|_| Answer::ok("secondary")).await;
    let node = node_before(&primary, &secondary, "504").await;
    let (got, body, origins) = asked(&node).await;
    assert_eq!((got, body.as_str()), (200, "secondary"));
    assert_eq!(origins, pairs(&[("first", 0), ("second", 200)]));
    let node = node_before(&primary, &secondary, "503").await;
    assert_eq!(asked(&node).await.0, 504, "it is not listed");
}

#[tokio::test]
async fn what_the_secondary_says_is_final() {
    let primary = Origin::new(|_| Answer::new(500, "primary")).await;
    let secondary = Origin::new(|_| Answer::new(500, "secondary")).await;
    let node = node_before(&primary, &secondary, "500").await;
    let (got, body, origins) = asked(&node).await;
    assert_eq!((got, body.as_str()), (500, "secondary"));
    assert_eq!(origins, pairs(&[("first", 500), ("second", 500)]));
}

#[tokio::test]
async fn a_stale_copy_stands_in_when_both_fail_and_not_before() {
    // RFC 5861 section 4
    let is_away = std::sync::Arc::new(std::sync::atomic::AtomicU16::new(200));
    let script = |name: &'static str, fails: u16| {
        let is_away = is_away.clone();
        move |_: &rimward_testkit::Received| match is_away.load(std::sync::atomic::Ordering::SeqCst) {
            status if status >= fails => Answer::new(500, "away"),
            _ => Answer::ok(name).header("cache-control", "max-age=5, stale-if-error=60"),
        }
    };
    let primary = Origin::new(script("primary", 500)).await;
    let secondary = Origin::new(script("secondary", 501)).await;
    let node = node_before(&primary, &secondary, "500").await;
    assert_eq!(asked(&node).await.1, "primary");
    node.advance(10);
    is_away.store(501, std::sync::atomic::Ordering::SeqCst);
    let (got, body, origins) = asked(&node).await;
    assert_eq!((got, body.as_str()), (200, "primary"), "stale");
    assert_eq!(origins, pairs(&[("first", 500), ("second", 500)]));
    is_away.store(500, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(asked(&node).await.1, "secondary");
}

#[tokio::test]
async fn a_post_is_not_sent_twice() {
    let primary = Origin::new(|_| Answer::new(500, "primary")).await;
    let secondary = Origin::must_not_be_called().await;
    let node = node_before(&primary, &secondary, "500").await;
    let post = request("POST", "/", &[("content-length", "1")]);
    assert_eq!(node.send(post, Body::from("x")).await.status(), 500);
}
