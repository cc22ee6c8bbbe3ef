//! A body that is read from a file while it is sent: a piece at a time, no more than its reader takes.

use super::{ObjectFile, Unreadable};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rimward_types::BodyError;
use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes that are read at once: one frame or two.
const PIECE: u64 = 64 << 10;
/// Where there is no memory or no place in the queue, reading is tried again so often, so long.
const PATIENCE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

type Piece = Result<(Arc<File>, Bytes), Unreadable>;

pub(crate) struct FileBody {
    object: Arc<ObjectFile>,
    file: Option<Arc<File>>,
    at: u64,
    end: u64,
    reading: Option<Pin<Box<dyn Future<Output = Piece> + Send>>>,
}

impl FileBody {
    /// Bytes `at..end`.
    pub(crate) fn new(object: Arc<ObjectFile>, at: u64, end: u64) -> Self {
        let end = end.min(object.length());
        Self { object, file: None, at: at.min(end), end, reading: None }
    }
}

/// Whether the beginning of an object can be read. One that is gone or damaged is removed.
pub(crate) async fn is_readable(object: &Arc<ObjectFile>) -> bool {
    match read(object.clone(), None, 0, 1).await {
        Ok(_) => true,
        Err(error) => {
            if let Some(store) = object.disk.store() {
                store.discard(object, &error);
            }
            false
        }
    }
}

async fn read(object: Arc<ObjectFile>, file: Option<Arc<File>>, at: u64, most: u64) -> Piece {
    for _ in 0..PATIENCE {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (this, handle) = (object.clone(), file.clone());
        let queued = object.disk.read(move || {
            let file = handle.map_or_else(|| this.open(), Ok);
            let piece = file.and_then(|file| this.read(&file, at, most).map(|bytes| (file, bytes)));
            let _ = sender.send(piece);
        });
        if queued {
            match receiver.await {
                Ok(Err(Unreadable::Busy)) | Err(_) => {}
                Ok(piece) => return piece,
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Unreadable::Busy)
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.at >= this.end {
            return Poll::Ready(None);
        }
        let most = PIECE.min(this.end - this.at);
        let (object, file, at) = (&this.object, &this.file, this.at);
        let reading = this.reading.get_or_insert_with(|| Box::pin(read(object.clone(), file.clone(), at, most)));
        let piece = std::task::ready!(reading.as_mut().poll(cx));
        this.reading = None;
        match piece {
            Ok((file, bytes)) => {
                this.file = Some(file);
                this.at += bytes.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Err(error) => {
                this.at = this.end;
                let text = error.to_string();
                if let Some(store) = this.object.disk.store() {
                    store.discard(&this.object, &error);
                }
                Poll::Ready(Some(Err(BodyError::Stored(text))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.at)
    }
}
