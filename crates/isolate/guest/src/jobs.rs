//! Promise jobs. There are no timers and no input or output, so the queue is all there is.

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
};

use boa_engine::{
    Context, JsNativeError, JsResult,
    job::{GenericJob, Job, JobExecutor, NativeAsyncJob, PromiseJob},
};

/// The queue of jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    queue: RefCell<VecDeque<Queued>>,
}

enum Queued {
    Promise(PromiseJob),
    Generic(GenericJob),
    Async(NativeAsyncJob),
}

impl JobExecutor for Jobs {
    fn enqueue_job(self: Rc<Self>, job: Job, _context: &mut Context) {
        let queued = match job {
            Job::PromiseJob(job) => Queued::Promise(job),
            Job::GenericJob(job) => Queued::Generic(job),
            Job::AsyncJob(job) => Queued::Async(job),
            // Timers do not exist for functions, finalizers have no time to run in.
            _ => return,
        };
        self.queue.borrow_mut().push_back(queued);
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        loop {
            let Some(job) = self.queue.borrow_mut().pop_front() else { return Ok(()) };
            match job {
                Queued::Promise(job) => drop(job.call(context)?),
                Queued::Generic(job) => drop(job.call(context)?),
                Queued::Async(job) => poll_once(job, context)?,
            }
        }
    }
}

/// Only the module loader makes such jobs, and its answers are ready at once.
fn poll_once(job: NativeAsyncJob, context: &mut Context) -> JsResult<()> {
    let context = RefCell::new(context);
    let future = pin!(job.call(&context));
    match future.poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map(drop),
        Poll::Pending => Err(JsNativeError::error().with_message("a job that waits").into()),
    }
}
