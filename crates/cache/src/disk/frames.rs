//! The layout of an object's file: the body in frames of 64 KB, each behind its checksum; the head; a trailer. A head
//! that is updated is appended with a trailer of its own. A file without a right trailer at its end was never finished.
//!
//! `{checksum 4, data}.. {head, trailer}..`; numbers are little endian.

use super::files::Files;
use std::fs::File;
use std::io;

/// Bytes of body in a frame; the last may have fewer.
pub(super) const FRAME: u64 = 64 << 10;
const CHECKSUM: u64 = 4;
/// Changes with the layout of files, heads and the journal: what another version wrote is removed.
pub(super) const VERSION: u32 = 2;
const MAGIC: u32 = 0x5244_5743 ^ VERSION;
const TRAILER: usize = 36;
/// Read at once from the end of a file: most heads are in it.
const TAIL: u64 = 8 << 10;
/// No head is larger: the origin's is bounded by far less.
const MAX_HEAD: u64 = 4 << 20;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The file is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// The system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is no memory to read it into, or too many wait for the disk.
    #[error("the node is too busy")]
    Busy,
}

/// What stands at the end of a finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tail {
    /// Length of the body.
    pub(super) length: u64,
    /// The head, as [`super::record`] wrote it.
    pub(super) head: Vec<u8>,
    /// Length of the file.
    pub(super) size: u64,
}

/// The checksum of frame `index` of file `id`: neither another file's frame nor another frame's place will do.
fn checksum(id: u64, index: u64, data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&id.to_le_bytes());
    hasher.update(&index.to_le_bytes());
    hasher.update(data);
    hasher.finalize()
}

/// Where the head of a body of `length` begins.
pub(super) fn body_size(length: u64) -> u64 {
    length + length.div_ceil(FRAME) * CHECKSUM
}

/// Appends frame `index` to `out`.
pub(super) fn push_frame(out: &mut Vec<u8>, id: u64, index: u64, data: &[u8]) {
    out.extend_from_slice(&checksum(id, index, data).to_le_bytes());
    out.extend_from_slice(data);
}

/// Appends head and trailer to `out`, which will stand at `at` in the file.
pub(super) fn push_head(out: &mut Vec<u8>, id: u64, length: u64, head: &[u8], at: u64) {
    out.extend_from_slice(head);
    let trailer = out.len();
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&(head.len() as u64).to_le_bytes());
    out.extend_from_slice(&checksum(id, u64::MAX, head).to_le_bytes());
    let sum = checksum(id, u64::MAX - 1, &out[trailer..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// Reads the end of a finished file.
pub(super) fn read_tail(files: &dyn Files, file: &File, id: u64) -> Result<Tail, Unreadable> {
    let size = files.length(file)?;
    if size < TRAILER as u64 {
        return Err(Unreadable::Damaged("it has no end"));
    }
    let start = size - size.min(TAIL);
    let mut tail = vec![0; (size - start) as usize];
    files.read_at(file, &mut tail, start)?;
    let trailer = tail.split_off(tail.len() - TRAILER);
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| trailer[at + i]));
    let short = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| trailer[at + i]));
    if short(0) != MAGIC || short(TRAILER - 4) != checksum(id, u64::MAX - 1, &trailer[..TRAILER - 4]) {
        return Err(Unreadable::Damaged("its end is not what was written"));
    }
    let (length, at, head_length) = (number(4), number(12), number(20));
    if at < body_size(length) || at.checked_add(head_length) != Some(size - TRAILER as u64) || head_length > MAX_HEAD {
        return Err(Unreadable::Damaged("its end does not fit its length"));
    }
    let head = match at.checked_sub(start) {
        Some(offset) => tail.split_off(offset as usize),
        None => {
            let mut head = vec![0; head_length as usize];
            files.read_at(file, &mut head, at)?;
            head
        }
    };
    if checksum(id, u64::MAX, &head) != short(28) {
        return Err(Unreadable::Damaged("its head is not what was written"));
    }
    Ok(Tail { length, head, size })
}

/// How many bytes of memory [`read_body`] needs for as much.
pub(super) fn read_size(length: u64, at: u64, most: u64) -> usize {
    let (first, end) = span(length, at, most);
    let bytes = (end * FRAME).min(length) - first * FRAME;
    (bytes + (end - first) * CHECKSUM) as usize
}

/// The frames of a read: the first, and the one behind the last.
fn span(length: u64, at: u64, most: u64) -> (u64, u64) {
    let end = at.saturating_add(most).min(length);
    (at / FRAME, end.div_ceil(FRAME))
}

/// Reads up to `most` bytes of the body from `at` on. `length` bytes of it are there. Every frame that is touched is
/// checked as a whole. `at` must be below `length`.
pub(super) fn read_body(
    files: &dyn Files,
    file: &File,
    id: u64,
    length: u64,
    at: u64,
    most: u64,
) -> Result<Vec<u8>, Unreadable> {
    let (first, end) = span(length, at, most);
    let mut bytes = vec![0; read_size(length, at, most)];
    files.read_at(file, &mut bytes, first * (FRAME + CHECKSUM)).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Unreadable::Damaged("it is cut short"),
        _ => Unreadable::Io(error),
    })?;
    let (mut from, mut to) = (0, 0);
    for index in first..end {
        let data = from + CHECKSUM as usize;
        let size = FRAME.min(length - index * FRAME) as usize;
        let told = u32::from_le_bytes(std::array::from_fn(|i| bytes[from + i]));
        if told != checksum(id, index, &bytes[data..data + size]) {
            return Err(Unreadable::Damaged("its body is not what was written"));
        }
        bytes.copy_within(data..data + size, to);
        from = data + size;
        to += size;
    }
    bytes.truncate(to);
    let skip = (at - first * FRAME) as usize;
    bytes.truncate(skip.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)));
    if skip > 0 {
        bytes.drain(..skip);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
