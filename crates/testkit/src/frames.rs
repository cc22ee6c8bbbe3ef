//! HTTP/2 frame by frame (RFC 9113 section 4), for what no library would send. Header blocks that come are not read.

use crate::soon;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a client says first (section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (section 6).
pub mod kind {
    #![allow(missing_docs)]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
}

/// Flags of HEADERS.
pub const END_HEADERS: u8 = 4;
/// Flag of HEADERS and DATA.
pub const END_STREAM: u8 = 1;

/// Error codes (section 7).
pub mod code {
    #![allow(missing_docs)]
    pub const NO_ERROR: u32 = 0;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// See [`kind`].
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Number of the stream; 0: the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// One end of a connection, without TLS.
pub struct Frames(TcpStream);

impl Frames {
    /// Waits for a client, and takes its preface and settings.
    ///
    /// # Panics
    /// When none comes, or it does not speak HTTP/2.
    pub async fn accept(listener: &TcpListener) -> Self {
        let (socket, _) = soon("a connection", listener.accept()).await.expect("a client");
        let mut frames = Self(socket);
        let mut preface = [0; PREFACE.len()];
        soon("a preface", frames.0.read_exact(&mut preface)).await.expect("a preface");
        assert_eq!(preface, *PREFACE);
        frames.send(kind::SETTINGS, 0, 0, &[]).await;
        frames
    }

    /// Connects to a server.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut socket = soon("a connection", TcpStream::connect(address)).await.expect("somebody listens");
        socket.write_all(PREFACE).await.expect("a socket that takes it");
        let mut frames = Self(socket);
        frames.send(kind::SETTINGS, 0, 0, &[]).await;
        frames
    }

    /// Sends a frame. A peer that has left stops nobody.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, flags];
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        let _left = self.0.write_all(&bytes).await;
    }

    /// Sends a header block.
    pub async fn send_headers(&mut self, flags: u8, stream: u32, fields: &[(&str, &str)]) {
        self.send(kind::HEADERS, flags | END_HEADERS, stream, &block(fields)).await;
    }

    /// Sends RST_STREAM.
    pub async fn reset(&mut self, stream: u32, code: u32) {
        self.send(kind::RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    /// Sends GOAWAY: streams above `last` were not looked at.
    pub async fn go_away(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.send(kind::GOAWAY, 0, 0, &payload).await;
    }

    /// The next frame that is not about settings, windows or pings; settings and pings are acknowledged. `None` at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            soon("a frame", self.0.read_exact(&mut head)).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            soon("a frame", self.0.read_exact(&mut payload)).await.ok()?;
            let (kind, flags) = (head[3], head[4]);
            match kind {
                kind::SETTINGS if flags & 1 == 0 => self.send(kind::SETTINGS, 1, 0, &[]).await,
                kind::PING if flags & 1 == 0 => self.send(kind::PING, 1, 0, &payload).await,
                kind::SETTINGS | kind::PING | kind::WINDOW_UPDATE => {}
                _ => {
                    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
                    return Some(Frame { kind, flags, stream, payload });
                }
            }
        }
    }

    /// The next frame of a kind; others are passed over.
    ///
    /// # Panics
    /// When the connection ends before.
    pub async fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection goes on");
            if frame.kind == kind {
                return frame;
            }
        }
    }
}

impl Frame {
    /// The error code of RST_STREAM.
    pub fn code(&self) -> u32 {
        self.payload.first_chunk().copied().map_or(u32::MAX, u32::from_be_bytes)
    }
}

/// A header block of literals that no table knows (RFC 7541 section 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "a short field");
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    block
}
