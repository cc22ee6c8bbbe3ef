//! WebSocket with an origin (RFC 6455 section 4): the handshake, what proves that the origin agreed, and the connection
//! after it.

use crate::arriving::Lease;
use crate::stream::Stream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue};
use rimward_types::Tunnel;
use rimward_types::head::lists;
use sha1::{Digest, Sha1};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

/// RFC 6455 section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` of an origin that agrees to a handshake; `None` for one without key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof(Option<String>);

/// Makes a request a handshake. What an origin must answer is made of the key that goes to it, which may be another than
/// the viewer's, or none where the behavior does not forward it.
pub(crate) fn ask(headers: &mut HeaderMap) -> Proof {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    Proof(headers.get(SEC_WEBSOCKET_KEY).map(|key| accept(key.as_bytes())))
}

/// RFC 6455 section 4.2.2 item 5.
fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key.trim_ascii()).chain_update(GUID).finalize())
}

impl Proof {
    /// What is wrong with a 101; `None` when the origin knows what it agreed to. The status alone proves nothing: an
    /// origin that can be made to answer with any status would open a way past everything that judges requests.
    pub(crate) fn fault(&self, headers: &HeaderMap) -> Option<&'static str> {
        let Some(expected) = &self.0 else { return Some("it switches protocols without Sec-WebSocket-Key") };
        if !lists(headers, &UPGRADE, b"websocket") || !lists(headers, &CONNECTION, b"upgrade") {
            return Some("it switches to another protocol than asked");
        }
        let mut given = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter();
        match (given.next(), given.next()) {
            (Some(given), None) if given.as_bytes().trim_ascii() == expected.as_bytes() => None,
            _ => Some("its Sec-WebSocket-Accept is not that of the key"),
        }
    }
}

/// The connection after 101. It never goes back to the pool, and counts among the origin's until it is closed.
pub(crate) fn tunnel(lease: Lease) -> Tunnel {
    let Lease { channel, permit, tunnel, .. } = lease;
    let parts = channel.driver.into_parts();
    Tunnel::new(Box::new(Switched { ahead: parts.read_buf, stream: parts.io.into_inner(), _permits: (permit, tunnel) }))
}

/// A connection that has changed its protocol.
struct Switched {
    /// What came right behind the head of 101.
    ahead: Bytes,
    stream: Stream,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl AsyncRead for Switched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        let len = this.ahead.len().min(buffer.remaining());
        buffer.put_slice(&this.ahead[..len]);
        this.ahead.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Switched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The key of RFC 6455 section 1.3, and what agrees to it.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_proof_is_that_of_the_key_and_asks_for_all_three_fields() {
        let mut request = headers(&[("sec-websocket-key", KEY), ("connection", "close"), ("upgrade", "h2c")]);
        let proof = ask(&mut request);
        assert_eq!(
            (&request["connection"], &request["upgrade"]),
            (&"Upgrade".parse().unwrap(), &"websocket".parse().unwrap())
        );
        let (upgrade, connection, accept) =
            (("upgrade", "WebSocket"), ("connection", "keep-alive, upgrade"), ("sec-websocket-accept", ACCEPT));
        assert_eq!(proof.fault(&headers(&[upgrade, connection, accept])), None);
        for given in [
            &[connection, accept][..],
            &[upgrade, accept],
            &[upgrade, connection],
            &[("upgrade", "h2c"), connection, accept],
            &[upgrade, ("connection", "keep-alive"), accept],
            &[upgrade, connection, ("sec-websocket-accept", KEY)],
            &[upgrade, connection, accept, accept],
        ] {
            assert!(proof.fault(&headers(given)).is_some(), "{given:?}");
        }
        let unkeyed = ask(&mut HeaderMap::new());
        assert!(unkeyed.fault(&headers(&[upgrade, connection, accept])).is_some());
    }
}
