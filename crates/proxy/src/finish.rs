//! The end of a request: the record is complete when the last byte is gone, or when the viewer left. That of a WebSocket
//! is complete when the WebSocket ends (`cdn-behaviour.md` section 21).

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use rimward_telemetry::{AccessLog, ConnectionLog, ConnectionRecord, GrpcRecord, Metrics, Record, WebSocketRecord};
use rimward_types::{Body, BodyError, Passage};
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
    /// Lines of connections to distributions with mutual TLS.
    pub connections: ConnectionLog,
}

impl Records {
    /// Takes a finished record.
    pub fn take(&self, record: Box<Record>) {
        self.metrics.observe(&record);
        if self.log.is_on() {
            self.log.write(record);
        }
    }

    /// Takes the record of a connection.
    pub fn take_connection(&self, record: ConnectionRecord) {
        self.metrics.observe_connection(&record);
        if self.connections.is_on() {
            self.connections.write(record);
        }
    }

    /// Opens the files of both logs again.
    pub fn reopen(&self) {
        self.log.reopen();
        self.connections.reopen();
    }
}

/// See [`word`].
const ORIGIN_BROKE_OFF: &str = "OriginCommError";

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

    /// The body for the server. A tunnel stays one.
    pub fn into_body(mut self) -> Body {
        match std::mem::take(&mut self.body) {
            Body::Tunnel(tunnel) => {
                let (record, began, records) = (self.record.take(), self.began, self.records.clone());
                Body::Tunnel(tunnel.telling(move |passage| {
                    if let Some(record) = record {
                        records.take(tunnelled(record, passage, began));
                    }
                }))
            }
            body => {
                self.body = body;
                Body::stream(self)
            }
        }
    }

    /// The body breaks off: the viewer cannot be told why, the record and the log can.
    fn cut(&mut self, error: &BodyError) {
        if let Some(record) = &mut self.record {
            tracing::warn!(request = %record.id, host = record.host, path = record.path, %error, "an answer was cut off");
            record.detail = Some(word(error));
            if let (BodyError::Origin(_) | BodyError::TimedOut, Some(asked)) = (error, record.origins.last_mut()) {
                asked.error.get_or_insert_with(|| error.to_string());
            }
        }
        self.end(false);
    }

    fn end(&mut self, complete: bool) {
        if let Some(mut record) = self.record.take() {
            record.complete = complete;
            record.total = self.began.elapsed();
            record.learn_slices();
            // Where the viewer was told with a status of gRPC, its answer ended well by itself.
            if record.grpc.as_ref().and_then(GrpcRecord::call).is_some_and(|call| call.tally.why_cut().is_some()) {
                record.complete = false;
                record.detail.get_or_insert(ORIGIN_BROKE_OFF);
            }
            self.records.take(record);
        }
    }
}

/// The record's word for what cuts a body off: the detailed result types of `cdn-behaviour.md` section 19.1, and one for what
/// the vendor does not tell.
fn word(error: &BodyError) -> &'static str {
    match error {
        BodyError::Origin(_) | BodyError::Reset { side: "origin", .. } | BodyError::TimedOut => ORIGIN_BROKE_OFF,
        BodyError::Viewer(_) | BodyError::Reset { .. } => "ClientCommError",
        BodyError::Stored(_) => "StoredReadError",
        BodyError::TooLarge(_) => "TooLarge",
    }
}

/// Notes the status of a gRPC call, which stands in its trailers, or in its head where that is all.
pub fn learn_status(record: &mut Record, headers: &HeaderMap) {
    if let Some(GrpcRecord::Call(call)) = &mut record.grpc
        && let Some(status) = headers.get("grpc-status")
    {
        call.status = status.to_str().ok().and_then(|status| status.parse().ok());
    }
}

/// The record of a WebSocket that has ended.
fn tunnelled(mut record: Box<Record>, passage: Passage, began: Instant) -> Box<Record> {
    let Passage { received, sent, ended } = passage;
    record.scheme = if record.scheme == "https" { "wss" } else { "ws" };
    record.websocket = Some(WebSocketRecord { received, sent, ended: ended.as_str() });
    record.bytes = sent;
    record.complete = ended.is_regular();
    record.total = began.elapsed();
    record
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
                if let (Some(record), Some(trailers)) = (&mut this.record, frame.trailers_ref()) {
                    learn_status(record, trailers);
                }
                if this.body.is_end_stream() {
                    this.end(true);
                }
            }
            Some(Err(error)) => this.cut(error),
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
        let complete = http_body::Body::is_end_stream(&self.body);
        if let Some(record) = self.record.as_mut().filter(|_| !complete) {
            record.detail = Some("ClientCommError");
        }
        self.end(complete);
    }
}
