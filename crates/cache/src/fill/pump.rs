//! Reads the origin's body into the fill, and stores it at the end. Owned by no viewer.

use super::state::Fill;
use crate::key::Key;
use crate::object::{Content, Face, Stored};
use crate::store::{Mark, Store};
use bytes::Bytes;
use http_body_util::BodyExt;
use rimward_types::{Body, Timestamp};
use std::sync::Arc;

/// Bodies are kept in pieces of about this size: large enough for few writes, small enough to be copied in no time
/// (about 50 µs).
const BLOCK: usize = 256 << 10;

/// The pump of one fill. Dropped before the end, by a runtime that stops or a body that panics, it breaks the fill off.
pub(crate) struct Pump {
    store: Arc<Store>,
    key: Arc<Key>,
    fill: Arc<Fill>,
    face: Arc<Face>,
    /// Length that the head told.
    expected: Option<u64>,
    /// Goes on although nobody reads: a refresh in the background.
    patient: bool,
    /// Too large to be stored: it is passed on to those who read it.
    overflown: bool,
    /// Bytes that are not in blocks yet.
    loose: usize,
    forsaken: Option<Timestamp>,
    done: bool,
}

impl Pump {
    pub(crate) fn new(
        store: Arc<Store>,
        key: Arc<Key>,
        fill: Arc<Fill>,
        face: Arc<Face>,
        expected: Option<u64>,
        patient: bool,
    ) -> Self {
        Self { store, key, fill, face, expected, patient, overflown: false, loose: 0, forsaken: None, done: false }
    }

    /// Reads `body` to its end.
    pub(crate) async fn run(mut self, mut body: Body) {
        while let Some(frame) = body.frame().await {
            let data = match frame {
                // Trailers are not stored (RFC 9111 section 3.1 lets a cache drop them).
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(error) => return self.break_off(error.to_string()),
            };
            if !data.is_empty() && !self.take(data).await {
                return self.break_off("nobody reads it".to_owned());
            }
            if self.is_forsaken() {
                return self.break_off("nobody reads it".to_owned());
            }
        }
        self.finish();
    }

    /// Takes a piece of the body. False when there is nobody left to take it for.
    async fn take(&mut self, data: Bytes) -> bool {
        let (arrived, _) = self.fill.amounts();
        let length = data.len() as u64;
        let limit = self.store.max_object();
        let mut room = None;
        if arrived + length <= limit || self.overflown {
            room = self.store.reserve(data.len());
        }
        if room.is_none() && !self.overflown {
            self.overflow(arrived + length > limit);
        }
        if self.overflown {
            // Back pressure: no more is held than an object may have, and what does not fit waits until the slowest
            // reader has all before it.
            loop {
                let (_, held) = self.fill.amounts();
                if held == 0 || (held + length <= limit && room.is_some()) {
                    break;
                }
                if !self.fill.has_readers() {
                    return false;
                }
                self.fill.moved().await;
                if room.is_none() {
                    room = self.store.reserve(data.len());
                }
            }
            if !self.fill.has_readers() {
                return false;
            }
            self.fill.push(data, room);
            return true;
        }
        self.loose += data.len();
        self.fill.push(data, room);
        if self.loose >= BLOCK {
            self.fill.compact();
            self.loose = 0;
        }
        true
    }

    /// It will not be stored. Those who read it go on; others go alone.
    fn overflow(&mut self, too_large: bool) {
        self.overflown = true;
        self.fill.close();
        self.store.release(&self.key, &self.fill);
        if too_large {
            self.store.mark(&self.key, Mark::TooLarge);
        }
    }

    fn is_forsaken(&mut self) -> bool {
        if self.patient || self.fill.has_readers() {
            self.forsaken = None;
            return false;
        }
        let now = self.store.now();
        let since = *self.forsaken.get_or_insert(now);
        self.overflown || now.since(since) >= self.store.abandoned()
    }

    fn finish(mut self) {
        let (arrived, _) = self.fill.amounts();
        if self.expected.is_some_and(|expected| expected != arrived) {
            return self.break_off("its length is not what its head says".to_owned());
        }
        self.done = true;
        if !self.overflown {
            self.fill.compact();
            let mut blocks = self.fill.blocks();
            let content = match blocks.len() {
                0 => Content::Whole(Bytes::new()),
                1 => Content::Whole(blocks.swap_remove(0)),
                _ => Content::Blocks { blocks: blocks.into(), length: arrived },
            };
            // Stored before the end is told: who has read it all finds it stored.
            let stored = Stored { face: self.face.clone(), content };
            self.store.complete(&self.key, &self.fill, stored);
        }
        self.fill.end(None);
    }

    fn break_off(mut self, why: String) {
        self.stop(why);
    }

    fn stop(&mut self, why: String) {
        self.done = true;
        self.store.release(&self.key, &self.fill);
        self.fill.end(Some(why));
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if !self.done {
            self.stop("the node stopped reading it".to_owned());
        }
    }
}
