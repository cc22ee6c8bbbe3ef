//! A TCP client that sends bytes as they are.

use crate::origin::{parse_headers, read_body, read_head};
use crate::soon;
use bytes::Bytes;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection for bytes that no HTTP client would send.
pub struct Raw {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// A response as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// Status.
    pub status: u16,
    /// Status line and headers, without the empty line.
    pub head: String,
    /// Header lines in their order, names as they came.
    pub headers: Vec<(String, String)>,
    /// Body, where it is framed by length or chunks.
    pub body: Bytes,
}

impl RawResponse {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Raw {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        let socket = soon("a connection", TcpStream::connect(address)).await.expect("somebody listens");
        Self { socket, buffer: Vec::new() }
    }

    /// Sends bytes. The peer may have closed already; what it said can still be read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = soon("room to send", self.socket.write_all(bytes.as_ref())).await;
        self
    }

    /// Closes the sending side.
    pub async fn finish(&mut self) -> &mut Self {
        let _ = self.socket.shutdown().await;
        self
    }

    /// Reads a response to a request that is not HEAD.
    ///
    /// # Panics
    /// When the connection closes before it is complete.
    pub async fn response(&mut self) -> RawResponse {
        self.try_response(false).await.expect("a complete response")
    }

    /// Reads a response to HEAD.
    ///
    /// # Panics
    /// When the connection closes before it is complete.
    pub async fn response_to_head(&mut self) -> RawResponse {
        self.try_response(true).await.expect("a complete response")
    }

    /// Reads a response; `None` when the connection closes before it is complete.
    pub async fn try_response(&mut self, to_head: bool) -> Option<RawResponse> {
        soon("a response", async {
            let (head, _) = read_head(&mut self.socket, &mut self.buffer).await?;
            let mut lines = head.split("\r\n");
            let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
            let headers = parse_headers(lines);
            let bodiless = to_head || matches!(status, 100..=199 | 204 | 304);
            let body = match bodiless {
                true => Bytes::new(),
                false => read_body(&mut self.socket, &mut self.buffer, &headers).await?,
            };
            Some(RawResponse { status, head, headers, body })
        })
        .await
    }

    /// Reads a response's head alone.
    ///
    /// # Panics
    /// When the connection closes before it is complete.
    pub async fn head(&mut self) -> String {
        soon("a head", read_head(&mut self.socket, &mut self.buffer)).await.expect("a head").0
    }

    /// Reads `len` bytes, or fewer when the peer closes before.
    pub async fn exactly(&mut self, len: usize) -> Vec<u8> {
        soon("bytes", async {
            while self.buffer.len() < len && matches!(self.socket.read_buf(&mut self.buffer).await, Ok(1..)) {}
        })
        .await;
        let len = len.min(self.buffer.len());
        self.buffer.drain(..len).collect()
    }

    /// Sends and reads at the same time, until as much has come back as was sent.
    pub async fn bounce(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut back = std::mem::take(&mut self.buffer);
        let (mut read, mut write) = self.socket.split();
        let _ = soon("bytes to come back", async {
            tokio::join!(write.write_all(bytes), async {
                while back.len() < bytes.len() && matches!(read.read_buf(&mut back).await, Ok(1..)) {}
            })
        })
        .await;
        back
    }

    /// Breaks the connection off, so that the peer sees an error and no end.
    pub fn break_off(self) {
        // A socket that lingers for no time resets.
        let _ = self.socket.set_zero_linger();
    }

    /// Reads until the peer closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.buffer);
        let _ = soon("the end of the connection", self.socket.read_to_end(&mut rest)).await;
        rest
    }

    /// Whether the peer has closed and nothing more came.
    pub async fn is_closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    /// Reads what has come; at least one byte unless the peer closed.
    pub async fn some(&mut self) -> Vec<u8> {
        if self.buffer.is_empty() {
            let _ = soon("bytes", self.socket.read_buf(&mut self.buffer)).await;
        }
        std::mem::take(&mut self.buffer)
    }
}
