//! Threads that wait for the disk, so that no worker does.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

/// Work for a thread of the pool.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Threads with one bounded queue. They end when the pool is dropped, after what is in the queue.
pub(super) struct Pool {
    queue: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    /// There is a job, or the end.
    ready: Condvar,
    /// Nothing is queued and nobody works.
    idle: Condvar,
    most: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    working: usize,
    closed: bool,
}

impl Pool {
    /// Starts `threads` of them; at most `most` jobs wait.
    pub(super) fn start(name: &str, threads: usize, most: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue { state: Mutex::default(), ready: Condvar::new(), idle: Condvar::new(), most });
        let pool = Self { queue };
        for n in 0..threads {
            let queue = pool.queue.clone();
            thread::Builder::new().name(format!("{name}-{n}")).spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    /// Queues a job. False when the queue is full: the job is dropped.
    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.submit_or_return(Box::new(job)).is_ok()
    }

    /// Queues a job, or gives it back when the queue is full.
    pub(super) fn submit_or_return(&self, job: Job) -> Result<(), Job> {
        let mut state = self.queue.state.lock();
        if state.jobs.len() >= self.queue.most {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.queue.ready.notify_one();
        Ok(())
    }

    /// Whether no job could be queued now.
    pub(super) fn is_full(&self) -> bool {
        self.queue.state.lock().jobs.len() >= self.queue.most
    }

    /// Waits until everything that was queued is done. Blocks.
    pub(super) fn wait_idle(&self) {
        let mut state = self.queue.state.lock();
        while !state.jobs.is_empty() || state.working > 0 {
            self.queue.idle.wait(&mut state);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.ready.notify_all();
    }
}

impl Queue {
    fn work(&self) {
        loop {
            let job = {
                let mut state = self.state.lock();
                loop {
                    if let Some(job) = state.jobs.pop_front() {
                        state.working += 1;
                        break job;
                    }
                    if state.closed {
                        return;
                    }
                    self.ready.wait(&mut state);
                }
            };
            // A job that panics is lost, and tells so by dropping its end of a channel; the thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(job));
            let mut state = self.state.lock();
            state.working -= 1;
            if state.jobs.is_empty() && state.working == 0 {
                self.idle.notify_all();
            }
        }
    }
}
