//! A socket whose first bytes are kept, since the TLS library does not give out the message that they are.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are kept, at most: hellos with keys against quantum computers have some 2 KB.
const MOST: usize = 16 * 1024;

/// A socket that keeps what is read from it, until [`Overheard::take_first`].
pub(crate) struct Overheard<T> {
    io: T,
    first: Option<Vec<u8>>,
}

impl<T> Overheard<T> {
    /// Listens from now on.
    pub(crate) fn new(io: T) -> Self {
        Self { io, first: Some(Vec::new()) }
    }

    /// What was read so far, [`MOST`] bytes at most; nothing is kept from now on.
    pub(crate) fn take_first(&mut self) -> Vec<u8> {
        self.first.take().unwrap_or_default()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Overheard<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let this = &mut *self;
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if let Some(first) = &mut this.first {
            let new = &buf.filled()[before..];
            first.extend_from_slice(&new[..new.len().min(MOST - first.len())]);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Overheard<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_is_read_first_is_kept_up_to_a_limit_and_taken_once() {
        let sent: Vec<u8> = (0..MOST + 100).map(|n| (n % 251) as u8).collect();
        let mut socket = Overheard::new(&sent[..]);
        let mut read = vec![0; 700];
        socket.read_exact(&mut read[..500]).await.unwrap();
        socket.read_exact(&mut read[500..]).await.unwrap();
        assert_eq!(read, sent[..700]);
        let mut all = Vec::new();
        socket.read_to_end(&mut all).await.unwrap();
        assert_eq!(socket.take_first(), sent[..MOST]);
        assert!(socket.take_first().is_empty());
    }
}
