//! Listening, accepting, and turning away when there are too many.

use crate::BindError;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Connections that the system holds until we accept them.
const BACKLOG: i32 = 1024;
/// How long a connection that is turned away may take to go.
const FAREWELL: Duration = Duration::from_secs(1);
/// What a viewer over the limit of connections gets.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nRetry-After: 1\r\nConnection: close\r\n\r\ntoo many connections\n";

/// Listens on `address`.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restarted node must not wait for the connections of the one before it.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|source| BindError::Listen { address, source })
}

/// Tells a viewer that there are too many connections, and gives it a moment to read that.
pub(crate) async fn turn_away(mut socket: TcpStream) {
    let farewell = async {
        socket.write_all(BUSY).await?;
        socket.shutdown().await?;
        let mut scratch = [0u8; 1024];
        while socket.read(&mut scratch).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whether it was read is the viewer's affair.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}
