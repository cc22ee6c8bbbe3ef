//! The first part of a request's body, taken before a connection to the origin is: a viewer that sends a byte now and then
//! takes up its own connection, and none of the origin's.

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use rimward_types::{Body, BodyError};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes that are taken first. A body that is not longer is complete by then.
pub(crate) const FIRST: usize = 64 << 10;
/// How long a body of unknown length may stand still, once it has begun: who sends a part and waits for the answer to it waits no
/// longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes of all bodies together that wait so. Past it a body goes on with what has come of it.
const TOGETHER: usize = 64 << 20;

/// Bytes that wait, of all bodies.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// The bytes of one body; given back when dropped.
struct Share {
    waiting: Arc<Waiting>,
    bytes: usize,
}

/// A body of which the first part has come.
struct Gathered {
    first: Bytes,
    /// Until the first part is on its way.
    share: Option<Share>,
    /// `None`: it is complete.
    rest: Option<Body>,
    length: SizeHint,
}

impl Share {
    /// False when there is no room for `bytes` more.
    fn grow(&mut self, bytes: usize) -> bool {
        let grown = |all: usize| all.checked_add(bytes).filter(|all| *all <= TOGETHER);
        let fits = self.waiting.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown).is_ok();
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Takes the first part of `body`; what comes of it is the same body.
///
/// # Errors
/// What the body gave.
pub(crate) async fn gather(mut body: Body, waiting: &Arc<Waiting>) -> Result<Body, BodyError> {
    if !matches!(body, Body::Stream(_)) {
        return Ok(body);
    }
    let length = body.size_hint();
    let mut first = BytesMut::new();
    let mut share = Share { waiting: waiting.clone(), bytes: 0 };
    let mut is_complete = false;
    while first.len() < FIRST && !is_complete {
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = if length.exact().is_none() && !first.is_empty() {
            let Ok(frame) = tokio::time::timeout(PATIENCE, next).await else { break };
            frame
        } else {
            next.await
        };
        match frame {
            None => is_complete = true,
            Some(Err(error)) => return Err(error),
            // Trailers are not passed on.
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                let fits = share.grow(data.len());
                // Copied: a slice would keep the viewer's whole read buffer.
                first.extend_from_slice(&data);
                if !fits {
                    break;
                }
            }
        }
    }
    let rest = (!is_complete).then_some(body);
    Ok(Body::stream(Gathered { first: first.freeze(), share: Some(share), rest, length }))
}

impl http_body::Body for Gathered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.share = None;
        if !this.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.first)))));
        }
        match &mut this.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    /// Of the whole: asked for before anything is taken.
    fn size_hint(&self) -> SizeHint {
        self.length
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::VecDeque;
    use std::future::Future;
    use std::pin::pin;
    use std::task::Waker;

    /// Gives its parts, and then waits or ends.
    struct Parts(VecDeque<Bytes>, bool);

    impl http_body::Body for Parts {
        type Data = Bytes;
        type Error = BodyError;
        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            match self.0.pop_front() {
                Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
                None if self.1 => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    fn body(parts: &[usize], ends: bool) -> Body {
        Body::stream(Parts(parts.iter().map(|size| vec![b'x'; *size].into()).collect(), ends))
    }

    /// What comes of it at once.
    fn now(body: Body, waiting: &Arc<Waiting>) -> Option<Body> {
        match pin!(gather(body, waiting)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(body) => Some(body.unwrap()),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_short_body_is_waited_for_and_a_long_one_goes_on_with_its_first_part() {
        let waiting = Arc::<Waiting>::default();
        assert!(now(body(&[1, 1], false), &waiting).is_none());
        assert_eq!(waiting.0.load(Ordering::Acquire), 0, "who leaves gives back");
        let whole = now(body(&[1, 2, 3], true), &waiting).unwrap();
        assert_eq!(waiting.0.load(Ordering::Acquire), 6);
        assert_eq!(whole.collect(10).await.unwrap().len(), 6);
        assert_eq!(waiting.0.load(Ordering::Acquire), 0);
        let long = now(body(&[FIRST - 1, 1, 5], true), &waiting).unwrap();
        assert_eq!(waiting.0.load(Ordering::Acquire), FIRST);
        assert_eq!(long.collect(u64::MAX).await.unwrap().len(), FIRST + 5);
    }

    #[tokio::test]
    async fn who_sends_a_part_and_waits_for_an_answer_is_not_kept_waiting() {
        let waiting = Arc::<Waiting>::default();
        let body = gather(body(&[5], false), &waiting).await.unwrap();
        let Body::Stream(mut body) = body else { panic!("a stream") };
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn bodies_that_wait_take_a_bounded_share_of_memory_together() {
        let waiting = Arc::<Waiting>::default();
        let held: Vec<_> = (0..TOGETHER / FIRST).map(|_| now(body(&[FIRST], false), &waiting).unwrap()).collect();
        assert!(now(body(&[1], false), &waiting).is_some(), "it goes on at once");
        drop(held);
        assert_eq!(waiting.0.load(Ordering::Acquire), 0);
    }
}
