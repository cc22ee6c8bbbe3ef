//! The demo configuration does what README.md says of it.

use rimward_tests::{Answer, TestNode};

const VALID: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.mKt2x4p11HfET1oRIt373eKoPl6jSUHqMpgwXeuZ0y4";
const EXPIRED: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsIm5iZiI6MTUwMDAwMDAwMCwiZXhwIjoxNjAwMDAwMDAwfQ.cW5FLRoLmszaXBzVX4H5AQGsdOG8atUxEp9hvUJhBJ8";

async fn node() -> TestNode {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../edge-functions");
    let node = TestNode::of_file(&folder.join("rimward.toml")).await;
    assert!(node.problems.is_empty(), "{:?}", node.problems);
    node
}

fn x_cache(answer: &Answer) -> &str {
    answer.header("x-cache").split(' ').next().unwrap_or_default()
}

#[tokio::test]
async fn a_page_is_a_miss_and_then_a_hit_and_has_security_headers_each_time() {
    let node = node().await;
    let (first, second) = (node.get("/hello").await, node.get("/hello").await);
    assert_eq!((x_cache(&first), x_cache(&second)), ("Miss", "Hit"));
    for answer in [first, second] {
        assert_ne!(answer.header("strict-transport-security"), "", "{:?}", answer.head);
    }
}

#[tokio::test]
async fn tracking_parameters_and_order_make_no_new_object() {
    let node = node().await;
    assert_eq!(x_cache(&node.get("/shoes?size=42&color=red").await), "Miss");
    assert_eq!(x_cache(&node.get("/shoes?color=red&utm_source=mail&size=42").await), "Hit");
    assert_eq!(x_cache(&node.get("/shoes?color=blue&size=42").await), "Miss");
}

#[tokio::test]
async fn the_ab_test_gives_a_cookie_and_keeps_to_it() {
    let node = node().await;
    let new = node.get("/ab/").await;
    assert!(new.header("set-cookie").starts_with("ab-group="), "{:?}", new.head);
    for group in ["a", "b"] {
        let cookie = format!("ab-group={group}");
        let known = node.get_with("/ab/echo", &[("cookie", &cookie)]).await;
        assert!(known.body.to_lowercase().contains(&format!("\"x-ab-group\": \"{group}\"")), "{}", known.body);
        assert_eq!(known.header("set-cookie"), "");
        let page = node.get_with("/ab/page", &[("cookie", &cookie)]).await;
        assert_eq!(x_cache(&page), "Miss", "each group has a copy of its own");
        assert_eq!(x_cache(&node.get_with("/ab/page", &[("cookie", &cookie)]).await), "Hit");
    }
}

#[tokio::test]
async fn a_token_is_needed_and_an_expired_one_is_refused_with_the_reason() {
    let node = node().await;
    assert_eq!(node.get("/private/report").await.status(), 401);
    let expired = node.get_with("/private/report", &[("authorization", EXPIRED)]).await;
    assert_eq!(expired.status(), 401);
    assert!(expired.header("www-authenticate").contains("expired"), "{:?}", expired.head);
    assert_eq!(node.get_with("/private/report", &[("authorization", VALID)]).await.status(), 200);
}

#[tokio::test]
async fn a_folder_is_its_index_page_and_an_old_path_leads_to_the_new_one() {
    let node = node().await;
    let page = node.get("/docs/guide/").await;
    assert!(page.body.contains("/docs/guide/index.html"), "{}", page.body);
    assert_eq!(node.get("/docs/v1/install.html").await.header("location"), "/docs/install.html");
}

#[tokio::test]
async fn an_origin_hook_sends_a_request_to_another_origin() {
    let node = node().await;
    assert!(node.get("/select/page").await.body.contains("app"));
    assert!(node.get("/select/beta/page").await.body.contains("beta"));
    let chosen = node.get_with("/select/page", &[("x-origin", "beta")]).await;
    assert!(chosen.body.contains("beta"), "{}", chosen.body);
}
