//! The proxy as the server's service.

use rimward_proxy::{Proxy, RefusedRequest};
use rimward_server::{Refused, Service};
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
