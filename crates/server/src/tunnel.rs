//! A connection after its switch of protocols: bytes both ways, until one side ends or stands still.
//!
//! Each way holds at most one buffer, and only while its taker does not take: then nothing more is read, and the sender is
//! held back by its own window. An idle tunnel holds no buffer at all.

mod limits;
#[cfg(test)]
mod tests;
mod way;

use crate::counters::{Counters, add};
use crate::switch::Switched;
use limits::Deadlines;
use rimward_config::Limits;
use rimward_types::{Ended, Passage, Tunnel};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use way::{End, Way};

/// Joins `viewer` with the origin until the end. `ahead`: what the viewer has sent already.
pub(crate) async fn run<T>(viewer: T, ahead: Vec<u8>, switched: Switched, limits: &Limits, counters: &Arc<Counters>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let Switched { mut tunnel, seat: _seat, in_flight: _in_flight } = switched;
    add(&counters.websockets);
    let Some(origin) = tunnel.take_origin() else { return };
    let mut account =
        Account { tunnel: Some(tunnel), passage: Passage { ended: Ended::Cut, ..Passage::default() }, counters };
    let ended = join(viewer, ahead, origin, limits, &mut account).await;
    account.passage.ended = ended;
}

/// What went through so far; told when the tunnel ends, also when it is cut.
struct Account<'a> {
    tunnel: Option<Tunnel>,
    passage: Passage,
    counters: &'a Counters,
}

impl Account<'_> {
    fn note(&mut self, received: u64, sent: u64) {
        self.passage.received += received;
        self.passage.sent += sent;
        self.counters.websocket_received.fetch_add(received, Ordering::Relaxed);
        self.counters.websocket_sent.fetch_add(sent, Ordering::Relaxed);
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        self.counters.websocket_ended(self.passage.ended);
        if matches!(self.passage.ended, Ended::ViewerStalled | Ended::OriginStalled) {
            add(&self.counters.stalled);
        }
        if let Some(tunnel) = self.tunnel.take() {
            tunnel.end(self.passage);
        }
    }
}

async fn join<V, O>(mut viewer: V, ahead: Vec<u8>, mut origin: O, limits: &Limits, account: &mut Account<'_>) -> Ended
where
    V: AsyncRead + AsyncWrite + Unpin,
    O: AsyncRead + AsyncWrite + Unpin,
{
    let now = Instant::now();
    let mut deadlines = Deadlines::new(now, limits);
    let (mut up, mut down) = (Way::with(ahead), Way::default());
    let mut first_to_end = None;
    let mut timer = pin!(tokio::time::sleep_until(deadlines.next().0));
    poll_fn(|cx| {
        loop {
            up.poll(&mut viewer, &mut origin, cx);
            down.poll(&mut origin, &mut viewer, cx);
            account.note(up.take_read(), down.take_written());
            if first_to_end.is_none() {
                first_to_end = first(up.end(), down.end());
            }
            // Who cannot be read from has broken off, and reads nothing either.
            if up.end() == Some(End::SourceBroke) {
                down.give_up();
            }
            if down.end() == Some(End::SourceBroke) {
                up.give_up();
            }
            if let Some(ended) = first_to_end
                && up.is_over()
                && down.is_over()
            {
                return Poll::Ready(ended);
            }
            let now = Instant::now();
            deadlines.look(now, &up, &down, first_to_end);
            let (deadline, ended) = deadlines.next();
            if now >= deadline {
                return Poll::Ready(first_to_end.filter(|_| ended.is_regular()).unwrap_or(ended));
            }
            // A deadline that moved away leaves the timer where it is: it wakes once for nothing, which costs less than
            // moving it with each part.
            if timer.deadline() > deadline || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Who ended it, of two ways that have come to their ends at the same time at the latest. Who closes while the other still
/// sends makes that one's writing fail, so an end goes before a failure.
fn first(up: Option<End>, down: Option<End>) -> Option<Ended> {
    match (up, down) {
        (_, Some(End::Ended)) => Some(Ended::Origin),
        (Some(End::Ended), _) => Some(Ended::Viewer),
        (Some(End::SourceBroke), _) | (_, Some(End::SinkBroke)) => Some(Ended::ViewerFailed),
        (Some(End::SinkBroke), _) | (_, Some(End::SourceBroke)) => Some(Ended::OriginFailed),
        (None, None) => None,
    }
}
