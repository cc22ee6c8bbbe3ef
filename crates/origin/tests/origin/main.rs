//! Requests to origins through real sockets.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod bodies;
mod connections;
mod failures;
mod grpc;
mod messages;
mod timeouts;
mod tls;
mod websocket;

use rimward_config::{Origin as Configured, OriginUrl};
use rimward_origin::{Fetched, OriginError, Origins};
use rimward_testkit::{Origin, soon};
use rimward_types::{Body, RequestHead};
use std::net::SocketAddr;
use std::time::Duration;

/// A limit that a test waits for: short, so that the test is quick.
const SHORT: Duration = Duration::from_millis(60);

/// An origin at `address`.
fn at(address: SocketAddr) -> Configured {
    let (host, port) = (address.ip().to_string(), address.port());
    Configured::new("app", OriginUrl::Http { tls: false, host, port, path: String::new() })
}

fn of(origin: &Origin) -> Configured {
    at(origin.address())
}

fn post(path: &str) -> RequestHead {
    RequestHead { method: http::Method::POST, ..RequestHead::get(path) }
}

async fn fetch(origins: &Origins, origin: &Configured, head: RequestHead, body: Body) -> Result<Fetched, OriginError> {
    soon("an answer or an error", origins.fetch(origin, head, body)).await
}

async fn get(origins: &Origins, origin: &Configured, target: &str) -> Result<Fetched, OriginError> {
    fetch(origins, origin, RequestHead::get(target), Body::Empty).await
}

async fn text(fetched: Fetched) -> String {
    let body = soon("a body", fetched.body.collect(u64::MAX)).await.expect("a whole body");
    String::from_utf8(body.to_vec()).expect("text")
}
