//! What must not be forgotten: which epoch it is, and what was purged. An object's number and a purge's number come
//! from one counter that begins anew, higher, with every start, so that a purge means whatever has a lower number.
//!
//! `marker` tells the epoch. Without it, or with one that cannot be read, nothing that is there counts. `purges` has an
//! entry for each purge: length, checksum, entry. It is made short again once what was purged is removed.

use super::LAST_EPOCH;
use super::files::Files;
use super::frames::VERSION;
use crate::key::Key;
use crate::store::extent::Extent;
use crate::store::purge_list::{PurgeList, Verdict};
use crate::tag::Tag;
use rimward_types::{Entropy, SystemEntropy};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal above this is made short.
const LONG: u64 = 4 << 20;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry {
    /// A purge: removes, or makes stale.
    Purge { seq: u64, extent: Extent, soft: bool },
    /// What earlier purges have left: objects that are stale, unless their head is newer, and files that are to be
    /// removed still.
    Standing { seq: u64, stale: Vec<u64>, gone: Vec<u64> },
}

impl Entry {
    /// Its number among purges and objects.
    pub(super) fn seq(&self) -> u64 {
        match self {
            Self::Purge { seq, .. } | Self::Standing { seq, .. } => *seq,
        }
    }
}

/// What an earlier run has left.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Objects of other epochs are removed, all of them.
    pub(super) forgotten: bool,
    purges: PurgeList,
    /// Files, and what their head must be older than.
    stale: HashMap<u64, u64>,
    gone: HashSet<u64>,
}

/// The open journal.
pub(super) struct Journal {
    files: Arc<dyn Files>,
    folder: PathBuf,
    pub(super) epoch: u32,
    file: Option<File>,
    size: u64,
    /// The marker was taken away, since a purge could not be written.
    is_unmarked: bool,
}

impl Past {
    /// What is to be done with the object `id`, whose head says `seq`.
    pub(super) fn judge(&self, id: u64, seq: u64, key: &Key, tags: &[Tag]) -> Verdict {
        if self.forgotten || self.gone.contains(&id) {
            return Verdict::Remove;
        }
        let is_stale = self.stale.get(&id).is_some_and(|standing| *standing > seq);
        let verdict = if is_stale { Verdict::Stale } else { Verdict::Keep };
        verdict.max(self.purges.judge(key, seq, tags))
    }
}

impl Journal {
    /// Reads what is in `folder` and begins a new epoch. Blocks.
    pub(super) fn open(files: Arc<dyn Files>, folder: &Path) -> io::Result<(Self, Past)> {
        let mut past = Past::default();
        let marker = read(&*files, &folder.join("marker"))?;
        let epoch = match marker.as_deref().and_then(parse_marker).filter(|epoch| *epoch < LAST_EPOCH) {
            Some(epoch) => epoch + 1,
            None => {
                past.forgotten = true;
                // Any will do: there is nothing that it would have to be above.
                let mut random = [0; 4];
                SystemEntropy.fill(&mut random);
                u32::from_le_bytes(random) % (LAST_EPOCH / 2)
            }
        };
        if let Some(bytes) = read(&*files, &folder.join("purges"))? {
            match parse(&bytes) {
                Some(entries) => entries.into_iter().for_each(|entry| past.learn(entry)),
                // A purge may be missing: what it meant must not come back.
                None => past.forgotten = true,
            }
        }
        let mut journal = Self { files, folder: folder.to_owned(), epoch, file: None, size: 0, is_unmarked: true };
        // Objects of this epoch are safe from purges before it, so the old entries may stay until they are done with.
        if past.forgotten {
            journal.replace(&[])?;
        } else {
            journal.reopen()?;
        }
        journal.mark()?;
        Ok((journal, past))
    }

    fn reopen(&mut self) -> io::Result<()> {
        let path = self.folder.join("purges");
        let file = match self.files.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.files.create(&path)?,
            Err(error) => return Err(error),
        };
        self.size = self.files.length(&file)?;
        self.file = Some(file);
        Ok(())
    }

    /// Writes entries down, for good. On failure the marker is taken away, so that a restart forgets everything
    /// rather than bring back what was purged.
    pub(super) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let appended = self.try_append(entries);
        if appended.is_err() {
            self.is_unmarked |= self.files.remove(&self.folder.join("marker")).is_ok();
        } else if self.is_unmarked {
            self.mark()?;
        }
        appended
    }

    fn try_append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if self.file.is_none() {
            self.reopen()?;
        }
        let Some(file) = &self.file else { return Ok(()) };
        let bytes = encode(entries);
        // At the same place again after a failure: what was written in part is written over.
        self.files.write_at(file, &bytes, self.size)?;
        self.files.sync(file)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn is_long(&self) -> bool {
        self.size > LONG
    }

    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Puts `entries` in the place of all that was written.
    pub(super) fn replace(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.put("purges", &encode(entries))?;
        self.reopen()
    }

    fn mark(&mut self) -> io::Result<()> {
        self.put("marker", format!("rimward cache {VERSION}\nepoch {}\n", self.epoch).as_bytes())?;
        self.is_unmarked = false;
        Ok(())
    }

    /// Writes a file as a whole or not at all.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.folder.join(format!("{name}.new"));
        match self.files.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.files.create(&new)?;
        self.files.write_at(&file, bytes, 0)?;
        self.files.sync(&file)?;
        self.files.rename(&new, &self.folder.join(name))
    }
}

impl Past {
    fn learn(&mut self, entry: Entry) {
        match entry {
            Entry::Purge { seq, extent, soft } => self.purges.add(seq, &extent, soft),
            Entry::Standing { seq, stale, gone } => {
                self.stale.extend(stale.into_iter().map(|id| (id, seq)));
                self.gone.extend(gone);
            }
        }
    }
}

fn read(files: &dyn Files, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match files.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; files.length(&file)? as usize];
    files.read_at(&file, &mut bytes, 0)?;
    Ok(Some(bytes))
}

fn parse_marker(bytes: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(&format!("rimward cache {VERSION}\nepoch "))?;
    rest.strip_suffix('\n')?.parse().ok()
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        // Nothing in an entry can fail to be written.
        let bytes = postcard::to_allocvec(entry).unwrap_or_default();
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

/// `None` when anything is not as it was written.
fn parse(mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        if crc32fast::hash(entry) != u32::from_le_bytes(*checksum) {
            return None;
        }
        entries.push(postcard::from_bytes(entry).ok()?);
        bytes = rest;
    }
    Some(entries)
}
