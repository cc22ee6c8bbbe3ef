//! What a call costs: `cargo run --release -p rimward-sandbox --example call_cost -- COMPONENT.wasm [HOOK] [COUNT]`.
//!
//! Prints publish time, and the time of a call in an instance that is used again and in one that is made for it.

use std::error::Error;
use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode};
use rimward_event::ViewerContext;
use rimward_event::lambda::{CustomOrigin, LambdaEvent, LambdaOrigin, Protocol, SslProtocol};
use rimward_sandbox::{Function, Options, Sandbox, Spec};
use rimward_types::{Hook, RequestHead, ResponseHead};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: call_cost COMPONENT.wasm [HOOK] [COUNT]")?;
    let name = arguments.next().unwrap_or_else(|| "origin-request".to_owned());
    let hook = Hook::ALL.into_iter().find(|hook| hook.as_str() == name).ok_or("no such hook")?;
    let count: usize = arguments.next().map_or(Ok(20_000), |count| count.parse())?;

    let mut request = RequestHead::get("/select/page?a=1&b=2");
    for (name, value) in [
        ("host", "www.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-GB,en;q=0.7"),
        ("x-forwarded-for", "203.0.113.178"),
        ("via", "2.0 abc.cdn (edge)"),
        ("x-origin", "beta"),
    ] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    let origin = LambdaOrigin::Custom(CustomOrigin {
        domain_name: "app".to_owned(),
        path: String::new(),
        custom_headers: Vec::new(),
        port: 80,
        protocol: Protocol::Http,
        keepalive_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(30),
        completion_timeout: None,
        ssl_protocols: vec![SslProtocol::TlsV1_2],
    });
    let response = ResponseHead::new(StatusCode::NOT_FOUND);
    let event = LambdaEvent {
        hook,
        context: ViewerContext {
            distribution_domain_name: "d111111abcdef8.cloudfront.net",
            distribution_id: "EDFDVBD6EXAMPLE",
            request_id: "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
            viewer_ip: "203.0.113.178",
        },
        request: &request,
        body: None,
        origin: Some(&origin),
        response: hook.is_response().then_some(&response),
    };

    let sandbox = Sandbox::start(Options::default())?;
    let component = std::fs::read(path)?;
    let mut spec = Spec::new("measured", component);
    let start = Instant::now();
    let reused = sandbox.publish(spec.clone()).await?;
    println!("publish      {:>10.1} ms ({:?})", start.elapsed().as_secs_f64() * 1e3, sandbox.usage());
    spec.fresh = true;
    let fresh = sandbox.publish(spec).await?;
    measure("reused", &reused, &event, count).await?;
    measure("fresh", &fresh, &event, count / 20).await?;
    Ok(())
}

async fn measure(name: &str, function: &Function, event: &LambdaEvent<'_>, count: usize) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::with_capacity(count);
    let mut memory = 0;
    for _ in 0..count.max(1) {
        let start = Instant::now();
        let invocation = function.invoke(event).await;
        times.push(start.elapsed());
        memory = invocation.cost.memory;
        invocation.result?;
    }
    times.sort();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e6;
    println!(
        "{name:<10} p50 {:>8.1} µs  p90 {:>8.1} µs  p99 {:>8.1} µs  max {:>8.1} µs  memory {:.1} MB  n={count}",
        at(50),
        at(90),
        at(99),
        at(100),
        memory as f64 / f64::from(1 << 20),
    );
    Ok(())
}
