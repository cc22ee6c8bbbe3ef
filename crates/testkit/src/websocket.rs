//! WebSocket handshakes (RFC 6455 section 1.3). What follows them is bytes to whoever does not look into them.

use crate::Answer;

/// A key, and what agrees to it.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// See [`KEY`].
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request of a viewer; `fields` are further header lines, each with its line end.
pub fn handshake(path: &str, fields: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{fields}\r\n"
    )
}

/// The answer of an origin that agrees; `fields` as with [`handshake`]. More may follow with [`Answer::then`] and
/// [`Answer::then_echo`].
pub fn agreed(fields: &str) -> Answer {
    Answer::raw(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{fields}\r\n"
    ))
}
