//! The thread that advances the epoch while functions run, and sleeps while none does.

use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;
use wasmtime::Engine;

/// Time between two ticks.
pub(crate) const PERIOD: Duration = Duration::from_micros(300);
/// Ticks without any run after which the thread goes to sleep: 15 ms. Waking it costs a run some microseconds, a tick costs less.
const LINGER: u32 = 50;

/// One run, in the lower byte the number of runs that are inside each other.
const STARTED: u64 = (1 << 8) + 1;
const INSIDE: u64 = 0xff;

/// Whether a thread runs functions: written by that thread, read by the ticker. Alone on its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Activity(AtomicU64);

/// Says that a run is on; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The handle of the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    engines: Mutex<Vec<EngineHandle>>,
    activities: Mutex<Vec<Weak<Activity>>>,
    asleep: AtomicBool,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
}

/// [`Engine`] has no `Debug`.
struct EngineHandle(Engine);

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = shared.clone();
        let handle =
            thread::Builder::new().name("isolate-ticker".to_owned()).stack_size(64 << 10).spawn(move || its.tick())?;
        // Set before anyone can look for it: `enter` needs the ticker that is returned here.
        shared.thread.get_or_init(|| handle.thread().clone());
        Ok(Self(shared))
    }

    /// Advances this engine's epoch too.
    pub(crate) fn add_engine(&self, engine: &Engine) {
        self.0.engines.lock().push(EngineHandle(engine.clone()));
    }

    /// An activity for a thread, watched for as long as it lives.
    pub(crate) fn register(&self) -> Arc<Activity> {
        let activity = Arc::new(Activity::default());
        let mut activities = self.0.activities.lock();
        activities.retain(|activity| activity.strong_count() > 0);
        activities.push(Arc::downgrade(&activity));
        activity
    }

    /// Keeps the epoch going until the result is dropped.
    pub(crate) fn enter(&self, activity: &Arc<Activity>) -> Running {
        // This store and the load below against the store and loads in `tick`: all sequentially consistent, so either we see that the
        // thread is about to sleep, or it sees that we run.
        activity.0.fetch_add(STARTED, Ordering::SeqCst);
        if self.0.asleep.load(Ordering::SeqCst) {
            self.0.wake();
        }
        Running(activity.clone())
    }

    /// Whether the thread sleeps.
    #[cfg(test)]
    pub(crate) fn asleep(&self) -> bool {
        self.0.asleep.load(Ordering::SeqCst)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

impl Shared {
    fn wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn tick(&self) {
        fine_timers();
        let mut quiet = 0;
        let mut seen = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            thread::sleep(PERIOD);
            for EngineHandle(engine) in self.engines.lock().iter() {
                engine.increment_epoch();
            }
            quiet = if self.quiet_since(&mut seen) { quiet + 1 } else { 0 };
            if quiet < LINGER {
                continue;
            }
            self.asleep.store(true, Ordering::SeqCst);
            if !self.quiet_since(&mut seen) {
                self.asleep.store(false, Ordering::SeqCst);
            }
            while self.asleep.load(Ordering::SeqCst) && !self.stopped.load(Ordering::SeqCst) {
                thread::park();
            }
            quiet = 0;
        }
    }

    /// Whether nothing runs and nothing has run since the last look.
    fn quiet_since(&self, seen: &mut u64) -> bool {
        let mut running = false;
        let mut sum = 0u64;
        for activity in self.activities.lock().iter().filter_map(Weak::upgrade) {
            let state = activity.0.load(Ordering::SeqCst);
            running |= state & INSIDE != 0;
            sum = sum.wrapping_add(state >> 8);
        }
        let quiet = !running && sum == *seen;
        *seen = sum;
        quiet
    }
}

/// Asks the kernel to wake this thread on time; the default slack of 50 µs is a sixth of a tick.
fn fine_timers() {
    // SAFETY: sets a number of the calling thread.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong, 0, 0, 0) };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Ticker;
    use std::thread::yield_now;

    #[test]
    fn the_ticker_sleeps_while_nothing_runs_and_wakes_for_a_run() {
        let ticker = Ticker::start().unwrap();
        let activity = ticker.register();
        for _ in 0..3 {
            while !ticker.asleep() {
                yield_now();
            }
            let running = ticker.enter(&activity);
            assert!(!ticker.asleep());
            drop(running);
        }
    }

    #[test]
    fn a_run_keeps_the_ticker_awake() {
        let ticker = Ticker::start().unwrap();
        let activity = ticker.register();
        let running = ticker.enter(&activity);
        let since = std::time::Instant::now();
        while since.elapsed() < 3 * super::LINGER * super::PERIOD {
            assert!(!ticker.asleep());
            yield_now();
        }
        drop(running);
        while !ticker.asleep() {
            yield_now();
        }
    }
}
