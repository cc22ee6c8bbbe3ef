//! The server through real sockets: each file one rule of the wire.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod drain;
mod http1;
mod http2;
mod limits;
mod mutual_tls;
mod smuggling;
mod stage;
mod tls;
mod websocket;
