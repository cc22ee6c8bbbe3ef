//! What a request costs from head to last byte, without the socket: a hit, a hit behind a hook, a miss.

use http_body_util::BodyExt;
use rimward_benches::sample::Subject;
use rimward_benches::{Report, alternate};
use rimward_cache::Cache;
use rimward_hooks::{Engines, Functions, Versions};
use rimward_isolate::Isolates;
use rimward_kv::Stores;
use rimward_origin::Origins;
use rimward_proxy::{Live, Parts, Proxy, Records};
use rimward_sandbox::Sandbox;
use rimward_telemetry::{AccessLog, Metrics};
use rimward_types::{Body, Connection, Interim, RequestHead, SystemClock, SystemEntropy};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const CONFIG: &str = "[origins.app]\nurl = \"builtin:demo\"\n\
    [functions.tag]\ncode = \"functions/tag.js\"\n\
    [[distributions]]\ndomains = [\"*\"]\n\
    [[distributions.behaviors]]\npath = \"/hooked/*\"\norigin = \"app\"\nviewer-request = \"tag\"\n\
    [[distributions.behaviors]]\npath = \"*\"\norigin = \"app\"\n";

async fn proxy() -> Arc<Proxy> {
    let code = std::env::temp_dir().join("rimward-bench-code");
    let engines = Engines {
        isolates: Isolates::start(&rimward_isolate::Options::new(&code)).expect("the viewer tier"),
        sandbox: Sandbox::start(rimward_sandbox::Options { code_cache: Some(code), ..Default::default() })
            .expect("the origin tier"),
        // No function here has a store, and none is published.
        stores: Arc::new(Stores::new("/nowhere")),
        versions: Arc::new(Versions::new("/nowhere")),
        clock: Arc::new(SystemClock),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = rimward_config::parse(CONFIG, folder, "bench.toml").expect("a right configuration");
    let (functions, problems) = Functions::publish(&config, &engines, &Functions::default()).await;
    assert!(problems.is_empty(), "{problems:?}");
    Proxy::new(Parts {
        live: Live::new(config, functions),
        cache: Cache::new(rimward_cache::Options::default(), Arc::new(SystemClock)),
        origins: Origins::new(),
        records: Records { metrics: Arc::new(Metrics::default()), log: AccessLog::off() },
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    })
}

fn request(path: &str) -> RequestHead {
    let mut head = RequestHead::get(path);
    for (name, value) in [
        ("host", "www.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
        ("accept-encoding", "gzip, deflate, br"),
        ("cookie", "_ga=GA1.2.1370410871.1764000000; theme=dark; sid=0f3c9a7b51e24d68"),
    ] {
        head.headers.insert(name, http::HeaderValue::from_static(value));
    }
    head
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let proxy = runtime.block_on(proxy());
    let connection = Arc::new(Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None));
    let ask = |path: &str| {
        runtime.block_on(async {
            let (head, body) = proxy.serve(connection.clone(), request(path), Body::Empty, Interim::default()).await;
            body.collect().await.expect("the body arrives");
            head
        })
    };
    let expect = |path: &str, x_cache: &str| {
        ask(path);
        let head = ask(path);
        assert!(head.header("x-cache").is_some_and(|v| v.starts_with(x_cache)), "{path}: {head:?}");
    };
    expect("/cache/max-age/3600", "Hit");
    expect("/hooked/page", "Hit");
    expect("/echo", "Miss");
    let mut subjects: Vec<Subject<'_>> = vec![
        ("hit", Box::new(|| drop(ask("/cache/max-age/3600")))),
        ("hit-behind-hook", Box::new(|| drop(ask("/hooked/page")))),
        ("miss", Box::new(|| drop(ask("/echo")))),
    ];
    let mut report = Report::new("pipeline");
    for (name, times) in alternate(10, 2000, &mut subjects) {
        report.times(name, &times);
    }
    report.finish()
}
