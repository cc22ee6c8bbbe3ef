//! What the log says of fetches that no viewer's record tells of.

use crate::play::*;
use bytes::Bytes;
use http_body::Frame;
use parking_lot::Mutex;
use rimward_cache::{Begin, Completed};
use rimward_types::{Body, BodyError, RequestId, SeededEntropy};
use std::fmt::{Debug, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the lines of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _infallible = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        if event.metadata().target().starts_with("rimward") {
            self.0.lock().push(line.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A body that panics.
struct Panics;

impl http_body::Body for Panics {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        panic!("it was to panic")
    }
}

#[tokio::test]
async fn a_fetch_that_ends_early_after_its_viewers_have_left_is_in_the_log_with_the_requests_id() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let id = RequestId::random(&SeededEntropy::new(1));
    let play = Play::new();
    let begin = |url: &str, body: Body| {
        let Begin::Lead(lead) = play.begin(&get(url, &[])) else { panic!("a miss") };
        let head = head(200, &[("cache-control", "max-age=60")]);
        let completed = lead.for_request(id).respond(head, body, play.times());
        assert!(matches!(completed, Completed::Stored(_)), "and nobody has it any more");
    };
    let (broken, body) = Feed::new();
    begin("/broken", body);
    let (forsaken, body) = Feed::new();
    begin("/forsaken", body);
    for feed in [&broken, &forsaken] {
        feed.send("abc");
    }
    settle().await;
    assert!(log.0.lock().is_empty(), "it may be wanted yet");
    broken.break_off();
    settle().await;
    play.after(60);
    forsaken.send("d");
    settle().await;
    begin("/panics", Body::stream(Panics));
    settle().await;
    let lines = log.0.lock().clone();
    for (line, [level, url, why]) in lines.iter().zip([
        ["WARN", "url=\"/broken\"", "a fetch has broken off: origin body ended early: it broke off"],
        ["DEBUG", "url=\"/forsaken\"", "a fetch is given up: nobody reads it"],
        ["ERROR", "url=\"/panics\"", "a fetch has broken off: the node panicked while reading it"],
    ]) {
        for part in [level, url, why, id.as_str()] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }
    assert_eq!(lines.len(), 3);
}
