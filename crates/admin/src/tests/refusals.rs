//! What is refused.

use super::*;

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    for (method, path, allow) in [
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/status", "GET, HEAD"),
        ("GET", "/purge", "POST"),
        ("GET", "/reload", "POST"),
    ] {
        let answer = ask(method, path).await;
        assert_eq!(answer.head.status, 405);
        assert_eq!(answer.head.header("allow"), Some(allow));
        assert_eq!(answer.json()["hint"], format!("use {allow}"));
    }
}

#[tokio::test]
async fn an_unknown_path_is_told_the_known_ones() {
    for path in ["/", "/healthz", "/purge/", "//status"] {
        let answer = ask("GET", path).await;
        assert_eq!(answer.head.status, 404);
        assert_eq!(
            answer.json()["hint"],
            "try /health, /ready, /status, /metrics, /functions, /reload, /purge, /explain"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/jsonx")]] {
        let answer = ask_with(Fake::default(), "POST", "/purge", headers, "{}".into()).await;
        assert_eq!(answer.head.status, 415);
    }
}

#[tokio::test]
async fn a_body_over_64_kb_is_refused() {
    let json = [("content-type", "application/json")];
    for path in ["/purge", "/reload"] {
        let body = " ".repeat(64 * 1024 + 1).into();
        let answer = ask_with(Fake::default(), "POST", path, &json, body).await;
        assert_eq!(answer.head.status, 413, "{path}");
    }
    let body = " ".repeat(64 * 1024).into();
    assert_eq!(ask_with(Fake::default(), "POST", "/purge", &json, body).await.head.status, 400);
}

#[tokio::test]
async fn what_a_web_page_sends_is_refused() {
    for headers in [[("host", "evil.com")], [("origin", "https://evil.com")]] {
        for (method, path) in [("GET", "/status"), ("POST", "/reload"), ("GET", "/nothing")] {
            let answer = ask_with(Fake::default(), method, path, &headers, Body::Empty).await;
            assert_eq!(answer.head.status, 403, "{path}");
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_told_how_to_be() {
    let bound: SocketAddr = "10.0.0.1:8081".parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("10.0.0.1:8081"));
    let ask = async |peer: &str, admitted| {
        let admin = Admin::new(Arc::new(Fake { admitted, ..Fake::default() }));
        let (head, body) =
            admin.call(peer.parse().unwrap(), bound, &Method::GET, "/health", &headers, Body::Empty).await;
        Answer { head, body: String::from_utf8(body.collect(1 << 20).await.unwrap().to_vec()).unwrap() }
    };
    let refused = ask("10.0.0.9", &[]).await;
    assert_eq!(refused.head.status, 403);
    assert_eq!(refused.json()["error"], "10.0.0.9 may not use the admin API");
    assert_eq!(
        refused.json()["hint"],
        "list the address in `admin` of `[node.acl]` and reload, or call it from where it is listed"
    );
    assert_eq!(ask("10.0.0.9", &["10.0.0.0/24"]).await.head.status, 200);
    assert_eq!(ask("127.0.0.1", &[]).await.head.status, 200);
}
