//! The thread that moves the engine's epoch on, so that code which never calls the host is interrupted all the same.
//!
//! A tick costs a wake-up, so the thread sleeps while nothing runs. A call that starts pays one atomic write, and the
//! price of waking the thread only when it sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Time between ticks. A call that computes gives way to others, and looks at its deadline, this often.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the thread sleeps.
const IDLE_TICKS: u32 = 64;

/// Ticks while calls run. Stops when dropped.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    running: AtomicUsize,
    started: AtomicU64,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// Keeps the ticker awake while it exists.
pub(crate) struct Running<'a>(&'a State);

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let (weak, shared) = (engine.weak(), state.clone());
        let handle = std::thread::Builder::new().name("sandbox-tick".into()).spawn(move || tick(&weak, &shared))?;
        Ok(Self { state, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// A call starts.
    pub(crate) fn running(&self) -> Running<'_> {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        self.state.started.fetch_add(1, Ordering::Relaxed);
        // The thread sets `asleep` before it looks at `running` a last time, and we do it the other way round: one of
        // the two sees the other.
        if self.state.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.state)
    }

    #[cfg(test)]
    fn is_asleep(&self) -> bool {
        self.state.asleep.load(Ordering::SeqCst)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

fn tick(engine: &EngineWeak, state: &State) {
    let (mut seen, mut idle) = (0, 0);
    while !state.stop.load(Ordering::SeqCst) {
        let started = state.started.load(Ordering::Relaxed);
        let quiet = state.running.load(Ordering::SeqCst) == 0 && started == seen;
        (seen, idle) = (started, if quiet { idle + 1 } else { 0 });
        if idle < IDLE_TICKS {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
            continue;
        }
        state.asleep.store(true, Ordering::SeqCst);
        // A call may be over before this thread is awake; it is a sign of more to come.
        let quiet = || state.running.load(Ordering::SeqCst) == 0 && state.started.load(Ordering::Relaxed) == seen;
        while quiet() && !state.stop.load(Ordering::SeqCst) {
            std::thread::park();
        }
        state.asleep.store(false, Ordering::SeqCst);
        idle = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_ticker_sleeps_when_nothing_runs_and_wakes_for_a_call() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        while !ticker.is_asleep() {
            std::thread::yield_now();
        }
        let call = ticker.running();
        while ticker.is_asleep() {
            std::thread::yield_now();
        }
        drop(call);
        while !ticker.is_asleep() {
            std::thread::yield_now();
        }
    }
}
