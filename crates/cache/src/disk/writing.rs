//! A file that is being made. Dropped before it is finished, it is removed.

use super::frames::{self, FRAME, Unreadable};
use super::keeper::Doomed;
use super::object_file::{self, ObjectFile};
use super::{Disk, Record, on_disk};
use crate::key::Key;
use crate::memory::Room;
use crate::object::Face;
use bytes::Bytes;
use std::fs::File;
use std::sync::Arc;

/// Frames that are written at once.
const BATCH: usize = 4 * FRAME as usize;

/// All of it blocks.
pub(crate) struct Writing {
    disk: Arc<Disk>,
    id: u64,
    file: Arc<File>,
    /// Frames that are not written yet, with their checksums.
    ready: Vec<u8>,
    /// The frame that is not full yet.
    frame: Vec<u8>,
    /// Bytes of body in full frames, ready or written.
    framed: u64,
    /// Bytes of file written.
    written: u64,
    room: Option<Room>,
}

/// What can be read of a file that is being made.
#[derive(Clone)]
pub(crate) struct Readable {
    disk: Arc<Disk>,
    id: u64,
    file: Arc<File>,
}

impl Writing {
    pub(crate) fn create(disk: &Arc<Disk>, id: u64) -> Result<Self, Unreadable> {
        let room = disk.reserve(on_disk(1))?;
        let file = Arc::new(disk.files.create(&disk.path(id))?);
        Ok(Self {
            disk: disk.clone(),
            id,
            file,
            ready: Vec::new(),
            frame: Vec::new(),
            framed: 0,
            written: 0,
            room: Some(room),
        })
    }

    /// Adds to the body.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Unreadable> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(FRAME as usize - self.frame.len()));
            self.frame.extend_from_slice(now);
            bytes = later;
            if self.frame.len() == FRAME as usize {
                self.end_frame();
            }
            if self.ready.len() >= BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        frames::push_frame(&mut self.ready, self.id, self.framed / FRAME, &self.frame);
        self.framed += self.frame.len() as u64;
        self.frame.clear();
    }

    /// Writes full frames.
    pub(crate) fn flush(&mut self) -> Result<(), Unreadable> {
        let size = self.written + self.ready.len() as u64;
        let more = on_disk(size).saturating_sub(on_disk(self.written.max(1)));
        if more > 0 {
            let more = self.disk.reserve(more)?;
            if let Some(room) = &mut self.room {
                room.join(more);
            }
        }
        self.disk.files.write_at(&self.file, &self.ready, self.written)?;
        self.written = size;
        self.ready.clear();
        Ok(())
    }

    /// Bytes of body that can be read, after a flush.
    pub(crate) fn framed(&self) -> u64 {
        self.framed
    }

    /// Ends the body and writes the head.
    pub(crate) fn finish(mut self, seq: u64, key: &Arc<Key>, face: &Face) -> Result<Arc<ObjectFile>, Unreadable> {
        if !self.frame.is_empty() {
            self.end_frame();
        }
        let head = Record::of(seq, key, face).encode()?;
        let at = frames::body_size(self.framed);
        frames::push_head(&mut self.ready, self.id, self.framed, &head, at);
        self.flush()?;
        let room = self.room.take().ok_or(Unreadable::Damaged("it has no room"))?;
        let file = ObjectFile::new(self.disk.clone(), self.id, key.clone(), self.framed, self.written, room);
        Ok(file)
    }

    pub(crate) fn readable(&self) -> Readable {
        Readable { disk: self.disk.clone(), id: self.id, file: self.file.clone() }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(room) = self.room.take() {
            self.disk.keeper.doom(Doomed { id: self.id, _room: room });
        }
    }
}

impl Readable {
    /// Reads up to `most` bytes from `at` on; `length` are there. `None`: too many wait for the disk, or there is no
    /// memory: try again.
    pub(crate) async fn read(&self, length: u64, at: u64, most: u64) -> Result<Option<Bytes>, Unreadable> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let this = self.clone();
        let queued = self.disk.read(move || {
            let _ = sender.send(object_file::read(&this.disk, &this.file, this.id, length, at, most));
        });
        if !queued {
            return Ok(None);
        }
        match receiver.await {
            Ok(Ok(bytes)) => Ok(Some(bytes)),
            Ok(Err(Unreadable::Busy)) | Err(_) => Ok(None),
            Ok(Err(error)) => Err(error),
        }
    }
}

impl std::fmt::Debug for Readable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readable").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("id", &self.id).field("framed", &self.framed).finish_non_exhaustive()
    }
}
