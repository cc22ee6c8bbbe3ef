//! The thread that advances the epoch while functions run, and sleeps while none does.

use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;
use wasmtime::Engine;

/// How often the thread looks after the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Time to the next look where no run lasts. Each look interrupts a worker where processors are few.
    pub(crate) idle: Duration,
    /// Time to the next look where a run lasts, or may be about to.
    pub(crate) watching: Duration,
}

impl Pace {
    /// The slowest one: that of the usual limit of a millisecond.
    const SLOWEST: Self = Self::for_limit(Duration::from_millis(1));

    /// Slow enough to be cheap, fast enough for a run to end in time: see the test in `budget.rs`.
    pub(crate) const fn for_limit(limit: Duration) -> Self {
        let micros = limit.as_micros();
        let micros = if micros < 1000 { micros as u64 } else { 1000 };
        Self { idle: Duration::from_micros(micros * 6 / 10), watching: Duration::from_micros(micros / 10) }
    }
}

/// Time without any run after which the thread goes to sleep. Waking it costs a run some microseconds, a look costs less.
const LINGER: Duration = Duration::from_millis(15);

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

#[derive(Debug)]
struct Shared {
    engines: Mutex<Vec<EngineHandle>>,
    activities: Mutex<Vec<Watched>>,
    /// The shortest limit that was asked for, in microseconds; `u64::MAX` before.
    shortest: AtomicU64,
    asleep: AtomicBool,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
}

/// An activity and its state at the last look.
#[derive(Debug)]
struct Watched {
    activity: Weak<Activity>,
    seen: u64,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// Nothing runs, and nothing has run since the last look.
    Quiet,
    /// There were runs that are over.
    Over,
    /// A run is on that began since the last look.
    Begun,
    /// A run goes on that was there at the last look.
    Lasting,
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
        let shared = Arc::new(Shared {
            engines: Mutex::default(),
            activities: Mutex::default(),
            shortest: AtomicU64::new(u64::MAX),
            asleep: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            thread: OnceLock::new(),
        });
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
        activities.retain(|watched| watched.activity.strong_count() > 0);
        activities.push(Watched { activity: Arc::downgrade(&activity), seen: 0 });
        activity
    }

    /// Looks often enough for runs of this limit.
    pub(crate) fn expect(&self, limit: Duration) {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.0.shortest.fetch_min(micros, Ordering::Relaxed);
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

    fn pace(&self) -> Pace {
        let shortest = Duration::from_micros(self.shortest.load(Ordering::Relaxed));
        if shortest < Duration::from_millis(1) { Pace::for_limit(shortest) } else { Pace::SLOWEST }
    }

    fn tick(&self) {
        punctual();
        let (mut quiet, mut watching) = (Duration::ZERO, false);
        while !self.stopped.load(Ordering::SeqCst) {
            let pace = self.pace();
            let pause = if watching { pace.watching } else { pace.idle };
            thread::sleep(pause);
            let look = self.look();
            if look == Look::Lasting {
                for EngineHandle(engine) in self.engines.lock().iter() {
                    engine.increment_epoch();
                }
            }
            // Where many short runs follow each other one is always on: only every second look follows closely.
            watching = look == Look::Lasting || (look == Look::Begun && !watching);
            quiet = if look == Look::Quiet { quiet + pause } else { Duration::ZERO };
            if quiet < LINGER {
                continue;
            }
            self.asleep.store(true, Ordering::SeqCst);
            if self.look() != Look::Quiet {
                self.asleep.store(false, Ordering::SeqCst);
            }
            while self.asleep.load(Ordering::SeqCst) && !self.stopped.load(Ordering::SeqCst) {
                thread::park();
            }
            quiet = Duration::ZERO;
        }
    }

    /// The most that is true of any thread.
    fn look(&self) -> Look {
        let mut found = Look::Quiet;
        for watched in self.activities.lock().iter_mut() {
            let Some(activity) = watched.activity.upgrade() else { continue };
            let state = activity.0.load(Ordering::SeqCst);
            let before = std::mem::replace(&mut watched.seen, state);
            let here = match (state & INSIDE != 0, state == before) {
                (true, true) => Look::Lasting,
                (true, false) => Look::Begun,
                (false, true) => Look::Quiet,
                (false, false) => Look::Over,
            };
            found = found.max(here);
        }
        found
    }
}

/// `struct sched_attr` (`linux/sched/types.h`), as far as every kernel knows it.
#[repr(C)]
#[derive(Default)]
struct Scheduling {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks the kernel to wake this thread on time; the default slack of 50 µs is half of the shortest pause. And to let it run at once,
/// before a worker that has used less than its own share: a thread with a short slice goes first (Linux 6.12 and newer; others ignore it).
fn punctual() {
    const SLICE: Duration = Duration::from_micros(100);
    let size = size_of::<Scheduling>() as u32;
    let mut scheduling = Scheduling { size, ..Scheduling::default() };
    // SAFETY: the first call sets a number of the calling thread. The other two read and set how it is scheduled: the pointer is to a
    // structure of ours with the layout and the size that the kernel is told.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong, 0, 0, 0);
        if libc::syscall(libc::SYS_sched_getattr, 0, &raw mut scheduling, size, 0) == 0 {
            scheduling.runtime = SLICE.as_nanos() as u64;
            // Refused: then it is scheduled as every thread.
            libc::syscall(libc::SYS_sched_setattr, 0, &raw const scheduling, 0);
        }
    }
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
        while since.elapsed() < 3 * super::LINGER {
            assert!(!ticker.asleep());
            yield_now();
        }
        drop(running);
        while !ticker.asleep() {
            yield_now();
        }
    }
}
