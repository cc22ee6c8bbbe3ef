//! An object's file. It is there for as long as somebody holds this; doomed, it is removed when the last lets go.

use super::frames::{self, Unreadable};
use super::keeper::Doomed;
use super::{Disk, Parts, Record, on_disk};
use crate::key::Key;
use crate::memory::{Room, owned};
use bytes::Bytes;
use parking_lot::Mutex;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Heads that were appended may take as much; then no more are written, and a restart finds an older one.
const MAX_HEADS: u64 = 256 << 10;

pub(crate) struct ObjectFile {
    pub(super) disk: Arc<Disk>,
    id: u64,
    pub(crate) key: Arc<Key>,
    length: u64,
    doomed: AtomicBool,
    /// Held while a head is appended, by threads of the disk alone.
    end: Mutex<End>,
}

struct End {
    size: u64,
    room: Option<Room>,
}

/// What a file tells of itself.
pub(crate) struct Told {
    pub(crate) parts: Parts,
    /// Bytes that the face takes in memory.
    pub(crate) weight: usize,
}

impl ObjectFile {
    pub(super) fn new(disk: Arc<Disk>, id: u64, key: Arc<Key>, length: u64, size: u64, room: Room) -> Arc<Self> {
        let end = Mutex::new(End { size, room: Some(room) });
        Arc::new(Self { disk, id, key, length, doomed: AtomicBool::new(false), end })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Length of the body.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The file is removed once nobody reads it.
    pub(crate) fn doom(&self) {
        if !self.doomed.swap(true, Ordering::SeqCst) {
            self.disk.keeper.expect_doomed(self.id);
        }
    }

    /// Opens the file. Blocks.
    pub(crate) fn open(&self) -> Result<Arc<File>, Unreadable> {
        Ok(Arc::new(self.disk.files.open(&self.disk.path(self.id))?))
    }

    /// Reads the head. Blocks.
    pub(crate) fn read_head(&self, file: &File) -> Result<Told, Unreadable> {
        let tail = frames::read_tail(&*self.disk.files, file, self.id)?;
        let record = Record::decode(&tail.head)?;
        if tail.length != self.length || record.key() != *self.key {
            return Err(Unreadable::Damaged("it is another object"));
        }
        Ok(Told { weight: record.weight(), parts: record.into_parts()? })
    }

    /// Reads up to `most` bytes from `at` on, into memory that is counted. Blocks.
    pub(crate) fn read(&self, file: &File, at: u64, most: u64) -> Result<Bytes, Unreadable> {
        read(&self.disk, file, self.id, self.length, at, most)
    }

    pub(super) fn append_head(&self, head: &[u8]) -> Result<(), Unreadable> {
        let mut end = self.end.lock();
        let at = end.size;
        let mut bytes = Vec::with_capacity(head.len() + 64);
        frames::push_head(&mut bytes, self.id, self.length, head, at);
        let size = at + bytes.len() as u64;
        if size > frames::body_size(self.length) + MAX_HEADS {
            return Ok(());
        }
        let more = on_disk(size) - on_disk(at);
        let more = if more > 0 { Some(self.disk.reserve(more)?) } else { None };
        let file = self.open()?;
        self.disk.files.write_at(&file, &bytes, at)?;
        end.size = size;
        if let Some((room, more)) = end.room.as_mut().zip(more) {
            room.join(more);
        }
        Ok(())
    }
}

/// Reads from a file, finished or not, of which `length` bytes of body are there. Blocks.
pub(super) fn read(disk: &Disk, file: &File, id: u64, length: u64, at: u64, most: u64) -> Result<Bytes, Unreadable> {
    let size = frames::read_size(length, at, most);
    let room = disk.store().and_then(|store| store.reserve(size)).ok_or(Unreadable::Busy)?;
    Ok(owned(frames::read_body(&*disk.files, file, id, length, at, most)?, room))
}

impl Drop for ObjectFile {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::SeqCst)
            && let Some(room) = self.end.get_mut().room.take()
        {
            self.disk.keeper.doom(Doomed { id: self.id, _room: room });
        }
    }
}

impl std::fmt::Debug for ObjectFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectFile").field("id", &self.id).field("length", &self.length).finish_non_exhaustive()
    }
}
