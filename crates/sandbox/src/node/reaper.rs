//! The thread that ends instances which nobody needed for long. Without it their memory would be held until somebody
//! calls their function again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::function::WeakFunction;
use crate::node::Functions;

/// The longest time between two looks.
const LONGEST: Duration = Duration::from_secs(30);
/// The shortest.
const SHORTEST: Duration = Duration::from_millis(10);

/// Stops when dropped.
pub(crate) struct Reaper {
    thread: Thread,
    stop: Arc<AtomicBool>,
}

impl Reaper {
    /// Starts the thread, which looks at `functions` some times in every `idle`.
    pub(crate) fn start(functions: Arc<Functions>, idle: Duration) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, period) = (stop.clone(), (idle / 10).clamp(SHORTEST, LONGEST));
        let run = move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::park_timeout(period);
                reap(&functions, Instant::now());
            }
        };
        let handle = std::thread::Builder::new().name("sandbox-reap".into()).spawn(run)?;
        Ok(Self { thread: handle.thread().clone(), stop })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // Not joined: the thread may hold the last handle of a function, and end up here itself.
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

/// Ends what is over at `now`.
fn reap(functions: &Functions, now: Instant) {
    let functions: Vec<_> = functions.lock().iter().filter_map(WeakFunction::upgrade).collect();
    for function in functions {
        let ended = function.reap(now);
        if ended > 0 {
            tracing::debug!(function = %function.name(), ended, "idle instances ended");
        }
    }
}
