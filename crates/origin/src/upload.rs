//! The viewer's half of a call on its way to an origin.
//!
//! The HTTP/2 layer sends it in a task of its own, while the origin's half may be under way already; so both share where the
//! call stands. What was sent is kept while it is little and no answer has come: a request that the origin provably has not
//! looked at can be sent again then.

use crate::pace::Standing;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use rimward_types::{Body, BodyError};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// Bytes that are kept to be sent again: the message of most calls with one.
const MOST_KEPT: usize = 64 * 1024;

/// The viewer's half, as an attempt sends it.
pub(crate) struct Upload {
    half: Arc<Mutex<Half>>,
    attempt: u32,
}

/// Where the call stands. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<Half>>);

struct Half {
    body: Body,
    /// The attempt that sends it; those before it get nothing more.
    attempt: u32,
    /// Its first parts; `None` when they are too many, or not needed any more.
    kept: Option<Vec<Bytes>>,
    kept_bytes: usize,
    /// Of `kept`, the next to be sent.
    next: usize,
    waits_for_viewer: bool,
    viewer_failed: bool,
    moved: Instant,
    over: Option<Over>,
    /// Who sends it, while it waits.
    waker: Option<Waker>,
}

/// How the origin's half ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The answer is complete.
    Answered,
    /// Nobody takes the answer any more, or it broke.
    Abandoned,
}

// === impl Progress ===

impl Progress {
    /// A call that begins.
    pub(crate) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Half {
            body,
            attempt: 0,
            kept: Some(Vec::new()),
            kept_bytes: 0,
            next: 0,
            waits_for_viewer: false,
            viewer_failed: false,
            moved: Instant::now(),
            over: None,
            waker: None,
        })))
    }

    /// The viewer's half from its beginning, for the next attempt.
    pub(crate) fn begin(&self) -> Upload {
        let mut half = self.0.lock();
        half.attempt += 1;
        half.next = 0;
        half.moved = Instant::now();
        half.wake();
        Upload { half: self.0.clone(), attempt: half.attempt }
    }

    /// Whether it can be sent from its beginning once more.
    pub(crate) fn can_begin_again(&self) -> bool {
        let half = self.0.lock();
        half.kept.is_some() && !half.viewer_failed
    }

    /// Whether the viewer's half ended early.
    pub(crate) fn viewer_failed(&self) -> bool {
        self.0.lock().viewer_failed
    }

    /// The origin has answered: nothing is sent again.
    pub(crate) fn keep_no_more(&self) {
        let mut half = self.0.lock();
        // What is kept and not sent again yet must still go out.
        if half.kept.as_ref().is_some_and(|kept| half.next >= kept.len()) {
            half.kept = None;
        }
    }

    /// A part of the origin's half came.
    pub(crate) fn moves(&self) {
        self.0.lock().moved = Instant::now();
    }

    pub(crate) fn standing(&self) -> Standing {
        let half = self.0.lock();
        Standing { moved: half.moved, waits_for_viewer: half.waits_for_viewer }
    }

    /// The answer is complete: the origin wants nothing more of the viewer.
    pub(crate) fn answered(&self) {
        self.0.lock().end(Over::Answered);
    }

    /// Nobody takes the answer any more: what the viewer still sends leads nowhere.
    pub(crate) fn abandoned(&self) {
        self.0.lock().end(Over::Abandoned);
    }
}

// === impl Half ===

impl Half {
    fn end(&mut self, over: Over) {
        self.over.get_or_insert(over);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What was sent in an attempt before and is due again.
    fn again(&mut self) -> Option<Bytes> {
        let part = self.kept.as_ref()?.get(self.next)?.clone();
        self.next += 1;
        Some(part)
    }

    fn keep(&mut self, part: &Bytes) {
        let Some(kept) = &mut self.kept else { return };
        self.kept_bytes += part.len();
        if self.kept_bytes > MOST_KEPT {
            self.kept = None;
            return;
        }
        kept.push(part.clone());
        self.next = kept.len();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.over == Some(Over::Answered) {
            return Poll::Ready(None);
        }
        if let Some(part) = self.again() {
            self.waits_for_viewer = false;
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        loop {
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            self.waits_for_viewer = polled.is_pending();
            match &polled {
                Poll::Ready(Some(Ok(frame))) => {
                    self.moved = Instant::now();
                    // gRPC has none here, and nothing else comes this way.
                    let Some(data) = frame.data_ref() else { continue };
                    let data = data.clone();
                    self.keep(&data);
                }
                Poll::Ready(Some(Err(_))) => self.viewer_failed = true,
                Poll::Ready(None) => self.moved = Instant::now(),
                // An error of the viewer's own goes first: it knows the code of the reset.
                Poll::Pending if self.over == Some(Over::Abandoned) => {
                    let error = BodyError::Viewer("nobody takes the answer".to_owned());
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending => self.waker = Some(cx.waker().clone()),
            }
            return polled;
        }
    }
}

// === impl Upload ===

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut half = self.half.lock();
        if half.attempt != self.attempt {
            return Poll::Ready(Some(Err(BodyError::Origin("another attempt took over".to_owned()))));
        }
        half.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        let half = self.half.lock();
        half.kept.as_ref().is_none_or(|kept| half.next >= kept.len()) && half.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let half = self.half.lock();
        let again: usize = half.kept.iter().flatten().skip(half.next).map(Bytes::len).sum();
        match half.body.size_hint().exact() {
            Some(left) => SizeHint::with_exact(left + again as u64),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http_body_util::BodyExt;

    fn parts(parts: Vec<Result<&'static [u8], ()>>) -> Body {
        let frame = |part: Result<&'static [u8], ()>| {
            part.map(|bytes| Frame::data(Bytes::from_static(bytes))).map_err(|()| BodyError::Viewer("gone".to_owned()))
        };
        Body::stream(Parts(parts.into_iter().map(frame).collect()))
    }

    struct Parts(std::collections::VecDeque<Result<Frame<Bytes>, BodyError>>);

    impl http_body::Body for Parts {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    async fn next(upload: &mut Upload) -> Option<Result<Bytes, String>> {
        let frame = upload.frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn what_was_sent_comes_again_and_the_attempt_before_gets_nothing_more() {
        let progress = Progress::new(parts(vec![Ok(b"a"), Ok(b"b"), Ok(b"c")]));
        let mut first = progress.begin();
        for expected in ["a", "b"] {
            assert_eq!(next(&mut first).await, Some(Ok(Bytes::from(expected))));
        }
        assert!(progress.can_begin_again());
        let mut second = progress.begin();
        assert!(next(&mut first).await.unwrap().is_err());
        for expected in ["a", "b", "c"] {
            assert_eq!(next(&mut second).await, Some(Ok(Bytes::from(expected))));
        }
        assert_eq!(next(&mut second).await, None);
    }

    #[tokio::test]
    async fn what_is_much_or_was_answered_or_failed_is_not_sent_again() {
        const MUCH: &[u8] = &[0; MOST_KEPT];
        let progress = Progress::new(parts(vec![Ok(MUCH), Ok(b"x")]));
        let mut upload = progress.begin();
        assert!(next(&mut upload).await.is_some() && progress.can_begin_again());
        assert!(next(&mut upload).await.is_some() && !progress.can_begin_again());
        let progress = Progress::new(parts(vec![Ok(b"a")]));
        progress.begin();
        progress.keep_no_more();
        assert!(!progress.can_begin_again());
        let progress = Progress::new(parts(vec![Err(())]));
        assert!(next(&mut progress.begin()).await.unwrap().is_err());
        assert!(!progress.can_begin_again() && progress.viewer_failed());
    }

    #[tokio::test]
    async fn the_end_of_the_answer_ends_it_and_an_answer_that_nobody_takes_breaks_it() {
        let silent = || Progress::new(Body::stream(Never));
        let progress = silent();
        let mut upload = progress.begin();
        progress.answered();
        assert_eq!(next(&mut upload).await, None);
        let progress = silent();
        let mut upload = progress.begin();
        progress.abandoned();
        assert!(next(&mut upload).await.unwrap().is_err());
        // The viewer's own error says more.
        let progress = Progress::new(parts(vec![Err(())]));
        let mut upload = progress.begin();
        progress.abandoned();
        assert!(next(&mut upload).await.unwrap().unwrap_err().contains("gone"));
    }

    /// Gives nothing and does not end.
    struct Never;

    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Pending
        }
    }
}
