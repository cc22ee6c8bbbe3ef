//! What is told of the node.

use super::*;

#[tokio::test]
async fn health_says_that_the_process_answers() {
    let answer = ask("GET", "/health").await;
    assert_eq!(answer.head.status, 200);
    assert_eq!(answer.json(), json!({ "status": "ok" }));
    assert_eq!(answer.head.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn ready_says_why_not() {
    assert_eq!(ask("GET", "/ready").await.json(), json!({ "status": "ready" }));
    let draining = Fake { not_ready: Some("draining"), ..Fake::default() };
    let answer = ask_with(draining, "GET", "/ready", &[], Body::Empty).await;
    assert_eq!(answer.head.status, 503);
    assert_eq!(answer.json(), json!({ "status": "not ready", "reason": "draining" }));
}

#[tokio::test]
async fn status_tells_what_is_served() {
    let expected = json!({
        "version": "0.1.0",
        "started": "2000-02-29T00:00:00Z",
        "uptime": 7,
        "configuration": { "file": "rimward.toml", "loaded": "2000-02-29T00:00:01Z", "generation": 1 },
        "listen": ["127.0.0.1:8080"],
        "listen-tls": [],
        "connections": 2,
        "requests": 3,
        "cache": { "objects": 4, "bytes": 5, "held": 1, "limit": 6 },
        "distributions": [
            { "id": "E1", "domain-name": "e1.rimward.local", "domains": ["a.com"], "behaviors": ["*"] },
        ],
    });
    assert_eq!(ask("GET", "/status").await.json(), expected);
}

#[tokio::test]
async fn functions_are_told_with_their_places() {
    let expected = json!({ "functions": [{
        "name": "ab-test", "tier": "viewer", "file": "index.js", "version": "1f", "source": "file",
        "throttled-until": null, "problem": null,
        "places": [{ "distribution": "E1", "path": "*", "hook": "viewer-request" }],
    }] });
    assert_eq!(ask("GET", "/functions").await.json(), expected);
}

#[tokio::test]
async fn key_value_stores_are_below_a_path_of_their_own() {
    let answer = ask("GET", "/key-value-stores/s/keys?MaxResults=1").await;
    assert_eq!((answer.head.status.as_u16(), answer.json()), (200, json!({ "Items": [] })));
    assert_eq!(ask("GET", "/key-value-storesx").await.head.status, 404);
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(ask_with(Fake::default(), "GET", "/key-value-stores", &foreign, Body::Empty).await.head.status, 403);
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let answer = ask("GET", "/metrics").await;
    assert_eq!(answer.head.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(answer.body.ends_with("rimward_requests_total 3\n"));
}

#[tokio::test]
async fn head_has_the_length_and_not_the_body() {
    let get = ask("GET", "/health").await;
    let head = ask("HEAD", "/health").await;
    assert_eq!(head.head.status, 200);
    assert_eq!(head.head.header("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.body, "");
}

#[tokio::test]
async fn it_answers_through_the_server() {
    let listen = rimward_config::Node { listen: vec!["127.0.0.1:0".parse().unwrap()], ..Default::default() };
    let server = rimward_server::Server::bind(&listen, &rimward_config::MutualTlsSites::none()).unwrap();
    let address = server.addresses()[0];
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(Arc::new(Admin::new(Arc::new(Fake::default()))), async {
        let _ = stopped.await;
    }));
    let client = rimward_testkit::Client::http1(address).await;
    assert_eq!(client.get("/health?x").await.status(), 200);
    let length = client.fetch(client.request("HEAD", "/status", "")).await.unwrap();
    assert!(length.body().is_empty() && length.headers()["content-length"] != "0");
    let mut request = client.request("POST", "/purge", r#"{"everything":true}"#);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let receipt = client.fetch(request).await.unwrap();
    assert_eq!(receipt.status(), 200);
    assert_eq!(serde_json::from_slice::<Value>(receipt.body()).unwrap()["removed"], 0);
    drop((client, stop));
    serving.await.unwrap();
}
