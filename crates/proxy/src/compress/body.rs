//! A body that is coded while it arrives.
//!
//! Bytes are gathered, up to [`BLOCK`], and coded on a thread of the blocking pool: a block of brotli takes longer than
//! the executor may be held. As many run at a time as there are processors. When the origin pauses, what has come goes
//! out, so that a page that is made slowly is seen as it is made.

use super::Compressors;
use super::eligible::{Compression, NotCoded};
use super::encoder::{Coding, Encoder, Then};
use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rimward_types::{Body, BodyError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are coded at a time. What one body holds is this, a part as it came, and the encoder.
const BLOCK: usize = 64 << 10;
/// How long the origin may be silent before what has come is sent on.
const PAUSE: Duration = Duration::from_millis(50);

/// A body that is being coded.
struct Coded {
    from: Body,
    /// Came, and is not coded.
    gathered: BytesMut,
    encoder: Encoder,
    turns: Arc<Semaphore>,
    /// Its place among the bodies.
    _place: OwnedSemaphorePermit,
}

/// Codes `body`, if there is a place for one more. A body without bytes, as that of an answer to HEAD, stays so, and
/// says what it would be.
pub fn encode(body: Body, coding: Coding, compressors: &Compressors) -> (Body, Compression) {
    if body.is_empty() {
        return (body, Compression::Coded(coding));
    }
    let place = compressors.bodies.clone().try_acquire_owned().ok();
    let (Some(place), Ok(encoder)) = (place, Encoder::new(coding)) else {
        return (body, Compression::Not(NotCoded::Busy));
    };
    let turns = compressors.turns.clone();
    let state = Coded { from: body, gathered: BytesMut::new(), encoder, turns, _place: place };
    let parts = unfold(Some(state), |state| async {
        let (part, state) = state?.next().await;
        Some((part.map(Frame::data), state))
    });
    (Body::stream(StreamBody::new(parts)), Compression::Coded(coding))
}

impl Coded {
    /// The next part; `None` after the last one.
    async fn next(mut self) -> (Result<Bytes, BodyError>, Option<Self>) {
        loop {
            let then = match self.gather().await {
                Ok(then) => then,
                Err(error) => return (Err(error), None),
            };
            let Coded { from, mut gathered, encoder, turns, _place } = self;
            let input = gathered.split();
            let coded = match turns.clone().acquire_owned().await {
                // The turn goes along: it is over when the work is, whoever still waits for it.
                Ok(turn) => tokio::task::spawn_blocking(move || {
                    let coded = encoder.code(&input, then);
                    drop(turn);
                    coded
                })
                .await
                .map_err(|error| error.to_string())
                .and_then(|coded| coded.map_err(|error| error.to_string())),
                Err(closed) => Err(closed.to_string()),
            };
            let (encoder, ready) = match coded {
                Ok(coded) => coded,
                Err(error) => return (Err(BodyError::Origin(format!("coding: {error}"))), None),
            };
            let ready = Bytes::from(ready);
            match encoder {
                None => return (Ok(ready), None),
                Some(encoder) => self = Coded { from, gathered, encoder, turns, _place },
            }
            if !ready.is_empty() {
                return (Ok(ready), Some(self));
            }
        }
    }

    /// Waits for a block, a pause or the end.
    async fn gather(&mut self) -> Result<Then, BodyError> {
        while self.gathered.len() < BLOCK {
            let frame = match self.gathered.is_empty() {
                true => self.from.frame().await,
                false => match tokio::time::timeout(PAUSE, self.from.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => return Ok(Then::Pause),
                },
            };
            let Some(frame) = frame else { return Ok(Then::End) };
            // Trailers are not passed on.
            if let Ok(data) = frame?.into_data() {
                self.gathered.extend_from_slice(&data);
            }
        }
        Ok(Then::More)
    }
}
