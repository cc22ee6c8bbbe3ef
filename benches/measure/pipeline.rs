//! What a request costs from head to last byte, without the socket: hits, a hit behind a hook, what is passed on, a miss;
//! and what it takes when ten thousand viewers ask for the same at once.

use http_body_util::BodyExt;
use rimward_benches::sample::Subject;
use rimward_benches::{Report, allocations, alternate};
use rimward_cache::Cache;
use rimward_hooks::{Engines, Functions, Versions};
use rimward_isolate::Isolates;
use rimward_kv::Stores;
use rimward_origin::Origins;
use rimward_proxy::{Live, Parts, Proxy, Records};
use rimward_sandbox::Sandbox;
use rimward_telemetry::{AccessLog, ConnectionLog};
use rimward_types::{Body, Connection, Interim, RequestHead, SystemClock, SystemEntropy};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const CONFIG: &str = "[origins.app]\nurl = \"builtin:demo\"\n\
    [functions.tag]\ncode = \"functions/tag.js\"\n\
    [[distributions]]\ndomains = [\"*\"]\n\
    [[distributions.behaviors]]\npath = \"/hooked/*\"\norigin = \"app\"\nviewer-request = \"tag\"\n\
    [[distributions.behaviors]]\npath = \"/passed/*\"\norigin = \"app\"\ncache-policy = \"off\"\n\
    [[distributions.behaviors]]\npath = \"*\"\norigin = \"app\"\n\
    [cache-policies.off]\nenabled = false\n";

/// Viewers who ask for the same at once.
const VIEWERS: usize = 10_000;
/// Bytes of what they ask for.
const SHARED: usize = 1_000_000;

#[global_allocator]
static COUNTED: allocations::Counted = allocations::Counted;

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
        live: Live::new(config, functions, Arc::default()),
        cache: Cache::new(rimward_cache::Options::default(), Arc::new(SystemClock)),
        origins: Origins::new(),
        records: Records { metrics: Arc::default(), log: AccessLog::off(), connections: ConnectionLog::off() },
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

/// A request that takes no coding: what is stored has the size that its URL says.
fn plain(path: &str) -> RequestHead {
    let mut head = request(path);
    head.headers.remove("accept-encoding");
    head
}

fn connection() -> Arc<Connection> {
    Arc::new(Connection::new(([203, 0, 113, 7], 4711).into(), ([127, 0, 0, 1], 80).into(), None))
}

/// Ten thousand viewers, none of whom has been served when the last one comes: one fetch, and one body in memory.
async fn collapse(proxy: &Arc<Proxy>, report: &mut Report) {
    let path = format!("/size/{SHARED}");
    allocations::peak();
    let before = allocations::held();
    let viewers: Vec<_> = (0..VIEWERS)
        .map(|_| {
            let (proxy, head) = (proxy.clone(), plain(&path));
            tokio::spawn(async move {
                let (head, body) = proxy.serve(connection(), head, Body::Empty, Interim::default()).await;
                let serial = head.header("x-demo-serial").unwrap_or_default().to_owned();
                let body = body.collect().await.expect("the body arrives").to_bytes();
                assert_eq!(body.len(), SHARED);
                serial
            })
        })
        .collect();
    let mut serials = std::collections::BTreeSet::new();
    for viewer in viewers {
        serials.insert(viewer.await.expect("an answer"));
    }
    let grown = allocations::peak() - before;
    report.number("collapse/10000/origin-requests", serials.len() as f64);
    report.number("collapse/10000/kb-each", grown as f64 / 1024.0 / VIEWERS as f64);
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let proxy = runtime.block_on(proxy());
    let connection = connection();
    let ask = |head: RequestHead| {
        runtime.block_on(async {
            let (head, body) = proxy.serve(connection.clone(), head, Body::Empty, Interim::default()).await;
            body.collect().await.expect("the body arrives");
            head
        })
    };
    let expect = |head: RequestHead, x_cache: &str| {
        ask(head.clone());
        let answer = ask(head);
        assert!(answer.header("x-cache").is_some_and(|v| v.starts_with(x_cache)), "{answer:?}");
    };
    let subjects = [
        ("hit", request("/cache/max-age/3600"), "Hit"),
        ("hit-1kb", plain("/size/1024"), "Hit"),
        ("hit-100kb", plain("/size/102400"), "Hit"),
        ("hit-behind-hook", request("/hooked/page"), "Hit"),
        ("pass", plain("/passed/page"), "Miss"),
        ("miss", request("/echo"), "Miss"),
    ];
    let mut report = Report::new("pipeline");
    for (name, head, x_cache) in &subjects {
        expect(head.clone(), x_cache);
        let (_, calls) = allocations::calls_of(|| ask(head.clone()));
        report.number(&format!("{name}/allocations"), calls as f64);
    }
    let mut timed: Vec<Subject<'_>> = subjects
        .iter()
        .map(|(name, head, _)| (*name, Box::new(|| drop(ask(head.clone()))) as Box<dyn FnMut()>))
        .collect();
    for (name, times) in alternate(10, 2000, &mut timed) {
        report.times(name, &times);
    }
    runtime.block_on(collapse(&proxy, &mut report));
    report.finish()
}
