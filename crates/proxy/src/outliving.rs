//! Work that goes on when nobody waits for it any more.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// Runs where it is awaited, and wakes nobody else. Dropped before its end, it goes on in a task of its own.
pub struct Outliving<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Outliving<T> {
    /// Makes `work` go on whoever waits for it. Must be dropped within a tokio runtime.
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for Outliving<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out while it is polled: what has panicked is not to go on.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Outliving<T> {
    fn drop(&mut self) {
        // Without a runtime everything ends, and so does this.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::AssertUnwindSafe;
    use tokio::sync::{mpsc, oneshot};

    #[tokio::test]
    async fn work_that_is_dropped_goes_on_and_work_that_is_done_does_not() {
        let (done, mut told) = mpsc::channel(4);
        let (go, wait) = oneshot::channel::<()>();
        let work = |wait: oneshot::Receiver<()>| {
            let done = done.clone();
            Outliving::new(async move {
                let _gone = wait.await;
                let _nobody = done.send(()).await;
                7
            })
        };
        let mut dropped = Box::pin(work(wait));
        assert!(futures_util::FutureExt::now_or_never(&mut dropped).is_none());
        drop(dropped);
        drop(go);
        assert_eq!(told.recv().await, Some(()));
        let (go, wait) = oneshot::channel::<()>();
        drop(go);
        assert_eq!(work(wait).await, 7);
        assert_eq!(told.recv().await, Some(()));
        drop(done);
        assert_eq!(told.recv().await, None);
    }

    #[tokio::test]
    async fn work_that_panicked_is_not_polled_again() {
        let panicked =
            futures_util::FutureExt::catch_unwind(AssertUnwindSafe(Outliving::new(async { panic!("once") })));
        assert!(panicked.await.is_err());
    }
}
