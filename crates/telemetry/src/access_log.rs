//! Records as JSON lines. A writer thread of its own takes them from a bounded queue: a slow disk or a closed pipe
//! costs lines, which are counted, and never a request.

use crate::{ConnectionRecord, Record};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Records that may wait for the writer; about 10 MB of memory at worst.
const QUEUE: usize = 8192;

/// What is written as a line.
pub trait Line: Send + 'static {
    /// One JSON object, without a line end.
    fn to_json(&self) -> String;
}

/// The log of requests.
pub type AccessLog = Log<Record>;
/// The log of connections to distributions with mutual TLS.
pub type ConnectionLog = Log<ConnectionRecord>;

/// Writes records somewhere.
#[derive(Debug)]
pub struct Log<R> {
    queue: Option<SyncSender<Message<R>>>,
    dropped: Arc<AtomicU64>,
    reopen: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Message<R> {
    Record(Box<R>),
    /// Look whether the file is to be opened again.
    Look,
}

/// Opens what is written to; called once at the start, and again whenever it is to be opened anew.
type Open = Box<dyn FnMut() -> io::Result<Box<dyn Write + Send>> + Send>;

impl<R> Clone for Log<R> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), dropped: self.dropped.clone(), reopen: self.reopen.clone() }
    }
}

impl<R: Line> Log<R> {
    /// Writes nothing.
    pub fn off() -> Self {
        Self { queue: None, dropped: Arc::default(), reopen: Arc::default() }
    }

    /// Writes to anything.
    pub fn writer(out: impl Write + Send + 'static) -> Self {
        Self::start(Box::new(out), None)
    }

    /// Writes to what `open` opens, now and again at each [`Log::reopen`].
    ///
    /// # Errors
    /// When it cannot be opened now.
    pub fn opening(mut open: impl FnMut() -> io::Result<Box<dyn Write + Send>> + Send + 'static) -> io::Result<Self> {
        let out = open()?;
        Ok(Self::start(out, Some(Box::new(open))))
    }

    fn start(out: Box<dyn Write + Send>, open: Option<Open>) -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let reopen = Arc::new(AtomicBool::new(false));
        let writer = Writer { messages, out: BufWriter::new(out), open, reopen: reopen.clone() };
        // The thread ends when the last sender is dropped.
        std::thread::Builder::new()
            .name("log".into())
            .spawn(move || writer.run())
            .map_or_else(|_| Self::off(), |_| Self { queue: Some(queue), dropped: Arc::default(), reopen })
    }

    /// Opens the file again before the next line is written, as after it was moved away (log rotation). When it cannot
    /// be opened, lines go on into the old one.
    pub fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
        if let Some(queue) = &self.queue {
            // A full queue is looked at anyway.
            let _busy = queue.try_send(Message::Look);
        }
    }

    /// Whether records go anywhere.
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Hands over a record; never waits.
    pub fn write(&self, record: impl Into<Box<R>>) {
        if let Some(queue) = &self.queue
            && queue.try_send(Message::Record(record.into())).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that were lost because the writer was too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The other end of the queue.
struct Writer<R> {
    messages: Receiver<Message<R>>,
    out: BufWriter<Box<dyn Write + Send>>,
    open: Option<Open>,
    reopen: Arc<AtomicBool>,
}

impl<R: Line> Writer<R> {
    fn run(mut self) {
        while let Ok(message) = self.messages.recv() {
            let mut next = Some(message);
            while let Some(message) = next {
                self.look();
                if let Message::Record(record) = message {
                    // When nobody reads any more, go on taking records, so that senders do not see a full queue.
                    let _nobody_reads = writeln!(self.out, "{}", record.to_json());
                }
                next = self.messages.try_recv().ok();
            }
            let _nobody_reads = self.out.flush();
        }
    }

    /// Opens the file again if that was asked for.
    fn look(&mut self) {
        if !self.reopen.load(Ordering::Acquire) || !self.reopen.swap(false, Ordering::AcqRel) {
            return;
        }
        let Some(open) = &mut self.open else { return };
        let _nobody_reads = self.out.flush();
        match open() {
            Ok(out) => self.out = BufWriter::new(out),
            Err(error) => tracing::error!(%error, "a log cannot be opened again; the old file is written on"),
        }
    }
}
