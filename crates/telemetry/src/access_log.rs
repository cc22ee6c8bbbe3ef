//! Records as JSON lines. A writer thread of its own takes them from a bounded queue: a slow disk or a closed pipe
//! costs lines, which are counted, and never a request.

use crate::Record;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Records that may wait for the writer; about 10 MB of memory at worst.
const QUEUE: usize = 8192;

/// Writes records somewhere.
#[derive(Debug, Clone)]
pub struct AccessLog {
    queue: Option<SyncSender<Record>>,
    dropped: Arc<AtomicU64>,
}

impl AccessLog {
    /// Writes nothing.
    pub fn off() -> Self {
        Self { queue: None, dropped: Arc::default() }
    }

    /// Appends to a file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        let file: File = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::writer(file))
    }

    /// Writes to anything.
    pub fn writer(out: impl Write + Send + 'static) -> Self {
        let (queue, records) = sync_channel(QUEUE);
        // The thread ends when the last sender is dropped.
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_all(&records, out))
            .map_or_else(|_| Self::off(), |_| Self { queue: Some(queue), dropped: Arc::default() })
    }

    /// Whether records go anywhere.
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Hands over a record; never waits.
    pub fn write(&self, record: Record) {
        if let Some(queue) = &self.queue
            && queue.try_send(record).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that were lost because the writer was too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn write_all(records: &Receiver<Record>, out: impl Write) {
    let mut out = BufWriter::new(out);
    while let Ok(record) = records.recv() {
        let mut next = Some(record);
        while let Some(record) = next {
            // When nobody reads any more, go on taking records, so that senders do not see a full queue.
            let _nobody_reads = writeln!(out, "{}", record.to_json());
            next = records.try_recv().ok();
        }
        let _nobody_reads = out.flush();
    }
}
