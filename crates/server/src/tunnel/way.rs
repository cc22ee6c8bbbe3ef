//! One way of a tunnel.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at a time, and the most that is held.
const PART: usize = 16 * 1024;

/// Parts that are moved before others get their turn.
const PARTS: usize = 8;

/// Why a way has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The source has ended.
    Ended,
    /// The source broke.
    SourceBroke,
    /// The sink takes nothing any more.
    SinkBroke,
}

/// Moves bytes from a source to a sink, and the end of the one to the other.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// What was read and not taken; what lies before `at` was.
    held: Vec<u8>,
    at: usize,
    /// Bytes read, and taken, since somebody asked.
    read: u64,
    written: u64,
    /// Nothing more is read.
    end: Option<End>,
    /// The sink has all, and knows that it is all, or is gone.
    over: bool,
    /// The sink does not take what there is for it.
    stuck: bool,
    /// Whether anything was read, and taken, at the last poll.
    has_read: bool,
    has_written: bool,
}

impl Way {
    /// A way that `ahead` goes first.
    pub(super) fn with(ahead: Vec<u8>) -> Self {
        Self { read: ahead.len() as u64, held: ahead, ..Self::default() }
    }

    /// Moves as much as goes.
    pub(super) fn poll<R, W>(&mut self, source: &mut R, sink: &mut W, cx: &mut Context<'_>)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        (self.has_read, self.has_written) = (false, false);
        if !self.over {
            let moved = self.poll_move(source, sink, cx);
            self.stuck = moved.is_pending() && !self.over;
            if moved == Poll::Ready(Err(())) {
                self.end.get_or_insert(End::SinkBroke);
                self.give_up();
            }
        }
    }

    /// Ends it, with what has not arrived.
    pub(super) fn give_up(&mut self) {
        (self.held, self.at) = (Vec::new(), 0);
        (self.over, self.stuck) = (true, false);
    }

    /// Pending: the sink does not take what is held for it. An error: it takes nothing any more.
    fn poll_move<R, W>(&mut self, source: &mut R, sink: &mut W, cx: &mut Context<'_>) -> Poll<Result<(), ()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        for _ in 0..PARTS {
            while self.at < self.held.len() {
                let result = ready!(Pin::new(&mut *sink).poll_write(cx, &self.held[self.at..]));
                self.at += self.wrote(result)?;
            }
            (self.held, self.at) = (Vec::new(), 0);
            if self.end.is_some() {
                // A sink that is gone needs no telling.
                let _gone = ready!(Pin::new(&mut *sink).poll_shutdown(cx));
                self.over = true;
                return Poll::Ready(Ok(()));
            }
            let mut scratch = [MaybeUninit::uninit(); PART];
            let mut part = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut *source).poll_read(cx, &mut part) {
                Poll::Ready(Ok(())) if part.filled().is_empty() => self.end = Some(End::Ended),
                Poll::Ready(Ok(())) => {
                    let part = part.filled();
                    self.has_read = true;
                    self.read += part.len() as u64;
                    let taken = match Pin::new(&mut *sink).poll_write(cx, part) {
                        Poll::Ready(result) => self.wrote(result)?,
                        Poll::Pending => 0,
                    };
                    // What is not taken at once waits in a buffer that lives no longer than that; the sink is asked again
                    // for its wake.
                    self.held = part[taken..].to_vec();
                }
                // TLS without its farewell: many end like that.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => self.end = Some(End::Ended),
                Poll::Ready(Err(_)) => self.end = Some(End::SourceBroke),
                // TLS holds back what the socket does not take: a bounded rest, whose way out cannot be seen from here.
                // Once it takes no more, what comes is held, and the sink counts as stuck.
                Poll::Pending => match Pin::new(&mut *sink).poll_flush(cx) {
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(())),
                    _ => return Poll::Ready(Ok(())),
                },
            }
        }
        // There is more; the other way comes first.
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(()))
    }

    fn wrote(&mut self, result: io::Result<usize>) -> Result<usize, ()> {
        match result {
            Ok(0) | Err(_) => Err(()),
            Ok(len) => {
                self.has_written = true;
                self.written += len as u64;
                Ok(len)
            }
        }
    }

    /// Bytes read since this was asked last.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    /// Bytes taken by the sink since this was asked last.
    pub(super) fn take_written(&mut self) -> u64 {
        std::mem::take(&mut self.written)
    }

    /// Why nothing more is read.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether nothing more is written.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the sink does not take what there is for it.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Whether anything was read at the last poll.
    pub(super) fn has_read(&self) -> bool {
        self.has_read
    }

    /// Whether the sink took anything at the last poll.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }
}
