#![allow(clippy::unwrap_used)]

use super::*;
use http::HeaderValue;
use rimward_config::Networks;
use rimward_types::{Hook, Stage, Timestamp};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

mod answers;
mod changes;
mod refusals;

/// A node that does as it is told.
#[derive(Default)]
pub(crate) struct Fake {
    not_ready: Option<&'static str>,
    problems: Vec<String>,
    /// Networks that may use the API, besides the machine itself.
    admitted: &'static [&'static str],
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
    fn admitted(&self) -> Networks {
        let mut admitted = Networks::loopback();
        self.admitted.iter().for_each(|network| admitted.add(network).unwrap());
        admitted
    }

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
            cache: CacheStatus { objects: 4, bytes: 5, held: 1, limit: 6, disk: None },
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
    let bound: SocketAddr = "127.0.0.1:8081".parse().unwrap();
    let (head, body) = Admin::new(Arc::new(node)).call(bound.ip(), bound, &method, path, &map, body).await;
    Answer { head, body: String::from_utf8(body.collect(1 << 20).await.unwrap().to_vec()).unwrap() }
}

async fn ask(method: &str, path: &str) -> Answer {
    ask_with(Fake::default(), method, path, &[], Body::Empty).await
}

async fn purge(body: &str) -> Answer {
    let json = [("content-type", "application/json; charset=utf-8")];
    ask_with(Fake::default(), "POST", "/purge", &json, body.to_owned().into()).await
}
