//! Reads the origin's body into the fill, and stores it at the end. Owned by no viewer.

use super::spool::{Broken, Spool};
use super::state::Fill;
use crate::key::Key;
use crate::memory::Room;
use crate::object::{Content, Face, Stored};
use crate::store::unattended::Unattended;
use crate::store::{Mark, Store};
use bytes::Bytes;
use http_body_util::BodyExt;
use rimward_types::{Body, BodyError, RequestId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Bodies are kept in pieces of about this size: large enough for few writes, small enough to be copied in no time
/// (about 50 µs).
const BLOCK: usize = 256 << 10;

/// Where there is no memory for what goes to disk, it is tried again so often, so long.
const PATIENCE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// A reader may hold up at one piece for as long others who have read all and wait: then it is let go. Where nobody waits, the
/// slowest has all the time that the server gives a viewer.
const LAG: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Why a fetch ended after its head, before its end.
#[derive(Debug, thiserror::Error)]
enum BreakOff {
    /// Its viewers have left.
    #[error("nobody reads it")]
    Forsaken,
    /// The origin's body ended early.
    #[error("{0}")]
    Body(BodyError),
    /// It was shorter or longer than the head told.
    #[error("its length is not what its head says")]
    Length,
    /// The runtime stops.
    #[error("the node stopped reading it")]
    Stopped,
    /// The body, or what reads it, has panicked.
    #[error("the node panicked while reading it")]
    Panicked,
}

/// The pump of one fill. Dropped before the end, by a runtime that stops or a body that panics, it breaks the fill off.
pub(crate) struct Pump {
    store: Arc<Store>,
    key: Arc<Key>,
    fill: Arc<Fill>,
    face: Arc<Face>,
    /// Of the request that began it.
    id: Option<RequestId>,
    /// Length that the head told.
    expected: Option<u64>,
    /// Goes on although nobody reads: a refresh in the background.
    patient: bool,
    /// Too large to be stored: it is passed on to those who read it.
    overflown: bool,
    /// Too large for memory: it is written to disk while it arrives.
    spool: Option<Spool>,
    /// Pieces that are not on their way to the disk yet.
    unwritten: Vec<Bytes>,
    /// Bytes that are not in blocks, or not on their way to the disk, yet.
    loose: usize,
    /// Since when nobody reads it, and its place among such.
    forsaken: Option<(Timestamp, Unattended)>,
    done: bool,
}

impl Pump {
    pub(crate) fn new(
        store: Arc<Store>,
        key: Arc<Key>,
        fill: Arc<Fill>,
        face: Arc<Face>,
        id: Option<RequestId>,
        expected: Option<u64>,
        patient: bool,
    ) -> Self {
        Self {
            store,
            key,
            fill,
            face,
            id,
            expected,
            patient,
            overflown: false,
            spool: None,
            unwritten: Vec::new(),
            loose: 0,
            forsaken: None,
            done: false,
        }
    }

    /// Reads `body` to its end.
    pub(crate) async fn run(mut self, mut body: Body) {
        loop {
            let waits_for_readers = !self.patient && self.forsaken.is_none();
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                () = self.fill.deserted(), if waits_for_readers => {
                    if self.is_forsaken() {
                        return self.break_off(BreakOff::Forsaken);
                    }
                    continue;
                }
            };
            let Some(frame) = frame else { break };
            let data = match frame {
                // Trailers are not stored (RFC 9111 section 3.1 lets a cache drop them).
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(error) => return self.break_off(BreakOff::Body(error)),
            };
            if !data.is_empty() && !self.take(data).await {
                return self.break_off(BreakOff::Forsaken);
            }
            if self.is_forsaken() {
                return self.break_off(BreakOff::Forsaken);
            }
        }
        self.finish().await;
    }

    /// Takes a piece of the body. False when there is nobody left to take it for.
    async fn take(&mut self, data: Bytes) -> bool {
        let (arrived, _) = self.fill.amounts();
        let length = data.len() as u64;
        let most = self.store.max_object();
        let limit = self.store.max_in_memory();
        if !self.overflown && arrived + length > most {
            self.overflow(true);
        }
        if !self.overflown && self.spool.is_none() && self.expected.unwrap_or(arrived + length) > limit {
            self.begin_spool();
        }
        if self.spool.is_some() {
            return self.take_to_disk(data).await;
        }
        let mut room = None;
        if arrived + length <= limit || self.overflown {
            room = self.store.reserve_for_body(data.len(), arrived);
        }
        if room.is_none() && !self.overflown {
            if arrived + length <= limit {
                self.store.count_no_room();
                tracing::debug!(url = self.key.url(), held = self.store.held(), "passed on, not stored: no-room");
            }
            self.overflow(arrived + length > limit);
        }
        self.take_to_memory(data, room, limit).await
    }

    async fn take_to_memory(&mut self, data: Bytes, mut room: Option<Room>, limit: u64) -> bool {
        let length = data.len() as u64;
        if self.overflown {
            // Back pressure: no more is held than an object may have, and what does not fit waits until the slowest
            // reader has all before it.
            let mut starving = None;
            loop {
                let (_, held) = self.fill.amounts();
                if held == 0 || (held + length <= limit && room.is_some()) {
                    break;
                }
                if !self.fill.has_readers() {
                    return false;
                }
                let _either = tokio::time::timeout(LOOK, self.fill.moved()).await;
                let now = self.store.now();
                starving = self.fill.is_starved().then(|| starving.unwrap_or(now));
                if starving.is_some_and(|since| now.since(since) >= LAG) {
                    self.fill.leave_behind();
                }
                if room.is_none() {
                    room = self.store.reserve_for_body(data.len(), self.fill.amounts().0);
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

    /// It goes to disk from now on, if it is worth it.
    fn begin_spool(&mut self) {
        if let Some(disk) = self.store.may_spool(&self.key, self.expected) {
            self.spool = Some(Spool::new(disk.clone()));
            self.fill.spool();
            self.unwritten = self.fill.blocks();
        } else {
            self.overflow(true);
        }
    }

    async fn take_to_disk(&mut self, data: Bytes) -> bool {
        let mut room = self.store.reserve(data.len());
        for _ in 0..PATIENCE {
            if room.is_some() {
                break;
            }
            // What is on its way to the disk takes memory until it is there; the rest is held by other readers.
            if self.write_on(true).await.is_err() {
                return self.give_up_disk(data).await;
            }
            room = self.store.reserve(data.len());
            if room.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        if room.is_none() {
            return false;
        }
        self.loose += data.len();
        self.unwritten.push(data.clone());
        self.fill.push(data, room);
        if self.loose >= BLOCK && self.write_on(false).await.is_err() {
            self.stop_spool();
        }
        true
    }

    /// Sends what has come on its way to the disk; waits until it is there where `all`.
    async fn write_on(&mut self, all: bool) -> Result<(), Broken> {
        self.loose = 0;
        let parts = std::mem::take(&mut self.unwritten);
        let Some(spool) = &mut self.spool else { return Ok(()) };
        if !parts.is_empty() {
            spool.push(&self.fill, parts).await?;
        }
        if all { spool.settle(&self.fill).await } else { Ok(()) }
    }

    /// The disk fails: those who read go on, and it is not stored.
    fn stop_spool(&mut self) {
        self.spool = None;
        self.unwritten.clear();
        self.overflow(false);
    }

    async fn give_up_disk(&mut self, data: Bytes) -> bool {
        self.stop_spool();
        let room = self.store.reserve_for_body(data.len(), self.fill.amounts().0);
        let limit = self.store.max_in_memory();
        self.take_to_memory(data, room, limit).await
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
        // A window has no beginning for who comes to it later.
        if self.patient || self.fill.has_readers() || (!self.overflown && self.fill.is_wanted()) {
            self.forsaken = None;
            return false;
        }
        let now = self.store.now();
        if self.forsaken.is_none() {
            self.forsaken = self.store.unattended().body().map(|place| (now, place));
        }
        let in_time = |(since, _): &(Timestamp, _)| now.since(*since) < self.store.abandoned();
        self.overflown || !self.forsaken.as_ref().is_some_and(in_time)
    }

    async fn finish(mut self) {
        let (arrived, _) = self.fill.amounts();
        if self.expected.is_some_and(|expected| expected != arrived) {
            // The origin does not send the slices that it speaks of.
            if let Some(whole) = self.key.of_whole() {
                self.store.mark(&whole, Mark::Unsliced);
            }
            return self.break_off(BreakOff::Length);
        }
        if self.spool.is_some() {
            return self.finish_on_disk().await;
        }
        self.done = true;
        if !self.overflown {
            self.fill.compact();
            let mut blocks = self.fill.blocks();
            let content = match blocks.len() {
                0 => Content::Whole(Bytes::new()),
                1 => Content::Whole(blocks.swap_remove(0)),
                _ => {
                    let pieces = self.store.pieces(blocks, arrived);
                    self.fill.hold(pieces.hold());
                    Content::Blocks(pieces)
                }
            };
            // Stored before the end is told: who has read it all finds it stored.
            let stored = Stored { face: self.face.clone(), content };
            self.store.complete(&self.key, &self.fill, stored);
        }
        self.fill.end(None);
    }

    async fn finish_on_disk(mut self) {
        let written = self.write_on(false).await;
        // A purge by tag that came before the head is in no journal, since nothing was on its way to the disk then: a file
        // that it means must never be a finished one. Purges that come from here on know that it is written.
        let is_wanted = self.store.is_listed(&self.key, &self.fill) && !self.fill.is_purged(&self.key, &self.face);
        let object = match self.spool.take().filter(|_| written.is_ok() && is_wanted) {
            Some(spool) => spool.finish(&self.fill, &self.key, &self.face).await.ok(),
            None => None,
        };
        self.done = true;
        match object {
            Some(object) => {
                let stored = Stored { face: self.face.clone(), content: Content::Filed(object) };
                self.store.complete(&self.key, &self.fill, stored);
            }
            None => self.store.release(&self.key, &self.fill),
        }
        self.fill.end(None);
    }

    fn break_off(mut self, why: BreakOff) {
        self.stop(&why);
    }

    /// The log is told, since there may be no viewer left in whose record it would be seen.
    fn stop(&mut self, why: &BreakOff) {
        let (url, bytes) = (self.key.url(), self.fill.amounts().0);
        let request = self.id.as_ref().map(RequestId::as_str);
        match why {
            BreakOff::Forsaken | BreakOff::Stopped => {
                tracing::debug!(request, url, bytes, "a fetch is given up: {why}");
            }
            BreakOff::Body(_) | BreakOff::Length => {
                tracing::warn!(request, url, bytes, "a fetch has broken off: {why}");
            }
            BreakOff::Panicked => tracing::error!(request, url, bytes, "a fetch has broken off: {why}"),
        }
        self.done = true;
        self.store.release(&self.key, &self.fill);
        // Who reads it is told again that it is the origin's.
        let told = match why {
            BreakOff::Body(BodyError::Origin(told)) => told.clone(),
            why => why.to_string(),
        };
        self.fill.end(Some(told));
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if !self.done {
            self.stop(if std::thread::panicking() { &BreakOff::Panicked } else { &BreakOff::Stopped });
        }
    }
}
