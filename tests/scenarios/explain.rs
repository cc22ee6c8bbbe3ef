//! `Rimward-Explain` in answers, where the access list grants it. Viewers come from 203.0.113.7.

use rimward_tests::{DEMO, TestNode, request};
use rimward_types::Connection;
use std::sync::Arc;

const ASKED: [(&str, &str); 1] = [("rimward-explain", "1")];

async fn node(networks: &str) -> TestNode {
    TestNode::start(&format!("{DEMO}[node.acl]\nexplain = [{networks}]\n"), &[]).await
}

#[tokio::test]
async fn who_is_granted_it_is_told_how_the_answer_came_about() {
    let node = node("\"203.0.113.0/24\"").await;
    let miss = node.get_with("/cache/max-age/60", &ASKED).await;
    let told = miss.header("rimward-explain");
    assert!(told.contains("behavior *") && told.contains("fetch: uri-miss"), "{told}");
    node.advance(7);
    let told = node.get_with("/cache/max-age/60", &ASKED).await.header("rimward-explain").to_owned();
    assert!(told.contains("fresh: max-age (RFC 9111 section 5.2.2.1)") && told.contains("age 7"), "{told}");
    assert_eq!(node.get("/cache/max-age/60").await.header("rimward-explain"), "", "it must be asked for");
    let echoed = node.get_with("/echo", &ASKED).await;
    assert!(!echoed.body.contains("rimward-explain"), "the origin does not see the wish: {}", echoed.body);
}

#[tokio::test]
async fn nobody_else_is_told() {
    let config = |acl: &str| format!("{DEMO}{acl}");
    for acl in ["", "[node.acl]\nexplain = [\"198.51.100.0/24\"]\n"] {
        let node = TestNode::start(&config(acl), &[]).await;
        let headers = [("rimward-explain", "1"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(node.get_with("/cache/max-age/60", &headers).await.header("rimward-explain"), "");
    }
}

#[tokio::test]
async fn a_purge_is_explained_as_one_and_removes_nothing() {
    for (networks, status) in [("\"203.0.113.0/24\"", 200), ("\"198.51.100.0/24\"", 403)] {
        let node = TestNode::start(&format!("{DEMO}[node.acl]\npurge = [{networks}]\n"), &[]).await;
        node.get("/cache/max-age/60").await;
        let connection = Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None);
        let told = node.proxy().explain(Arc::new(connection), request("PURGE", "/cache/max-age/60", &[])).await;
        let ends = told.ends.unwrap();
        assert_eq!((ends.phase, ends.status), ("purge", status));
        assert_eq!(node.get("/cache/max-age/60").await.header("x-cache"), "Hit from cloudfront");
    }
}
