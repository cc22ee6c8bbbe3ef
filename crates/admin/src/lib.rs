//! The admin API: what a node tells of itself, and what it can be told.
//!
//! | | |
//! |---|---|
//! | `GET /health` | the process answers |
//! | `GET /ready` | it serves: 200, or 503 with the reason |
//! | `GET /status` | configuration, listeners, distributions, cache |
//! | `GET /metrics` | Prometheus text |
//! | `GET /functions` | functions, where they run, whether they work |
//! | `POST /reload` | reads the configuration again; a wrong one is told and changes nothing |
//! | `POST /purge` | removes stored answers |
//! | `POST /explain` | tells why a request would be answered as it would |
//! | `/key-value-stores` | see [`key_values`] |
//! | `/functions/NAME` | see [`functions`] |
//!
//! - [`node`]: what the API needs of a node, as a trait: this crate knows no proxy.
//! - [`purge`], [`explain`]: what `POST /purge` and `POST /explain` ask for.
//! - [`key_values`]: key value stores. [`functions`]: stages and versions of viewer functions.
//! - [`guard`]: who may not use it, and what a web page made a browser send, is refused.
//! - `url`: URLs in what is asked for. `request`: what parts ask of a request. `reply`: answers as JSON.
//!
//! There is no password: whom `node.acl.admin` lists may do everything. By default that is the machine itself.

pub mod explain;
pub mod functions;
pub mod guard;
pub mod key_values;
pub mod node;
pub mod purge;
mod reply;
mod request;
mod url;

pub use explain::{Explain, InvalidExplain};
pub use functions::{Expected, Numbered, Refusal, Staged, StagedFunctions, Tested};
pub use guard::Foreign;
pub use key_values::KeyValues;
pub use node::{
    CacheStatus, CodeSource, ConfigurationStatus, DiskProblem, DiskStatus, DistributionStatus, Explanation,
    FunctionInfo, Node, NotPurged, NotReady, Place, Purged, Reloaded, Status, Tier,
};
pub use purge::{InvalidPurge, Purge, Target};
pub use url::InvalidUrl;

use http::{HeaderMap, Method, StatusCode, header};
use reply::Reply;
use request::Request;
use rimward_server::{Seldom, Service};
use rimward_types::{Body, BodyError, Connection, Interim, RequestHead, ResponseHead};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;

/// The largest body that a request may have, in bytes.
pub const MAX_BODY: u64 = 64 << 10;

/// The admin API of a node.
pub struct Admin<N> {
    node: Arc<N>,
    /// Held while the configuration is read again: one at a time.
    reloading: Arc<Mutex<()>>,
}

/// What can be asked for.
#[derive(Clone, Copy)]
enum Endpoint {
    Health,
    Ready,
    Status,
    Metrics,
    Functions,
    Reload,
    Purge,
    Explain,
}

const ENDPOINTS: [(&str, Endpoint); 8] = [
    ("/health", Endpoint::Health),
    ("/ready", Endpoint::Ready),
    ("/status", Endpoint::Status),
    ("/metrics", Endpoint::Metrics),
    ("/functions", Endpoint::Functions),
    ("/reload", Endpoint::Reload),
    ("/purge", Endpoint::Purge),
    ("/explain", Endpoint::Explain),
];

impl<N: Node> Admin<N> {
    /// The admin API of `node`.
    pub fn new(node: Arc<N>) -> Self {
        Self { node, reloading: Arc::default() }
    }

    /// Answers a request of `peer` for `path`, with the query after a `?`, that came in at `bound`.
    pub async fn call(
        &self,
        peer: IpAddr,
        bound: SocketAddr,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> (ResponseHead, Body) {
        let answer = match self.check(peer, bound, headers) {
            Ok(()) => self.answer(method, path, headers, body).await,
            Err(foreign) => Err(Reply::error(StatusCode::FORBIDDEN, foreign.to_string(), foreign.hint())),
        };
        answer.unwrap_or_else(|refused| refused).finish(method)
    }

    /// Whether `peer` may use the API, and means it; for everything that is answered at its address.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, peer: IpAddr, bound: SocketAddr, headers: &HeaderMap) -> Result<(), Foreign> {
        static REFUSED: Seldom = Seldom::new();
        let checked = guard::check(&self.node.admitted(), peer, bound, headers);
        if let Err(foreign) = &checked
            && let Some(times) = REFUSED.note(Instant::now())
        {
            tracing::warn!(%peer, times, "refused at the admin API: {foreign}; {}", foreign.hint());
        }
        checked
    }

    async fn answer(&self, method: &Method, path: &str, headers: &HeaderMap, body: Body) -> Result<Reply, Reply> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(below) =
            path.strip_prefix(key_values::ROOT).filter(|below| below.is_empty() || below.starts_with('/'))
        {
            let request = Request { method, path: below, query, headers, body };
            return key_values::answer(&*self.node, request).await;
        }
        if let Some(below) = path.strip_prefix(functions::ROOT) {
            let request = Request { method, path: below, query, headers, body };
            return functions::answer(&*self.node, request).await;
        }
        let Some((_, endpoint)) = ENDPOINTS.iter().find(|(known, _)| *known == path) else {
            let known: Vec<&str> = ENDPOINTS.iter().map(|(path, _)| *path).collect();
            return Err(Reply::error(
                StatusCode::NOT_FOUND,
                "there is nothing here",
                format!("try {}", known.join(", ")),
            ));
        };
        check_method(*endpoint, method)?;
        Ok(match endpoint {
            Endpoint::Health => Reply::json(StatusCode::OK, &json!({ "status": "ok" })),
            Endpoint::Ready => self.ready(),
            Endpoint::Status => Reply::json(StatusCode::OK, &self.node.status()),
            Endpoint::Metrics => Reply::prometheus(self.node.metrics()),
            Endpoint::Functions => Reply::json(StatusCode::OK, &json!({ "functions": self.node.functions() })),
            Endpoint::Reload => {
                // Nothing is asked for in a body; a large one is refused all the same.
                collect(body, MAX_BODY).await?;
                self.reload().await
            }
            Endpoint::Purge => {
                check_json(headers)?;
                self.purge(&collect(body, MAX_BODY).await?).await
            }
            Endpoint::Explain => {
                check_json(headers)?;
                self.explain(&collect(body, MAX_BODY).await?).await
            }
        })
    }

    fn ready(&self) -> Reply {
        match self.node.ready() {
            Ok(()) => Reply::json(StatusCode::OK, &json!({ "status": "ready" })),
            Err(NotReady(reason)) => {
                Reply::json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "reason": reason }))
            }
        }
    }

    async fn reload(&self) -> Reply {
        let Ok(turn) = Arc::clone(&self.reloading).try_lock_owned() else {
            return Reply::error(
                StatusCode::CONFLICT,
                "the configuration is being read already",
                "ask again when it is done",
            );
        };
        // A task of its own: it comes to its end when the caller leaves.
        let node = Arc::clone(&self.node);
        let reloading = tokio::spawn(async move {
            let reloaded = node.reload().await;
            drop(turn);
            reloaded
        });
        match reloading.await {
            Ok(Ok(reloaded)) => {
                tracing::info!(?reloaded, "configuration reloaded");
                Reply::json(StatusCode::OK, &reloaded)
            }
            Ok(Err(diagnostics)) => {
                tracing::warn!(problems = diagnostics.len(), "configuration refused");
                let refused = json!({
                    "error": "the new configuration is wrong; the old one keeps serving",
                    "diagnostics": diagnostics,
                    "hint": "mend the file and ask again",
                });
                Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &refused)
            }
            Err(_) => broke("reading the configuration"),
        }
    }

    async fn purge(&self, body: &[u8]) -> Reply {
        let purge = match Purge::from_json(body) {
            Ok(purge) => purge,
            Err(invalid) => return Reply::error(invalid.status(), invalid.to_string(), invalid.hint()),
        };
        tracing::info!(?purge, "purge");
        // Looking through a large cache takes longer than the executor may be held.
        let node = Arc::clone(&self.node);
        let purging = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            node.purge(&purge).map(|purged| purge.receipt(&purged, began.elapsed()))
        });
        match purging.await {
            Ok(Ok(receipt)) => Reply::json(StatusCode::OK, &receipt),
            Ok(Err(not)) => Reply::error(not.status(), not.to_string(), not.hint()),
            Err(_) => broke("purging"),
        }
    }

    async fn explain(&self, body: &[u8]) -> Reply {
        match Explain::from_json(body) {
            Ok(explain) => Reply::json(StatusCode::OK, &self.node.explain(explain).await),
            Err(invalid) => Reply::error(invalid.status(), invalid.to_string(), invalid.hint()),
        }
    }
}

impl<N: Node> Service for Admin<N> {
    async fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        _interim: Interim,
    ) -> (ResponseHead, Body) {
        let target = head.path_and_query();
        Admin::call(self, connection.peer.ip(), connection.local, &head.method, &target, &head.headers, body).await
    }
}

fn check_method(endpoint: Endpoint, method: &Method) -> Result<(), Reply> {
    let (right, allow) = match endpoint {
        Endpoint::Reload | Endpoint::Purge | Endpoint::Explain => (method == Method::POST, "POST"),
        _ => (method == Method::GET || method == Method::HEAD, "GET, HEAD"),
    };
    if right {
        return Ok(());
    }
    let reply =
        Reply::error(StatusCode::METHOD_NOT_ALLOWED, format!("the method is not {method}"), format!("use {allow}"));
    Err(reply.allowing(allow))
}

fn check_json(headers: &HeaderMap) -> Result<(), Reply> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Reply::error(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body must be JSON",
        "send `Content-Type: application/json`",
    ))
}

async fn collect(body: Body, most: u64) -> Result<bytes::Bytes, Reply> {
    body.collect(most).await.map_err(|error| match error {
        BodyError::TooLarge(limit) => {
            let message = format!("the body is larger than {limit} bytes");
            Reply::error(StatusCode::PAYLOAD_TOO_LARGE, message, "ask in several requests")
        }
        BodyError::TimedOut => {
            Reply::error(StatusCode::REQUEST_TIMEOUT, "the body did not come in time", "send it again")
        }
        BodyError::Origin(_) | BodyError::Viewer(_) | BodyError::Reset { .. } | BodyError::Stored(_) => {
            Reply::error(StatusCode::BAD_REQUEST, error.to_string(), "send it again")
        }
    })
}

/// A bug of ours; the log has the panic.
fn broke(doing: &str) -> Reply {
    let message = format!("{doing} ended in a panic");
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, message, "the node's log says more")
}

#[cfg(test)]
mod tests;
