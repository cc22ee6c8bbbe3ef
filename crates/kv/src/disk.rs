//! The database beneath a store: one redb file with the pairs, and what is known about them. A commit is on the disk
//! when it returns, and is there as a whole or not at all, whatever happens to the process.

use crate::Pairs;
use crate::write::{Batch, ETag};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use rimward_types::{ByteSize, Timestamp};
use std::path::Path;

const PAIRS: TableDefinition<'_, &str, &str> = TableDefinition::new("pairs");
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");

/// Everything is in memory already: the database needs little for itself, in bytes.
const CACHE: usize = 1 << 20;
/// Says how the tables are to be read.
const FORMAT: u64 = 1;

/// What is known about the contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    /// When the store was made.
    pub(crate) created: Timestamp,
    /// When it was last written.
    pub(crate) updated: Timestamp,
    /// Chance, when the store was made.
    pub(crate) chance: u64,
    /// How many times it was written.
    pub(crate) revision: u64,
    /// Digest of the file whose pairs it took last.
    pub(crate) seed: Option<[u8; 32]>,
    /// Whether it was written by other means since.
    pub(crate) own: bool,
}

#[derive(Debug)]
pub(crate) struct Disk {
    database: Database,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error("another process has it open")]
    InUse,
    #[error("it has format {0}, and this version reads {FORMAT}")]
    Format(u64),
}

impl About {
    /// A store that is made `now`.
    pub(crate) fn new(now: Timestamp) -> Self {
        let chance = getrandom::u64().unwrap_or_else(|_| now.as_millis());
        Self { created: now, updated: now, chance, revision: 0, seed: None, own: false }
    }

    pub(crate) fn etag(&self) -> ETag {
        ETag { store: self.chance, revision: self.revision }
    }

    /// After a write by somebody.
    pub(crate) fn written(&self, now: Timestamp) -> Self {
        Self { updated: now, revision: self.revision + 1, own: true, ..self.clone() }
    }

    /// After the file's pairs were taken.
    pub(crate) fn seeded(&self, digest: [u8; 32], now: Timestamp) -> Self {
        Self { updated: now, revision: self.revision + 1, seed: Some(digest), ..self.clone() }
    }
}

impl Disk {
    /// Opens or makes the database.
    pub(crate) fn open(path: &Path, now: Timestamp) -> Result<(Self, Pairs, About), DiskError> {
        let database = Builder::new().set_cache_size(CACHE).create(path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => DiskError::InUse,
            other => DiskError::Database(other.into()),
        })?;
        let mut disk = Self { database };
        let (pairs, about) = match disk.read()? {
            Some(read) => read,
            None => {
                let about = About::new(now);
                disk.replace(&Pairs::default(), &about)?;
                (Pairs::default(), about)
            }
        };
        Ok((disk, pairs, about))
    }

    /// Everything; `None` for a database that is new.
    fn read(&self) -> Result<Option<(Pairs, About)>, DiskError> {
        let reading = self.database.begin_read().map_err(redb::Error::from)?;
        let about = match reading.open_table(ABOUT) {
            Ok(about) => about,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let number = |key| -> Result<u64, redb::Error> {
            let value = about.get(key)?;
            Ok(value.and_then(|value| Some(u64::from_le_bytes(value.value().try_into().ok()?))).unwrap_or_default())
        };
        let format = number("format")?;
        if format != FORMAT {
            return Err(DiskError::Format(format));
        }
        let seed = about.get("seed").map_err(redb::Error::from)?.and_then(|value| value.value().try_into().ok());
        let about = About {
            created: Timestamp::from_millis(number("created")?),
            updated: Timestamp::from_millis(number("updated")?),
            chance: number("chance")?,
            revision: number("revision")?,
            seed,
            own: number("own")? != 0,
        };
        let table = reading.open_table(PAIRS).map_err(redb::Error::from)?;
        let mut read = Vec::new();
        for pair in table.iter().map_err(redb::Error::from)? {
            let (key, value) = pair.map_err(redb::Error::from)?;
            read.push((key.value().to_owned(), value.value().to_owned()));
        }
        // What was written was within the limit of its time.
        let pairs = Pairs::try_from_iter(ByteSize::bytes(u64::MAX), read)
            .map_err(|error| redb::Error::Corrupted(error.to_string()))?;
        Ok(Some((pairs, about)))
    }

    /// Makes the changes of `batch`.
    pub(crate) fn update(&mut self, batch: &Batch, about: &About) -> Result<(), DiskError> {
        self.write(about, |writing| {
            let mut table = writing.open_table(PAIRS)?;
            for key in batch.deletes() {
                table.remove(key)?;
            }
            for (key, value) in batch.puts() {
                table.insert(key, value)?;
            }
            Ok(())
        })
    }

    /// Puts `pairs` in the place of everything.
    pub(crate) fn replace(&mut self, pairs: &Pairs, about: &About) -> Result<(), DiskError> {
        self.write(about, |writing| {
            writing.delete_table(PAIRS)?;
            let mut table = writing.open_table(PAIRS)?;
            for (key, value) in pairs.iter() {
                table.insert(key, value)?;
            }
            Ok(())
        })
    }

    fn write(
        &mut self,
        about: &About,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), DiskError> {
        let writing = self.database.begin_write().map_err(redb::Error::from)?;
        change(&writing)?;
        put_about(&writing, about)?;
        writing.commit().map_err(redb::Error::from)?;
        Ok(())
    }
}

fn put_about(writing: &WriteTransaction, about: &About) -> Result<(), redb::Error> {
    let mut table = writing.open_table(ABOUT)?;
    let numbers = [
        ("format", FORMAT),
        ("created", about.created.as_millis()),
        ("updated", about.updated.as_millis()),
        ("chance", about.chance),
        ("revision", about.revision),
        ("own", u64::from(about.own)),
    ];
    for (key, number) in numbers {
        table.insert(key, number.to_le_bytes().as_slice())?;
    }
    match &about.seed {
        Some(seed) => drop(table.insert("seed", seed.as_slice())?),
        None => drop(table.remove("seed")?),
    }
    Ok(())
}
