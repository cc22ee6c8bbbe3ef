//! What a function writes to its standard streams, bounded, and the lines around it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes kept per call; what comes after is dropped and a line says so.
const LIMIT: usize = 64 << 10;
/// Lines kept per call.
const LINES: usize = 1000;
/// Bytes taken in one write.
const WRITE: usize = 64 << 10;

/// One instance's output since it was last taken. Standard output and error share it.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Buffer>>);

#[derive(Default)]
struct Buffer {
    text: Vec<u8>,
    dropped: usize,
}

impl Logs {
    /// Adds a line of ours.
    pub(crate) fn host_line(&self, line: &str) {
        let mut buffer = self.0.lock();
        if !matches!(buffer.text.last(), None | Some(b'\n')) {
            buffer.write(b"\n");
        }
        buffer.write(b"rimward: ");
        buffer.write(line.as_bytes());
        buffer.write(b"\n");
    }

    /// Takes the lines. Bytes that are no UTF-8 are replaced.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut buffer = self.0.lock();
        if buffer.text.is_empty() && buffer.dropped == 0 {
            return Vec::new();
        }
        let text = std::mem::take(&mut buffer.text);
        let dropped = std::mem::take(&mut buffer.dropped);
        drop(buffer);
        let text = String::from_utf8_lossy(&text);
        let mut all = text.lines();
        let mut lines: Vec<String> = all.by_ref().take(LINES).map(str::to_owned).collect();
        let rest = all.map(str::len).sum::<usize>() + dropped;
        if rest > 0 {
            lines.push(format!("rimward: {rest} bytes of output dropped"));
        }
        lines
    }
}

impl Buffer {
    fn write(&mut self, bytes: &[u8]) {
        let room = bytes.len().min(LIMIT - self.text.len());
        self.text.extend_from_slice(&bytes[..room]);
        self.dropped += bytes.len() - room;
    }
}

impl IsTerminal for Logs {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Logs {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Logs {
    async fn ready(&mut self) {}
}

impl OutputStream for Logs {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.lock().write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE)
    }
}

impl AsyncWrite for Logs {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.lock().write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn output_is_taken_as_lines_once() {
        let logs = Logs::default();
        logs.clone().write(Bytes::from_static(b"one\ntwo")).unwrap();
        logs.host_line("network refused");
        assert_eq!(logs.take(), ["one", "two", "rimward: network refused"]);
        assert!(logs.take().is_empty());
    }

    #[test]
    fn output_past_the_limit_is_dropped_and_counted() {
        let logs = Logs::default();
        let mut stream = logs.clone();
        for _ in 0..3 {
            stream.write(Bytes::from(vec![b'x'; LIMIT / 2])).unwrap();
        }
        let lines = logs.take();
        assert_eq!(lines[0].len(), LIMIT);
        assert_eq!(lines[1], format!("rimward: {} bytes of output dropped", LIMIT / 2));
        stream.write(Bytes::from("x\n".repeat(LINES + 5))).unwrap();
        assert_eq!(logs.take().len(), LINES + 1);
    }
}
