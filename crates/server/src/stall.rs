//! Runs HTTP/2 streams, and ends those whose viewer takes nothing.
//!
//! A viewer that opens no flow-control window holds its stream, and what the service holds for it, for as long as the
//! connection lives; the socket does not show it. A stream that is pending waits either for us (service, body) or for
//! the viewer. The parts that are ours say so while they are polled; a stream that is pending without such a word
//! waits for the viewer to take what it has, and may do so for the body's idle time.

use crate::counters::{Counters, add};
use hyper::rt::Executor;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Sleep;

/// Most bytes given to a stream at a time. It asks for more when the viewer has taken them, which is how a slow viewer
/// differs from one that stands still.
pub(crate) const LARGEST_FRAME: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Nothing was said since the stream was polled.
    None,
    /// The service or the body has nothing yet.
    Ours,
    /// The viewer took a frame and gets the next.
    Moved,
}

thread_local! {
    static WORD: Cell<Word> = const { Cell::new(Word::None) };
}

/// Says that the stream that is polled on this thread waits for the service or its body.
pub(crate) fn waits_for_us() {
    WORD.set(Word::Ours);
}

/// Says that the stream that is polled on this thread was given a frame.
pub(crate) fn moved() {
    WORD.set(Word::Moved);
}

/// Spawns streams under watch.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(crate) limit: Duration,
    pub(crate) counters: Arc<Counters>,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let Streams { limit, counters } = self.clone();
        tokio::spawn(async move {
            let mut stream = pin!(stream);
            let mut timer: Option<Pin<Box<Sleep>>> = None;
            poll_fn(|cx| {
                WORD.set(Word::None);
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                match WORD.get() {
                    Word::Ours => {
                        timer = None;
                        return Poll::Pending;
                    }
                    Word::Moved => timer = None,
                    Word::None => {}
                }
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                timer.as_mut().poll(cx).map(|()| add(&counters.stalled))
            })
            .await;
        });
    }
}
