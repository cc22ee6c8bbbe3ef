//! The times of a connection: idle, head, and writes that make no way. One timer serves all.

use crate::counters::{Counters, add};
use crate::flow::Flow;
use rimward_config::Limits;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep};

/// When the connection must have moved.
pub(crate) struct Times {
    timer: Option<Pin<Box<Sleep>>>,
    /// When the wait that may be running began, and what `Flow::calls` said then.
    idle_since: Option<Instant>,
    calls: u64,
    /// When the first byte of the head came that is not complete.
    head_since: Option<Instant>,
    /// Since when a write waits for the viewer.
    write_since: Option<Instant>,
    /// When idle was noticed and the driver told.
    told: Option<Instant>,
    flow: Arc<Flow>,
    limits: Arc<Limits>,
    counters: Arc<Counters>,
}

/// What a read waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// The first byte of the next request.
    Request,
    /// The rest of a head.
    Head,
    /// Any frame of HTTP/2.
    Frames,
}

/// What is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// The rest of a head.
    Head,
    /// The next request: the connection may go.
    Idle,
}

impl Times {
    pub(crate) fn new(flow: Arc<Flow>, limits: Arc<Limits>, counters: Arc<Counters>) -> Self {
        Self {
            timer: None,
            idle_since: None,
            calls: 0,
            head_since: None,
            write_since: None,
            told: None,
            flow,
            limits,
            counters,
        }
    }

    /// A part of a head came. Its time runs from the first part.
    pub(crate) fn head_began(&mut self) {
        self.head_since.get_or_insert_with(Instant::now);
    }

    /// The head is complete.
    pub(crate) fn head_ended(&mut self) {
        self.head_since = None;
    }

    /// Ready when what is awaited is late.
    pub(crate) fn poll_late(&mut self, awaits: Awaits, cx: &mut Context<'_>) -> Poll<Late> {
        loop {
            let now = Instant::now();
            let deadline = if awaits == Awaits::Head {
                *self.head_since.get_or_insert(now) + self.limits.head_timeout
            } else {
                let idle = self.idle_since(now) + self.limits.idle;
                // HTTP/2 is told with GOAWAY, and gets a moment to close by itself.
                self.told.map_or(idle, |told| told + self.limits.head_timeout)
            };
            if now < deadline {
                ready!(self.poll_until(deadline, cx));
                continue;
            }
            if awaits == Awaits::Head {
                return Poll::Ready(Late::Head);
            }
            if self.told.is_some() {
                return Poll::Ready(Late::Idle);
            }
            add(&self.counters.idle);
            self.told = Some(now);
            if awaits == Awaits::Request {
                return Poll::Ready(Late::Idle);
            }
            self.flow.stop();
        }
    }

    /// Since when no request is in flight. While one is, or an answer is still on its way out, from now. Frames that
    /// ask for nothing, such as pings, do not count.
    fn idle_since(&mut self, now: Instant) -> Instant {
        let calls = self.flow.calls();
        let is_busy = !self.flow.is_idle() || self.write_since.is_some();
        if is_busy || calls != self.calls {
            self.calls = calls;
            self.idle_since = None;
            self.told = None;
        }
        let since = *self.idle_since.get_or_insert(now);
        if is_busy {
            self.flow.stir();
        } else {
            self.flow.rest(since.into_std());
        }
        since
    }

    /// Watches a write: an error when the viewer has taken nothing for the body's idle time.
    pub(crate) fn watch_write<R>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if result.is_ready() {
            if self.write_since.take().is_some() {
                self.flow.writes(false);
            }
            return result;
        }
        self.flow.writes(true);
        loop {
            let now = Instant::now();
            let deadline = *self.write_since.get_or_insert(now) + self.limits.body_idle;
            if now >= deadline {
                add(&self.counters.stalled);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            ready!(self.poll_until(deadline, cx));
        }
    }

    /// All that was written is with the system: when no request is in flight any more, the connection rests.
    pub(crate) fn flushed(&self) {
        if self.flow.has_ended() {
            self.flow.rest(Instant::now().into_std());
        }
    }

    /// Whether a write waits for the viewer.
    pub(crate) fn is_writing(&self) -> bool {
        self.write_since.is_some()
    }

    /// Ready at `deadline` at the latest. The timer is shared: it may be ready too early, never too late.
    pub(crate) fn poll_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // An earlier deadline stays: moving the timer costs more than waking once for nothing.
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}
