//! One way of a tunnel.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at a time, and the most that is held.
const PART: usize = 16 * 1024;

/// Which side broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Source,
    Sink,
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
    /// The source has ended.
    at_end: bool,
    /// The sink knows it.
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
    pub(super) fn poll<R, W>(&mut self, source: &mut R, sink: &mut W, cx: &mut Context<'_>) -> Result<(), Broken>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        (self.has_read, self.has_written) = (false, false);
        if self.over {
            return Ok(());
        }
        self.stuck = !self.poll_move(source, sink, cx)?;
        Ok(())
    }

    /// Gives whether the sink has taken all.
    fn poll_move<R, W>(&mut self, source: &mut R, sink: &mut W, cx: &mut Context<'_>) -> Result<bool, Broken>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            while self.at < self.held.len() {
                match Pin::new(&mut *sink).poll_write(cx, &self.held[self.at..]) {
                    Poll::Ready(result) => self.at += self.wrote(result)?,
                    Poll::Pending => return Ok(false),
                }
            }
            (self.held, self.at) = (Vec::new(), 0);
            if self.at_end {
                // A sink that is gone needs no telling.
                self.over = Pin::new(&mut *sink).poll_shutdown(cx).is_ready();
                return Ok(self.over);
            }
            let mut scratch = [MaybeUninit::uninit(); PART];
            let mut part = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut *source).poll_read(cx, &mut part) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Broken::Source),
                Poll::Pending => {
                    // TLS holds back what does not fill a record.
                    return match Pin::new(&mut *sink).poll_flush(cx) {
                        Poll::Ready(Ok(())) => Ok(true),
                        Poll::Ready(Err(_)) => Err(Broken::Sink),
                        Poll::Pending => Ok(false),
                    };
                }
            }
            let part = part.filled();
            if part.is_empty() {
                self.at_end = true;
                continue;
            }
            self.has_read = true;
            self.read += part.len() as u64;
            let taken = match Pin::new(&mut *sink).poll_write(cx, part) {
                Poll::Ready(result) => self.wrote(result)?,
                Poll::Pending => 0,
            };
            // What is not taken at once waits in a buffer that only lives so long; the sink is asked again for its wake.
            self.held = part[taken..].to_vec();
        }
    }

    fn wrote(&mut self, result: io::Result<usize>) -> Result<usize, Broken> {
        match result {
            Ok(0) | Err(_) => Err(Broken::Sink),
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

    /// Whether the source has ended.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Whether the source has ended, and the sink has all and knows it.
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
