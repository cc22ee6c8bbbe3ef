//! The method PURGE, for viewers whom the access list grants it. Viewers come from 203.0.113.7.

use rimward_tests::{Answer, DEMO, TestNode, request};
use rimward_types::Body;
use serde_json::Value;

const GRANTED: &str = "[node.acl]\npurge = [\"203.0.113.0/24\"]\n";

async fn purge(node: &TestNode, path: &str, headers: &[(&str, &str)]) -> Answer {
    node.send(request("PURGE", path, headers), Body::Empty).await
}

/// The word for how the cache answered a GET.
async fn cached(node: &TestNode, path: &str) -> String {
    let answer = node.get(path).await;
    answer.header("cache-status").trim_start_matches("Rimward; ").split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_variant_of_a_url_is_removed_and_a_receipt_is_given() {
    let policy = "[cache-policies.by-language]\nheaders = [\"accept-language\"]\n";
    let node = TestNode::start(&format!("{DEMO}cache-policy = \"by-language\"\n{policy}{GRANTED}"), &[]).await;
    for language in ["de", "fr"] {
        node.get_with("/cache/max-age/60", &[("accept-language", language)]).await;
    }
    node.get("/cache/max-age/90").await;
    let receipt = purge(&node, "/cache/max-age/60", &[]).await;
    assert_eq!((receipt.status(), receipt.header("cache-control")), (200, "no-store"));
    let receipt: Value = serde_json::from_str(&receipt.body).unwrap();
    assert_eq!((&receipt["removed"], &receipt["soft"]), (&2.into(), &false.into()));
    assert_eq!(cached(&node, "/cache/max-age/60").await, "fwd=uri-miss");
    assert_eq!(cached(&node, "/cache/max-age/90").await, "hit", "another URL");
}

#[tokio::test]
async fn a_soft_purge_makes_stale() {
    let node = TestNode::start(&format!("{DEMO}{GRANTED}"), &[]).await;
    node.get("/cache/max-age/60").await;
    let receipt = purge(&node, "/cache/max-age/60", &[("soft-purge", "1")]).await;
    assert!(receipt.body.contains("\"soft\":true"), "{}", receipt.body);
    assert_eq!(node.get("/cache/max-age/60").await.header("x-cache"), "RefreshHit from cloudfront");
}

#[tokio::test]
async fn the_query_counts_as_far_as_it_is_in_the_key() {
    let policy = "[cache-policies.plain]\nquery = \"none\"\n";
    let node = TestNode::start(&format!("{DEMO}cache-policy = \"plain\"\n{policy}{GRANTED}"), &[]).await;
    node.get("/cache/max-age/60?from=mail").await;
    assert!(purge(&node, "/cache/max-age/60?any", &[]).await.body.contains("\"removed\":1"));
}

#[tokio::test]
async fn neither_function_nor_origin_sees_it_and_the_record_has_it() {
    let function = "[functions.f]\ncode = \"f.js\"\n";
    let config = format!("{DEMO}viewer-request = \"f\"\n{function}{GRANTED}");
    let node = TestNode::start(&config, &[("f.js", b"function handler() { throw new Error('seen'); }")]).await;
    assert_eq!(purge(&node, "/a", &[]).await.status(), 200);
    let record = node.record();
    assert_eq!((&record["method"], &record["result"]), (&"PURGE".into(), &"Purged".into()));
    assert_eq!(record["cache"], "removed 0, bytes 0, fetches 0");
    assert_eq!((&record["hooks"], &record["origins"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn who_is_not_granted_it_is_refused_as_with_any_unknown_method() {
    let elsewhere = "[node.acl]\npurge = [\"198.51.100.0/24\"]\n";
    // With all methods too: PURGE never reaches an origin.
    for (behavior, acl) in
        [("", ""), ("methods = \"all\"\n", ""), ("methods = \"any\"\n", ""), ("methods = \"all\"\n", elsewhere)]
    {
        let node = TestNode::start(&format!("{DEMO}{behavior}{acl}"), &[]).await;
        node.get("/cache/max-age/60").await;
        node.record();
        let refused = purge(&node, "/cache/max-age/60", &[("x-forwarded-for", "198.51.100.1")]).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.body.contains("not configured to allow the HTTP request method"), "{}", refused.body);
        assert_eq!(node.record()["detail"], "PurgeNotGranted");
        assert_eq!(cached(&node, "/cache/max-age/60").await, "hit");
    }
}
