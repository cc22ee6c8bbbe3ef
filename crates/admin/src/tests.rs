#![allow(clippy::unwrap_used)]

use super::*;
use http::HeaderValue;
use rimward_types::{Hook, Stage, Timestamp};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// A node that does as it is told.
#[derive(Default)]
pub(crate) struct Fake {
    not_ready: Option<&'static str>,
    problems: Vec<String>,
    /// Reloads wait for it, when it is there.
    hold: Option<Arc<Notify>>,
    reloads: AtomicUsize,
}

impl KeyValues for Fake {
    fn stores(&self) -> Vec<(Arc<str>, Arc<rimward_kv::Store>)> {
        vec![("s".into(), Arc::new(rimward_kv::Store::of(rimward_kv::Pairs::default(), self.now())))]
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(5)
    }
}

/// Has one function, `f`, whose DEVELOPMENT has the ETag `E1`.
impl StagedFunctions for Fake {
    fn code_limit(&self, name: &str) -> u64 {
        if name == "large" { 1 << 22 } else { 1 << 20 }
    }

    async fn describe(&self, name: &str, stage: Stage) -> Result<Staged, Refusal> {
        if name != "f" {
            return Err(Refusal::NoFunction(name.to_owned()));
        }
        Ok(Staged {
            name: name.to_owned(),
            stage,
            runtime: "cloudfront-js-2.0",
            store: Some("s".to_owned()),
            status: "DEPLOYED",
            version: "ab".to_owned(),
            number: Some(2),
            since: None,
            file: "index.js".to_owned(),
            bytes: 4,
            etag: if stage == Stage::Live { "E2" } else { "E1" }.to_owned(),
            earlier: vec![None],
            numbered: vec![Numbered {
                number: 2,
                version: "ab".to_owned(),
                since: "2026-01-16T01:02:03.456Z".to_owned(),
            }],
            throttled_until: None,
        })
    }

    async fn code(&self, name: &str, stage: Stage) -> Result<(Staged, Vec<u8>), Refusal> {
        Ok((self.describe(name, stage).await?, b"code".to_vec()))
    }

    async fn update(&self, name: &str, code: Vec<u8>, expected: &Expected) -> Result<Staged, Refusal> {
        match expected {
            Expected::Exactly(tag) if tag != "E1" => Err(Refusal::Stale("E1".to_owned())),
            _ if code == b"bad" => Err(Refusal::Code { message: "SyntaxError: no".to_owned(), hint: None }),
            _ => self.describe(name, Stage::Development).await,
        }
    }

    async fn publish(&self, name: &str, expected: &Expected) -> Result<Staged, Refusal> {
        self.update(name, Vec::new(), expected).await?;
        self.describe(name, Stage::Live).await
    }

    async fn roll_back(&self, name: &str, to: Option<&str>) -> Result<Staged, Refusal> {
        match to {
            Some("none") => Err(Refusal::NoWayBack("nothing".to_owned())),
            _ => self.describe(name, Stage::Live).await,
        }
    }

    async fn test(&self, name: &str, stage: Stage, event: &str, as_vendor: bool) -> Result<Tested, Refusal> {
        let staged = self.describe(name, stage).await?;
        let output = format!("{event} {as_vendor}");
        Ok(Tested { staged, utilization: 21, logs: vec!["line".to_owned()], error: String::new(), output })
    }
}

impl Node for Fake {
    fn status(&self) -> Status {
        Status {
            version: "0.1.0".to_owned(),
            started: Timestamp::from_secs(951_782_400),
            uptime: 7,
            configuration: ConfigurationStatus {
                file: "rimward.toml".to_owned(),
                loaded: Timestamp::from_secs(951_782_401),
                generation: 1,
            },
            listen: vec!["127.0.0.1:8080".parse().unwrap()],
            listen_tls: Vec::new(),
            connections: 2,
            requests: 3,
            cache: CacheStatus { objects: 4, bytes: 5, limit: 6, disk: None },
            distributions: vec![DistributionStatus {
                id: "E1".into(),
                domain_name: "e1.rimward.local".into(),
                domains: vec!["a.com".to_owned()],
                behaviors: vec!["*".to_owned()],
            }],
        }
    }

    fn ready(&self) -> Result<(), NotReady> {
        self.not_ready.map_or(Ok(()), |reason| Err(NotReady(reason.to_owned())))
    }

    async fn reload(&self) -> Result<Reloaded, Vec<String>> {
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        self.reloads.fetch_add(1, Ordering::SeqCst);
        match self.problems.as_slice() {
            [] => Ok(Reloaded { generation: 2, distributions: 1, functions: 3, ..Reloaded::default() }),
            [panic] if panic == "panic" => panic!("as the test wants it"),
            problems => Err(problems.to_vec()),
        }
    }

    fn purge(&self, purge: &Purge) -> Result<Purged, NotPurged> {
        match &purge.target {
            Target::Url { host, path } if host == "a.com" => Ok(Purged {
                at: Timestamp::from_secs(951_782_400),
                removed: 1,
                bytes: 100,
                fetches: 2,
                examples: vec![format!("https://{host}{path}")],
            }),
            Target::Prefix { host, .. } if host == "a.com" => Ok(Purged {
                removed: 12,
                bytes: 1200,
                examples: (0..12).map(|n| format!("https://a.com/{n}")).collect(),
                ..Purged::default()
            }),
            Target::Url { host, .. } | Target::Prefix { host, .. } => Err(NotPurged::UnknownHost(host.clone())),
            Target::Tag { .. } | Target::Host { .. } | Target::Everything => Ok(Purged::default()),
        }
    }

    async fn explain(&self, explain: Explain) -> Explanation {
        let text = format!("{} {}\n", explain.request.method, explain.request.path_and_query());
        Explanation { explanation: json!({ "tls": explain.tls }), text }
    }

    fn metrics(&self) -> String {
        "# TYPE rimward_requests_total counter\nrimward_requests_total 3\n".to_owned()
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        vec![FunctionInfo {
            name: "ab-test".into(),
            tier: Tier::Viewer,
            file: "index.js".to_owned(),
            version: "1f".to_owned(),
            source: CodeSource::File,
            throttled_until: None,
            problem: None,
            places: vec![Place { distribution: "E1".into(), path: "*".to_owned(), hook: Hook::ViewerRequest }],
        }]
    }
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    pub(crate) body: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.head.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) async fn ask_with(
    node: Fake,
    method: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Body,
) -> Answer {
    let mut map = HeaderMap::new();
    map.insert(header::HOST, HeaderValue::from_static("localhost:8081"));
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let bound = "127.0.0.1:8081".parse().unwrap();
    let (head, body) = Admin::new(Arc::new(node)).call(bound, &method, path, &map, body).await;
    Answer { head, body: String::from_utf8(body.collect(1 << 20).await.unwrap().to_vec()).unwrap() }
}

async fn ask(method: &str, path: &str) -> Answer {
    ask_with(Fake::default(), method, path, &[], Body::Empty).await
}

async fn purge(body: &str) -> Answer {
    let json = [("content-type", "application/json; charset=utf-8")];
    ask_with(Fake::default(), "POST", "/purge", &json, body.to_owned().into()).await
}

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
        "cache": { "objects": 4, "bytes": 5, "limit": 6 },
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
async fn a_reload_tells_what_is_served_now() {
    let answer = ask("POST", "/reload").await;
    assert_eq!(answer.head.status, 200);
    let expected = json!({ "generation": 2, "distributions": 1, "functions": 3, "warnings": [], "needs-restart": [] });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_wrong_configuration_is_told_and_the_old_one_serves() {
    let node =
        Fake { problems: vec!["error: unknown key".to_owned(), "error: no origin".to_owned()], ..Fake::default() };
    let answer = ask_with(node, "POST", "/reload", &[], Body::Empty).await;
    assert_eq!(answer.head.status, 422);
    let told = answer.json();
    assert_eq!(told["diagnostics"], json!(["error: unknown key", "error: no origin"]));
    assert_eq!(told["error"], "the new configuration is wrong; the old one keeps serving");
}

#[tokio::test]
async fn a_reload_that_breaks_is_an_error_of_ours() {
    let node = Fake { problems: vec!["panic".to_owned()], ..Fake::default() };
    let answer = ask_with(node, "POST", "/reload", &[], Body::Empty).await;
    assert_eq!(
        (answer.head.status.as_u16(), answer.json()["error"].as_str()),
        (500, Some("reading the configuration ended in a panic"))
    );
}

#[tokio::test]
async fn one_reload_at_a_time_and_it_ends_though_its_caller_leaves() {
    let hold = Arc::new(Notify::new());
    let admin = Admin::new(Arc::new(Fake { hold: Some(Arc::clone(&hold)), ..Fake::default() }));
    {
        let mut first = std::pin::pin!(admin.reload());
        // Polled once, it has its turn; dropped at the end of this block, its caller has left.
        std::future::poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let (head, _) = admin.reload().await.finish(&Method::POST);
        assert_eq!(head.status, 409);
    }
    hold.notify_one();
    // The turn comes back when the first one has ended.
    let turn = admin.reloading.lock().await;
    assert_eq!(admin.node.reloads.load(Ordering::SeqCst), 1);
    drop(turn);
}

#[tokio::test]
async fn a_purge_has_a_receipt() {
    let answer = purge(r#"{"url":"https://a.com/x?y"}"#).await;
    assert_eq!(answer.head.status, 200);
    let mut receipt = answer.json();
    assert!(receipt["microseconds"].take().is_u64());
    let expected = json!({
        "target": { "host": "a.com", "url": "/x?y" },
        "removed": 1,
        "bytes": 100,
        "fetches": 2,
        "examples": ["https://a.com/x?y"],
        "soft": false,
        "dry-run": false,
        "at": "2000-02-29T00:00:00Z",
        "microseconds": null,
    });
    assert_eq!(receipt, expected);
    let answer = purge(r#"{"prefix":"https://a.com/*","dry-run":true}"#).await;
    assert_eq!(answer.json()["examples"].as_array().unwrap().len(), 10);
    assert_eq!((&answer.json()["removed"], &answer.json()["dry-run"]), (&json!(12), &json!(true)));
    assert_eq!(purge(r#"{"tag":"a","host":"a.com"}"#).await.json()["target"], json!({ "tag": "a", "host": "a.com" }));
    let soft = purge(r#"{"everything":true,"soft":true}"#).await.json();
    assert_eq!((&soft["target"], &soft["soft"]), (&json!({ "everything": true }), &json!(true)));
}

#[tokio::test]
async fn a_wrong_purge_is_told_how_to_mend_it() {
    for (body, status, error) in [
        ("{", 400, "the body is not what it should be: EOF while parsing an object at line 1 column 1"),
        ("{}", 422, "a purge has exactly one of `url`, `prefix`, `tag`, `host` and `everything`, or `tag` and `host`"),
        (r#"{"url":"/x"}"#, 422, "`/x` is not a URL with scheme and host"),
        (r#"{"url":"https://b.com/x"}"#, 422, "no distribution serves `b.com`"),
    ] {
        let answer = purge(body).await;
        assert_eq!(answer.head.status, status, "{body}");
        assert_eq!(answer.json()["error"], error);
        assert!(answer.json()["hint"].is_string());
    }
}

#[tokio::test]
async fn a_request_is_explained() {
    let json = [("content-type", "application/json")];
    let explain = |body: &'static str| ask_with(Fake::default(), "POST", "/explain", &json, body.into());
    let answer = explain(r#"{"url":"https://a.com/x?y","method":"HEAD"}"#).await;
    assert_eq!(answer.json(), json!({ "explanation": { "tls": true }, "text": "HEAD /x?y\n" }));
    let wrong = explain(r#"{"url":"https://a.com/","headers":["a"]}"#).await;
    assert_eq!((wrong.head.status.as_u16(), wrong.json()["error"].as_str()), (422, Some("`a` is no header")));
    assert_eq!(explain("{").await.head.status, 400);
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
