//! The gate as the parser's socket: what it reads, what it writes with interim answers before it, and the end.

use super::{Gate, Phase, READ};
use hyper::rt::{Read, ReadBufCursor, Write};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Bytes and time that we go on reading after the last answer, so that the viewer can read it: closing a socket with
/// unread bytes resets the connection and may take the answer with it (RFC 9112 section 9.6).
const LINGER_BYTES: u64 = 1 << 20;
const LINGER_TIME: Duration = Duration::from_secs(2);
/// RFC 9113 section 6.8: GOAWAY, any stream may have been worked on, ENHANCE_YOUR_CALM.
const CALM: &[u8; 17] = b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0b";

impl<T> Gate<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [MaybeUninit::uninit(); READ];
        loop {
            let linger = self.linger.get_or_insert_with(|| (Instant::now() + LINGER_TIME, LINGER_BYTES));
            let deadline = linger.0;
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(self.io.inner_mut()).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && linger.1 > 0 => {
                    linger.1 = linger.1.saturating_sub(buffer.filled().len() as u64);
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending if Instant::now() >= deadline => return Poll::Ready(Ok(())),
                Poll::Pending => ready!(self.times.poll_until(deadline, cx)),
            }
        }
    }

    /// Writes interim answers. The parser flushes: it holds no byte of an answer back, and the answer that they precede
    /// waits for them.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.flow.interims.is_waiting() {
            if self.interim.is_empty() {
                self.interim = self.flow.interims.take();
            }
            while !self.interim.is_empty() {
                let result = Pin::new(&mut self.io).poll_write(cx, &self.interim);
                match ready!(self.times.watch_write(cx, result))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => drop(self.interim.drain(..written)),
                }
            }
            self.flow.interims.written();
            // The answer that waits for this is in the same task.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Read for Gate<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_read_parser(cx, cursor)
    }
}

impl<T> Write for Gate<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.times.watch_write(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write_vectored(cx, parts);
        this.times.watch_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.flow.interims.is_waiting() {
            ready!(this.poll_interim(cx))?;
        }
        if this.phase == Phase::Frames && this.flow.is_flooded() && !this.told_off {
            // The HTTP/2 layer flushes when it has handed over whole frames. A viewer that does not take this one is not told.
            let _taken = Pin::new(&mut this.io).poll_write(cx, CALM);
            this.told_off = true;
            // The read that ends the connection.
            cx.waker().wake_by_ref();
        }
        let result = Pin::new(&mut this.io).poll_flush(cx);
        ready!(this.times.watch_write(cx, result))?;
        this.times.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            let result = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.times.watch_write(cx, result))?;
        }
        let unread = !matches!(this.phase, Phase::Head | Phase::Frames) || this.held.len() > this.passed;
        if unread {
            ready!(this.poll_linger(cx))?;
        }
        this.closed = true;
        Poll::Ready(Ok(()))
    }
}
