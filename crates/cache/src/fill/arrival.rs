//! A body that arrives: its pieces, and how far each reader is.

use super::slots::Slots;
use crate::disk::writing::Readable;
use crate::memory::Room;
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// A body that arrives.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    readers: Slots<Reader>,
    pieces: VecDeque<Piece>,
    /// The file that it is written to, and how much of it can be read there: earlier pieces are let go.
    file: Option<(Readable, u64)>,
    /// Bytes that have come.
    arrived: u64,
    /// Length of the whole, when the head told.
    pub(super) length: Option<u64>,
    end: End,
    /// Pieces are let go when every reader has them: nobody new can read from the beginning.
    is_window: bool,
}

#[derive(Debug)]
struct Reader {
    at: u64,
    /// It has all that came, and waits.
    waker: Option<Waker>,
    /// It held up others for too long: nothing is kept for it.
    is_left_behind: bool,
}

/// A piece of the body. `room` is empty when the bytes carry it themselves.
#[derive(Debug)]
struct Piece {
    at: u64,
    bytes: Bytes,
    room: Option<Room>,
    /// Copied into memory of its own size.
    is_block: bool,
}

#[derive(Debug, Default)]
enum End {
    #[default]
    Open,
    Complete,
    Broken(String),
}

/// What a reader finds.
pub(crate) enum Read {
    Bytes(Bytes),
    /// They are in the file, which has as many.
    InFile(Readable, u64),
    End,
    Broken(String),
}

// === impl Arrival ===

impl Arrival {
    /// A place for a reader at the beginning; `None` when the beginning is gone.
    pub(super) fn attach(&mut self) -> Option<usize> {
        (!self.is_window).then(|| self.readers.add(Reader { at: 0, waker: None, is_left_behind: false }))
    }

    /// Nobody new may read. Pieces are let go from now on.
    pub(super) fn close(&mut self) {
        self.is_window = true;
        self.trim();
    }

    /// Adds bytes; gives who is to be woken.
    pub(super) fn push(&mut self, bytes: Bytes, room: Option<Room>) -> Vec<Waker> {
        let at = self.arrived;
        self.arrived += bytes.len() as u64;
        self.pieces.push_back(Piece { at, bytes, room, is_block: false });
        self.wake_readers()
    }

    /// It is complete, or has broken off; gives who is to be woken.
    pub(super) fn end(&mut self, broken: Option<String>) -> Vec<Waker> {
        self.end = match broken {
            None => End::Complete,
            Some(text) => End::Broken(text),
        };
        self.wake_readers()
    }

    /// Bytes that have come, and those of them that are held.
    pub(super) fn amounts(&self) -> (u64, u64) {
        (self.arrived, self.arrived - self.pieces.front().map_or(self.arrived, |piece| piece.at))
    }

    pub(super) fn has_readers(&self) -> bool {
        self.readers.iter().any(|reader| !reader.is_left_behind)
    }

    /// Whether somebody has all that came and waits.
    pub(super) fn is_starved(&self) -> bool {
        self.readers.iter().any(|reader| reader.waker.is_some())
    }

    /// Leaves those behind who have not read all that came.
    pub(super) fn leave_behind(&mut self) {
        let arrived = self.arrived;
        self.readers.iter_mut().filter(|reader| reader.at < arrived).for_each(|reader| reader.is_left_behind = true);
        self.trim();
    }

    /// The pieces after the latest block, and their room.
    pub(super) fn take_loose(&mut self) -> (Vec<Bytes>, Option<Room>) {
        let mut parts = Vec::new();
        let mut room: Option<Room> = None;
        for piece in self.pieces.iter_mut().rev().take_while(|piece| !piece.is_block) {
            parts.push(piece.bytes.clone());
            if let Some(held) = piece.room.take() {
                match &mut room {
                    None => room = Some(held),
                    Some(room) => room.join(held),
                }
            }
        }
        parts.reverse();
        (parts, room)
    }

    /// Puts a block in the place of the last `count` pieces.
    pub(super) fn replace_last(&mut self, count: usize, block: Bytes) {
        let first = self.pieces.len() - count;
        let at = self.pieces[first].at;
        self.pieces.truncate(first);
        self.pieces.push_back(Piece { at, bytes: block, room: None, is_block: true });
    }

    pub(super) fn blocks(&self) -> Vec<Bytes> {
        self.pieces.iter().map(|piece| piece.bytes.clone()).collect()
    }

    /// Reads for the reader in `slot`, at most `limit` bytes.
    pub(super) fn poll_read(&mut self, slot: usize, at: u64, limit: u64, cx: &Context<'_>) -> Poll<Read> {
        if at < self.arrived {
            let index = self.pieces.partition_point(|piece| piece.at <= at).saturating_sub(1);
            let Some(piece) = self.pieces.get(index).filter(|piece| piece.at <= at) else {
                if let Some((file, length)) = self.file.as_ref().filter(|(_, length)| at < *length) {
                    return Poll::Ready(Read::InFile(file.clone(), *length));
                }
                return Poll::Ready(Read::Broken("others could not wait for this reader any longer".to_owned()));
            };
            let from = (at - piece.at) as usize;
            let to = piece.bytes.len().min(from.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)));
            let bytes = piece.bytes.slice(from..to);
            self.seek(slot, at + bytes.len() as u64);
            return Poll::Ready(Read::Bytes(bytes));
        }
        match &self.end {
            End::Complete => Poll::Ready(Read::End),
            End::Broken(text) => Poll::Ready(Read::Broken(text.clone())),
            End::Open => {
                if let Some(reader) = self.readers.get_mut(slot) {
                    (reader.at, reader.waker) = (at, Some(cx.waker().clone()));
                }
                Poll::Pending
            }
        }
    }

    /// The reader in `slot` goes on at `at`.
    pub(super) fn seek(&mut self, slot: usize, at: u64) {
        if let Some(reader) = self.readers.get_mut(slot) {
            (reader.at, reader.waker) = (at, None);
        }
        self.trim();
    }

    /// So much of it can be read from its file.
    pub(super) fn filed(&mut self, file: Readable, length: u64) {
        self.file = Some((file, length));
        self.trim();
    }

    /// The reader in `slot` leaves.
    pub(super) fn detach(&mut self, slot: usize) {
        self.readers.remove(slot);
        self.trim();
    }

    fn wake_readers(&mut self) -> Vec<Waker> {
        self.readers.iter_mut().filter_map(|reader| reader.waker.take()).collect()
    }

    /// Lets go of what is in the file, or, once the fill is a window, of what every reader has.
    fn trim(&mut self) {
        // What is in the file may be read there by whoever comes.
        let slowest = match (self.is_window, &self.file) {
            (true, _) => {
                let reading = self.readers.iter().filter(|reader| !reader.is_left_behind);
                reading.map(|reader| reader.at).min().unwrap_or(self.arrived)
            }
            (false, Some((_, length))) => *length,
            (false, None) => return,
        };
        while self.pieces.front().is_some_and(|piece| piece.at + piece.bytes.len() as u64 <= slowest) {
            self.pieces.pop_front();
        }
    }
}
