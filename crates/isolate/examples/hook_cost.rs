//! What viewer functions cost: `cargo run --release -p rimward-isolate --example hook_cost -- [--token SECRET] FILE.js ...`
//!
//! Runs each file on a browser-like request (650 bytes of headers) and prints time, fuel, pages and publish time. With `--token` the request
//! carries a JWT, signed with that secret, as bearer token and as query parameter. `--many N` publishes N variants of the first file.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rimward_isolate::{Function, Invocation, Isolates, Limits, Options, Runtime, Source};
use rimward_types::Timestamp;
use rimward_wire::event::{Event, Pair, Request, Response};
use rimward_wire::reply::Reply;
use sha2::Sha256;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RUNS: usize = 20_000;
const HEADERS: [(&str, &str); 10] = [
    ("host", "www.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    ),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.9,de;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://www.example.com/products/list"),
    ("cache-control", "max-age=0"),
    ("upgrade-insecure-requests", "1"),
    ("sec-fetch-mode", "navigate"),
    ("x-custom-trace", "1-67891233-abcdef012345678912345678"),
];

fn event(token: Option<&str>, with_response: bool) -> Vec<u8> {
    let pair = |(name, value)| Pair { name, value };
    let mut headers: Vec<_> = HEADERS.into_iter().map(pair).collect();
    let bearer = token.map(|token| format!("Bearer {token}"));
    headers.extend(bearer.as_deref().map(|value| Pair { name: "authorization", value }));
    let cookies =
        [("sid", "8f3b0c9d2e7a4f61b5c8"), ("theme", "dark"), ("_ga", "GA1.2.1234567890.1718000000")].map(pair).to_vec();
    let query = token.map_or("id=42&sort=price&utm_source=x".to_owned(), |token| format!("id=42&jwt={token}"));
    let request = Request { method: "GET", uri: "/products/shoes", query: Some(&query), headers, cookies };
    let response_headers = vec![pair(("content-type", "text/html")), pair(("cache-control", "max-age=60"))];
    let response = Response { status: 200, description: "OK", headers: response_headers, cookies: Vec::new() };
    let event = Event {
        distribution_domain_name: "d111111abcdef8.cloudfront.net",
        distribution_id: "EDFDVBD6EXAMPLE",
        request_id: "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==",
        viewer_ip: "198.51.100.11",
        request,
        response: with_response.then_some(response),
    };
    let mut bytes = Vec::new();
    event.write(&mut bytes);
    bytes
}

fn token(secret: &str) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let head = encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = encode(br#"{"sub":"1234567890","name":"John Doe","nbf":1516239022,"exp":4102444800}"#);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{head}.{claims}").as_bytes());
    format!("{head}.{claims}.{}", encode(&mac.finalize().into_bytes()))
}

fn at(sorted: &[Duration], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1000.0
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut files, mut secret, mut many) = (Vec::new(), None, 0usize);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--token" => secret = arguments.next(),
            "--many" => many = arguments.next().unwrap().parse().unwrap(),
            _ => files.push(argument),
        }
    }
    let started = Instant::now();
    let options = Options { verify: false, ..Options::new(std::env::temp_dir().join("rimward-hook-cost")) };
    let isolates = Isolates::start(&options).unwrap();
    println!("start {:?} ({:?}), restoring by {:?}", started.elapsed(), isolates.code_origin(), isolates.restoring());
    isolates.warm_thread();
    let token = secret.as_deref().map(token);
    let limits = Limits { time: Duration::from_millis(20), code: 40 << 10, ..Limits::default() };
    let mut invocation =
        Invocation { now: Timestamp::from_secs(1_800_000_000), seed: 1, server: None, count_fuel: false };
    for file in &files {
        let mut code = std::fs::read_to_string(file).unwrap();
        if let Some(secret) = &secret {
            code = code.replace("@JWT_KEY@", secret);
        }
        let source = Source {
            name: file.as_str().into(),
            code: code.as_bytes(),
            runtime: Runtime::V2,
            entry: Default::default(),
            limits,
            kv: None,
            bindings: Arc::default(),
        };
        let started = Instant::now();
        let function = isolates.publish(&source).unwrap_or_else(|error| panic!("{file}: {error}"));
        let published = started.elapsed();
        let event = event(token.as_deref(), file.contains("response"));
        invocation.count_fuel = true;
        let exact = function.run(&event, invocation, |_| ()).cost;
        invocation.count_fuel = false;
        let outcome = function.run(&event, invocation, |reply| match Reply::read(reply).unwrap() {
            Reply::Request { uri, .. } => format!("request {uri:?}"),
            Reply::Response { status, .. } => format!("response {status}"),
            Reply::Connection { decision, .. } => format!("connection {decision:?}"),
            Reply::Failed { message, .. } => format!("failed {message}"),
        });
        let (mut whole, mut inside, mut pages) = (Vec::new(), Vec::new(), 0);
        for n in 0..RUNS + 2_000 {
            let started = Instant::now();
            let run = function.run(&event, invocation, <[u8]>::len);
            let took = started.elapsed();
            if n >= 2_000 {
                whole.push(took);
                inside.push(run.cost.time);
                pages = pages.max(run.cost.dirty_pages);
            }
        }
        whole.sort_unstable();
        inside.sort_unstable();
        println!(
            "{file}: {:?}\n  whole p50 {:.1} p99 {:.1} µs, least {:.1}; handle p50 {:.1} least {:.1}; fuel {}, pages changed {}, copied {pages}; \
             published in {published:?}, {} pages{}",
            outcome.result,
            at(&whole, 0.5),
            at(&whole, 0.99),
            at(&whole, 0.0),
            at(&inside, 0.5),
            at(&inside, 0.0),
            exact.fuel.unwrap_or_default(),
            exact.dirty_pages,
            function.footprint().pages,
            if function.footprint().top_level_per_run { ", top level per run" } else { "" },
        );
    }
    if many > 0 {
        let code = std::fs::read_to_string(&files[0]).unwrap();
        let (before, started) = (resident(), Instant::now());
        let functions: Vec<_> = (0..many)
            .map(|n| {
                let code = format!("var variant{n} = 'number {n}';\n{code}");
                isolates
                    .publish(&Source {
                        name: "many".into(),
                        code: code.as_bytes(),
                        runtime: Runtime::V2,
                        entry: Default::default(),
                        limits,
                        kv: None,
                        bindings: Arc::default(),
                    })
                    .unwrap()
            })
            .collect();
        let took = started.elapsed();
        println!("{many} functions: {took:?}, resident {} -> {} KB, {:?}", before, resident(), isolates.page_use());
        let event = event(token.as_deref(), false);
        let timed = |function: &Arc<Function>| {
            let started = Instant::now();
            let _ = function.run(&event, invocation, <[u8]>::len);
            started.elapsed()
        };
        let (mut one, mut turns) = (Vec::new(), Vec::new());
        for _ in 0..RUNS.div_ceil(many) {
            one.extend(functions.iter().map(|_| timed(&functions[0])));
            turns.extend(functions.iter().map(timed));
        }
        for (name, mut times) in [("one of them", one), ("in turns", turns)] {
            times.sort_unstable();
            println!("{name}: p50 {:.1} µs, least {:.1}", at(&times, 0.5), at(&times, 0.0));
        }
    }
}
