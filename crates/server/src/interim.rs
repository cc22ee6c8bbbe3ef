//! Interim answers of HTTP/1.1, between the adapter that is given them and the gate that writes them.
//!
//! The parser cannot write them, so the gate does, when the parser flushes: then it holds no byte back. An answer waits
//! until the interim answers before it are written, and takes none after that; so they always stand between two answers.

use crate::flow::Flow;
use http::{HeaderMap, StatusCode};
use rimward_types::InterimSink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Interim answers to one request, and bytes that wait to be written; what comes beyond is left out.
const MOST: usize = 16;
const MOST_BYTES: usize = 64 * 1024;

/// The interim answers of one connection.
#[derive(Debug, Default)]
pub(crate) struct Interims {
    /// Whether something waits to be written; spares the lock.
    waiting: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The request whose answer has not begun.
    open: Option<u64>,
    taken: usize,
    bytes: Vec<u8>,
}

impl Interims {
    /// Takes them for request `number` from now on.
    pub(crate) fn open(&self, number: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open = Some(number);
        state.taken = 0;
    }

    /// Takes no more.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).open = None;
    }

    /// Whether some are not written yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Gives what waits. It counts as waiting until [`Interims::written`].
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }

    /// All that was taken is written.
    pub(crate) fn written(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.store(!state.bytes.is_empty(), Ordering::Release);
    }

    fn add(&self, number: u64, status: StatusCode, headers: &HeaderMap) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if state.open != Some(number) || state.taken >= MOST || state.bytes.len() + size > MOST_BYTES {
            return false;
        }
        state.taken += 1;
        let reason = status.canonical_reason().unwrap_or("Interim");
        state.bytes.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).as_bytes());
        for (name, value) in headers {
            state.bytes.extend_from_slice(name.as_str().as_bytes());
            state.bytes.extend_from_slice(b": ");
            state.bytes.extend_from_slice(value.as_bytes());
            state.bytes.extend_from_slice(b"\r\n");
        }
        state.bytes.extend_from_slice(b"\r\n");
        self.waiting.store(true, Ordering::Release);
        true
    }
}

impl InterimSink for Flow {
    fn send(&self, number: u64, status: StatusCode, headers: &HeaderMap) {
        if self.interims.add(number, status, headers) {
            self.waker.wake();
        } else {
            tracing::debug!(status = status.as_u16(), "an interim answer was left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_taken_for_the_open_request_alone_and_within_bounds() {
        let interims = Interims::default();
        let none = HeaderMap::new();
        assert!(!interims.add(1, StatusCode::PROCESSING, &none));
        interims.open(1);
        assert!(!interims.add(2, StatusCode::PROCESSING, &none));
        for _ in 0..MOST {
            assert!(interims.add(1, StatusCode::PROCESSING, &none));
        }
        assert!(!interims.add(1, StatusCode::PROCESSING, &none), "more than {MOST}");
        assert!(interims.is_waiting());
        assert_eq!(interims.take(), b"HTTP/1.1 102 Processing\r\n\r\n".repeat(MOST));
        assert!(interims.is_waiting(), "they are not written");
        interims.written();
        assert!(!interims.is_waiting());
        interims.open(2);
        interims.close();
        assert!(!interims.add(2, StatusCode::PROCESSING, &none));
    }

    #[test]
    fn a_large_one_is_left_out() {
        let interims = Interims::default();
        interims.open(1);
        let mut headers = HeaderMap::new();
        headers.insert("link", http::HeaderValue::from_bytes(&[b'x'; MOST_BYTES]).expect("a value"));
        assert!(!interims.add(1, StatusCode::EARLY_HINTS, &headers));
    }
}
