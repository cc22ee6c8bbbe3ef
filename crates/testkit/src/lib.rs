//! For tests alone: an origin that does what a test says, clients that see every byte, a certificate authority.
//!
//! - [`origin`]: a fake origin on a loopback port, with [`answer`] for what it says and does.
//! - [`raw`]: a TCP client that sends bytes as they are, for requests that no client would send.
//! - [`client`]: an HTTP/1.1 and HTTP/2 client, with and without TLS.
//! - [`websocket`]: the two sides of a handshake.
//! - [`grpc`]: the two ends of a call; [`frames`]: HTTP/2 frame by frame.
//! - [`authority`]: a certificate authority.
//!
//! Nothing here sleeps. Whatever waits has a bound of [`PATIENCE`] and panics past it: a test never hangs.

pub mod answer;
pub mod authority;
pub mod client;
pub mod frames;
pub mod grpc;
pub mod origin;
pub mod raw;
pub mod websocket;

pub use answer::{Answer, Step, step};
pub use authority::{Authority, Identity, Lifetime, PemFiles};
pub use client::Client;
pub use frames::Frames;
pub use grpc::GrpcOrigin;
pub use origin::{Origin, Received};
pub use raw::{Raw, RawResponse};

use std::future::Future;
use std::time::Duration;

/// How long anything may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for `what`, and fails the test when it does not come.
///
/// # Panics
/// After [`PATIENCE`].
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}
