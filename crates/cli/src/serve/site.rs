//! The proxy as the server's service.

use rimward_proxy::{Arrived, Proxy, RefusedRequest};
use rimward_server::{Handshake, HandshakeFailure, Refused, Service};
use rimward_types::{Body, Connection, Interim, RequestHead, ResponseHead};
use std::sync::Arc;

/// What answers requests.
pub struct Site {
    proxy: Arc<Proxy>,
}

impl Site {
    /// Answers with `proxy`.
    pub fn new(proxy: Arc<Proxy>) -> Self {
        Self { proxy }
    }
}

impl Service for Site {
    async fn call(
        &self,
        connection: Arc<Connection>,
        head: RequestHead,
        body: Body,
        interim: Interim,
    ) -> (ResponseHead, Body) {
        let (head, body) = self.proxy.serve(connection, head, body, interim).await;
        (head, body.into_body())
    }

    fn begins_call(&self, connection: &Connection, head: &RequestHead) -> bool {
        self.proxy.begins_call(connection, head)
    }

    async fn handshake(&self, handshake: Handshake) -> bool {
        let Handshake { distribution, peer, local, server_name, certificate, outcome, took } = handshake;
        let outcome = outcome.map_err(HandshakeFailure::as_str);
        let arrived = Arrived { distribution, peer, local, server_name, certificate, outcome, handshake: took };
        self.proxy.connect(arrived)
    }

    fn refused(&self, connection: &Connection, refused: &Refused<'_>) -> (ResponseHead, Body) {
        tracing::debug!(
            viewer = %connection.peer,
            refusal = refused.refusal.as_str(),
            line = %refused.line.escape_ascii(),
            "request refused"
        );
        let (head, body) = refused.refusal.page();
        let refused = RefusedRequest { line: refused.line, version: refused.version, reason: refused.refusal.as_str() };
        let (head, body) = self.proxy.refused(connection, &refused, head, body);
        (head, body.into_body())
    }
}
