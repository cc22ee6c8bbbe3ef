//! Counts of what happened to connections and requests.

use crate::refusal::Refusal;
use rimward_types::Ended;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start of the server.
#[derive(Debug)]
pub struct Counters {
    /// Connections accepted, refused ones included.
    pub accepted: AtomicU64,
    /// Connections open now.
    pub open: AtomicU64,
    /// Requests given to the service.
    pub requests: AtomicU64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: AtomicU64,
    /// Connections closed for being idle.
    pub idle: AtomicU64,
    /// Idle connections closed early, so that others have a place.
    pub given_up: AtomicU64,
    /// HTTP/2 connections ended because the viewer reset too many streams.
    pub flooded: AtomicU64,
    /// Connections cut because a body stood still in either direction.
    pub stalled: AtomicU64,
    /// Panics of the service.
    pub panics: AtomicU64,
    /// Connections cut at the end of the drain.
    pub cut: AtomicU64,
    /// WebSockets open now, handshakes that are not answered yet included.
    pub websockets_open: AtomicU64,
    /// WebSockets that began.
    pub websockets: AtomicU64,
    /// Bytes that came from viewers over WebSockets.
    pub websocket_received: AtomicU64,
    /// Bytes that viewers took over WebSockets.
    pub websocket_sent: AtomicU64,
    websockets_ended: [AtomicU64; Ended::ALL.len()],
    refused: Vec<AtomicU64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            accepted: AtomicU64::default(),
            open: AtomicU64::default(),
            requests: AtomicU64::default(),
            handshakes_failed: AtomicU64::default(),
            idle: AtomicU64::default(),
            given_up: AtomicU64::default(),
            flooded: AtomicU64::default(),
            stalled: AtomicU64::default(),
            panics: AtomicU64::default(),
            cut: AtomicU64::default(),
            websockets_open: AtomicU64::default(),
            websockets: AtomicU64::default(),
            websocket_received: AtomicU64::default(),
            websocket_sent: AtomicU64::default(),
            websockets_ended: Default::default(),
            refused: Refusal::ALL.iter().map(|_| AtomicU64::default()).collect(),
        }
    }
}

impl Counters {
    /// Requests (connections, for [`Refusal::TooManyConnections`] and [`Refusal::TooManyOfAddress`]) refused for this reason.
    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.refused[refusal as usize].load(Ordering::Relaxed)
    }

    /// WebSockets that ended for this reason.
    pub fn websockets_ended(&self, ended: Ended) -> u64 {
        self.websockets_ended[ended as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn websocket_ended(&self, ended: Ended) {
        add(&self.websockets_ended[ended as usize]);
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        add(&self.refused[refusal as usize]);
    }
}

pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
