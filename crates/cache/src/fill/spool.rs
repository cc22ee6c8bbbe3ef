//! A body that is written to disk while it arrives, a batch at a time; the next is collected meanwhile.

use super::state::Fill;
use crate::disk::writing::Writing;
use crate::disk::{Disk, ObjectFile, Unreadable};
use crate::key::Key;
use crate::object::Face;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A disk that takes longer for a batch is too slow: the fetch goes on without it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where too many writes wait, it is tried again so often, so long.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

type Written = oneshot::Receiver<Result<Writing, Unreadable>>;

pub(super) struct Spool {
    disk: Arc<Disk>,
    id: u64,
    state: State,
}

enum State {
    /// Nothing is written yet.
    New,
    Idle(Writing),
    Busy(Written),
    Broken,
}

/// The disk does not keep up, or fails; it has been told why.
pub(super) struct Broken;

impl Spool {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        let id = disk.next_number();
        Self { disk, id, state: State::New }
    }

    /// Writes a batch, once the one before is written.
    pub(super) async fn push(&mut self, fill: &Fill, parts: Vec<Bytes>) -> Result<(), Broken> {
        let writing = self.idle(fill).await?;
        let (disk, id) = (self.disk.clone(), self.id);
        let job = move || {
            let mut writing = match writing {
                Some(writing) => writing,
                None => Writing::create(&disk, id)?,
            };
            parts.iter().try_for_each(|part| writing.push(part))?;
            writing.flush()?;
            Ok(writing)
        };
        self.state = State::Busy(self.submit(job).await?);
        Ok(())
    }

    /// Waits until what was pushed can be read from the file.
    pub(super) async fn settle(&mut self, fill: &Fill) -> Result<(), Broken> {
        if let Some(writing) = self.idle(fill).await? {
            self.state = State::Idle(writing);
        }
        Ok(())
    }

    /// Ends the body and writes the head.
    pub(super) async fn finish(
        mut self,
        fill: &Fill,
        key: &Arc<Key>,
        face: &Arc<Face>,
    ) -> Result<Arc<ObjectFile>, Broken> {
        let Some(writing) = self.idle(fill).await? else { return Err(Broken) };
        let (seq, key, face) = (fill.number, key.clone(), face.clone());
        let finished = self.submit(move || writing.finish(seq, &key, &face)).await?;
        self.wait(finished).await
    }

    /// The writing, when nothing is being written. Takes it out.
    async fn idle(&mut self, fill: &Fill) -> Result<Option<Writing>, Broken> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::New => Ok(None),
            State::Idle(writing) => Ok(Some(writing)),
            State::Busy(written) => {
                let writing = self.wait(written).await?;
                fill.filed(writing.readable(), writing.framed());
                Ok(Some(writing))
            }
            State::Broken => Err(Broken),
        }
    }

    async fn wait<T>(&self, written: oneshot::Receiver<Result<T, Unreadable>>) -> Result<T, Broken> {
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(Ok(value))) => {
                self.disk.note_write(&Ok(()));
                Ok(value)
            }
            Ok(Ok(Err(error))) => {
                self.disk.note_write(&Err(error));
                Err(Broken)
            }
            Ok(Err(_)) | Err(_) => {
                self.disk.note_slow();
                Err(Broken)
            }
        }
    }

    async fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Unreadable> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Unreadable>>, Broken> {
        let (sender, receiver) = oneshot::channel();
        let mut work: Box<dyn FnOnce() + Send> = Box::new(move || {
            let _ = sender.send(job());
        });
        for _ in 0..TRIES {
            match self.disk.write_or_return(work) {
                Ok(()) => return Ok(receiver),
                Err(back) => work = back,
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.disk.note_slow();
        Err(Broken)
    }
}
