//! The end of a request: the record is complete when the last byte is gone, or when the viewer left.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use rimward_telemetry::{AccessLog, Metrics, Record};
use rimward_types::{Body, BodyError};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Where records go.
#[derive(Debug, Clone)]
pub struct Records {
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Lines.
    pub log: AccessLog,
}

impl Records {
    /// Takes a finished record.
    pub fn take(&self, record: Box<Record>) {
        self.metrics.observe(&record);
        if self.log.is_on() {
            self.log.write(record);
        }
    }
}

/// A body that writes the record when it ends or is dropped.
pub struct RecordedBody {
    body: Body,
    record: Option<Box<Record>>,
    began: Instant,
    records: Records,
}

impl RecordedBody {
    /// Counts what `body` sends into `record`.
    pub fn new(body: Body, record: Box<Record>, began: Instant, records: Records) -> Self {
        Self { body, record: Some(record), began, records }
    }

    fn end(&mut self, complete: bool) {
        if let Some(mut record) = self.record.take() {
            record.complete = complete;
            record.total = self.began.elapsed();
            self.records.take(record);
        }
    }
}

impl http_body::Body for RecordedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(record), Some(data)) = (&mut this.record, frame.data_ref()) {
                    record.bytes += data.len() as u64;
                }
                if this.body.is_end_stream() {
                    this.end(true);
                }
            }
            Some(Err(_)) => this.end(false),
            None => this.end(true),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RecordedBody {
    fn drop(&mut self) {
        // A body without bytes is never polled, and is complete all the same.
        self.end(http_body::Body::is_end_stream(&self.body));
    }
}
