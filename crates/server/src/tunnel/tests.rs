#![allow(clippy::unwrap_used)]
//! What no socket can be made to do when it is wanted.

use super::*;
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

/// Joins `viewer` with `origin`, and gives how it ended.
async fn joined<V, O>(viewer: V, ahead: &[u8], origin: O) -> Passage
where
    V: AsyncRead + AsyncWrite + Unpin,
    O: AsyncRead + AsyncWrite + Unpin,
{
    let counters = Counters::default();
    let mut account = Account { tunnel: None, passage: Passage::default(), counters: &counters };
    let ended = join(viewer, ahead.to_vec(), origin, &Limits::default(), &mut account).await;
    Passage { ended, ..account.passage }
}

/// An end that gives what is scripted, one after the other, and holds what is written until it is flushed or closed.
struct Scripted {
    reads: Vec<io::Result<&'static [u8]>>,
    held: Vec<u8>,
    far: DuplexStream,
}

impl Scripted {
    fn new(mut reads: Vec<io::Result<&'static [u8]>>) -> (Self, DuplexStream) {
        reads.reverse();
        let (near, far) = duplex(1024);
        (Self { reads, held: Vec::new(), far: near }, far)
    }
}

impl AsyncRead for Scripted {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.reads.pop() {
            Some(read) => Poll::Ready(read.map(|bytes| buffer.put_slice(bytes))),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { held, far, .. } = self.get_mut();
        let bytes = std::mem::take(held);
        if !bytes.is_empty() {
            assert!(Pin::new(far).poll_write(cx, &bytes).is_ready(), "there is room for it");
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.as_mut().poll_flush(cx).is_ready());
        Pin::new(&mut self.get_mut().far).poll_shutdown(cx)
    }
}

async fn rest(mut far: DuplexStream) -> String {
    let mut text = String::new();
    far.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn what_an_origin_said_before_it_closed_reaches_a_viewer_that_is_still_sending() {
    let (viewer, browser) = duplex(8);
    let (near, mut far) = duplex(1024);
    far.write_all(b"a farewell that takes a while").await.unwrap();
    drop(far);
    let (passage, read) = tokio::join!(joined(viewer, b"still sending", near), rest(browser));
    assert_eq!(read, "a farewell that takes a while");
    assert_eq!((passage.ended, passage.sent), (Ended::OriginFailed, 29));
}

/// RFC 8446 section 6.1 wants `close_notify`; many close without.
#[tokio::test]
async fn tls_that_ends_without_its_farewell_has_ended_and_its_last_bytes_are_not_lost() {
    let cut = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    let (viewer, _browser) = Scripted::new(vec![Ok(b"last words"), cut()]);
    let (origin, far) = duplex(1024);
    let (passage, words) = tokio::join!(joined(viewer, b"", origin), rest(far));
    assert_eq!((passage.ended, words.as_str()), (Ended::Viewer, "last words"));
    let (viewer, _browser) = Scripted::new(vec![Ok(b"")]);
    let (origin, _far) = Scripted::new(vec![cut()]);
    assert_eq!(joined(viewer, b"", origin).await.ended, Ended::Origin);
}

#[tokio::test]
async fn what_came_before_a_source_broke_reaches_the_sink() {
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    let (viewer, _browser) = Scripted::new(vec![Ok(b"last words"), Err(reset)]);
    let (origin, far) = Scripted::new(vec![]);
    let (passage, words) = tokio::join!(joined(viewer, b"", origin), rest(far));
    assert_eq!((passage.ended, passage.received, words.as_str()), (Ended::ViewerFailed, 10, "last words"));
}

/// A sink that breaks after an end breaks because of it.
#[tokio::test]
async fn a_viewer_that_closes_while_the_origin_sends_has_closed() {
    struct Gone;
    impl AsyncRead for Gone {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    impl AsyncWrite for Gone {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    let (origin, _far) = Scripted::new(vec![Ok(b"news")]);
    assert_eq!(joined(Gone, b"", origin).await.ended, Ended::Viewer);
}

#[test]
fn one_poll_moves_so_much_and_no_more_however_much_there_is() {
    let mut cx = Context::from_waker(Waker::noop());
    let mut way = Way::default();
    way.poll(&mut Endless(0), &mut tokio::io::sink(), &mut cx);
    let moved = way.take_written();
    assert!((1..=256 * 1024).contains(&moved), "{moved}");
    assert!(!way.is_stuck());
}

/// A source that always has more, for a test to end with.
struct Endless(u64);

impl AsyncRead for Endless {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0 += 1;
        assert!(self.0 < 1000, "the other way waits for ever");
        buffer.put_slice(&[0; 1024]);
        Poll::Ready(Ok(()))
    }
}

/// What TLS holds back leaves in parts that nobody here sees.
#[test]
fn a_flush_that_takes_long_is_no_standstill() {
    struct Slow;
    impl AsyncWrite for Slow {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }
    let (mut source, _far) = Scripted::new(vec![Ok(b"a part")]);
    let mut way = Way::default();
    way.poll(&mut source, &mut Slow, &mut Context::from_waker(Waker::noop()));
    assert!(way.take_written() == 6 && !way.is_stuck());
}
