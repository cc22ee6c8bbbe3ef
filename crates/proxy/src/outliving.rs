//! Work that goes on when nobody waits for it any more.

use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use tokio::runtime::Handle;

/// Runs where it is awaited, and wakes nobody else. Dropped before its end, it goes on in a task of its own, and `forsaken` is
/// told what came of it: its value, or its panic.
pub struct Outliving<T, F>
where
    T: Send + 'static,
    F: FnOnce(thread::Result<T>) + Send + Unpin + 'static,
{
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    forsaken: Option<F>,
}

impl<T, F> Outliving<T, F>
where
    T: Send + 'static,
    F: FnOnce(thread::Result<T>) + Send + Unpin + 'static,
{
    /// Makes `work` go on whoever waits for it. Must be dropped within a tokio runtime.
    pub fn new(work: impl Future<Output = T> + Send + 'static, forsaken: F) -> Self {
        Self { work: Some(Box::pin(work)), forsaken: Some(forsaken) }
    }
}

impl<T, F> Future for Outliving<T, F>
where
    T: Send + 'static,
    F: FnOnce(thread::Result<T>) + Send + Unpin + 'static,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out while it is polled: what has panicked is not to go on.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T, F> Drop for Outliving<T, F>
where
    T: Send + 'static,
    F: FnOnce(thread::Result<T>) + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        // Without a runtime everything ends, and so does this.
        if let Some(work) = self.work.take()
            && let Some(forsaken) = self.forsaken.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { forsaken(AssertUnwindSafe(work).catch_unwind().await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::{mpsc, oneshot};

    #[tokio::test]
    async fn work_that_is_dropped_goes_on_and_work_that_is_done_does_not() {
        let (done, mut told) = mpsc::channel(4);
        let (go, wait) = oneshot::channel::<()>();
        let work = |wait: oneshot::Receiver<()>| {
            let done = done.clone();
            Outliving::new(
                async move {
                    let _gone = wait.await;
                    let _nobody = done.send(()).await;
                    7
                },
                |_| (),
            )
        };
        let mut dropped = Box::pin(work(wait));
        assert!(FutureExt::now_or_never(&mut dropped).is_none());
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
        let panicked = FutureExt::catch_unwind(AssertUnwindSafe(Outliving::new(async { panic!("once") }, |_| ())));
        assert!(panicked.await.is_err());
    }

    #[tokio::test]
    async fn who_forsakes_work_leaves_word_of_how_it_ends() {
        for panics in [false, true] {
            let (told, ended) = oneshot::channel();
            let (go, wait) = oneshot::channel::<()>();
            let work = async move {
                let _gone = wait.await;
                assert!(!panics, "it was to panic");
                7
            };
            let forsaken = move |ended: thread::Result<i32>| {
                let _nobody = told.send(ended.ok());
            };
            drop(Outliving::new(work, forsaken));
            drop(go);
            assert_eq!(ended.await, Ok((!panics).then_some(7)));
        }
    }
}
