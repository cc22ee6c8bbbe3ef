//! What answers the requests.

use crate::handshake::Handshake;
use crate::refusal::Refused;
use rimward_types::{Body, Connection, Interim, RequestHead, ResponseHead};
use std::future::Future;
use std::sync::Arc;

/// Answers requests. A panic in it is caught: the viewer gets 500, the connection goes on.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. `head.headers` has exactly one `host`; path and query are as sent. Interim answers
    /// go to `interim`. The future is dropped when the viewer leaves.
    fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        interim: Interim,
    ) -> impl Future<Output = (ResponseHead, Body)> + Send;

    /// Whether an HTTP/2 request with a body begins a call: its body goes on as long as the two sides talk, so that neither
    /// `request-body` nor `body-idle` nor `body-rate` holds for it. Bounding how long nothing moves is then the service's part. Must not wait.
    fn begins_call(&self, connection: &Connection, head: &RequestHead) -> bool {
        let _ = (connection, head);
        false
    }

    /// Judges a connection to a distribution with mutual TLS, before its first request: whether it may go on. Is told of those
    /// that came to nothing too; then the answer does not count. Nothing limits its time, and a viewer that leaves is not noticed: the
    /// service must have a limit of its own.
    fn handshake(&self, handshake: Handshake) -> impl Future<Output = bool> + Send {
        let _ = handshake;
        std::future::ready(true)
    }

    /// Answers a request that was refused by the server; the place to record it. Must not wait.
    fn refused(&self, connection: &Connection, refused: &Refused<'_>) -> (ResponseHead, Body) {
        let _ = connection;
        refused.refusal.page()
    }
}
